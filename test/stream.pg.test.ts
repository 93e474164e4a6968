/** The live stream of an oid: what is told, when, and to whom; with an API and correlators in this process. */
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApp } from '#api/app.ts'
import type { Caller } from '#api/access/caller.ts'
import { TimelineItem } from '#api/contract.ts'
import { listen } from '#api/listen.ts'
import type { Listening } from '#api/listen.ts'
import { createBell } from '#api/live/bell.ts'
import type { Bell } from '#api/live/bell.ts'
import { timelinePages } from '#api/read-models/timeline.ts'
import { type Store, scopedStore, wholeStore } from '#api/read-models/store.ts'
import { createCorrelator } from '#correlate/index.ts'
import { importPaths } from '#ingest/import.ts'
import { type TestDatabase, createTestDatabase } from './postgres.ts'
import { openStream, pictureOf } from './stream-client.ts'
import type { StreamClient } from './stream-client.ts'

const RECORDS = join(import.meta.dirname, 'fixtures', 'scenarios', 'option-1-shared-uami', 'records')
const TENANT = '60b9efb2-0555-4a4f-bf2b-aefa7cdbd805'
const AGENT = 'e42e54be-c809-4e11-9cf8-fe30e8b4c0d1'
const UAMI = '36d95c44-2568-4486-b581-9edb5cdc75ae'
const quiet = { info: () => undefined, error: () => undefined }

let database: TestDatabase
let server: Listening
let bell: Bell
const revoked = new Set<string>()
const clients: StreamClient[] = []

const auth = (header: string | undefined): Promise<Caller | null> => {
  const name = header?.replace('Bearer ', '') ?? ''
  if (revoked.has(name) || name === 'nobody') return Promise.resolve(null)
  const scope = name === 'stranger' ? ['8b3b1038-1ba0-46aa-9121-e8db34476a93'] : name === 'tenant' ? [TENANT] : 'everything'
  return Promise.resolve({ id: name, name: null, roles: ['reader'], scope })
}

beforeAll(async () => {
  database = await createTestDatabase()
  bell = createBell(database.pool, quiet)
  server = await listen(createApp({ pool: database.pool, auth, log: quiet, services: { bell } }), { host: '127.0.0.1', port: 0 })
  // So that the oids are known: otherwise it would be a stream of nothing.
  await importFiles('eventhub', 'graph', 'log-analytics')
})
afterAll(async () => {
  for (const client of clients) client.close()
  await bell?.close()
  await server?.close()
  await database?.drop()
})

/** Imports the scenario's files whose path names this cloud. */
async function importFiles(...words: readonly string[]): Promise<void> {
  const files = readdirSync(RECORDS, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const chosen = files
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => words.some((word) => path.slice(RECORDS.length).toLowerCase().includes(word)))
  expect(chosen.length).toBeGreaterThan(0)
  const sink = createCorrelator(database.pool)
  await importPaths(chosen, { sink })
  await sink.drain()
}

async function watch(oid: string, token = 'me', lastEventId?: string | null, query = ''): Promise<StreamClient> {
  const client = await openStream(`${server.url}/v1/oids/${oid}/stream${query}`, token, lastEventId)
  clients.push(client)
  if (client.status === 200) await expect.poll(() => client.messages.length, { timeout: 10_000 }).toBeGreaterThan(0)
  return client
}

async function timelineOf(oid: string, store: Store = wholeStore(database.pool)): Promise<TimelineItem[]> {
  const items: TimelineItem[] = []
  for await (const page of timelinePages(store, { oid, filters: {}, order: 'asc' })) items.push(...page)
  return items
}

const told = (client: StreamClient, event: string): unknown[] => client.messages.filter((message) => message.event === event).map((message) => message.data)

