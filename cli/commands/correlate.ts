import { once } from 'node:events'
import { Command } from 'commander'
import { type Logger, destination, pino } from 'pino'
import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client'
import { createCorrelator } from '#correlate/index.ts'
import { createLogPositions } from '#correlate/store/log-positions.ts'
import type { Database } from '#database/open.ts'
import type { RecordSink } from '#core/sink.ts'
import { StalePosition, type Transport } from '#core/transport.ts'
import { maskText } from '#ingest/mask/mask.ts'
import { consumeInto } from '#transport/deliver.ts'
import type { KafkaConfig } from '../../config/kafka.ts'
import { UsageError, withStore } from '../cli.ts'
import type { Cli, CommandFactory, GlobalOptions } from '../cli.ts'
import { STOP_MS } from '../correlator.ts'
import { startFindingsRounds } from '../findings-rounds.ts'
import { createKafkaLag } from '../kafka-lag.ts'
import { openKafka } from '../kafka.ts'
import { startConfiguredWebhooks } from '../webhook/findings.ts'
import { type MetricsAddress, type MetricsServer, parseMetricsAddress, serveMetrics } from '../metrics-server.ts'
import { createWorkMetrics } from '../work-metrics.ts'
import { LOG_HOOKS } from '../log-hooks.ts'

export const correlateCommand: CommandFactory = (cli) =>
  new Command('correlate')
    .description('takes records from Kafka (KAFKA_BROKERS) and stores what follows from them; any number of these share the work')
    .option('--metrics <address>', 'serve /metrics and /healthz on this port, or host:port')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { metrics?: string }>()
      const { kafka } = cli.config
      if (kafka === undefined)
        throw new UsageError(
          '`correlate` takes records from Kafka: set KAFKA_BROKERS, e.g. KAFKA_BROKERS=kafka:9092. Without Kafka, `import` and `up` correlate by themselves.',
        )
      const metrics = options.metrics === undefined ? null : parseMetricsAddress(options.metrics)
      await withStore(cli, options, ({ pool }) => correlate(cli, pool, kafka, metrics), 'role')
    })

/** Until the signal; what was taken and not stored by then comes to another correlator. */
async function correlate(cli: Cli, pool: Database['pool'], kafka: KafkaConfig, address: MetricsAddress | null): Promise<void> {
  const { config, signal } = cli
  const log = pino({ name: 'trailjoin', hooks: LOG_HOOKS, base: { role: 'correlate' }, level: config.logLevel }, destination(2))
  const registry = new Registry()
  const counted = countDeliveries(registry)
  const work = createWorkMetrics(registry, pool)
  createKafkaLag(registry, kafka, cli.environment)
  const sink = createCorrelator(pool, { concluded: work.concluded, pace: 'live' })
  const stopFindings = startFindingsRounds(pool, log, work.foundOut)
  let server: MetricsServer | null = null
  let stopWebhooks: (() => Promise<void>) | null = null
  let transport: Transport | null = null
  try {
    if (address !== null) server = await serveMetrics(address, registry, () => (counted.failing() ? 'batches fail: see the log' : null))
    stopWebhooks = await startConfiguredWebhooks(cli, undefined, pool, log)
    transport = await openKafka(kafka, cli, 'trailjoin-correlate', log)
    await consumeInto(transport, counted.sink(sink), { signal, mask: maskText, positions: createLogPositions(pool) })
    log.info({ brokers: kafka.brokers, metrics: server?.url }, 'correlating')
    if (!signal.aborted) await once(signal, 'abort')
  } finally {
    // The batch that is on its way is stored and acknowledged, then its conclusions are drawn.
    await transport?.close()
    await stopFindings()
    await stopWebhooks?.()
    await drain(sink, log)
    await server?.close()
  }
  log.info('stopped')
}

/** Conclusions that are missing are drawn by the next correlator: no reason to fail. */
async function drain(sink: RecordSink, log: Logger): Promise<void> {
  try {
    await sink.drain(AbortSignal.timeout(STOP_MS))
  } catch (error) {
    log.warn({ error: String(error) }, 'conclusions are left for the next correlator')
  }
}

/** Failed deliveries in a row, from which on the process calls itself ill. */
const ILL_AFTER = 5

function countDeliveries(registry: Registry): { readonly sink: (sink: RecordSink) => RecordSink; readonly failing: () => boolean } {
  collectDefaultMetrics({ register: registry })
  const records = new Counter({
    name: 'trailjoin_correlator_records_total',
    help: 'Records handled, by what became of them.',
    labelNames: ['outcome'],
    registers: [registry],
  })
  const failures = new Counter({ name: 'trailjoin_correlator_failures_total', help: 'Batches that could not be stored and come again.', registers: [registry] })
  const last = new Gauge({ name: 'trailjoin_correlator_last_delivery_timestamp_seconds', help: 'When a batch was stored last.', registers: [registry] })
  let failed = 0
  return {
    failing: () => failed >= ILL_AFTER,
    sink: (sink) => ({
      knows: sink.knows,
      async deliver(given, rejections, place) {
        try {
          const receipt = await sink.deliver(given, rejections, place)
          failed = 0
          records.inc({ outcome: 'stored' }, receipt.stored)
          records.inc({ outcome: 'duplicate' }, receipt.duplicates)
          records.inc({ outcome: 'rejected' }, receipt.rejected.length + rejections.length)
          last.setToCurrentTime()
          return receipt
        } catch (error) {
          // Moved from outside: nothing failed, reading goes on elsewhere.
          if (error instanceof StalePosition) throw error
          failed++
          failures.inc()
          throw error
        }
      },
      drain: (signal) => sink.drain(signal),
    }),
  }
}
