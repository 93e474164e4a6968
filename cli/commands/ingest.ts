import { Command } from 'commander'
import { Registry, collectDefaultMetrics } from 'prom-client'
import type { RecordSink } from '#core/sink.ts'
import type { Database } from '#database/open.ts'
import { translatingSink } from '#ingest/api-logs.ts'
import type { ApiLogs } from '#ingest/api-logs.ts'
import { ConfigError } from '../../config.ts'
import { CommandError, UsageError, withStore } from '../cli.ts'
import type { Cli, CommandFactory, GlobalOptions } from '../cli.ts'
import { collect, describeSources, openAll } from '../collect.ts'
import { guardedSink } from '../guarded-sink.ts'
import { parseMetricsAddress, serveMetrics } from '../metrics-server.ts'
import type { MetricsAddress, MetricsServer } from '../metrics-server.ts'
import { printable } from '../output/table.ts'
import { openSink, readConfiguredApiLogs } from '../sink.ts'
import { readSources, sourceLogger } from '../sources.ts'
import type { ConfiguredSources } from '../sources.ts'
import { startConfiguredWebhooks } from '../webhook/findings.ts'
import { createWorkMetrics } from '../work-metrics.ts'

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
      const configured = await readAll(cli, options.config).catch((error: unknown) => {
        throw error instanceof ConfigError ? new UsageError(error.message) : error
      })
      await withStore(cli, options, (database) => ingest(cli, database, configured.sources, configured.logs, options, metrics), options.once ? 'store' : 'role')
    })

async function readAll(cli: Cli, file: string | undefined): Promise<{ readonly sources: ConfiguredSources; readonly logs: ApiLogs | undefined }> {
  return { sources: await readSources(cli, file), logs: await readConfiguredApiLogs(cli, file) }
}

async function ingest(
  cli: Cli,
  { pool, folder }: Database,
  configured: ConfiguredSources,
  logs: ApiLogs | undefined,
  { config, once }: IngestOptions,
  address: MetricsAddress | null,
): Promise<void> {
  const { logger, log } = sourceLogger(cli.config.logLevel)
  const sources = await openAll(cli, configured, log)
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  // With Kafka, findings are the correlators' to make and to tell.
  const stopWebhooks = cli.config.kafka ? null : await startConfiguredWebhooks(cli, config, pool, logger)
  const work = cli.config.kafka ? undefined : createWorkMetrics(registry, pool)
  const { sink, close } = await openSink(cli, pool, logger, 'trailjoin-ingest', true, work)
  const guarded = guardedSink(sink, folder)
  const counted = countReceipts(logs === undefined ? guarded : translatingSink(guarded, logs))
  let server: MetricsServer | null = null
  try {
    if (address !== null) server = await serveMetrics(address, registry, () => null)
    cli.say(`Collecting from ${describeSources(sources)}${cli.config.kafka ? ' into Kafka' : ''}.${once ? '' : ' Ctrl-C stops it.'}`)
    const outcomes = await collect({ sources, sink: counted.sink, pool, signal: cli.signal, log, registry, once: once === true })
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
    // One round ends when everything that follows from it is stored; a collector that is stopped leaves the rest to the next start.
    await close(once && !cli.signal.aborted ? cli.signal : undefined)
    await stopWebhooks?.()
    await server?.close()
  }
}

function countReceipts(sink: RecordSink): { readonly sink: RecordSink; readonly told: () => string } {
  const sum = { read: 0, stored: 0, duplicates: 0, rejected: 0 }
  return {
    sink: {
      knows: sink.knows,
      async deliver(records, rejections) {
        const receipt = await sink.deliver(records, rejections)
        sum.read += records.length + rejections.length
        sum.stored += receipt.stored
        sum.duplicates += receipt.duplicates
        sum.rejected += rejections.length + receipt.rejected.length
        return receipt
      },
      drain: (signal) => sink.drain(signal),
    },
    told: () => `${sum.read} records read: ${sum.stored} stored, ${sum.duplicates} known already, ${sum.rejected} rejected.`,
  }
}