describe('a stream', () => {
  test('begins now, tells what is concluded from then on within a moment, and each item is one of the timeline', async () => {
    const client = await watch(UAMI)
    expect(client.messages.map((message) => message.event)).toEqual(['ready'])
    const before = new Set((await timelineOf(UAMI)).map((item) => item.id))
    await importFiles('gcloud', 'gcs')
    const after = await timelineOf(UAMI)
    const fresh = after.filter((item) => !before.has(item.id))
    expect(fresh.length).toBeGreaterThan(0)
    await expect.poll(() => fresh.every((item) => pictureOf(client.messages).has(item.id)), { timeout: 5000 }).toBe(true)
    for (const item of told(client, 'item')) TimelineItem.parse(item)
    for (const item of fresh) expect(pictureOf(client.messages).get(item.id)).toEqual(item)
  })

  test('goes on where it was left: nothing is lost, and no position is told twice', async () => {
    const first = await watch(AGENT)
    const left = first.lastId()
    first.close()
    const before = new Set((await timelineOf(AGENT)).map((item) => item.id))
    await importFiles('cloudtrail-lookup', 's3')
    const missed = (await timelineOf(AGENT)).filter((item) => !before.has(item.id))
    expect(missed.length).toBeGreaterThan(3)
    // Taken up again after each single message, the whole is the same as in one go.
    const whole = await watch(AGENT, 'me', left)
    await expect.poll(() => pictureOf(whole.messages).size, { timeout: 5000 }).toBeGreaterThanOrEqual(missed.length)
    const ids = whole.messages.filter((message) => message.event !== 'ready').map((message) => message.id)
    expect(new Set(ids).size).toBe(ids.length)
    for (let at = 0; at < ids.length; at += 3) {
      const rest = await watch(AGENT, 'me', ids[at])
      await expect.poll(() => rest.messages.length - 1, { timeout: 5000 }).toBe(ids.length - 1 - at)
      expect(rest.messages.slice(1).map((message) => message.id)).toEqual(ids.slice(at + 1))
      rest.close()
    }
  })

  test('tells an item again when it is concluded differently, and that one has gone that stands there no more', async () => {
    const picture = new Map((await timelineOf(AGENT)).map((item) => [item.id, item]))
    const client = await watch(AGENT)
    // The other two agents are deleted before all of it: what was ambiguous is this agent's, and leaves the timelines of the others.
    const other = 'f9cef49d-ff59-44c7-a1d1-02873154887d'
    const others = await watch(other)
    const stood = (await timelineOf(other)).filter((item) => item.role === 'candidate').map((item) => item.id)
    const sink = createCorrelator(database.pool)
    await sink.deliver([other, 'e98e011c-e737-4b47-97e7-0f955737c29e'].map(deletion), [])
    await sink.drain()
    const now = await timelineOf(AGENT)
    const changed = now.filter((item) => picture.has(item.id) && picture.get(item.id)!.attribution.confidence !== item.attribution.confidence)
    expect(changed.length).toBeGreaterThan(0)
    await expect.poll(() => changed.every((item) => pictureOf(client.messages).has(item.id)), { timeout: 5000 }).toBe(true)
    for (const item of changed) expect(pictureOf(client.messages).get(item.id)).toEqual(item)
    const left = stood.filter((id) => now.some((item) => item.id === id))
    expect(left.length).toBeGreaterThan(0)
    await expect.poll(() => left.every((id) => told(others, 'gone').some((one) => (one as { id: string }).id === id)), { timeout: 5000 }).toBe(true)
  })

  test('with filters leaves out what they leave out', async () => {
    const start = 'WyIwIl0'
    const all = await watch(UAMI, 'me', start)
    await expect.poll(() => told(all, 'item').length, { timeout: 5000 }).toBeGreaterThan(5)
    const some = await watch(UAMI, 'me', start, '?source=gcp&text=EXCHANGEtoken')
    const wanted = (told(all, 'item') as TimelineItem[]).filter((item) => item.action.endsWith('ExchangeToken')).map((item) => item.id)
    await expect.poll(() => told(some, 'item').length, { timeout: 5000 }).toBe(wanted.length)
    expect((told(some, 'item') as TimelineItem[]).map((item) => item.id)).toEqual(wanted)
  })

  test('at a position that is forgotten or of another store says that the timeline must be loaded anew', async () => {
    for (const position of ['WyI5OTk5OTkiXQ', 'nonsense', 'x'.repeat(200)]) {
      const client = await watch(AGENT, 'me', position)
      await expect.poll(() => told(client, 'reset').length, { timeout: 5000 }).toBe(1)
      client.close()
    }
    await database.pool.query(`insert into progress (name, round) values ('live-pruned', 1) on conflict (name) do update set round = 1`)
    const old = await watch(AGENT, 'me', 'WyIwIl0')
    await expect.poll(() => told(old, 'reset').length, { timeout: 5000 }).toBe(1)
    expect(told(old, 'item')).toEqual([])
    await database.pool.query(`delete from progress where name = 'live-pruned'`)
  })

  test('at a position of a store that was restored, or of another one that has come further, is told so, and nothing is told as if it were the rest', async () => {
    const first = await watch(AGENT)
    const left = first.lastId()
    first.close()
    const again = await watch(AGENT, 'me', left)
    expect(again.messages.map((message) => message.event)).toEqual(['ready'])
    again.close()
    // Restored to an earlier round, the store has numbered its rounds again since, beyond the position: by its number alone it would be good.
    await database.pool.query(`update live_rounds set mark = gen_random_uuid() where round = (select round from progress where name = 'conclusions')`)
    const sink = createCorrelator(database.pool)
    await sink.deliver([record({ ...accessLine, requestId: 'after-the-restore' })], [])
    await sink.drain()
    const client = await watch(AGENT, 'me', left)
    await expect.poll(() => told(client, 'reset').length, { timeout: 5000 }).toBe(1)
    expect(told(client, 'item')).toEqual([])
    // What it is given instead is a position of this store.
    const now = client.lastId()
    client.close()
    await sink.deliver([record({ ...accessLine, requestId: 'after-the-reset' })], [])
    await sink.drain()
    const next = await watch(AGENT, 'me', now)
    await expect.poll(() => (told(next, 'item') as TimelineItem[]).map((item) => item.nativeId), { timeout: 5000 }).toEqual(['after-the-reset'])
    expect(told(next, 'reset')).toEqual([])
  })

  test('is for those who may see the oid, and shows them their tenants only', async () => {
    expect((await watch(AGENT, 'nobody')).status).toBe(401)
    expect((await watch(AGENT, 'stranger')).status).toBe(404)
    expect((await watch('00000000-0000-4000-8000-000000000001')).status).toBe(404)
    const own = await watch(UAMI, 'tenant', 'WyIwIl0')
    await expect.poll(() => told(own, 'item').length, { timeout: 5000 }).toBeGreaterThan(5)
    const shown = new Map((await timelineOf(UAMI, scopedStore(database.pool, [TENANT]))).map((item) => [item.id, item]))
    for (const item of told(own, 'item') as TimelineItem[]) expect(item).toEqual(shown.get(item.id))
  })

  test('goes on when the connection that listens is broken by the server', async () => {
    const client = await watch(AGENT)
    const { rows } = await database.pool.query<{ ok: boolean }>(
      `select pg_terminate_backend(pid) as ok from pg_stat_activity where application_name = 'trailjoin-live' and datname = current_database()`,
    )
    expect(rows.map((row) => row.ok)).toEqual([true])
    const rings = bell.rings()
    await expect.poll(() => bell.rings(), { timeout: 10_000 }).toBeGreaterThan(rings)
    const sink = createCorrelator(database.pool)
    await sink.deliver([record({ ...accessLine, requestId: 'after-the-break' })], [])
    await sink.drain()
    await expect.poll(() => told(client, 'item').some((item) => (item as TimelineItem).nativeId === 'after-the-break'), { timeout: 5000 }).toBe(true)
  })
})

