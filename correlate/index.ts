import type pg from 'pg'
import { ensurePartitions } from '#database/partitions.ts'
import type { EventId } from '#core/keys.ts'
import type { RawRecord, Rejection } from '#core/record.ts'
import type { Fate, Receipt, RecordSink } from '#core/sink.ts'
import type { LogPlace } from '#core/transport.ts'
import { type Accepted, accept, knows } from './accept.ts'
import { EVENTS_A_ROUND, deriveOnce } from './derive.ts'
import { createDictionary } from './store/dictionary.ts'
import { storeFacts } from './store/facts.ts'
import { storePlace } from './store/log-positions.ts'

/** Deadlock and serialisation failures: the transaction did nothing and may simply be tried again. */
const RETRYABLE = new Set(['40P01', '40001'])
const ATTEMPTS = 5
/**
 * When conclusions are drawn about what was stored, in milliseconds. `live`: at once, and while much comes in rounds that rest half as long as they took, half a second at
 * most: so a record is concluded about within two seconds at any rate that the machine sustains (bench/latency.ts). `bulk`: when nothing came for a moment, at the latest
 * after so much time or so many events: what belongs together often lies in different files, and concluding about half of it first costs twice (measured: three times the
 * work at 2,000 events a round).
 */
const PACES = {
  live: { rest: (roundMs: number) => Math.min(500, roundMs / 2) },
  bulk: { afterMs: 500, withinMs: 30_000, at: 200_000 },
} as const
type Pace = keyof typeof PACES
/** A round that failed counts as one that took so long. */
const RETRY_MS = 1000
/** After that many new events the planner's statistics are refreshed once the conclusions are drawn. */
const ANALYZE_AFTER = 20_000

export interface CorrelatorOptions {
  /** Hears how many seconds each round of conclusions took. */
  readonly concluded?: ((seconds: number) => void) | undefined
  /** Pending events concluded about in one transaction, about. */
  readonly eventsARound?: number | undefined
  /** Batches that these are taken out of. */
  readonly batchesARound?: number | undefined
  /** `live` where records come as they happen, `bulk` (the default) where files are imported. */
  readonly pace?: Pace | undefined
}

