import { setTimeout as pause } from 'node:timers/promises'

/** Waits for its turn; turns are given in the order of asking. */
export type Pacer = (signal: AbortSignal) => Promise<void>

const MINUTE_MS = 60_000

/** At most `perMinute` turns within any minute: a burst is allowed, as the quota allows it. `now` counts milliseconds from anywhere. */
export function createPacer(perMinute: number, now: () => number = () => performance.now(), sleep: typeof pause = pause): Pacer {
  const turns: number[] = []
  return async (signal) => {
    // Taken at once, also for a turn that lies ahead: so those who ask meanwhile come after it.
    const free = turns.length < perMinute ? now() : Math.max(now(), turns[turns.length - perMinute]! + MINUTE_MS)
    turns.push(free)
    if (turns.length > perMinute) turns.shift()
    const wait = free - now()
    if (wait > 0) await sleep(wait, undefined, { signal })
  }
}