describe('a reader', () => {
  test('whose token is revoked is told so at the next heartbeat, and the stream ends', { timeout: 40_000 }, async () => {
    const client = await watch(AGENT, 'leaving')
    revoked.add('leaving')
    await Promise.race([client.ended, new Promise((_resolve, reject) => void setTimeout(() => reject(new Error('the stream did not end')), 25_000))])
    expect(told(client, 'end')).toEqual([{ reason: 'access' }])
  })

  test(
    'whose store is restored while the stream is open is told so at the next heartbeat, and what comes then is no picture with a hole',
    { timeout: 40_000 },
    async () => {
      const client = await watch(AGENT)
      const sink = createCorrelator(database.pool)
      // Restored to a time before the stream's position, it has numbered its rounds again since, and the stream's connections are made anew.
      await database.pool.query(`update live_rounds set mark = gen_random_uuid() where round = (select round from progress where name = 'conclusions')`)
      await sink.deliver([record({ ...accessLine, requestId: 'after-another-restore' })], [])
      await sink.drain()
      await Promise.race([client.ended, new Promise((_resolve, reject) => void setTimeout(() => reject(new Error('the stream did not end')), 25_000))])
      expect(client.messages.slice(1).map(({ event, data }) => [event, data])).toEqual([['end', { reason: 'stale' }]])
      const again = await watch(AGENT, 'me', client.lastId())
      await expect.poll(() => told(again, 'reset').length, { timeout: 5000 }).toBe(1)
    },
  )

  test('gets a heartbeat with a position while nothing happens', { timeout: 40_000 }, async () => {
    const client = await watch(AGENT)
    await expect.poll(() => client.comments(), { timeout: 25_000 }).toBeGreaterThan(0)
    expect(client.lastId()).not.toBeNull()
  })

  test('that hangs up leaves no listener behind', async () => {
    const { hostname, port } = new URL(server.url)
    for (let n = 0; n < 45; n++) {
      const socket = connect(Number(port), hostname)
      socket.write(`GET /v1/oids/${AGENT}/stream HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer hanging\r\n\r\n`)
      await once(socket, 'data')
      socket.destroy()
    }
    // More than one caller may hold at once: every one of them was counted out.
    await expect.poll(async () => (await watch(AGENT, 'hanging')).status, { timeout: 5000 }).toBe(200)
  })

  test('is told when the server stops', async () => {
    const own = createBell(database.pool, quiet)
    const other = await listen(createApp({ pool: database.pool, auth, log: quiet, services: { bell: own } }), { host: '127.0.0.1', port: 0 })
    const client = await openStream(`${other.url}/v1/oids/${AGENT}/stream`, 'me')
    await expect.poll(() => client.messages.length).toBe(1)
    await own.close()
    await client.ended
    expect(told(client, 'end')).toEqual([{ reason: 'shutdown' }])
    await other.close()
  })
})

