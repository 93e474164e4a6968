import { SignJWT, UnsecuredJWT } from 'jose'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Refused, Unavailable } from './check.ts'
import { oidcTokens } from './oidc.ts'
import type { KeyTimes } from './oidc-keys.ts'
import { ApiSection } from './settings.ts'
import type { OidcIssuer } from './settings.ts'
import { AUDIENCE, startIssuer, tamperedWith, unsigned, wronglySigned } from './testing/issuer.ts'
import type { TestIssuer } from './testing/issuer.ts'

const TENANT = '6a0c1d52-8f7b-4e39-9c41-2b7d5a3e1f08'
const log = { info: () => undefined, error: () => undefined }
/** Times that a test can wait for. */
const FAST: KeyTimes = { refreshMs: 100_000, staleMs: 200_000, cooldownMs: 40, timeoutMs: 2_000 }
const now = (): number => Math.floor(Date.now() / 1000)
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

let issuer: TestIssuer
beforeEach(async () => {
  issuer = await startIssuer()
})
afterEach(() => issuer.close())

const settings = (...issuers: Readonly<Record<string, unknown>>[]): readonly OidcIssuer[] => ApiSection.parse({ oidc: issuers }).oidc
const checkOf = (times: KeyTimes = FAST) => oidcTokens(settings({ issuer: issuer.issuer, audience: AUDIENCE }), { log, times })

test('a good token gives its caller, roles and tenants', async () => {
  const token = await issuer.token({
    sub: 'abc',
    tid: TENANT.toUpperCase(),
    roles: ['trailjoin.responder', 'other.thing'],
    preferred_username: 'ada@example.com',
  })
  expect(await checkOf()(token)).toEqual({ id: `oidc:${issuer.issuer}#abc`, name: 'ada@example.com', roles: ['responder'], scope: [TENANT] })
})

test('one audience of several is enough, and the header typ may be anything', async () => {
  const check = checkOf()
  expect(await check(await issuer.token({ aud: ['other', AUDIENCE] }))).not.toBeNull()
  for (const typ of ['at+jwt', undefined]) expect(await check(await issuer.token({}, { typ }))).not.toBeNull()
})

test('what is no JWT is left to others', async () => {
  for (const text of ['', 'abc', 'a.b', 'a.b.c', 'tj_x', 'x'.repeat(43)]) expect(await checkOf()(text)).toBeNull()
})

test.each([
  ['expired', { exp: now() - 120 }, 'has expired'],
  ['not valid yet', { nbf: now() + 120 }, 'not valid yet'],
  ['for another audience', { aud: 'api://other' }, 'another audience'],
  ['for no audience', { aud: undefined }, 'another audience'],
  ['without an end', { exp: undefined }, 'exp'],
  ['with an end that is no number', { exp: 'tomorrow' }, 'exp'],
  ['of an unknown issuer', { iss: 'https://elsewhere.example' }, 'issuer'],
  ['without an issuer', { iss: undefined }, 'issuer'],
  ['about nobody', { sub: undefined }, 'no sub'],
])('a token that is %s is refused with the reason', async (_what, claims, reason) => {
  const refused = checkOf()(await issuer.token(claims))
  await expect(refused).rejects.toThrow(Refused)
  await expect(refused).rejects.toThrow(reason)
})

test('clocks may differ by half a minute', async () => {
  expect(await checkOf()(await issuer.token({ exp: now() - 20, nbf: now() + 20 }))).not.toBeNull()
})

test('no signature but the issuer’s own counts', async () => {
  const check = checkOf()
  const good = await issuer.token({ roles: ['trailjoin.reader'] })
  const other = await startIssuer()
  const key = new TextEncoder().encode(JSON.stringify(issuer.publicKey()))
  const claims = { iss: issuer.issuer, aud: AUDIENCE, sub: 'x', exp: now() + 100 }
  const bad = {
    none: unsigned(good),
    'none, by the library': new UnsecuredJWT(claims).encode(),
    'one bit differs': wronglySigned(good),
    'claims changed': tamperedWith(good, { roles: ['trailjoin.admin'] }),
    "another issuer's key": await other.token({ iss: issuer.issuer }),
    "another issuer's key under this kid": await other.token({ iss: issuer.issuer }, { kid: issuer.publicKey().kid }),
    'HS256 by the public key': await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: issuer.publicKey().kid! }).sign(key),
    'a key in the header': await other.token({ iss: issuer.issuer }, { jwk: other.publicKey(), kid: undefined }),
    'an address of keys in the header': await other.token({ iss: issuer.issuer }, { jku: `${other.issuer}/keys` }),
    empty: `${good.split('.').slice(0, 2).join('.')}.`,
  }
  for (const [how, token] of Object.entries(bad)) await expect(check(token), how).rejects.toThrow(Refused)
  expect(await check(good)).not.toBeNull()
  await other.close()
})

