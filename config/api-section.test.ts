import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { DEFAULT_ACCESS } from '#api/access/settings.ts'
import { ConfigError } from '../config.ts'
import { parseApiSection, readAccess } from './api-section.ts'

const TENANT = '6a0c1d52-8f7b-4e39-9c41-2b7d5a3e1f08'
const parse = (text: string) => parseApiSection(text, 'trailjoin.yaml')

function refusal(text: string): readonly string[] {
  try {
    parse(text)
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n')
    throw error
  }
  throw new Error('was accepted')
}

const issuer = (rest: string): string => `api:\n  oidc:\n    - issuer: https://login.example/v2.0\n      audience: x\n${rest}`

test('without a section this machine alone may call, by its local token', () => {
  for (const text of ['', 'sources: []', 'api:'])
    expect(parse(text), text).toMatchObject({ oidc: [], localToken: true, hosts: [], corsOrigins: [], limits: { perCaller: 1200 } })
})

test('an issuer has safe defaults', () => {
  expect(parse(issuer('')).oidc).toEqual([
    {
      issuer: 'https://login.example/v2.0',
      discovery: 'https://login.example/v2.0/.well-known/openid-configuration',
      audience: ['x'],
      algorithms: ['RS256', 'PS256', 'ES256'],
      idClaim: 'sub',
      rolesClaim: 'roles',
      rolePrefix: 'trailjoin.',
      tenants: { claim: 'tid' },
      grants: [],
    },
  ])
})

test('every fault is told at once with its line', () => {
  const lines = refusal(`api:
  oidc:
    - issuer: http://login.example
      audience: []
      algorithms: [none, HS256, RS256]
      tenants: [not-a-guid]
      grants:
        - when: {}
          roles: [emperor]
        - when: {a: b}
  hosts: ["https://x.example/y"]
  corsOrigins: ["https://x.example/"]
  trustProxy: true
  limits: {perCaller: -1}
  colour: red
`)
  const wanted = [
    /^trailjoin.yaml:3: api\.oidc\[0\]\.issuer is no https address/,
    /:4: api\.oidc\[0\]\.audience /,
    /:5: api\.oidc\[0\]\.algorithms\[0\] is none of RS256/,
    /:5: api\.oidc\[0\]\.algorithms\[1\] is none of RS256/,
    /:6: api\.oidc\[0\]\.tenants/,
    /:8: api\.oidc\[0\]\.grants\[0\]\.when names no claim/,
    /:9: api\.oidc\[0\]\.grants\[0\]\.roles\[0\] is none of reader/,
    /:10: api\.oidc\[0\]\.grants\[1\] grants neither/,
    /:11: api\.hosts\[0\] is no host name/,
    /:12: api\.corsOrigins\[0\] is no origin/,
    /:13: api\.trustProxy is neither/,
    /:14: api\.limits\.perCaller is below 0/,
    /:15: api\.colour is not known here/,
  ]
  for (const pattern of wanted) expect(lines).toContainEqual(expect.stringMatching(pattern))
  expect(lines).toHaveLength(wanted.length)
})

describe('a sign-in for people', () => {
  const ENTRA = 'https://login.microsoftonline.com/8f3c1f0e-5c0a-4b7e-9a55-2f0d6b6f1c11/v2.0'
  const signIn = (rest: string): string => issuer(`      signIn: ${rest}\n`)
  const atEntra = (rest: string): string => `api:\n  oidc:\n    - issuer: ${ENTRA}\n      audience: x\n      signIn: ${rest}\n`

  test('is a client id and a scope, whose default asks for a session that can be renewed', () => {
    expect(parse(signIn('{clientId: page}')).oidc[0]?.signIn).toEqual({ clientId: 'page', scope: 'openid offline_access', origins: [] })
    const full = parse(atEntra("{clientId: page, scope: ' openid  offline_access api://trailjoin/.default', origins: [https://token.example]}"))
    expect(full.oidc[0]?.signIn).toEqual({ clientId: 'page', scope: 'openid offline_access api://trailjoin/.default', origins: ['https://token.example'] })
  })

  test('without openid, or with a scope with which Entra gives a token for something else, is refused', () => {
    expect(refusal(signIn('{clientId: page, scope: profile}'))).toEqual([expect.stringContaining('api.oidc[0].signIn.scope does not hold openid')])
    for (const scope of ['', ', scope: openid profile offline_access'])
      expect(refusal(atEntra(`{clientId: page${scope}}`)), scope).toEqual([
        expect.stringMatching(/:5: api\.oidc\[0\]\.signIn\.scope asks for nothing of this API/),
      ])
  })

  test('names its own issuer where the discovery document is not below that of the tokens', () => {
    const v1 = 'issuer: https://sts.windows.net/8f3c1f0e/\n      discovery: https://login.microsoftonline.com/8f3c1f0e/.well-known/openid-configuration'
    const text = (more: string): string =>
      `api:\n  oidc:\n    - ${v1}\n      audience: x\n      signIn: {clientId: page, scope: openid api://x/access${more}}\n`
    expect(refusal(text(''))).toEqual([expect.stringContaining('api.oidc[0].signIn.issuer is missing')])
    expect(parse(text(`, issuer: "${ENTRA}"`)).oidc[0]?.signIn?.issuer).toBe(ENTRA)
  })

  test('one issuer signs people in for one entry only: of two, nobody could tell whose answer comes back', () => {
    const entry = (at: string, rest: string): string => `    - issuer: ${at}\n      audience: x\n      signIn: {scope: openid api://x/access, ${rest}}\n`
    const two = (other: string): string =>
      `api:\n  oidc:\n${entry('https://sts.windows.net/8f3c1f0e-5c0a-4b7e-9a55-2f0d6b6f1c11/', `clientId: one, issuer: "${ENTRA}"`)}${entry(other, 'clientId: two')}`
    expect(refusal(two(ENTRA))).toEqual([expect.stringContaining('api.oidc lets people sign in at one issuer for two entries')])
    expect(parse(two('https://sso.example')).oidc).toHaveLength(2)
  })

  test('lets the page ask no plain http elsewhere, and nothing but origins', () => {
    for (const origin of ['http://evil.example', 'https://evil.example/path', '*', 'https://a.example; script-src *'])
      expect(refusal(signIn(`{clientId: page, origins: ['${origin}']}`)), origin).toEqual([expect.stringContaining('signIn.origins[0] is no origin')])
  })
})

