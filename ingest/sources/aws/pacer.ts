import { setTimeout as pause } from 'node:timers/promises'

/** Waits for its turn. Turns are given in the order of asking. */
export type Pacer = (signal: AbortSignal) => Promise<void>

/** Turns at least `everyMs` milliseconds apart. The first comes at once. */
function createPacer(everyMs: number): Pacer {
  let next = 0
  return async (signal) => {
    const now = performance.now()
    const mine = Math.max(now, next)
    next = mine + everyMs
    if (mine > now) await pause(mine - now, undefined, { signal })
  }
}

const shared = new Map<string, Pacer>()

/** The one pacer of a quota: two sources of this process that read the same account and region share its limit. */
export function sharedPacer(quota: string, everyMs: number): Pacer {
  const key = `${quota} ${everyMs}`
  const pacer = shared.get(key) ?? createPacer(everyMs)
  shared.set(key, pacer)
  return pacer
}
