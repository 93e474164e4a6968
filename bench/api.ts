/**
 * How long a page of a timeline takes over HTTP, beside the bare index scan that it cannot be faster than: for a small and for a huge agent, first page and
 * page 1000, as the store grows. `node bench/api.ts [--stores 1000000,10000000] [--huge 1000000] [--requests 300] [--plans]`.
 * Requests and scans take turns, so that both see the same machine. 10⁷ events need some 20 GB of disk.
 */
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { Agent, get } from 'node:http'
import { parseArgs } from 'node:util'
import { pino } from 'pino'
import { createApp } from '#api/app.ts'
import { bearerToken } from '#api/access/local-token.ts'
import { encodeTimelineCursor } from '#api/cursor.ts'
import { listen } from '#api/listen.ts'
import { wholeStore } from '#api/read-models/store.ts'
import { timelinePage } from '#api/read-models/timeline.ts'
import { createCorrelator } from '#correlate/index.ts'
import { startEmbedded } from '#database/embedded.ts'
import { openPool } from '#database/open.ts'
import { migrate } from '#migrations/migrate.ts'
import { testDataDir } from '../test/postgres.ts'
import { copyEvents } from './copy-events.ts'
import { percentile } from './percentile.ts'
import { fill } from './sessions.ts'

const { values } = parseArgs({
  options: {
    stores: { type: 'string', default: '1000000' },
    huge: { type: 'string', default: '1000000' },
    requests: { type: 'string', default: '300' },
    plans: { type: 'boolean', default: false },
  },
})
const STORES = values.stores.split(',').map(Number)
const HUGE = Number(values.huge)
const REQUESTS = Number(values.requests)
/** Stored by the product; the rest are copies of it. */
const BASE = 10_000
const PAGE = 100
const TOKEN = 'bench'
const FIVE_MINUTES_NS = 300_000_000_000n

const folder = await testDataDir()
const server = await startEmbedded(folder)
const pool = await openPool(server.url)
const app = createApp({ pool, auth: bearerToken(TOKEN), log: pino({ level: 'silent' }) })
const listening = await listen(app, { host: '127.0.0.1', port: 0 })
const keepAlive = new Agent({ keepAlive: true })
try {
  await migrate(pool)
  const stored = await fill(createCorrelator(pool), 0, BASE)
  const { rows: origin } = await pool.query<{ tenant: string; oid: string; from: bigint; to: bigint }>(
    `select tenant_id as tenant, oid, min(time_ns) as from, max(time_ns) as to from timeline where is_owner group by 1, 2 order by count(*) desc limit 1`,
  )
  const { tenant, oid, from, to } = origin[0]!
  const own = Math.max(0, Math.round(HUGE / stored) - 1)
  await copyEvents(pool, { copies: own, within: [from, to], label: 'huge' })
  const small = await otherOid('small')
  await copyEvents(pool, { copies: 1, first: own + 1, within: [from, from + FIVE_MINUTES_NS], label: 'small', oid: `md5(oid::text || 'small')::uuid` })
  console.log('events in store | agent | its events | page |  HTTP p50 |  HTTP p99 |  scan p50 |  scan p99 | p50 ratio')
  let copied = own + 1
  for (const size of STORES) {
    const others = Math.round(size / stored) - copied - 1
    if (others > 0) await copyEvents(pool, { copies: others, first: copied + 1, within: [from, to], label: 'others', oid: `md5(oid::text || k)::uuid` })
    copied += Math.max(0, others)
    for (const [name, agent, pages] of [
      ['small', small, [1]],
      ['huge', oid, [1, 1000]],
    ] as const)
      for (const page of pages) await measure(name, tenant, agent, page)
  }

  async function otherOid(label: string): Promise<string> {
    const { rows } = await pool.query<{ oid: string }>(`select md5($1 || $2)::uuid as oid`, [oid, label])
    return rows[0]!.oid
  }
} finally {
  keepAlive.destroy()
  await listening.close()
  await pool.end()
  await server.stop()
  await rm(folder, { recursive: true, force: true })
}

async function measure(name: string, tenant: string, oid: string, page: number): Promise<void> {
  const { rows: counted } = await pool.query<{ all: bigint; own: bigint }>(
    `select (select count(*) from events) as all, count(*) as own from timeline where tenant_id = $1 and oid = $2`,
    [tenant, oid],
  )
  const { rows: before } =
    page === 1
      ? { rows: [] }
      : await pool.query<{ time_ns: bigint; event_id: string }>(
          `select time_ns, event_id from timeline where tenant_id = $1 and oid = $2 order by time_ns desc, event_id desc offset $3 limit 1`,
          [tenant, oid, (page - 1) * PAGE - 1],
        )
  const after = before[0] && { timeNs: before[0].time_ns, eventId: before[0].event_id, tenantId: tenant }
  const path = `/v1/oids/${oid}/timeline?limit=${PAGE}${after ? `&cursor=${encodeTimelineCursor(after)}` : ''}`
  const scan = `select time_ns, event_id from timeline where tenant_id = $1 and oid = $2 ${after ? 'and (time_ns, event_id) < ($3::bigint, $4::uuid)' : ''} order by time_ns desc, event_id desc limit ${PAGE + 1}`
  const key = after ? [tenant, oid, after.timeNs, after.eventId] : [tenant, oid]
  const http: number[] = []
  const bare: number[] = []
  for (let turn = -10; turn < REQUESTS; turn++) {
    const took = [await timed(() => request(path)), await timed(() => pool.query(scan, key))]
    // The first few fill caches and are not counted.
    if (turn >= 0) [http, bare].forEach((list, index) => list.push(took[index]!))
  }
  const figures = [percentile(http, 50), percentile(http, 99), percentile(bare, 50), percentile(bare, 99)]
  const row = [
    [counted[0]!.all, 15],
    [name, 5],
    [counted[0]!.own, 10],
    [page, 4],
    ...figures.map((value) => [`${value.toFixed(2)} ms`, 9] as const),
    [(figures[0]! / figures[2]!).toFixed(1), 9],
  ] as const
  console.log(row.map(([value, width]) => String(value).padStart(width)).join(' | '))
  if (values.plans) await printPlan({ oid, after })
}

async function printPlan({ oid, after }: { oid: string; after: { timeNs: bigint; eventId: string; tenantId: string } | undefined }): Promise<void> {
  const asked: { text: string; parameters: unknown[] }[] = []
  const whole = wholeStore(pool)
  const query = ((text: string, parameters: unknown[]) => {
    asked.push({ text, parameters })
    return whole.query(text, parameters)
  }) as typeof whole.query
  await timelinePage({ ...whole, query }, { oid, filters: {}, order: 'desc', limit: PAGE, after })
  for (const { text, parameters } of asked) {
    const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`explain (analyze, buffers, costs off, timing off) ${text}`, parameters)
    console.log(rows.map((row) => `    ${row['QUERY PLAN']}`).join('\n'))
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

async function request(path: string): Promise<void> {
  const asked = get(`${listening.url}${path}`, { agent: keepAlive, headers: { authorization: `Bearer ${TOKEN}` } })
  const [response] = (await once(asked, 'response')) as [import('node:http').IncomingMessage]
  let bytes = 0
  for await (const chunk of response) bytes += (chunk as Buffer).length
  if (response.statusCode !== 200 || bytes === 0) throw new Error(`${path} answered ${response.statusCode}`)
}
