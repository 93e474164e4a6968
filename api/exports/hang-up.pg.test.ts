import { once } from 'node:events'
import { get } from 'node:http'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/postgres.ts'
import { bearerToken } from '../access/local-token.ts'
import { createApp } from '../app.ts'
import { id, insertEvent, repeatEvent, TENANT } from '../fixture.ts'
import { listen, type Listening } from '../listen.ts'

const AGENT = id('a')
const FORMATS = ['ndjson', 'csv', 'ocsf', 'timesketch'] as const
let database: TestDatabase
let server: Listening

beforeAll(async () => {
  database = await createTestDatabase()
  await insertEvent(database.pool, {
    id: id('e'),
    time: 1_000_000_000_000n,
    conclusion: { tenant: TENANT, agent: AGENT, subject: AGENT, confidence: 'exact' },
    timeline: [{ oid: AGENT, role: 'actor' }],
  })
  // Some 15 MB an export: more than sockets take up on the way.
  await repeatEvent(database.pool, id('e'), 15_000)
  await database.pool.query('vacuum analyze')
  server = await listen(createApp({ pool: database.pool, auth: bearerToken('secret'), log: pino({ level: 'silent' }) }), { host: '127.0.0.1', port: 0 })
}, 120_000)
afterAll(async () => {
  await server?.close()
  await database?.drop()
})

/** An export of which only the beginning is read. */
async function begin(format: string): Promise<{ readonly request: ClientRequest; readonly response: IncomingMessage }> {
  const request = get(`${server.url}/v1/oids/${AGENT}/timeline?format=${format}`, { headers: { authorization: 'Bearer secret' }, agent: false })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  expect(response.statusCode).toBe(200)
  await once(response, 'readable')
  response.read(100)
  return { request, response }
}

const free = (): boolean => database.pool.idleCount === database.pool.totalCount && database.pool.waitingCount === 0

test('clients that stop reading hold no connection to the database, and others are answered', async () => {
  const exports = await Promise.all(Array.from({ length: 16 }, (_, index) => begin(FORMATS[index % FORMATS.length]!)))
  await vi.waitFor(() => expect(free()).toBe(true), { timeout: 20_000, interval: 50 })
  await sleep(200)
  expect(free()).toBe(true)
  const page = await fetch(`${server.url}/v1/oids/${AGENT}/timeline?limit=10`, { headers: { authorization: 'Bearer secret' } })
  expect(((await page.json()) as { items: unknown[] }).items).toHaveLength(10)
  for (const { request } of exports) request.destroy()
  await vi.waitFor(() => expect(free()).toBe(true), { timeout: 20_000, interval: 50 })
})

test('exports that are broken off leave neither connections nor memory behind', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const round = async (): Promise<number> => {
    const exports = await Promise.all(Array.from({ length: 16 }, (_, index) => begin(FORMATS[index % FORMATS.length]!)))
    for (const { request } of exports) request.destroy()
    await vi.waitFor(() => expect(free()).toBe(true), { timeout: 20_000, interval: 50 })
    await sleep(200)
    collect()
    return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers
  }
  await round()
  const before = await round()
  let after = 0
  for (let turn = 0; turn < 4; turn++) after = await round()
  // Each broken export had read at least a page (1,000 items, over a megabyte): 64 of them would show.
  expect((after - before) / 1024 / 1024).toBeLessThan(12)
}, 120_000)

describe('what has no trailers', () => {
  test.each(FORMATS)('HEAD of %s gives the headers, and the server lives on', async (format) => {
    const response = await fetch(`${server.url}/v1/oids/${AGENT}/timeline?format=${format}`, { method: 'HEAD', headers: { authorization: 'Bearer secret' } })
    expect([response.status, response.headers.get('trailer')]).toEqual([200, null])
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
  })

  test('HEAD of an evidence bundle, too', async () => {
    const response = await fetch(`${server.url}/v1/oids/${AGENT}/evidence`, { method: 'HEAD', headers: { authorization: 'Bearer secret' } })
    expect(response.status).toBe(200)
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
  })

  test('a proxy that speaks HTTP/1.0 gets the whole export without them', async () => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    socket.write(`GET /v1/oids/${AGENT}/timeline?format=ndjson HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer secret\r\n\r\n`)
    let text = ''
    for await (const part of socket.setEncoding('utf8')) text += String(part)
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(text.split('\r\n\r\n')[1]!.trimEnd().split('\n')).toHaveLength(15_000)
  })

  test('an export that fails before its first byte is a problem like any other', async () => {
    await database.pool.query('alter table events rename column user_agent to elsewhere')
    try {
      const response = await fetch(`${server.url}/v1/oids/${AGENT}/timeline?format=ndjson`, { headers: { authorization: 'Bearer secret' } })
      expect([response.status, ((await response.json()) as { type: string }).type]).toEqual([500, '/problems/internal'])
    } finally {
      await database.pool.query('alter table events rename column elsewhere to user_agent')
    }
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
  })
})
