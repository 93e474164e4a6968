/** Delivers a set of records to a store in some way, and reads what the store says then. */
import type pg from 'pg'
import { canonicalExport } from '#api/read-models/canonical-export.ts'
import type { RawRecord } from '#core/record.ts'
import type { RecordSink } from '#core/sink.ts'
import { createCorrelator } from '#correlate/index.ts'
import { openPool } from '#database/open.ts'
import type { Random } from '../../simulate/random.ts'
import { repeatedWrongly } from './repeated.ts'

/** A migrated store that is used for one delivery after the other: new databases and cold connections would take most of the time. */
export interface LawStore {
  /** One for each correlator. */
  readonly pools: readonly pg.Pool[]
  close(): Promise<void>
}

const MOST_CORRELATORS = 4

/** Connects to a migrated, empty database. */
export async function openLawStore(url: string): Promise<LawStore> {
  const pools: pg.Pool[] = []
  for (let index = 0; index < MOST_CORRELATORS; index++) pools.push(await openPool(url))
  return {
    pools,
    close: async () => {
      for (const pool of pools) await pool.end()
    },
  }
}

/** Empties the store, but for the record of who looked at what: it takes new rows only. */
export async function clear(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    `select quote_ident(c.relname) as name from pg_class c where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = 'public'::regnamespace and c.relname <> 'access_log'`,
  )
  await pool.query(`truncate ${rows.map(({ name }) => name).join(', ')}`)
}

export interface Delivered {
  readonly lines: readonly string[]
  /** Sums of all receipts. */
  readonly delivered: number
  readonly stored: number
  readonly duplicates: number
  readonly rejected: number
}

/** All records in the order of their times, in one batch, by one correlator. */
export function deliverStraight(store: LawStore, records: readonly RawRecord[]): Promise<Delivered> {
  return deliver(store, { correlators: 1 }, async ([sink], receive) => {
    await receive(sink!, records)
  })
}

/**
 * The same set in another way: any order, any repetition, cut into batches, by one to four correlators at once, each with connections of
 * its own, with conclusions drawn in between or only at the end, about everything at once or about a few events a round.
 */
export function deliverWildly(store: LawStore, records: readonly RawRecord[], random: Random): Promise<Delivered> {
  const correlators = random.int(1, MOST_CORRELATORS)
  const repeated = records.filter(() => random.chance(0.2))
  const order = shuffled([...records, ...repeated], random)
  const largest = random.pick([3, 10, 30, 80])
  const parts = Array.from({ length: correlators }, (_, index) => order.filter((_record, place) => place % correlators === index))
  const eventsARound = random.pick([2, 20, 40_000])
  // An event that was replaced while it was pending stands in several batches: also in those that the round does not look at.
  const batchesARound = random.pick([1, 2, 64])
  // Drawn before the correlators race: what they do must follow from the seed alone.
  const plans = parts.map((part) => batches(part, largest, random))
  return deliver(store, { correlators, eventsARound, batchesARound }, async (sinks, receive) => {
    const outcomes = await Promise.allSettled(
      plans.map(async (plan, index) => {
        for (const { batch, drain } of plan) {
          await receive(sinks[index]!, batch)
          if (drain) await sinks[index]!.drain()
        }
      }),
    )
    // Only now: none of them may still be writing when the next world begins.
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  })
}

function batches(part: readonly RawRecord[], largest: number, random: Random): readonly { readonly batch: readonly RawRecord[]; readonly drain: boolean }[] {
  const plan: { batch: readonly RawRecord[]; drain: boolean }[] = []
  for (let start = 0; start < part.length;) {
    const size = random.int(1, largest)
    plan.push({ batch: part.slice(start, start + size), drain: random.chance(0.3) })
    start += size
  }
  return plan
}

export function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const result = [...items]
  for (let index = result.length - 1; index > 0; index--) {
    const other = random.int(0, index)
    ;[result[index], result[other]] = [result[other]!, result[index]!]
  }
  return result
}

type Receive = (sink: RecordSink, batch: readonly RawRecord[]) => Promise<void>

interface Correlators {
  readonly correlators: number
  readonly eventsARound?: number
  readonly batchesARound?: number
}

async function deliver(
  store: LawStore,
  { correlators, ...options }: Correlators,
  work: (sinks: readonly RecordSink[], receive: Receive) => Promise<void>,
): Promise<Delivered> {
  await clear(store.pools[0]!)
  const sinks = store.pools.slice(0, correlators).map((pool) => createCorrelator(pool, options))
  const counts = { delivered: 0, stored: 0, duplicates: 0, rejected: 0 }
  await work(sinks, async (sink, batch) => {
    const receipt = await sink.deliver(batch, [])
    counts.delivered += batch.length
    counts.stored += receipt.stored
    counts.duplicates += receipt.duplicates
    counts.rejected += receipt.rejected.length
  })
  await Promise.all(sinks.map((sink) => sink.drain()))
  return { lines: await exportOf(store.pools[0]!), ...counts }
}

/** The canonical export, and beside it that nothing is left to do and what is stored twice is the same. Throws if facts wait although every correlator has drained. */
export async function exportOf(pool: pg.Pool): Promise<readonly string[]> {
  const { rows } = await pool.query<{ waiting: bigint; unknown: bigint; lost: bigint }>(
    `select (select count(*) from pending) as waiting, (select count(*) from directory_facts where not derived) as unknown,
       (select count(*) from heads h full join events e using (time_ns, event_id) full join conclusions c using (time_ns, event_id)
        where h.event_id is null or e.event_id is null or c.event_id is null) as lost`,
  )
  const { waiting, unknown, lost } = rows[0]!
  if (waiting + unknown + lost > 0n)
    throw new Error(`${waiting} entries pending, ${unknown} directory facts not derived, ${lost} events without head or conclusion`)
  const wrong = await repeatedWrongly(pool)
  if (wrong !== null) throw new Error(`stored again, and not the same: ${wrong}`)
  const lines: string[] = []
  for await (const line of canonicalExport(pool)) lines.push(line)
  return lines
}
