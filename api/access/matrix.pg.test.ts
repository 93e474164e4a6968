/** Every route of the OpenAPI document × every way not to belong: the right status, and nothing of anybody's records. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { RawRecord } from '#core/record.ts'
import { createCorrelator } from '#correlate/index.ts'
import { createTestDatabase } from '../../test/postgres.ts'
import type { TestDatabase } from '../../test/postgres.ts'
import { createApp } from '../app.ts'
import { Problem } from '../contract.ts'
import { listen } from '../listen.ts'
import type { Listening } from '../listen.ts'
import { openApiDocument } from '../openapi.ts'
import { ROUTES } from '../routes/index.ts'
import { authenticateBy } from './check.ts'
import { ACCESS_ROLES } from './caller.ts'
import { oidcTokens } from './oidc.ts'
import { ApiSection } from './settings.ts'
import { AUDIENCE, startIssuer, unsigned, wronglySigned } from './testing/issuer.ts'
import type { TestIssuer } from './testing/issuer.ts'
import { apiTokens, createToken, listTokens, revokeToken } from './tokens.ts'

const TENANT = '11111111-aaaa-4bbb-8ccc-222222222222'
const OTHER_TENANT = '33333333-aaaa-4bbb-8ccc-222222222222'
const AGENT = 'a0a0a0a0-1111-4222-8333-444444444444'
const FINDING = 'f0f0f0f0-1111-4222-8333-444444444444'
/** Stands in the records and nowhere in a request: an answer that holds one of them has given something away. */
const SECRETS = ['very-secret-request', '/secret/forecast', 'Secret finding', 'secret rejected text', 'secret-log', TENANT]
const REQUEST_ID = 'very-secret-request'

const Operation = z.object({ security: z.array(z.unknown()), 'x-roles': z.array(z.string()).optional(), requestBody: z.unknown().optional() })
const { paths } = z.object({ paths: z.record(z.string(), z.record(z.string(), Operation)) }).parse(openApiDocument(ROUTES, '1'))
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    method: method.toUpperCase(),
    path,
    open: operation.security.length === 0,
    roles: operation['x-roles'] ?? [],
    body: operation.requestBody !== undefined,
  })),
)
type Op = (typeof operations)[number]
const guarded = operations.filter(({ open }) => !open)

let database: TestDatabase
let server: Listening
let issuer: TestIssuer
let ids: { readonly event: string; readonly trace: string }