test('one issuer stands once', () => {
  expect(refusal(`${issuer('')}    - issuer: https://login.example/v2.0\n      audience: y\n`).join()).toContain('twice')
})

describe('the environment', () => {
  const read = (environment: Readonly<Record<string, string>>) => readAccess(undefined, environment)

  test('is enough for one issuer, and stands over the file', async () => {
    const settings = await read({
      TRAILJOIN_OIDC_ISSUER: 'https://login.example/v2.0',
      TRAILJOIN_OIDC_AUDIENCE: 'a, b',
      TRAILJOIN_HOSTS: 'Trailjoin.example',
      TRAILJOIN_CORS_ORIGINS: 'https://soc.example',
      TRAILJOIN_TRUST_PROXY: '1',
      TRAILJOIN_TLS_CERT: 'c',
      TRAILJOIN_TLS_KEY: 'k',
    })
    expect(settings).toMatchObject({
      oidc: [{ issuer: 'https://login.example/v2.0', audience: ['a', 'b'], tenants: { claim: 'tid' } }],
      hosts: ['trailjoin.example'],
      corsOrigins: ['https://soc.example'],
      trustProxy: 1,
      tls: { cert: 'c', key: 'k' },
    })
    const page = { TRAILJOIN_OIDC_ISSUER: 'https://login.example/v2.0', TRAILJOIN_OIDC_AUDIENCE: 'a', TRAILJOIN_OIDC_CLIENT_ID: 'page' }
    expect((await read(page)).oidc[0]?.signIn).toMatchObject({ clientId: 'page', scope: 'openid offline_access' })
    expect((await read({ ...page, TRAILJOIN_OIDC_SCOPE: 'openid x' })).oidc[0]?.signIn).toMatchObject({ scope: 'openid x' })
    expect((await read({ TRAILJOIN_TRUST_PROXY: '10.0.0.0/8, loopback' })).trustProxy).toEqual(['10.0.0.0/8', 'loopback'])
    expect(await read({ TRAILJOIN_HOSTS: '' })).toEqual(DEFAULT_ACCESS)
  })

  test('is told off for every variable that is wrong or stands alone, without its value', async () => {
    const told = await read({
      TRAILJOIN_OIDC_ISSUER: 'https://user:hunter2@login.example',
      TRAILJOIN_TLS_CERT: 'c',
      TRAILJOIN_TRUST_PROXY: 'everybody',
      TRAILJOIN_HOSTS: 'a b',
    }).catch((error: unknown) => error)
    expect(told).toBeInstanceOf(ConfigError)
    const { message } = told as ConfigError
    for (const name of [
      'TRAILJOIN_OIDC_ISSUER is no https',
      'TRAILJOIN_OIDC_AUDIENCE is missing',
      'TRAILJOIN_TLS_KEY is missing',
      'TRAILJOIN_TRUST_PROXY',
      'TRAILJOIN_HOSTS is no host',
    ])
      expect(message).toContain(name)
    expect(message).not.toContain('hunter2')
    const of = (variables: Readonly<Record<string, string>>): Promise<string> => read(variables).then(String, (error: unknown) => String(error))
    expect(await of({ TRAILJOIN_OIDC_CLIENT_ID: 'page' })).toContain('TRAILJOIN_OIDC_ISSUER is missing')
    expect(await of({ TRAILJOIN_OIDC_SCOPE: 'openid' })).toContain('TRAILJOIN_OIDC_CLIENT_ID is missing')
    const entra = { TRAILJOIN_OIDC_ISSUER: 'https://login.microsoftonline.com/x/v2.0', TRAILJOIN_OIDC_AUDIENCE: 'a', TRAILJOIN_OIDC_CLIENT_ID: 'page' }
    expect(await of(entra)).toContain('TRAILJOIN_OIDC_SCOPE asks for nothing of this API')
  })

  test('tells its faults together with those of a file that is not there', async () => {
    await expect(readAccess('/nowhere/t.yaml', { TRAILJOIN_TLS_CERT: 'c' })).rejects.toThrow(/TRAILJOIN_TLS_KEY[^]*\/nowhere\/t\.yaml does not exist/)
  })
})

test('the examples of docs/operators/access.md are accepted', async () => {
  const text = await readFile(join(import.meta.dirname, '..', 'docs', 'operators', 'access.md'), 'utf8')
  const examples = [...text.matchAll(/```yaml\n([^]*?)```/g)].map((match) => match[1] ?? '')
  expect(examples.length).toBeGreaterThan(1)
  for (const example of examples) expect(parse(example)).not.toEqual(DEFAULT_ACCESS)
})

test('plain http is accepted to this machine only', () => {
  expect(parse('api: {oidc: [{issuer: "http://127.0.0.1:9", audience: x}]}').oidc).toHaveLength(1)
  expect(refusal('api: {oidc: [{issuer: "http://127.0.0.1.evil.example", audience: x}]}')).toHaveLength(1)
  expect(parse(issuer(`      tenants: [${TENANT.toUpperCase()}]\n`)).oidc[0]?.tenants).toEqual([TENANT])
})
