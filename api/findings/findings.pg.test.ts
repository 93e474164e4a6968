import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/postgres.ts'
import { createApp } from '../app.ts'
import { bearerToken } from '../auth.ts'
import { page } from '../contract.ts'
import { id, OTHER_TENANT, TENANT } from '../fixture.ts'
import { listen, type Listening } from '../listen.ts'
import { findingLines } from '../read-models/findings.ts'
import { Finding } from './contract.ts'

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
      `insert into findings (id, rule, severity, confidence, title, tenant_id, oids, evidence, first_ns, last_ns, explanation, remediation, content_hash)
       values ($1, $2, $3, 'exact', 'Title', $4, $5, $6, $7, $8, 'Because.', 'Do.', 'x')`,
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