beforeAll(async () => {
  database = await createTestDatabase()
  const { pool } = database
  const value = {
    time: '2026-09-01T10:00:00Z',
    api: 'weather',
    requestId: REQUEST_ID,
    method: 'GET',
    path: '/secret/forecast',
    status: 200,
    tid: TENANT,
    oid: AGENT,
    appid: AGENT,
    idtyp: 'app',
    xms_par_app_azp: 'b0b0b0b0-1111-4222-8333-444444444444',
  }
  const record: RawRecord = { text: JSON.stringify(value), value, masked: [], origin: { file: 'secret-log', line: 1, index: 0 }, context: {} }
  const correlator = createCorrelator(pool)
  await correlator.deliver([record], [{ text: 'secret rejected text', reason: 'not JSON', origin: { file: 'secret-log', line: 2, index: 1 } }])
  await correlator.drain()
  await pool.query(
    `insert into findings (id, rule, severity, confidence, title, tenant_id, oids, evidence, first_ns, last_ns, explanation, remediation, evidence_hash, content_hash)
     values ($1, 'sami-anchor', 'high', 'exact', 'Secret finding', $2, $3, '{}', 1, 1, 'Because.', 'Do.', 'e', 'x')`,
    [FINDING, TENANT, [AGENT]],
  )
  const one = async (query: string): Promise<string> => (await pool.query<{ id: string }>(query)).rows[0]!.id
  ids = { event: await one('select event_id as id from events'), trace: await one('select id from traces') }
  issuer = await startIssuer()
  const log = { info: () => undefined, error: () => undefined }
  const { oidc, limits } = ApiSection.parse({
    oidc: [{ issuer: issuer.issuer, audience: AUDIENCE, grants: [{ when: { all: 'yes' }, tenants: 'everything' }] }],
    limits: { perCaller: 0, perAddress: 0, failuresPerAddress: 0 },
  })
  const auth = authenticateBy([apiTokens(pool), oidcTokens(oidc, { log })])
  server = await listen(createApp({ pool, auth, log, access: { hosts: [], corsOrigins: [], limits } }), { host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await server?.close()
  await issuer?.close()
  await database?.drop()
})

const addressOf = ({ path }: Op): string =>
  path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => {
    if (name !== 'id') return AGENT
    return path.startsWith('/v1/traces/') ? ids.trace : path.startsWith('/v1/findings/') ? FINDING : ids.event
  })

/** The answer and as much of its text as comes within a moment: streams do not end by themselves. */
async function ask(op: Op, token: string | null, query = ''): Promise<{ readonly status: number; readonly text: string; readonly headers: Headers }> {
  const stop = new AbortController()
  const response = await fetch(`${server.url}${addressOf(op)}${query}`, {
    method: op.method,
    signal: stop.signal,
    headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...(op.body ? { 'content-type': 'application/json' } : {}) },
    ...(op.body ? { body: '{}' } : {}),
  })
  const timer = setTimeout(() => stop.abort(), response.headers.get('content-type')?.startsWith('text/event-stream') ? 500 : 30_000)
  let text = ''
  const decoder = new TextDecoder()
  try {
    for await (const part of response.body ?? []) text += decoder.decode(part, { stream: true })
  } catch (error) {
    if (!stop.signal.aborted) throw error
  } finally {
    clearTimeout(timer)
  }
  return { status: response.status, text, headers: response.headers }
}

function expectNothing(text: string, hint: string): void {
  for (const secret of SECRETS) expect(text, hint).not.toContain(secret)
}

async function expectRefused(op: Op, token: string | null, status: number): Promise<void> {
  const hint = `${op.method} ${op.path}`
  const answer = await ask(op, token)
  expect(answer.status, hint).toBe(status)
  expect(answer.headers.get('content-type'), hint).toMatch('application/problem+json')
  expect(Problem.parse(JSON.parse(answer.text)), hint).toMatchObject({ status, type: status === 401 ? '/problems/unauthenticated' : '/problems/forbidden' })
  expect(answer.headers.get('www-authenticate') !== null, hint).toBe(status === 401)
  expectNothing(answer.text, hint)
}

const everyRole = ACCESS_ROLES.map((role) => `trailjoin.${role}`)
const now = (): number => Math.floor(Date.now() / 1000)