const accessLine = {
  time: '2026-05-19T08:20:11.250Z',
  api: 'weather',
  method: 'GET',
  path: '/forecast',
  status: 200,
  tid: TENANT,
  oid: AGENT,
  appid: AGENT,
  aud: 'fd91f632-f287-49b9-b564-e1f62f197e06',
}

function record(value: Readonly<Record<string, unknown>>) {
  return { text: JSON.stringify(value), value: value as never, masked: [], origin: { file: 'test', line: 1, index: 0 }, context: {} }
}

/** An inventory entry or audit record by which the agent was deleted before everything else. */
function deletion(oid: string) {
  return record({
    time: '2026-05-19T07:40:00.0000000Z',
    category: 'AuditLogs',
    operationName: 'Delete service principal',
    tenantId: TENANT,
    properties: {
      id: `Directory_${oid}`,
      category: 'ApplicationManagement',
      activityDisplayName: 'Delete service principal',
      activityDateTime: '2026-05-19T07:40:00.0000000+00:00',
      result: 'success',
      initiatedBy: { user: { id: '00000000-1111-4111-8111-000000000001', userPrincipalName: 'admin@kelp.example' } },
      targetResources: [{ id: oid, displayName: 'deleted', type: 'ServicePrincipal', modifiedProperties: [] }],
    },
  })
}