test('a key that the issuer has begun to use is taken without a restart', async () => {
  const check = checkOf()
  await check(await issuer.token())
  const old = await issuer.token()
  await issuer.rotate()
  await pause(FAST.cooldownMs + 10)
  expect(await check(await issuer.token())).not.toBeNull()
  expect(await check(old)).not.toBeNull()
})

test('a key that was withdrawn is refused after the next reading', async () => {
  const check = checkOf({ ...FAST, staleMs: 60 })
  const old = await issuer.token()
  expect(await check(old)).not.toBeNull()
  await issuer.rotate({ withdraw: true })
  await pause(80)
  await expect(check(old)).rejects.toThrow(Refused)
})

test('the first token after ten minutes of silence is checked against the keys of now', async () => {
  const check = checkOf({ ...FAST, refreshMs: 30 })
  const old = await issuer.token()
  await check(old)
  await issuer.rotate({ withdraw: true })
  await pause(50)
  await expect(check(old)).rejects.toThrow(Refused)
  expect(issuer.fetches()).toBe(2)
})

test('any number of tokens with unknown keys leads to one reading of the keys', async () => {
  const check = checkOf({ ...FAST, cooldownMs: 60_000 })
  await check(await issuer.token())
  const tokens = await Promise.all(Array.from({ length: 20 }, (_, index) => issuer.token({}, { kid: `guess-${index}` })))
  for (const token of tokens) await expect(check(token)).rejects.toThrow(Refused)
  expect(issuer.fetches()).toBe(1)
  const first = checkOf({ ...FAST, cooldownMs: 60_000 })
  await Promise.allSettled(tokens.map((token) => first(token)))
  expect(issuer.fetches()).toBe(2)
})

test('while the issuer does not answer, the keys at hand stay good, and nobody new is let in', async () => {
  const check = checkOf({ ...FAST, refreshMs: 0 })
  const token = await issuer.token()
  await check(token)
  await expect.poll(() => issuer.fetches()).toBeGreaterThan(0)
  issuer.setDown(true)
  await pause(20)
  expect(await check(token)).not.toBeNull()
  const fresh = checkOf()
  await expect(fresh(token)).rejects.toThrow(Unavailable)
  issuer.setDown(false)
  await pause(FAST.cooldownMs + 10)
  expect(await fresh(token)).not.toBeNull()
})

test('the keys at hand do not stay good for ever: after their day nobody is let in until the issuer answers', async () => {
  const check = checkOf({ ...FAST, refreshMs: 0, staleMs: 2_000 })
  const token = await issuer.token()
  await check(token)
  issuer.setDown(true)
  await pause(FAST.cooldownMs)
  expect(await check(token)).not.toBeNull()
  await pause(2_100)
  await expect(check(token)).rejects.toThrow(Unavailable)
  issuer.setDown(false)
  await pause(FAST.cooldownMs + 10)
  expect(await check(token)).not.toBeNull()
})

test.each([
  ['names another issuer', { issuer: 'https://elsewhere.example' }],
  ['keeps its keys behind plain http elsewhere', { jwks_uri: 'http://keys.example/keys' }],
  ['names no keys', { jwks_uri: undefined }],
])('an issuer whose discovery document %s lets nobody in', async (_what, lies) => {
  issuer.lie(lies)
  await expect(checkOf()(await issuer.token())).rejects.toThrow(Unavailable)
})

test('keys behind a redirect are not taken', async () => {
  issuer.lie({ jwks_uri: `${issuer.issuer}/elsewhere` })
  await expect(checkOf()(await issuer.token())).rejects.toThrow(Unavailable)
})

test('each of several issuers speaks for itself alone', async () => {
  const other = await startIssuer()
  const list = settings({ issuer: issuer.issuer, audience: AUDIENCE }, { issuer: other.issuer, audience: 'api://second', rolePrefix: '' })
  const check = oidcTokens(list, { log, times: FAST })
  expect(await check(await issuer.token({ roles: ['reader'] }))).toMatchObject({ roles: [] })
  expect(await check(await other.token({ aud: 'api://second', roles: ['reader'] }))).toMatchObject({ roles: ['reader'] })
  await expect(check(await other.token())).rejects.toThrow('another audience')
  await expect(check(await other.token({ iss: issuer.issuer }))).rejects.toThrow(Refused)
  await other.close()
})
