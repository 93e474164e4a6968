import { maskMessage } from '#core/secrets/message.ts'
import { setTimeout as pause } from 'node:timers/promises'
import type { RecordContext } from '#core/record.ts'
import type { RecordSink } from '#core/sink.ts'
import { BATCH_RECORDS, createBatches } from '../batches.ts'
import { DELAYS, withBackOff } from './back-off.ts'
import type { Delays } from './back-off.ts'
import type { Leases } from './lease.ts'
import type { SourceMetrics } from './metrics.ts'
import { readPiece } from './read-piece.ts'
import { SourceError } from './source-error.ts'
import type { Collector, Page, SourceContext } from './source.ts'
import type { Counts, PartKey, SourceStore } from './store.ts'

/** One configured source, opened. */
export interface RunningSource {
  readonly name: string
  readonly kind: string
  /** From the end of one poll to the begin of the next. */
  readonly everyMs: number
  readonly context: RecordContext
  readonly collectors: readonly Collector[]
}

export interface RunOptions {
  readonly sources: readonly RunningSource[]
  readonly sink: RecordSink
  readonly store: SourceStore
  readonly signal: AbortSignal
  readonly log: SourceContext['log']
  readonly metrics?: SourceMetrics
  /** Where several processes share the work; without it this one polls everything. */
  readonly leases?: Leases
  /** Polls each part to its end once and returns; a failing one is given `attempts`. Default: for ever. */
  readonly once?: { readonly attempts: number }
  readonly delays?: Delays
  /** Without a page for so long a poll is given up (milliseconds). */
  readonly stallMs?: number
}

/** Of one part. `error` is null when its (last) poll came to its end. */
export interface PartOutcome extends PartKey {
  readonly error: SourceError | null
}

/** A request that hangs would otherwise hang its part for ever. Longer than any answer a cloud gives. */
const STALL_MS = 10 * 60_000
/** A poll that ignores the signal is left behind after this; its page is not counted as delivered, so nothing is lost. */
const GRACE_MS = 10_000
const MAX_MESSAGE = 500
const WAITING_PAUSE_MS = 1000

/**
 * Runs every part of every source in a loop of its own, so that one that is stuck stops no other. Resolves when the signal aborts and the deliveries under way are settled, or
 * after one round with `once`. Never rejects for what a source, the sink or the store do wrong: that is logged, counted, kept as status, and tried again.
 */
export async function runSources(options: RunOptions): Promise<readonly PartOutcome[]> {
  const sink = oneAtATime(options.sink)
  const loops = options.sources.flatMap((source) => source.collectors.map((collector) => runPart(source, collector, { ...options, sink })))
  return Promise.all(loops)
}

async function runPart(source: RunningSource, collector: Collector, options: RunOptions): Promise<PartOutcome> {
  const { signal, log, once, store } = options
  const { tenantId } = source.context
  const key: PartKey = { source: source.name, part: collector.part, kind: source.kind, ...(tenantId === undefined ? {} : { tenantId }) }
  const fields = { source: key.source, part: key.part }
  let error: SourceError | null = null
  const round = async (): Promise<void> => {
    let progress = false
    let delivered = false
    let elsewhere = false
    await withBackOff(
      async () => {
        progress = false
        if ((await options.leases?.hold(key.source, key.part)) === false) {
          elsewhere = true
          await collector.release?.()
          return
        }
        elsewhere = false
        await pollOnce(source, collector, key, options, () => {
          progress = true
          delivered = true
        })
        await store.succeeded(key)
      },
      {
        signal,
        delays: options.delays ?? DELAYS,
        attempts: once?.attempts ?? Number.POSITIVE_INFINITY,
        progressed: () => progress,
        failed: async (failure) => {
          error = failure
          const message = maskMessage(failure.message).slice(0, MAX_MESSAGE)
          options.metrics?.failed(key.source)
          log('warn', 'poll failed', { ...fields, code: failure.code, error: message })
          // The store may be what is away: then its own recovery clears the picture.
          await store.failed(key, failure.code, message).catch((cause: unknown) =>
            log('warn', 'status not stored', {
              ...fields,
              error: String(cause).slice(0, MAX_MESSAGE),
            }),
          )
        },
      },
    )
    error = null
    if (elsewhere) return
    options.metrics?.polled(key.source)
    // Conclusions are drawn beside the deliveries; the last ones need a push. A failure leaves them pending, which loses nothing.
    if (delivered)
      await options.sink.drain(signal).catch((cause: unknown) =>
        log('warn', 'conclusions are behind', {
          ...fields,
          error: String(cause).slice(0, MAX_MESSAGE),
        }),
      )
  }
  const loop = async (): Promise<void> => {
    do {
      await round()
      if (once) return
      // Who waits for news by itself must not be kept from hearing them: a push is answered only when it is durable.
      await pause(collector.waits ? Math.min(WAITING_PAUSE_MS, source.everyMs) : source.everyMs, undefined, { signal })
    } while (!signal.aborted)
  }
  const stopping = Promise.withResolvers<void>()
  let grace: NodeJS.Timeout | undefined
  // Keeps the process alive: a poll that hangs may hold nothing else that does, and the rest would never be closed.
  const stop = (): void => void (grace = setTimeout(stopping.resolve, GRACE_MS))
  signal.addEventListener('abort', stop, { once: true })
  try {
    await Promise.race([loop(), stopping.promise])
  } catch (cause) {
    if (!signal.aborted && !(cause instanceof SourceError)) throw cause
  } finally {
    signal.removeEventListener('abort', stop)
    clearTimeout(grace)
    await collector.close?.()
  }
  return { ...key, error }
}

