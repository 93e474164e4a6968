import pRetry, { AbortError } from 'p-retry'
import { MessageTooLarge, TransportClosed } from './errors.ts'
import { type Kafka, type KafkaLog, type Producer, ZSTD, leave } from './kafka-client.ts'
import type { TopicFacts } from './kafka-topics.ts'
import type { Message, Topic } from '#core/transport.ts'

export interface Publisher {
  publish(topic: Topic, messages: readonly Message[]): Promise<void>
  /** Sends what is waiting, then leaves. */
  close(): Promise<void>
}

export interface PublisherOptions {
  /** After that long without success a publish is rejected, in milliseconds. */
  readonly publishTimeoutMs: number
  readonly log: KafkaLog
}

interface Prepared {
  readonly topic: TopicFacts
  readonly partition: number
  readonly bytes: number
  readonly message: Message
  readonly job: Job
}

interface Job {
  left: number
  failed: boolean
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Of one request to all brokers together, uncompressed. */
const REQUEST_BYTES = 8 * 1024 * 1024
const REQUEST_MESSAGES = 10_000
/** Record head, key length, header lengths: rather too much. */
const MESSAGE_OVERHEAD = 128
/** Retrying does not help. */
const HOPELESS = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'SASL_AUTHENTICATION_FAILED',
  'INVALID_REQUIRED_ACKS',
  'UNSUPPORTED_COMPRESSION_TYPE',
])

/**
 * Publishes one request at a time: what waits meanwhile goes into the next one, so order holds and small publishes are collected.
 *
 * kafkajs 2.2.4 loses messages in two ways when a broker dies, both met here (`sendMessages.js`). Without that, the test that kills a
 * broker of three (`faults.kafka.test.ts`) missed 20 of 15,000 messages although their publish had resolved:
 * - When a partition's leader moves to a broker that has already answered for other partitions, its retry leaves the partition out and
 *   reports success. So partitions are chosen here, and every one of them must stand in the answer.
 * - After a failure it gives the sequence numbers of the failed messages to other ones, which a broker that has stored the first takes for
 *   repeats and drops. So a producer that has failed is never used again; the whole request is sent by a new one. What was stored before
 *   comes twice then, and the store knows it.
 */
export function createPublisher(client: Kafka, topics: Readonly<Record<Topic, TopicFacts>>, { publishTimeoutMs, log }: PublisherOptions): Publisher {
  let queue: Prepared[] = []
  let pumping: Promise<void> | null = null
  let producer: Producer | null = null
  let closed = false

  async function connected(): Promise<Producer> {
    if (producer !== null) return producer
    // kafkajs refuses an idempotent producer without retries; one is the least.
    const fresh = client.producer({
      idempotent: true,
      maxInFlightRequests: 5,
      retry: { initialRetryTime: 100, retries: 1 },
      allowAutoTopicCreation: false,
      metadataMaxAge: 180_000,
    })
    await fresh.connect()
    return (producer = fresh)
  }

  async function discard(): Promise<void> {
    const failed = producer
    producer = null
    if (failed !== null) await leave(failed)
  }

  async function send(request: readonly Prepared[]): Promise<void> {
    const byTopic = Map.groupBy(request, ({ topic }) => topic.name)
    const expected = new Set(request.map(({ topic, partition }) => `${topic.name} ${partition}`))
    try {
      const answer = await (
        await connected()
      ).sendBatch({
        acks: -1,
        timeout: 30_000,
        compression: ZSTD,
        topicMessages: [...byTopic].map(([topic, prepared]) => ({
          topic,
          messages: prepared.map(({ message, partition }) => ({ ...message, headers: { ...message.headers }, partition })),
        })),
      })
      for (const { topicName, partition, errorCode } of answer) if (errorCode === 0) expected.delete(`${topicName} ${partition}`)
      if (expected.size > 0) throw new Error(`Kafka did not answer for ${[...expected].join(', ')}`)
    } catch (error) {
      await discard()
      throw HOPELESS.has((error as { type?: string }).type ?? '') ? new AbortError(error as Error) : error
    }
  }

  async function pump(): Promise<void> {
    while (queue.length > 0) {
      const request = nextRequest(queue)
      queue = queue.slice(request.length)
      try {
        await pRetry(() => send(request), {
          retries: Number.MAX_SAFE_INTEGER,
          minTimeout: 100,
          maxTimeout: 5000,
          randomize: true,
          maxRetryTime: publishTimeoutMs,
          onFailedAttempt: ({ error, attemptNumber }) => log('warn', 'publishing failed, trying again', { error: error.message, attempt: attemptNumber }),
        })
        for (const { job } of request) if (--job.left === 0 && !job.failed) job.resolve()
      } catch (error) {
        for (const { job } of request) {
          job.failed = true
          job.reject(error)
        }
        // The rest of a publish that has failed need not be sent: its publisher publishes all of it again.
        queue = queue.filter(({ job }) => !job.failed)
      }
    }
  }

  return {
    publish(topic, messages) {
      if (closed) return Promise.reject(new TransportClosed('The transport is closed.'))
      if (messages.length === 0) return Promise.resolve()
      const facts = topics[topic]
      const { promise, resolve, reject } = Promise.withResolvers<undefined>()
      const job: Job = { left: messages.length, failed: false, resolve: () => resolve(undefined), reject }
      const prepared: Prepared[] = []
      for (const [index, { key, value, headers }] of messages.entries()) {
        const bytes = sizeOf({ key, value, headers })
        if (bytes > facts.maxBytes) return Promise.reject(new MessageTooLarge(index, bytes, facts.maxBytes))
        prepared.push({ topic: facts, partition: partitionOf(key, facts.partitions), bytes, message: { key, value, headers: { ...headers } }, job })
      }
      queue = [...queue, ...prepared]
      pumping ??= pump().finally(() => {
        pumping = null
      })
      return promise
    },
    async close() {
      closed = true
      while (pumping !== null) await pumping
      await discard()
    },
  }
}

/** As much from the front of the queue as one request may hold, in all and for each partition. */
function nextRequest(queue: readonly Prepared[]): Prepared[] {
  const request: Prepared[] = []
  const perPartition = new Map<string, number>()
  let total = 0
  for (const prepared of queue) {
    const place = `${prepared.topic.name} ${prepared.partition}`
    const bytes = (perPartition.get(place) ?? 0) + prepared.bytes
    total += prepared.bytes
    if (request.length > 0 && (bytes > prepared.topic.maxBytes || total > REQUEST_BYTES || request.length >= REQUEST_MESSAGES)) break
    perPartition.set(place, bytes)
    request.push(prepared)
  }
  return request
}

function sizeOf({ key, value, headers }: Message): number {
  let bytes = Buffer.byteLength(key) + Buffer.byteLength(value) + MESSAGE_OVERHEAD
  for (const [name, text] of Object.entries(headers)) bytes += Buffer.byteLength(name) + Buffer.byteLength(text) + 4
  return bytes
}

/** FNV-1a: the same key always comes to the same partition, keys that differ spread. */
function partitionOf(key: string, partitions: number): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193)
  return (hash >>> 0) % partitions
}
