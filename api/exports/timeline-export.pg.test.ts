import { createHash } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ocsfFaults } from '../../test/ocsf-schema.ts'
import { createTestDatabase } from '../../test/postgres.ts'
import type { TestDatabase } from '../../test/postgres.ts'
import { startTestServer } from './testing.ts'
import type { TestServer } from './testing.ts'
import { id, insertEvent, insertFact, repeatEvent, seen, TENANT } from '../fixture.ts'
import type { ExportManifest } from './manifest.ts'

const AGENT = id('a')
const START = 1_780_000_000_000_000_000n

let database: TestDatabase
let server: TestServer

beforeAll(async () => {
  database = await createTestDatabase()
  await insertFact(database.pool, TENANT, seen(AGENT, { kind: 'agent', name: 'Weather Agent' }))
  await insertEvent(database.pool, {
    id: id('7', 1),
    time: START,
    userAgent: '=cmd|calc!A1',
    model: 'anthropic.claude',
    tokens: [1, 2],
    conclusion: { tenant: TENANT, subject: AGENT, agent: AGENT, confidence: 'exact' },
    timeline: [{ oid: AGENT, role: 'actor' }],
  })
  await repeatEvent(database.pool, id('7', 1), 2500)
  await insertEvent(database.pool, {
    id: id('8'),
    time: START - 1n,
    source: 'entra',
    kind: 'token.issued',
    conclusion: { tenant: TENANT, subject: AGENT, agent: AGENT, confidence: 'exact' },
    timeline: [{ oid: AGENT, role: 'actor' }],
  })
  server = await startTestServer(database)
}, 60_000)

afterAll(async () => {
  await server?.close()
  await database?.drop()
})

interface Answer {
  readonly response: IncomingMessage
  readonly body: Buffer
}

/** `fetch` hides trailers. */
function get(query: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const url = `${server.url}/v1/oids/${AGENT}/timeline?${query}`
    httpRequest(url, { headers: server.headers }, (response) => {
      const parts: Buffer[] = []
      response
        .on('data', (part: Buffer) => parts.push(part))
        .on('error', reject)
        .on('end', () => resolve({ response, body: Buffer.concat(parts) }))
    })
      .on('error', reject)
      .end()
  })
}

const manifestOf = ({ response }: Answer) => JSON.parse(response.trailers['trailjoin-manifest'] ?? 'null') as ExportManifest
const linesOf = ({ body }: Answer) => body.toString().trimEnd().split('\n')

describe.each(['ndjson', 'csv', 'ocsf', 'timesketch'])('as %s', (format) => {
  test('the whole timeline comes with a manifest that has its hash, and the manifest alone is the same', async () => {
    const answer = await get(`format=${format}&order=asc`)
    const sha256 = createHash('sha256').update(answer.body).digest('hex')
    expect(manifestOf(answer)).toMatchObject({
      of: 'timeline',
      oid: AGENT,
      format,
      order: 'asc',
      filters: {},
      scope: 'everything',
      items: 2501,
      first: '2026-05-28T20:26:39.999999999Z',
      last: '2026-05-28T21:08:19.000000000Z',
      complete: true,
      leftOut: { byFilters: 0, byLimit: 0 },
      bytes: answer.body.length,
      sha256,
    })
    expect(answer.response.trailers['repr-digest']).toBe(`sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`)
    const only = await get(`format=${format}&order=asc&manifest=only`)
    expect(JSON.parse(only.body.toString())).toEqual(manifestOf(answer))
  })

  test('filters and limits are told, with what they leave out', async () => {
    const filtered = await get(`format=${format}&source=aws&kind=llm.invoked,llm.metered&from=2026-05-28T21:00:00Z&text=${encodeURIComponent('converse')}`)
    expect(manifestOf(filtered)).toMatchObject({
      items: 500,
      filters: { source: ['aws'], kind: ['llm.invoked', 'llm.metered'], from: '2026-05-28T21:00:00.000000000Z', text: 'converse' },
      leftOut: { byFilters: 2001, byLimit: 0 },
      complete: true,
    })
    const limited = await get(`format=${format}&limit=1000`)
    expect(manifestOf(limited)).toMatchObject({ items: 1000, complete: false, leftOut: { byFilters: null, byLimit: null } })
    const next = new URL(/<(.+)>; rel="next"/.exec(String(limited.response.headers['link']))![1]!, server.url)
    const rest = await get(next.search.slice(1).replace('limit=1000&', ''))
    expect(manifestOf(rest)).toMatchObject({ items: 1501, complete: true })
  })
})

test('a text that is searched for may be in any script', async () => {
  const answer = await get(`format=ndjson&text=${encodeURIComponent('Wetter ☂ 天気')}`)
  expect(manifestOf(answer)).toMatchObject({ items: 0, filters: { text: 'Wetter ☂ 天気' }, first: null, leftOut: { byFilters: 2501, byLimit: 0 } })
})

test('every line of OCSF is an event of the published schema', async () => {
  const events = linesOf(await get('format=ocsf')).map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(new Set(events.map((event) => event['class_uid']))).toEqual(new Set([6003, 3002]))
  expect(events.flatMap(ocsfFaults)).toEqual([])
})

test('files are named so that Timesketch takes them', async () => {
  const answer = await get('format=timesketch&limit=2')
  expect(answer.response.headers['content-disposition']).toBe(`attachment; filename="timeline-${AGENT}.timesketch.jsonl"`)
  expect(linesOf(answer).map((line) => (JSON.parse(line) as { timestamp_desc: string }).timestamp_desc)).toEqual(['Model Invoked', 'Model Invoked'])
})

test.each(['timeline?format=ocsf', 'evidence'])('a reader who hangs up during %s leaves no connection behind', async (what) => {
  await new Promise<void>((resolve) => {
    httpRequest(`${server.url}/v1/oids/${AGENT}/${what}`, { headers: server.headers }, (response) => {
      response.once('data', () => {
        response.destroy()
        resolve()
      })
    }).end()
  })
  const { pool } = database
  const busy = () => pool.totalCount - pool.idleCount + pool.waitingCount
  for (let wait = 0; wait < 100 && busy() > 0; wait++) await new Promise((resolve) => setTimeout(resolve, 50))
  expect(busy()).toBe(0)
  const { rows } = await pool.query<{ open: bigint }>(
    `select count(*) as open from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'`,
  )
  expect(rows[0]!.open).toBe(0n)
})

test('a manifest without an export is refused', async () => {
  const answer = await get('manifest=only')
  expect(answer.response.statusCode).toBe(400)
  expect(JSON.parse(answer.body.toString())).toMatchObject({ errors: [{ field: 'manifest' }] })
})
