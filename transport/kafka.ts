import { createDeadLetters } from './dead-letters.ts'
import { TransportClosed } from './errors.ts'
import { type KafkaClientSettings, createKafkaClient } from './kafka-client.ts'
import { startConsumer } from './kafka-consumer.ts'
import { type Publisher, createPublisher } from './kafka-publisher.ts'
import { type TopicFacts, checkBrokers, groupName, prepareTopics } from './kafka-topics.ts'
import { explainKafkaError } from './kafka-trouble.ts'
import { type PauseLimits, RETRY_PAUSE } from './pause.ts'
import type { Topic, Transport } from '#core/transport.ts'

export interface KafkaTransportOptions extends KafkaClientSettings {
  /** Topics are `<namespace>.records` and `<namespace>.rejected`, consumer groups `<namespace>.<group>.<topic>`. */
  readonly namespace?: string
  /** Of topics that do not exist yet: the most consumers that can share the work. */
  readonly partitions?: number
  /** Of topics that do not exist yet, in milliseconds. */
  readonly retentionMs?: number
  readonly publishTimeoutMs?: number
  /** A consumer that has not been heard of for so long is taken for dead, in milliseconds. */
  readonly sessionTimeoutMs?: number
  /** Partitions that one consumer handles at the same time. */
  readonly concurrency?: number
  readonly retryPause?: PauseLimits
}

const DAY_MS = 24 * 60 * 60_000
/** Long enough for a weekend and a repair; the clouds keep what is older. */
const RETENTION_MS = 14 * DAY_MS

/**
 * The transport over Kafka (2.1 or later). The topics are created on first use where they are missing.
 * `publish` and `consume` throw when no broker can be used; a cluster that goes away later is waited for.
 */
export function createKafkaTransport(options: KafkaTransportOptions): Transport {
  const {
    namespace = 'trailjoin',
    partitions = 12,
    retentionMs = RETENTION_MS,
    publishTimeoutMs = 60_000,
    sessionTimeoutMs = 30_000,
    concurrency = 2,
    retryPause = RETRY_PAUSE,
    log = () => undefined,
  } = options
  const client = createKafkaClient(options)
  const closing = new AbortController()
  const consumers = new Set<Promise<void>>()
  let preparing: Promise<Readonly<Record<Topic, TopicFacts>>> | null = null
  let publisher: Publisher | null = null
  const deadLetters = createDeadLetters(client, { namespace, retentionMs, log })

  /** Once; a failure is tried again by the next call. */
  async function prepared(): Promise<Readonly<Record<Topic, TopicFacts>>> {
    if (closing.signal.aborted) throw new TransportClosed('The transport is closed.')
    preparing ??= (async () => {
      const tls = options.ssl === undefined || options.ssl === false ? undefined : options.ssl === true ? {} : options.ssl
      const sasl = options.sasl !== undefined
      await checkBrokers(options.brokers, tls, sasl)
      try {
        return await prepareTopics(client, { namespace, partitions, retentionMs })
      } catch (error) {
        throw new Error(`Kafka cannot be used: ${explainKafkaError(error, { tls: tls !== undefined, sasl })}`, { cause: error })
      }
    })()
    try {
      return await preparing
    } catch (error) {
      preparing = null
      throw error
    }
  }

  return {
    async publish(topic, messages) {
      // Copied before the first wait: the publisher may go on to use its list.
      const copies = messages.map((message) => ({ ...message, headers: { ...message.headers } }))
      const facts = await prepared()
      publisher ??= createPublisher(client, facts, { publishTimeoutMs, log })
      await publisher.publish(topic, copies)
    },
    async consume(topic, group, handle, { signal, positions } = {}) {
      const facts = await prepared()
      const stop = signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal])
      const consumer = startConsumer(client, {
        topic: facts[topic].name,
        groupId: groupName(namespace, group, topic),
        handle,
        positions,
        setAside: deadLetters.keep,
        stop,
        retryPause,
        sessionTimeoutMs,
        concurrency,
        log,
      })
      consumers.add(consumer.ended)
      void consumer.ended.finally(() => consumers.delete(consumer.ended))
      await consumer.joined
    },
    async close() {
      closing.abort(new TransportClosed('The transport is closed.'))
      await Promise.all(consumers)
      await publisher?.close()
      await deadLetters.close()
    },
  }
}
