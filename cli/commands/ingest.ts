import { Command } from 'commander'
import { Registry, collectDefaultMetrics } from 'prom-client'
import { createCorrelator } from '#correlate/index.ts'
import type { RecordSink } from '#core/sink.ts'
import type { Database } from '#database/open.ts'
import { SHORT_DELAYS } from '#ingest/engine/back-off.ts'
import { createLeases } from '#ingest/engine/lease.ts'
import { createSourceMetrics } from '#ingest/engine/metrics.ts'
import { runSources } from '#ingest/engine/run.ts'
import type { RunningSource } from '#ingest/engine/run.ts'
import { createSourceStore } from '#ingest/engine/store.ts'
import { createKafkaTransport } from '#transport/kafka.ts'
import { createTransportSink } from '#transport/sink.ts'
import { ConfigError } from '../../config.ts'
import { CommandError, UsageError, withStore } from '../cli.ts'
import type { Cli, CommandFactory, GlobalOptions } from '../cli.ts'
import { parseMetricsAddress, serveMetrics } from '../metrics-server.ts'
import type { MetricsAddress } from '../metrics-server.ts'
import { printable } from '../output/table.ts'
import { openConfigured, readSources, sourceLogger } from '../sources.ts'
import type { ConfiguredSources } from '../sources.ts'

/** Attempts a part is given with `--once`: a passing fault passes, a lasting one is told. */
const ONCE_ATTEMPTS = 3

interface IngestOptions extends GlobalOptions {
  readonly config?: string
  readonly once?: true
  readonly metrics?: string
}

export const ingestCommand: CommandFactory = (cli) =>
  new Command('ingest')
    .description('collects from the live sources that the configuration names, until it is stopped')
    .option('--config <file>', 'configuration file (default: TRAILJOIN_CONFIG, else trailjoin.yaml here)')
    .option('--once', 'poll every source to its end once, then stop; fails when one of them cannot be read')
    .option('--metrics <address>', 'serve /metrics and /healthz on this port, or host:port')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<IngestOptions>()
      const metrics = options.metrics === undefined ? null : parseMetricsAddress(options.metrics)
      const configured = await readSources(cli, options.config).catch((error: unknown) => {
        throw error instanceof ConfigError ? new UsageError(error.message) : error
      })
      await withStore(cli, options, (database) => ingest(cli, database, configured, options.once === true, metrics))
    })

async function ingest(cli: Cli, { pool }: Database, configured: ConfiguredSources, once: boolean, address: MetricsAddress | null): Promise<void> {
  const { logger, log } = sourceLogger(cli.config.logLevel)
  const sources: RunningSource[] = []
  for (const entry of configured.entries) {
    sources.push(
      await openConfigured(cli, entry, configured, log).catch((error: unknown) => {
        throw new CommandError(`${entry.name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
      }),
    )
  }
  const store = createSourceStore(pool)
  const leases = createLeases(pool)
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const metrics = createSourceMetrics(registry, () => store.statuses())
  const { sink, close } = openSink(cli, pool, logger)
  const server = address === null ? null : await serveMetrics(address, registry, () => null)
  const parts = sources.reduce((sum, { collectors }) => sum + collectors.length, 0)
  cli.say(
    `Collecting from ${sources.map(({ name }) => name).join(', ')} (${parts} parts)${cli.config.kafkaBrokers ? ' into Kafka' : ''}.${once ? '' : ' Ctrl-C stops it.'}`,
  )
  const counted = countReceipts(sink)
  try {
    const outcomes = await runSources({
      sources,
      sink: counted.sink,
      store,
      signal: cli.signal,
      log,
      metrics,
      leases,
      ...(once ? { once: { attempts: ONCE_ATTEMPTS }, delays: SHORT_DELAYS } : {}),
    })
    if (!once) return
    cli.signal.throwIfAborted()
    cli.say(counted.told())
    const failed = outcomes.filter(({ error }) => error !== null)
    for (const { source, part, error } of failed) cli.say(printable(`error: ${part === '' ? source : `${source} ${part}`}: ${error?.message ?? ''}`))
    if (failed.length > 0)
      throw new CommandError(
        `${failed.length} of ${outcomes.length} parts could not be read to their end; the rest is stored. \`trailjoin doctor\` says what to do.`,
      )
  } finally {
    await leases.close()
    await close()
    await server?.close()
  }
}

/** Kafka where brokers are named, else the correlator in this process. */
function openSink(
  { config }: Cli,
  pool: Database['pool'],
  logger: ReturnType<typeof sourceLogger>['logger'],
): { readonly sink: RecordSink; readonly close: () => Promise<void> } {
  if (config.kafkaBrokers === undefined) {
    const sink = createCorrelator(pool)
    // What was delivered last may still want its conclusions; what is missing after a failure is drawn at the next start.
    return { sink, close: () => sink.drain().catch((error: unknown) => logger.warn({ error: String(error) }, 'conclusions are left for the next start')) }
  }
  const transport = createKafkaTransport({
    brokers: config.kafkaBrokers,
    clientId: 'trailjoin-ingest',
    log: (level, message, fields) => logger[level](fields, message),
  })
  return { sink: createTransportSink(transport), close: () => transport.close() }
}

function countReceipts(sink: RecordSink): { readonly sink: RecordSink; readonly told: () => string } {
  const sum = { read: 0, stored: 0, duplicates: 0, rejected: 0 }
  return {
    sink: {
      async deliver(records, rejections) {
        const receipt = await sink.deliver(records, rejections)
        sum.read += records.length + rejections.length
        sum.stored += receipt.stored
        sum.duplicates += receipt.duplicates
        sum.rejected += rejections.length + receipt.rejected.length
        return receipt
      },
      drain: () => sink.drain(),
    },
    told: () => `${sum.read} records read: ${sum.stored} stored, ${sum.duplicates} known already, ${sum.rejected} rejected.`,
  }
}
