import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ApiSection } from '#api/access/settings.ts'
import { makeCertificate } from '#api/access/testing/certificate.ts'
import { startIssuer } from '#api/access/testing/issuer.ts'
import type { TestIssuer } from '#api/access/testing/issuer.ts'
import { accessReport } from './access.ts'

let issuer: TestIssuer
let folder: string
beforeAll(async () => {
  issuer = await startIssuer()
  folder = await mkdtemp(join(tmpdir(), 'trailjoin-doctor-'))
  makeCertificate(folder, 'long', 'trailjoin.example.com', 90)
  makeCertificate(folder, 'short', 'trailjoin.example.com', 3)
})
afterAll(async () => {
  await issuer.close()
  await rm(folder, { recursive: true, force: true })
})

/** Findings as lines. */
async function look(section: Readonly<Record<string, unknown>>, tokens: number | null = 0): Promise<string> {
  const { findings } = await accessReport(ApiSection.parse(section), tokens)
  return findings.map(({ check, level, message, next }) => `${level} ${check}: ${message}${next === null ? '' : ` → ${next}`}`).join('\n')
}
const trusted = (more: Readonly<Record<string, unknown>> = {}) => ({ oidc: [{ issuer: issuer.issuer, audience: 'trailjoin', ...more }] })
const pair = (cert: string, key = cert) => ({ cert: join(folder, `${cert}.pem`), key: join(folder, `${key}.key`) })

describe('an issuer', () => {
  test('that answers is well, with the number of its keys and the audience that tokens must have', async () => {
    expect(await look(trusted())).toContain(`ok issuer ${issuer.issuer}: answers; 1 of its 1 keys are for RS256, PS256, ES256; tokens must be for trailjoin`)
  })

  test('that is down, elsewhere or another than it says is a problem that says which', async () => {
    issuer.setDown(true)
    expect(await look(trusted())).toContain('answers 503.')
    issuer.setDown(false)
    issuer.lie({ issuer: 'https://login.example.com' })
    expect(await look(trusted())).toMatch(/^problem .* is of another issuer than/)
    issuer.lie({ jwks_uri: 'http://keys.example.com/' })
    expect(await look(trusted())).toMatch(/^problem .* names no https address of its keys/)
    issuer.lie({})
    expect(await look({ oidc: [{ issuer: 'https://issuer.invalid', audience: 'x' }] })).toMatch(
      /^problem issuer https:\/\/issuer.invalid: it cannot be reached: \w+ → /,
    )
  })

  test('none of whose keys fits the algorithms lets nobody in', async () => {
    expect(await look(trusted({ algorithms: ['ES256'] }))).toMatch(/^problem .*none of its 1 keys is for ES256 → Correct `algorithms`/)
  })

  test('that shows everybody everything is told of', async () => {
    expect(await look(trusted({ tenants: 'everything' }))).toContain('warning issuer')
  })
})

describe('of Entra', () => {
  const V2 = 'https://login.microsoftonline.com/8f3c1f0e-5c0a-4b7e-9a55-2f0d6b6f1c11/v2.0'
  const entra = async (settings: Readonly<Record<string, unknown>>): Promise<string> => {
    // Its document is read from the issuer at hand, which says that it is Entra.
    issuer.lie({ issuer: settings['issuer'] })
    try {
      return await look({ oidc: [{ discovery: `${issuer.issuer}/.well-known/openid-configuration`, ...settings }] })
    } finally {
      issuer.lie({})
    }
  }

  test('an audience that no token of version 2 has is told before the first token is refused', async () => {
    expect(await entra({ issuer: V2, audience: 'api://trailjoin', idClaim: 'oid' })).toContain('→ Write the client id')
    expect(await entra({ issuer: V2, audience: '1c9e4d7a-6b2f-4e83-9d10-5a7c3b8e2f64', idClaim: 'oid' })).not.toContain('warning')
    expect(await entra({ issuer: V2, audience: '1c9e4d7a-6b2f-4e83-9d10-5a7c3b8e2f64' })).toContain('→ Write `idClaim: oid`')
  })

  test('an issuer that tokens never name is told with what to write', async () => {
    const withIssuer = (name: string) => look({ oidc: [{ issuer: name, discovery: `${issuer.issuer}/.well-known/openid-configuration`, audience: 'x' }] })
    expect(await withIssuer('https://login.microsoftonline.com/common/v2.0')).toContain('→ Write the tenant id in its place')
    expect(await withIssuer('https://login.microsoftonline.com/8f3c1f0e-5c0a-4b7e-9a55-2f0d6b6f1c11')).toContain('ends with /v2.0')
  })
})

test('that nobody could call is a problem, unless there is a good API token', async () => {
  expect(await look({ localToken: false })).toMatch(/^problem callers: nobody could call/)
  expect(await look({ localToken: false }, 2)).toBe('ok callers: known by 2 API tokens')
  expect(await look({})).toBe('ok callers: known by on loopback the local token')
})

describe('a certificate', () => {
  test('that is good for long is well; one that soon ends, is not for the name, or not for the key is told', async () => {
    const hosts = ['trailjoin.example.com']
    expect(await look({ tls: pair('long'), hosts })).toMatch(/ok certificate: .*it ends in (?:89|90) days\nok hosts/)
    expect(await look({ tls: pair('short'), hosts })).toMatch(/warning certificate: .*ends in [23] days/)
    expect(await look({ tls: pair('long'), hosts: [...hosts, 'other.example.com'] })).toContain('warning certificate: it is not for other.example.com')
    expect(await look({ tls: pair('long', 'short'), hosts })).toMatch(/problem certificate: .*belong together/)
    expect(await look({ tls: { cert: join(folder, 'no.pem'), key: join(folder, 'no.key') } })).toMatch(/problem certificate: .*no\.pem/)
  })

  test('without a name to answer to is told: clients would get 421', async () => {
    expect(await look({ trustProxy: 1 })).toMatch(/warning hosts: no name is given/)
  })
})
