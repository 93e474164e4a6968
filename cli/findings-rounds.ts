/** Findings follow from all that is stored, not from one batch, so a process that runs for long brings them up to date from time to time. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import { concludeAll } from '#correlate/conclude-all.ts'
import type { Database } from '#database/open.ts'

/** More often than this is work without news. */
const EVERY_MS = 60_000
/** Rest after a round, as a multiple of what it took. */
const REST = 5

/** One round at a time, until what it returns is called: that resolves when no round runs any more. A round that fails is left for the next. `foundOut` hears how many seconds each round took that had something to do. */
export function startFindingsRounds(pool: Database['pool'], log: Pick<Logger, 'warn'>, foundOut?: (seconds: number) => void): () => Promise<void> {
  const stop = new AbortController()
  const loop = async (): Promise<void> => {
    let wait = EVERY_MS
    while (await pause(wait, true, { signal: stop.signal }).catch(() => false)) {
      const started = performance.now()
      await concludeAll(pool, stop.signal)
        .then((computed) => (computed ? foundOut?.((performance.now() - started) / 1000) : undefined))
        .catch((error: unknown) => log.warn({ error: String(error) }, 'findings are left for the next time'))
      // A store that takes long to be looked through is not looked through all the time.
      wait = Math.max(EVERY_MS, REST * (performance.now() - started))
    }
  }
  const running = loop()
  return async () => {
    stop.abort()
    await running
  }
}