/** The correlator: normalises records, stores facts, draws conclusions. Any number of them may work on one database (correlate/SPEC.md). */
export function createCorrelator(
  pool: pg.Pool,
  { concluded, eventsARound = EVENTS_A_ROUND, batchesARound, pace = 'bulk' }: CorrelatorOptions = {},
): RecordSink {
  const dictionary = createDictionary(pool)
  let deriving: Promise<void> | null = null
  let unanalysed = 0
  let waiting = 0
  let lastRoundMs = 0
  /** When the first of them came. */
  let waitingSince = 0
  let timer: NodeJS.Timeout | undefined

  async function store(records: readonly RawRecord[], rejections: readonly Rejection[], place: LogPlace | null): Promise<Receipt> {
    const accepted: Accepted[] = []
    const refused: Rejection[] = []
    /** The event of each record; null for a refused one. */
    const ids: (EventId | null)[] = []
    const byFormat: Record<string, number> = {}
    for (const record of records) {
      const outcome = accept(record)
      ids.push('reason' in outcome ? null : outcome.event.id)
      if ('reason' in outcome) refused.push(outcome)
      else {
        accepted.push(outcome)
        byFormat[outcome.format] = (byFormat[outcome.format] ?? 0) + 1
      }
    }
    const rejected = [...rejections, ...refused]
    await dictionary.prepare(
      fileNames(records, rejected),
      accepted.map((one) => ({ format: one.format, unmapped: one.unmapped, eventId: one.event.id })),
    )
    await ensurePartitions(
      pool,
      accepted.map((one) => one.event.timeNs),
    )
    const { storedIds, ...counts } = await inTransaction(pool, async (client) => {
      const facts = await storeFacts(client, accepted, rejected, dictionary, new Date())
      if (place !== null) await storePlace(client, place)
      return facts
    })
    return { ...counts, rejected: refused, byFormat, fates: fatesOf(ids, storedIds) }
  }

  async function derive(wanted: () => boolean): Promise<void> {
    // Each round commits by itself.
    for (let started = performance.now(); wanted() && (await deriveOnce(pool, eventsARound, batchesARound)); started = performance.now()) {
      lastRoundMs = performance.now() - started
      concluded?.(lastRoundMs / 1000)
    }
  }
  function forgetTimer(): void {
    clearTimeout(timer)
    timer = undefined
  }
  function deriveSoon(): void {
    if (pace === 'live') {
      if (deriving === null) timer ??= setTimeout(deriveBeside, PACES.live.rest(lastRoundMs)).unref()
      return
    }
    forgetTimer()
    if (waiting >= PACES.bulk.at || performance.now() - waitingSince >= PACES.bulk.withinMs) deriveBeside()
    else timer = setTimeout(deriveBeside, PACES.bulk.afterMs).unref()
  }
  /** Conclusions are drawn beside the next batches. What fails here stays pending: `drain` tries it again and tells. */
  function deriveBeside(): void {
    forgetTimer()
    if (deriving !== null) return
    let rounds = Math.ceil(waiting / eventsARound)
    waiting = 0
    deriving = derive(() => rounds-- > 0 || (pace === 'bulk' && waiting === 0))
      .catch(() => {
        // Tried again with what comes next, or after a rest.
        if (pace === 'live') [waiting, lastRoundMs] = [Math.max(waiting, 1), RETRY_MS]
      })
      .finally(() => {
        deriving = null
        // What came meanwhile.
        if (waiting > 0) deriveSoon()
      })
  }

  return {
    knows,
    async deliver(records, rejections, place = null): Promise<Receipt> {
      // A batch may take longer than the moment that is waited for: bulk waits for silence.
      if (pace === 'bulk') forgetTimer()
      try {
        const receipt = await store(records, rejections, place)
        if (waiting === 0) waitingSince = performance.now()
        waiting += receipt.stored + receipt.variants
        unanalysed += receipt.stored
        return receipt
      } finally {
        if (waiting > 0) deriveSoon()
      }
    },
    async drain(signal): Promise<void> {
      forgetTimer()
      // The round that runs is waited for: it holds a connection.
      while (deriving) await deriving
      forgetTimer()
      waiting = 0
      await derive(() => !signal?.aborted)
      if (unanalysed >= ANALYZE_AFTER) await analyze(pool)
      unanalysed = 0
    },
  }
}

/** A third of the usual sample (9,000 rows of each table): the plans are the same, and analysing costs a fraction (facts: 11.4 µs a record at 100, 1.0 at 10). */
const STATISTICS_TARGET = 30

async function analyze(pool: pg.Pool): Promise<void> {
  await inTransaction(pool, async (client) => {
    await client.query(`set local default_statistics_target = ${STATISTICS_TARGET}`)
    await client.query('analyze heads, events, conclusions, timeline')
  })
}

/** Of several records of a new event the first one counts as stored. */
function fatesOf(ids: readonly (EventId | null)[], storedIds: ReadonlySet<EventId>): Fate[] {
  const left = new Set(storedIds)
  return ids.map((id) => (id === null ? 'rejected' : left.delete(id) ? 'stored' : 'duplicate'))
}

function fileNames(records: readonly RawRecord[], rejections: readonly Rejection[]): Set<string> {
  return new Set([...records, ...rejections].map((one) => one.origin.file))
}

async function inTransaction<Result>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    const client = await pool.connect()
    try {
      await client.query('begin')
      const result = await work(client)
      await client.query('commit')
      return result
    } catch (error) {
      await client.query('rollback').catch(() => undefined)
      const code = (error as { code?: string }).code
      if (attempt >= ATTEMPTS || !code || !RETRYABLE.has(code)) throw error
    } finally {
      client.release()
    }
  }
}
