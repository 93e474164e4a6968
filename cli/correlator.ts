import type { Logger } from 'pino'
import { concludeAll } from '#correlate/conclude-all.ts'
import { createCorrelator } from '#correlate/index.ts'
import type { RecordSink } from '#core/sink.ts'
import type { Database } from '#database/open.ts'
import { startFindingsRounds } from './findings-rounds.ts'
import type { WorkMetrics } from './work-metrics.ts'

/** Less than what a supervisor gives a process to stop (docker-compose.yml: 60 s), together with the round that is running. */
export const STOP_MS = 30_000

/** The correlator in this process, for collecting without Kafka. `close` draws what conclusions and findings are missing, for as long as `patience` (default: half a minute) lasts; what is left then is drawn at the next start. Without `rounds` findings are left to others, who correlate for a living. */
export function openCorrelator(
  pool: Database['pool'],
  log: Pick<Logger, 'warn'>,
  rounds = true,
  work?: WorkMetrics,
): { readonly sink: RecordSink; readonly close: (patience?: AbortSignal) => Promise<void> } {
  const sink = createCorrelator(pool, { concluded: work?.concluded, pace: 'live' })
  const stopFindings = rounds ? startFindingsRounds(pool, log, work?.foundOut) : null
  return {
    sink,
    async close(patience = AbortSignal.timeout(STOP_MS)) {
      await stopFindings?.()
      try {
        await sink.drain(patience)
        if (rounds) await concludeAll(pool, patience)
      } catch (error) {
        log.warn({ error: String(error) }, 'conclusions are left for the next start')
      }
    },
  }
}