describe('every route', () => {
  test('is guarded, but for the probes', () => {
    expect(guarded.length).toBeGreaterThan(15)
    expect(operations.filter(({ open }) => open).map(({ path }) => path)).toEqual(expect.arrayContaining(['/healthz', '/readyz']))
    for (const { path } of operations.filter(({ open }) => open)) expect(path).not.toMatch(/^\/v1\//)
  })

  test('lets in whoever belongs there, so that the refusals below mean something', async () => {
    const token = await issuer.token({ roles: everyRole, tid: TENANT, all: 'yes' })
    const told = new Set<string>()
    for (const op of guarded) {
      const { status, text } = await ask(op, token)
      expect([401, 403], `${op.method} ${op.path}: ${text}`).not.toContain(status)
      expect(status, `${op.method} ${op.path}: ${text}`).not.toBe(500)
      for (const secret of SECRETS.filter((one) => text.includes(one))) told.add(secret)
    }
    expect([...told].toSorted()).toEqual(SECRETS.toSorted())
  })

  const strangers: Readonly<Record<string, () => Promise<string | null> | string | null>> = {
    'no token': () => null,
    'an expired token': () => issuer.token({ roles: everyRole, tid: TENANT, exp: now() - 300 }),
    'a token for another audience': () => issuer.token({ roles: everyRole, tid: TENANT, aud: 'api://other' }),
    'a token with a wrong signature': async () => wronglySigned(await issuer.token({ roles: everyRole, tid: TENANT })),
    'a token with alg none': async () => unsigned(await issuer.token({ roles: everyRole, tid: TENANT })),
    'a token of an unknown issuer': () => issuer.token({ iss: 'https://elsewhere.example', roles: everyRole, tid: TENANT }),
    'a made-up API token': () => `tj_${'x'.repeat(43)}`,
    'half an API token': async () => (await listTokens(database.pool))[0]?.prefix ?? 'tj_half',
    'an expired API token': async () => {
      const { token, entry } = await createToken(database.pool, {
        name: 'old',
        roles: ['admin'],
        scope: 'everything',
        expiresAt: new Date(Date.now() + 60_000),
      })
      await database.pool.query(`update api_tokens set expires_at = now() - interval '1 second' where id = $1`, [entry.id])
      return token
    },
    'a revoked API token': async () => {
      const { token, entry } = await createToken(database.pool, {
        name: 'gone',
        roles: ['admin'],
        scope: 'everything',
        expiresAt: new Date(Date.now() + 60_000),
      })
      await revokeToken(database.pool, entry.id)
      return token
    },
    rubbish: () => 'abc',
  }
  test.each(Object.keys(strangers))('refuses %s with 401', async (who) => {
    const token = (await strangers[who]?.()) ?? null
    for (const op of guarded) await expectRefused(op, token, 401)
  })

  test('refuses a good token without a role with 403', async () => {
    const token = await issuer.token({ roles: ['reader', 'admin'], tid: TENANT, all: 'yes' })
    for (const op of guarded) await expectRefused(op, token, 403)
  })

  test.each(ACCESS_ROLES)('refuses the role %s with 403 where the route is not for it, and only there', async (role) => {
    const token = await issuer.token({ roles: [`trailjoin.${role}`], tid: TENANT })
    for (const op of guarded)
      if (op.roles.includes(role)) expect((await ask(op, token)).status, `${op.method} ${op.path}`).not.toBe(403)
      else await expectRefused(op, token, 403)
  })

  test.each([
    ['of another tenant', { tid: OTHER_TENANT }],
    ['without a tenant', { tid: undefined }],
    ['that names a tenant and no GUID', { tid: `${TENANT}x` }],
  ])('gives an admin %s nothing', async (_who, claims) => {
    const token = await issuer.token({ roles: everyRole, ...claims })
    // All without a tenant first: an admin sees what they themselves asked in the record of accesses.
    for (const query of ['', `?tenant=${TENANT}`])
      for (const op of guarded.filter(({ method }) => method === 'GET' || query === '')) {
        const { status, text } = await ask(op, token, query)
        const hint = `${op.method} ${op.path}${query}: ${status}`
        expect(status, hint).not.toBe(500)
        // The tenant that was asked for may be repeated in an answer about nothing; without it in the request it may not.
        const given = SECRETS.filter((one) => (query === '' || one !== TENANT) && text.includes(one))
        expect(given, hint).toEqual([])
      }
  })
})

test('nothing changes for a stranger by asking with another method, or for a path that is none', async () => {
  for (const [method, path, status] of [
    ['GET', '/v1/nothing', 401],
    ['DELETE', '/v1/agents', 401],
    ['PATCH', '/v1/agents', 401],
    ['OPTIONS', '/v1/agents', 401],
    ['HEAD', '/v1/agents', 401],
    ['GET', '/V1/Agents', 401],
    ['GET', '/v1//agents', 401],
    ['GET', '/v1/agents/', 401],
    ['GET', '//v1/agents', 404],
    ['GET', '/%76%31/agents', 404],
  ] as const)
    expect((await fetch(`${server.url}${path}`, { method })).status, `${method} ${path}`).toBe(status)
})
