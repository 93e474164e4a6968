/** Live collecting, for `ingest` and for `up`: opens the sources that the configuration names and runs them into a sink. */
import type { Registry } from 'prom-client'
import type { RecordSink } from '#core/sink.ts'
import type { Database } from '#database/open.ts'
import { SHORT_DELAYS } from '#ingest/engine/back-off.ts'
import { createLeases } from '#ingest/engine/lease.ts'
import { createSourceMetrics } from '#ingest/engine/metrics.ts'
import { runSources } from '#ingest/engine/run.ts'
import type { PartOutcome, RunningSource } from '#ingest/engine/run.ts'
import type { SourceContext } from '#ingest/engine/source.ts'
import { createSourceStore } from '#ingest/engine/store.ts'
import { CommandError } from './cli.ts'
import type { Cli } from './cli.ts'
import { openConfigured } from './sources.ts'
import type { ConfiguredSources } from './sources.ts'

/** Attempts a part is given with `--once`: a passing fault passes, a lasting one is told. */
const ONCE_ATTEMPTS = 3

/** Opens every source; nothing is connected yet. @throws CommandError naming the source that cannot be opened */
export async function openAll(cli: Cli, configured: ConfiguredSources, log: SourceContext['log']): Promise<readonly RunningSource[]> {
  const sources: RunningSource[] = []
  for (const entry of configured.entries) {
    sources.push(
      await openConfigured(cli, entry, configured, log).catch((error: unknown) => {
        throw new CommandError(`${entry.name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
      }),
    )
  }
  return sources
}

/** `org-trail, entra (7 parts)`, for a message. */
export function describeSources(sources: readonly RunningSource[]): string {
  const parts = sources.reduce((sum, { collectors }) => sum + collectors.length, 0)
  return `${sources.map(({ name }) => name).join(', ')} (${parts} part${parts === 1 ? '' : 's'})`
}

export interface CollectOptions {
  readonly sources: readonly RunningSource[]
  readonly sink: RecordSink
  readonly pool: Database['pool']
  readonly signal: AbortSignal
  readonly log: SourceContext['log']
  /** Where the metrics of the sources are registered. */
  readonly registry: Registry
  /** One round, a few attempts. */
  readonly once: boolean
}

/** Until the signal, or for one round. Never rejects for what a source does wrong: with `once` its outcome says so. */
export async function collect({ sources, sink, pool, signal, log, registry, once }: CollectOptions): Promise<readonly PartOutcome[]> {
  const store = createSourceStore(pool)
  const leases = createLeases(pool)
  const metrics = createSourceMetrics(registry, () => store.statuses())
  try {
    return await runSources({
      sources,
      sink,
      store,
      signal,
      log,
      metrics,
      leases,
      ...(once ? { once: { attempts: ONCE_ATTEMPTS }, delays: SHORT_DELAYS } : {}),
    })
  } finally {
    await leases.close()
  }
}
