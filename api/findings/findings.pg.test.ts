import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/postgres.ts'
import { createApp } from '../app.ts'
import { bearerToken } from '../access/local-token.ts'
import { page } from '../contract.ts'
import { id, OTHER_TENANT, TENANT } from '../fixture.ts'
import { listen, type Listening } from '../listen.ts'
import { findingLines } from '../read-models/findings.ts'
import { scopedStore } from '../read-models/store.ts'
import { Finding } from './contract.ts'
import { acknowledge, reopen } from './decide.ts'

const TOKEN = 'a-token-for-this-test'
const DAY = 86_400_000_000_000n
const START = 1_780_000_000_000_000_000n
const AGENT = id('a')

let database: TestDatabase
let server: Listening

beforeAll(async () => {
  database = await createTestDatabase()
  const rows = [
    [id('5', 1), 'audience-trap', 'high', TENANT, [AGENT], START, START],
    // Two with one last event: the order must still be total.
    [id('5', 2), 'sami-anchor', 'medium', TENANT, [id('b')], START, START + DAY],
    [id('5', 3), 'sami-anchor', 'medium', OTHER_TENANT, [id('b', 2)], START + DAY, START + DAY],
    [id('5', 4), 'logging-disabled', 'high', null, [], START + 5n * DAY, START + 6n * DAY],
  ] as const
  for (const [finding, rule, severity, tenant, oids, first, last] of rows) {
    await database.pool.query(
      `insert into findings (id, rule, severity, confidence, title, tenant_id, oids, evidence, first_ns, last_ns, explanation, remediation, evidence_hash, content_hash)
       values ($1, $2, $3, 'exact', 'Title', $4, $5, $6, $7, $8, 'Because.', 'Do.', 'e1', 'x')`,
      [finding, rule, severity, tenant, oids, [id('7')], first, last],
    )
  }
  server = await listen(createApp({ pool: database.pool, auth: bearerToken(TOKEN), log: pino({ level: 'silent' }) }), { host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await server?.close()
  await database?.drop()
})

async function ask(path: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(new URL(path, server.url), { headers: { authorization: `Bearer ${TOKEN}` } })
  return { status: response.status, body: await response.json() }
}

async function send(method: string, path: string, body?: object): Promise<{ status: number; body: unknown }> {
  const response = await fetch(new URL(path, server.url), {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  return { status: response.status, body: await response.json() }
}

async function idsOf(path: string): Promise<string[]> {
  const { status, body } = await ask(path)
  expect(status).toBe(200)
  return page(Finding)
    .parse(body)
    .items.map((finding) => finding.id)
}

test('lists the findings with the latest evidence first', async () => {
  expect(await idsOf('/v1/findings')).toEqual([id('5', 4), id('5', 3), id('5', 2), id('5', 1)])
})

test('pages of any size give every finding once', async () => {
  const seen: string[] = []
  for (let next: string | null = ''; next !== null;) {
    const { body } = await ask(`/v1/findings?limit=1${next === '' ? '' : `&cursor=${next}`}`)
    const answer = page(Finding).parse(body)
    seen.push(...answer.items.map((finding) => finding.id))
    next = answer.next
  }
  expect(seen).toEqual([id('5', 4), id('5', 3), id('5', 2), id('5', 1)])
})

test.each([
  ['rule=sami-anchor,audience-trap', [3, 2, 1]],
  ['severity=high', [4, 1]],
  [`oid=${AGENT}`, [1]],
  [`tenant=${OTHER_TENANT}`, [3]],
  ['from=2026-06-01', [4]],
  ['to=2026-05-29', [2, 1]],
] as const)('filters by %s', async (query, numbers) => {
  expect(await idsOf(`/v1/findings?${query}`)).toEqual(numbers.map((number) => id('5', number)))
})

test.each(['severity=bad', 'rule=No+Rule', 'cursor=zzz', 'oid=1', 'colour=red'])('refuses %s and names the parameter', async (query) => {
  const { status, body } = await ask(`/v1/findings?${query}`)
  expect(status).toBe(400)
  expect(JSON.stringify(body)).toContain(query.split('=')[0])
})

test('one finding answers by its id, an unknown one with 404', async () => {
  const { body } = await ask(`/v1/findings/${id('5', 1)}`)
  expect(Finding.parse(body)).toEqual({
    id: id('5', 1),
    rule: 'audience-trap',
    severity: 'high',
    confidence: 'exact',
    title: 'Title',
    tenantId: TENANT,
    oids: [AGENT],
    evidence: [id('7')],
    firstSeen: '2026-05-28T20:26:40.000000000Z',
    lastSeen: '2026-05-28T20:26:40.000000000Z',
    explanation: 'Because.',
    remediation: 'Do.',
    details: null,
    status: 'open',
    acknowledgement: null,
  })
  expect((await ask(`/v1/findings/${id('6')}`)).status).toBe(404)
})

test('the lines of the export are sorted by id', async () => {
  const client = await database.pool.connect()
  try {
    const lines = await Array.fromAsync(findingLines(client))
    expect(lines.map((line) => [line.type, line.id])).toEqual([1, 2, 3, 4].map((number) => ['finding', id('5', number)]))
  } finally {
    client.release()
  }
})

test('an acknowledged finding says who, why and when, filters by status see it, and taking it back opens it again', async () => {
  const place = `/v1/findings/${id('5', 1)}/acknowledgement`
  const { status, body } = await send('POST', place, { reason: '  The API is ours.  ' })
  expect(status).toBe(200)
  expect(body).toMatchObject({ status: 'acknowledged', acknowledgement: { by: 'local', reason: 'The API is ours.', evidenceChanged: false } })
  expect(Finding.parse(body)).toEqual(body)
  expect(await idsOf('/v1/findings?status=acknowledged')).toEqual([id('5', 1)])
  expect(await idsOf('/v1/findings?status=open')).toEqual([id('5', 4), id('5', 3), id('5', 2)])
  expect(await idsOf('/v1/findings?status=open,acknowledged')).toHaveLength(4)

  await database.pool.query(`update findings set evidence_hash = 'e2' where id = $1`, [id('5', 1)])
  expect((await ask(`/v1/findings/${id('5', 1)}`)).body).toMatchObject({ status: 'acknowledged', acknowledgement: { evidenceChanged: true } })
  await send('POST', place, { reason: 'Looked again.' })
  expect((await ask(`/v1/findings/${id('5', 1)}`)).body).toMatchObject({ acknowledgement: { reason: 'Looked again.', evidenceChanged: false } })

  expect((await send('DELETE', place)).body).toMatchObject({ status: 'open', acknowledgement: null })
  expect((await send('DELETE', place)).body).toMatchObject({ status: 'open' })
  const { rows } = await database.pool.query('select acknowledged, reason from finding_decisions order by id')
  expect(rows).toEqual([
    { acknowledged: true, reason: 'The API is ours.' },
    { acknowledged: true, reason: 'Looked again.' },
    { acknowledged: false, reason: null },
  ])
})

test.each([{}, { reason: ' ' }, { reason: 'x'.repeat(2001) }, { reason: 1 }, { reason: 'x', more: 1 }])('an acknowledgement of %j is refused', async (body) => {
  expect((await send('POST', `/v1/findings/${id('5', 2)}/acknowledgement`, body)).status).toBe(400)
})

test('what is not there cannot be acknowledged', async () => {
  expect((await send('POST', `/v1/findings/${id('6')}/acknowledgement`, { reason: 'x' })).status).toBe(404)
  expect((await send('DELETE', `/v1/findings/${id('6')}/acknowledgement`)).status).toBe(404)
})

test('a finding of another tenant can be neither seen nor acknowledged', async () => {
  const store = scopedStore(database.pool, [TENANT])
  const by = { id: 'someone', name: null }
  expect(await acknowledge(store, database.pool, id('5', 3), 'mine now', by)).toBeNull()
  expect(await reopen(store, database.pool, id('5', 3), by)).toBeNull()
  expect(await acknowledge(store, database.pool, id('5', 2), 'mine', by)).toMatchObject({ status: 'acknowledged', acknowledgement: { by: 'someone' } })
  expect((await scopedStore(database.pool, [OTHER_TENANT]).query('select count(*)::integer as n from finding_decisions')).rows).toEqual([{ n: 0 }])
  await reopen(store, database.pool, id('5', 2), by)
})

test('pages come as SARIF and as OCSF, too, and name the next one', async () => {
  const ask2 = (query: string): Promise<Response> => fetch(new URL(`/v1/findings?${query}`, server.url), { headers: { authorization: `Bearer ${TOKEN}` } })
  const sarif = await ask2('format=sarif&limit=3')
  expect(sarif.headers.get('content-type')).toContain('application/sarif+json')
  expect((await sarif.json()) as unknown).toMatchObject({ version: '2.1.0', runs: [{ results: [{}, {}, {}] }] })
  const link = /^<(.*)>; rel="next"$/.exec(sarif.headers.get('link') ?? '')?.[1]
  const rest = await fetch(new URL(link!, server.url), { headers: { authorization: `Bearer ${TOKEN}` } })
  expect((await rest.json()) as unknown).toMatchObject({ runs: [{ results: [{ partialFingerprints: { 'trailjoinFinding/v1': id('5', 1) } }] }] })
  expect(rest.headers.get('link')).toBeNull()
  const ocsf = await ask2('format=ocsf')
  const events = (await ocsf.text()).trimEnd().split('\n')
  expect(events.map((line) => (JSON.parse(line) as { class_uid: number }).class_uid)).toEqual([2004, 2004, 2004, 2004])
})