async function pollOnce(source: RunningSource, collector: Collector, key: PartKey, options: RunOptions, progressed: () => void): Promise<void> {
  const { store, signal } = options
  const classify = (error: unknown): unknown => (error instanceof SourceError ? error : (collector.classify?.(error) ?? error))
  const cursor = await store.cursor(key)
  const stalled = new AbortController()
  const pages = collector.poll(cursor, AbortSignal.any([signal, stalled.signal]))
  let open = true
  try {
    for (;;) {
      const page = await nextPage(pages, collector.waits ? null : (options.stallMs ?? STALL_MS), stalled).catch((error: unknown) => {
        open = false
        throw classify(error)
      })
      if (page === null) {
        open = false
        return
      }
      const counts = await deliverPage(page, source, options, classify)
      await store.advance(key, {
        cursor: page.cursor,
        watermark: page.watermark,
        gaps: page.gaps ?? [],
        counts,
      })
      options.metrics?.counted(key.source, counts)
      progressed()
      try {
        await page.acknowledge?.()
      } catch (error) {
        throw classify(error)
      }
      signal.throwIfAborted()
    }
  } finally {
    // A generator that failed or ended needs no closing; one that hangs would hang here.
    if (open) await pages.return()
  }
}

/** The next page, or null at the end of the poll. */
async function nextPage(pages: AsyncGenerator<Page, void, void>, stallMs: number | null, stalled: AbortController): Promise<Page | null> {
  let timer: NodeJS.Timeout | undefined
  const stall = new Promise<never>((_, reject) => {
    if (stallMs === null) return
    timer = setTimeout(() => {
      const error = new SourceError('SOURCE_TIMEOUT', `no answer for ${Math.round(stallMs / 1000)} seconds`)
      stalled.abort(error)
      reject(error)
    }, stallMs)
  })
  try {
    const next = await Promise.race([pages.next(), stall])
    return next.done ? null : next.value
  } finally {
    clearTimeout(timer)
  }
}

async function deliverPage(page: Page, source: RunningSource, { sink }: RunOptions, classify: (error: unknown) => unknown): Promise<Counts> {
  const counts = { records: 0, stored: 0, duplicates: 0, rejected: 0 }
  const batches = createBatches(sink, BATCH_RECORDS, (receipt, delivered, refused) => {
    counts.records += delivered + refused.length
    counts.stored += receipt.stored
    counts.duplicates += receipt.duplicates
    counts.rejected += refused.length + receipt.rejected.length
  })
  try {
    for (const piece of page.pieces) {
      await readPiece(piece, batches, source.context, sink.knows)
    }
    await batches.finish()
  } catch (error) {
    await batches.settled()
    throw classify(error)
  }
  return counts
}

/** Deliveries of all parts one after the other: the sink's contract, and what bounds memory. */
function oneAtATime(sink: RecordSink): RecordSink {
  let last: Promise<unknown> = Promise.resolve()
  return {
    knows: sink.knows,
    deliver(records, rejections) {
      const mine = last.then(() => sink.deliver(records, rejections))
      last = mine.catch(() => undefined)
      return mine
    },
    drain: (signal) => sink.drain(signal),
  }
}
