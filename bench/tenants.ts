/**
 * What the bounds of tenants cost: pages of a timeline (and other answers) as the owner of the tables, under the role of the unbounded reader, and under the role
 * that sees one tenant. `node bench/tenants.ts [--events 1000000] [--runs 200] [--plans]`. The three take turns, so that all see the same machine.
 */
import { rm } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { agentsPage } from '#api/read-models/agents.ts'
import { coverage } from '#api/read-models/coverage.ts'
import { eventDetail } from '#api/read-models/event.ts'
import { oidAnswer } from '#api/read-models/oid-info.ts'
import { resolve } from '#api/read-models/resolve.ts'
import { scopedStore, type Store, wholeStore } from '#api/read-models/store.ts'
import { timelinePage, type TimelineRequest } from '#api/read-models/timeline.ts'
import { tracePage } from '#api/read-models/traces.ts'
import { whatIf } from '#api/read-models/what-if.ts'
import { createCorrelator } from '#correlate/index.ts'
import { startEmbedded } from '#database/embedded.ts'
import { openPool } from '#database/open.ts'
import { migrate } from '#migrations/migrate.ts'
import { simulateWorld } from '../simulate/simulate.ts'
import { rawRecord } from '../test/law/worlds.ts'
import { testDataDir } from '../test/postgres.ts'
import { copyEvents } from './copy-events.ts'
import { percentile } from './percentile.ts'
import { fill } from './sessions.ts'

const { values } = parseArgs({
  options: { events: { type: 'string', default: '1000000' }, runs: { type: 'string', default: '200' }, plans: { type: 'boolean', default: false } },
})
const EVENTS = Number(values.events)
const RUNS = Number(values.runs)
/** Of what takes long. */
const FEW = Math.min(RUNS, 15)
/** Stored by the product; the rest are copies of it. */
const BASE = 10_000

const folder = await testDataDir()
const server = await startEmbedded(folder)
const pool = await openPool(server.url)
try {
  await migrate(pool)
  const correlator = createCorrelator(pool)
  // The world that the sessions are taken from, which says whose identity they run under: so there are agents, and their exchanges.
  const world = [...simulateWorld({ seed: 1, agents: 8, days: 1, events: 2_000 })].map(({ text }, index) => rawRecord(text, index))
  const stored = await fill(correlator, (await correlator.deliver(world, [])).stored, BASE)
  await copyEvents(pool, { copies: Math.round(EVENTS / stored) - 1, label: 'tenants' })
  const { rows } = await pool.query<{ tenant: string; oid: string; events: bigint }>(
    'select tenant_id as tenant, oid, count(*) as events from timeline where is_owner group by 1, 2 order by count(*) desc limit 1',
  )
  const { tenant, oid, events } = rows[0]!
  const address = (await pool.query<{ ip: string }>('select source_ip as ip from events where source_ip is not null group by 1 order by count(*) desc limit 1'))
    .rows[0]!.ip
  const event = (await timelinePage(wholeStore(pool), { oid, filters: {}, order: 'desc', limit: 1 })).items[0]!
  console.log(`${EVENTS} events, ${events} of them in the timeline asked for`)
  const stores: Readonly<Record<string, Store>> = { owner: wholeStore(pool), all: scopedStore(pool, 'everything'), tenant: scopedStore(pool, [tenant]) }
  const page = (more: Partial<TimelineRequest>) => (store: Store) => timelinePage(store, { oid, filters: { tenant }, order: 'desc', limit: 100, ...more })
  const middle = { after: await middleOf(tenant, oid, events) }
  const questions: Readonly<Record<string, readonly [runs: number, ask: (store: Store) => Promise<unknown>]>> = {
    'timeline, first page': [RUNS, page({})],
    'timeline, page in the middle': [RUNS, page(middle)],
    'timeline, one source': [RUNS, page({ filters: { tenant, source: ['aws'] } })],
    event: [RUNS, (store) => eventDetail(store, event.id)],
    'traces, first page': [FEW, (store) => tracePage(store, { tenant }, 50)],
    'traces of the busiest': [FEW, (store) => tracePage(store, { tenant, oid }, 50)],
    'resolve, an exact id': [Math.min(RUNS, 40), (store) => resolve(store, event.nativeId)],
    'resolve, an address of most events': [FEW, (store) => resolve(store, address)],
    'an oid, the busiest': [FEW, (store) => oidAnswer(store, oid)],
    agents: [FEW, (store) => agentsPage(store, { limit: 100 })],
    'what-if': [FEW, (store) => whatIf(store, {})],
    coverage: [FEW, (store) => coverage(store)],
  }
  console.log('question | owner p50 p99 | all p50 p99 | tenant p50 p99 (ms)')
  for (const [name, [runs, ask]] of Object.entries(questions)) {
    const times: Record<string, number[]> = { owner: [], all: [], tenant: [] }
    for (let run = -2; run < runs; run++) {
      for (const [role, store] of Object.entries(stores)) {
        const started = performance.now()
        await ask(store)
        if (run >= 0) times[role]!.push(performance.now() - started)
      }
    }
    console.log([name, ...Object.values(times).map((all) => `${percentile(all, 50).toFixed(1)} ${percentile(all, 99).toFixed(1)}`)].join(' | '))
  }
  if (values.plans) {
    for (const [role, store] of Object.entries(stores)) {
      const explaining = { ...store, query: ((text: string, given: unknown[]) => explain(role, store, text, given)) as Store['query'] }
      await page(middle)(explaining).catch(() => undefined)
    }
  }
} finally {
  await pool.end()
  await server.stop()
  await rm(folder, { recursive: true, force: true })
}

async function middleOf(tenantId: string, owner: string, events: bigint): Promise<{ timeNs: bigint; eventId: string; tenantId: string }> {
  const { rows } = await pool.query<{ time_ns: bigint; event_id: string }>(
    'select time_ns, event_id from timeline where tenant_id = $1 and oid = $2 order by time_ns desc, event_id desc offset $3 limit 1',
    [tenantId, owner, (events / 2n).toString()],
  )
  return { timeNs: rows[0]!.time_ns, eventId: rows[0]!.event_id, tenantId }
}

/** Prints the plan, then gives the answer. */
async function explain(role: string, store: Store, text: string, given: unknown[]): Promise<unknown> {
  const { rows } = await store.query<{ 'QUERY PLAN': string }>(`explain (analyze, costs off, timing off) ${text}`, given)
  console.log(`\n${role}:\n${rows.map((row) => row['QUERY PLAN']).join('\n')}`)
  return store.query(text, given)
}
