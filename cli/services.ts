/** What the HTTP roles offer beside the database: metrics, push ingestion and, for `up`, collecting. */
import { Registry, collectDefaultMetrics } from 'prom-client'
import { createBell } from '#api/live/bell.ts'
import type { Services } from '#api/services.ts'
import type { Database } from '#database/open.ts'
import { translatingSink } from '#ingest/api-logs.ts'
import type { Cli } from './cli.ts'
import { collect, describeSources, openAll } from './collect.ts'
import { guardedSink } from './guarded-sink.ts'
import { createIntake } from './intake.ts'
import { openSink, readConfiguredApiLogs } from './sink.ts'
import { sourceLogger } from './sources.ts'
import type { ConfiguredSources } from './sources.ts'
import { createWorkMetrics } from './work-metrics.ts'

interface Running {
  readonly services: Services
  /**
   * Begins to collect into this process; returns a line for the person who started it.
   * @throws CommandError naming a source that cannot be opened
   */
  readonly collectFrom: (configured: ConfiguredSources) => Promise<string>
}

/** Runs the work with its services; when it ends, collecting stops, deliveries under way are stored, and what conclusions are missing is drawn, within half a minute. With `findings` it keeps those up to date, too. */
export async function withServices(
  cli: Cli,
  { pool, folder }: Database,
  { findings, config }: { readonly findings: boolean; readonly config?: string | undefined },
  work: (running: Running) => Promise<void>,
): Promise<void> {
  const { logger, log } = sourceLogger(cli.config.logLevel, 'http')
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  // With a login of its own an API reads no table that these come from (docs/operators/access.md); beside correlators it need not.
  const measures = findings && cli.config.kafka === undefined ? createWorkMetrics(registry, pool) : undefined
  const logs = await readConfiguredApiLogs(cli, config)
  const { sink: unguarded, close } = await openSink(cli, pool, logger, 'trailjoin-api', findings, measures)
  const sink = guardedSink(unguarded, folder)
  const bell = createBell(pool, logger)
  // Streams end first: the server waits for what it is answering.
  cli.signal.addEventListener('abort', () => void bell.close(), { once: true })
  const stop = new AbortController()
  const signal = AbortSignal.any([cli.signal, stop.signal])
  let collecting: Promise<unknown> = Promise.resolve()
  const collectFrom = async (configured: ConfiguredSources): Promise<string> => {
    if (cli.config.kafka !== undefined) return '  KAFKA_BROKERS is set, so `trailjoin ingest` collects, and not this process.'
    const sources = await openAll(cli, configured, log)
    collecting = collect({ sources, sink: logs === undefined ? sink : translatingSink(sink, logs), pool, signal, log, registry, once: false }).catch(
      (error: unknown) => logger.error({ error: String(error) }, 'collecting ended'),
    )
    return `  collecting from ${describeSources(sources)}, as ${configured.file} says`
  }
  try {
    await work({ services: { metrics: registry, intake: createIntake(sink, logs), bell }, collectFrom })
  } finally {
    stop.abort()
    await bell.close()
    await collecting
    await close()
  }
}
