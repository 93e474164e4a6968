/** Findings are computed from the whole store, so a process that runs for long brings them up to date from time to time. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import { concludeAll } from '#correlate/conclude-all.ts'
import type { Database } from '#database/open.ts'

/** More often than this is work without news. */
const EVERY_MS = 60_000

/** One round at a time, until what it returns is called: that resolves when no round runs any more. A round that fails is left for the next. */
export function startFindingsRounds(pool: Database['pool'], log: Pick<Logger, 'warn'>): () => Promise<void> {
  const stop = new AbortController()
  const loop = async (): Promise<void> => {
    while (await pause(EVERY_MS, true, { signal: stop.signal }).catch(() => false))
      await concludeAll(pool).catch((error: unknown) => log.warn({ error: String(error) }, 'findings are left for the next time'))
  }
  const running = loop()
  return async () => {
    stop.abort()
    await running
  }
}
