/** Clients of kafkajs (last release: February 2023) as this program makes them. It and kafkajs.ts are all that knows the package, so that another client stays possible. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Admin, Consumer, EachBatchPayload, Kafka as Client, KafkaConfig, KafkaMessage, Producer } from 'kafkajs'
import { CompressionTypes, Kafka, logLevel } from './kafkajs.ts'

export { readBatch, unreadableBatch } from './kafkajs.ts'
export type { UnreadableBatch } from './kafkajs.ts'
export type { Admin, Consumer, EachBatchPayload, Client as Kafka, KafkaMessage, Producer }

export interface KafkaClientSettings {
  /** `host:port` of some brokers; the others are learnt from them. */
  readonly brokers: readonly string[]
  /** How the broker's logs call this program. */
  readonly clientId?: string
  readonly ssl?: NonNullable<KafkaConfig['ssl']>
  readonly sasl?: NonNullable<KafkaConfig['sasl']>
  readonly log?: KafkaLog
}

export type KafkaLog = (level: 'error' | 'warn' | 'info' | 'debug', message: string, fields: Readonly<Record<string, unknown>>) => void

const LEVELS = { [logLevel.NOTHING]: 'debug', [logLevel.ERROR]: 'error', [logLevel.WARN]: 'warn', [logLevel.INFO]: 'info', [logLevel.DEBUG]: 'debug' } as const

/** What happens whenever a member of a group comes or goes, or a topic is new; and remarks on settings that are chosen here on purpose. */
const EXPECTED = /rebalancing|coordinator is loading|switched default partitioner|Limiting retries for the idempotent producer/

export const ZSTD = CompressionTypes.ZSTD

/** Brokers are asked anew after that time. Event Hubs closes idle connections after 240 s. */
export const METADATA_MAX_AGE_MS = 180_000

/** A client; connects to nothing yet. */
export function createKafkaClient({ brokers, clientId = 'trailjoin', ssl, sasl, log }: KafkaClientSettings): Client {
  silenceTimeoutWarning()
  return new Kafka({
    clientId,
    brokers: [...brokers],
    ...(ssl === undefined ? {} : { ssl }),
    ...(sasl === undefined ? {} : { sasl }),
    connectionTimeout: 5000,
    requestTimeout: 40_000,
    retry: { initialRetryTime: 200, maxRetryTime: 5000, retries: 5 },
    logLevel: log === undefined ? logLevel.NOTHING : logLevel.INFO,
    // What kafkajs calls an error is a try that failed: it goes on by itself, or the error reaches the caller.
    logCreator:
      () =>
      ({ level, log: { message, timestamp: _timestamp, logger: _logger, ...fields }, namespace }) => {
        const words = `${message} ${String(fields['error'] ?? '')}`
        // The consumer tells once more, in its own words, when it has to join again; the answer of the wire alone says nothing new.
        const quiet =
          LEVELS[level] === 'info' ||
          EXPECTED.test(words) ||
          (namespace === 'Connection' && /not aware of this member|coordinator is not available/.test(words))
        log?.(quiet ? 'debug' : LEVELS[level] === 'error' ? 'warn' : LEVELS[level], message, { part: namespace, ...fields })
      },
  })
}

let silenced = false

/** kafkajs asks for a timeout in the past when it is late; Node 24 sets 1 ms, which is right, and warns. This warning alone is dropped. */
function silenceTimeoutWarning(): void {
  if (silenced) return
  silenced = true
  const emit = process.emitWarning.bind(process) as (warning: string | Error, ...rest: unknown[]) => void
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    const name = warning instanceof Error ? warning.name : typeof rest[0] === 'string' ? rest[0] : (rest[0] as { type?: string } | undefined)?.type
    if (name !== 'TimeoutNegativeWarning') emit(warning, ...rest)
  }
}

const LEAVE_MS = 10_000

/**
 * Disconnects a client of kafkajs, and waits for it so long at most (milliseconds): when a broker has died, or a group's coordinator has moved, kafkajs may never come back, and neither the
 * next try nor the end of the process would come (found by `npm run test:faults`). The cluster notices the silence by itself. Never rejects.
 */
export async function leave(client: { disconnect(): Promise<void> }, withinMs: number = LEAVE_MS): Promise<void> {
  const late = new AbortController()
  await Promise.race([client.disconnect().catch(() => undefined), pause(withinMs, undefined, { signal: late.signal }).catch(() => undefined)])
  late.abort()
}
