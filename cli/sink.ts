import type { Logger } from 'pino'
import { readApiLogs } from '../config/api-logs-section.ts'
import type { RecordSink } from '#core/sink.ts'
import { knows } from '#correlate/accept.ts'
import type { Database } from '#database/open.ts'
import { apiLogs } from '#ingest/api-logs.ts'
import type { ApiLogs } from '#ingest/api-logs.ts'
import { createTransportSink } from '#transport/sink.ts'
import type { Cli } from './cli.ts'
import { openCorrelator } from './correlator.ts'
import { openKafka } from './kafka.ts'
import type { WorkMetrics } from './work-metrics.ts'

export interface OpenedSink {
  readonly sink: RecordSink
  /** Correlating here, draws what conclusions are missing for as long as `patience` lasts (default: half a minute). */
  readonly close: (patience?: AbortSignal) => Promise<void>
}

/** Where this process hands records over: Kafka where brokers are named, else the correlator in this process (`rounds`: which also keeps findings up to date; `work`: which measures). */
export async function openSink(
  cli: Pick<Cli, 'config' | 'environment'>,
  pool: Database['pool'],
  log: Logger,
  clientId: string,
  rounds = true,
  work?: WorkMetrics,
): Promise<OpenedSink> {
  const { kafka } = cli.config
  if (kafka === undefined) return openCorrelator(pool, log, rounds, work)
  const transport = await openKafka(kafka, cli, clientId, log)
  return { sink: createTransportSink(transport, knows), close: () => transport.close() }
}

/**
 * The access logs that the configuration file describes, where it is named or here.
 * @throws ConfigError
 */
export async function readConfiguredApiLogs(cli: Pick<Cli, 'config'>, file: string | undefined): Promise<ApiLogs | undefined> {
  const logs = await readApiLogs(file ?? cli.config.configFile)
  return logs.length === 0 ? undefined : apiLogs(logs)
}
