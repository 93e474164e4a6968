/** Wakes the streams of this process when conclusions were committed anywhere: one connection that listens (PostgreSQL LISTEN), however many streams there are. */
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Log } from '../log.ts'

export interface Bell {
  /** How often it rang so far. A ring says only that there may be something new. */
  readonly rings: () => number
  /** Resolves when it has rung more often than `seen`, after `ms`, or when the signal or the bell itself is closed; never rejects. */
  readonly rung: (seen: number, ms: number, signal: AbortSignal) => Promise<void>
  /** Aborted when the process ends: streams then say so and end. */
  readonly closing: AbortSignal
  readonly close: () => Promise<void>
}

const CHANNEL = 'trailjoin_live'
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 10_000

/** Listens with a connection of its own, beside the pool, whose settings it takes; a connection that breaks is made anew, with growing pauses. */
export function createBell(pool: pg.Pool, log: Log): Bell {
  const stop = new AbortController()
  const waiting = new Set<() => void>()
  let count = 0
  const ring = (): void => {
    count++
    for (const wake of waiting) wake()
    waiting.clear()
  }
  const done = keepListening(pool, log, ring, stop.signal)
  return {
    rings: () => count,
    rung: async (seen, ms, signal) => {
      if (count > seen || signal.aborted || stop.signal.aborted) return
      const { promise, resolve } = Promise.withResolvers<undefined>()
      const wake = (): void => resolve(undefined)
      const timer = setTimeout(wake, ms)
      waiting.add(wake)
      signal.addEventListener('abort', wake, { once: true })
      await promise
      clearTimeout(timer)
      waiting.delete(wake)
      signal.removeEventListener('abort', wake)
    },
    closing: stop.signal,
    close: async () => {
      stop.abort()
      ring()
      await done
    },
  }
}

async function keepListening(pool: pg.Pool, log: Log, ring: () => void, signal: AbortSignal): Promise<void> {
  let pause = FIRST_PAUSE_MS
  while (!signal.aborted) {
    const listened = await listen(pool, ring, signal).catch((error: unknown) => {
      log.error({ err: error }, 'the connection that listens for changes broke; streams look for themselves until it is back')
      return false
    })
    if (signal.aborted) return
    pause = listened ? FIRST_PAUSE_MS : Math.min(2 * pause, LONGEST_PAUSE_MS)
    await sleep(pause, undefined, { signal }).catch(() => undefined)
  }
}

/** @returns true when it had listened before the connection ended */
async function listen(pool: pg.Pool, ring: () => void, signal: AbortSignal): Promise<boolean> {
  const client = new pg.Client({ ...pool.options, application_name: 'trailjoin-live' })
  const { promise: ended, resolve: end } = Promise.withResolvers<undefined>()
  client.on('error', () => end(undefined))
  client.on('end', () => end(undefined))
  client.on('notification', ring)
  const abort = (): void => end(undefined)
  signal.addEventListener('abort', abort, { once: true })
  try {
    await client.connect()
    await client.query(`listen ${CHANNEL}`)
    // What was committed while nobody listened.
    ring()
    await ended
    return true
  } finally {
    signal.removeEventListener('abort', abort)
    await client.end().catch(() => undefined)
  }
}
