import {
  type Consumer,
  type EachBatchPayload,
  type Kafka,
  type KafkaLog,
  type KafkaMessage,
  METADATA_MAX_AGE_MS,
  type UnreadableBatch,
  leave,
  unreadableBatch,
} from './kafka-client.ts'
import { toMessage } from './kafka-message.ts'
import { type PartitionReader, createPartitionReader } from './partition-reader.ts'
import { type PauseLimits, pause } from './pause.ts'
import { slices } from './slices.ts'
import { type Delivery, type LogGap, type LogPlace, type LogPositions, type Message, StalePosition } from '#core/transport.ts'

export interface ConsumerOptions {
  readonly topic: string
  readonly groupId: string
  readonly handle: (batch: readonly Message[], delivery: Delivery) => Promise<void>
  /** Where reading begins and what is missing; without it the group's own position counts. */
  readonly positions?: LogPositions | undefined
  /** Keeps a batch that cannot be read; resolves when it is safe. */
  readonly setAside: (topic: string, partition: number, batch: UnreadableBatch) => Promise<void>
  /** Ends it: fetching stops, the running handler is waited for. */
  readonly stop: AbortSignal
  readonly retryPause: PauseLimits
  readonly sessionTimeoutMs: number
  readonly concurrency: number
  readonly log: KafkaLog
}

export interface RunningConsumer {
  /** Resolves when partitions have been given out for the first time. */
  readonly joined: Promise<void>
  /** Resolves when it has ended. */
  readonly ended: Promise<void>
}

/** Of one fetch and of one partition in it, compressed; log records become five to nine times as large. */
const FETCH_BYTES = 4 * 1024 * 1024
const PARTITION_BYTES = 1024 * 1024
const RESTART_PAUSE: PauseLimits = { first: 500, longest: 15_000 }

/** Consumes until told to stop. A crash of the kafkajs consumer is normal (a broker died, the coordinator moved): a new one is started. */
export function startConsumer(client: Kafka, options: ConsumerOptions): RunningConsumer {
  const { promise: joined, resolve: join } = Promise.withResolvers<undefined>()
  const ended = supervise(client, options, () => join(undefined)).finally(() => join(undefined))
  return { joined, ended }
}

async function supervise(client: Kafka, options: ConsumerOptions, onJoin: () => void): Promise<void> {
  const { stop, log, groupId } = options
  for (let attempt = 1; !stop.aborted; attempt++) {
    const started = performance.now()
    const running = new Set<Promise<void>>()
    const consumer = client.consumer({
      groupId,
      sessionTimeout: options.sessionTimeoutMs,
      rebalanceTimeout: Math.max(2 * options.sessionTimeoutMs, 10_000),
      heartbeatInterval: heartbeatOf(options),
      metadataMaxAge: METADATA_MAX_AGE_MS,
      allowAutoTopicCreation: false,
      maxBytes: FETCH_BYTES,
      maxBytesPerPartition: PARTITION_BYTES,
      minBytes: 64 * 1024,
      maxWaitTimeInMs: 250,
      // Restarted here, always, and not only after the errors that kafkajs holds for passing ones.
      retry: { initialRetryTime: 200, maxRetryTime: 3000, retries: 5, restartOnFailure: () => Promise.resolve(false) },
    })
    consumer.on(consumer.events.GROUP_JOIN, onJoin)
    try {
      const error = await runOnce(client, consumer, options, running)
      if (error !== null) log('warn', 'the consumer is started again', { group: groupId, error: error.message })
    } catch (error) {
      log('warn', 'the consumer could not start, trying again', { group: groupId, error: error instanceof Error ? error.message : String(error) })
    }
    await leave(consumer)
    // A handler that is still at work must not meet the next consumer's batches of the same partition.
    await Promise.allSettled(running)
    if (performance.now() - started > 60_000) attempt = 1
    if (!stop.aborted) await pause(attempt, RESTART_PAUSE, stop)
  }
}

/** kafkajs sends no more than that, however often it is asked. */
const heartbeatOf = ({ sessionTimeoutMs }: ConsumerOptions): number => Math.max(100, Math.min(3000, sessionTimeoutMs / 6))

/** Resolves with the error of a crash, or null when stopped. */
async function runOnce(client: Kafka, consumer: Consumer, options: ConsumerOptions, running: Set<Promise<void>>): Promise<Error | null> {
  const { stop, topic, groupId, concurrency, positions, log } = options
  const { promise: over, resolve: end } = Promise.withResolvers<Error | null>()
  const onStop = (): void => end(null)
  stop.addEventListener('abort', onStop, { once: true })
  consumer.on(consumer.events.CRASH, ({ payload }) => end(payload.error))
  const reader = positions === undefined ? null : createPartitionReader(client, consumer, { topic, groupId, positions, log })
  try {
    await consumer.connect()
    // Also what kafkajs does when its position is gone from the log; "latest", its default, would skip what lies between.
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: concurrency,
      eachBatch: async (payload) => {
        const work = handleBatch(payload, reader, options)
        running.add(work)
        await work.finally(() => running.delete(work))
      },
    })
    return stop.aborted ? null : await over
  } finally {
    stop.removeEventListener('abort', onStop)
    await reader?.close()
  }
}

/** Hands a fetched batch over in slices, and moves the group's position after each one that was handled. */
async function handleBatch(payload: EachBatchPayload, reader: PartitionReader | null, options: ConsumerOptions): Promise<void> {
  const { batch } = payload
  const { topic, partition } = batch
  const lost = new AbortController()
  // A handler may take longer than the session: the group hears from this member all the same.
  const beat = setInterval(() => void payload.heartbeat().catch((error: unknown) => lost.abort(error)), heartbeatOf(options))
  try {
    const epoch = reader === null ? 0 : await reader.before(payload)
    if (epoch === null) return
    for (const slice of slices(batch.messages, sizeOf)) {
      const handed = await handOver(slice, payload, options)
      if (!(await handleSlice(handed, epoch, payload, options, lost.signal))) {
        // Stopped, or moved from outside: where to read on is looked up again.
        reader?.forget(partition)
        break
      }
      payload.resolveOffset(String(handed.next - 1n))
      reader?.stored(partition, handed.next, handed.at)
      await payload.commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset: String(handed.next) }] }] })
    }
  } finally {
    clearInterval(beat)
  }
  // The group is being shared out anew: kafkajs joins again when it sees this error.
  if (lost.signal.aborted) throw lost.signal.reason
}

/** What a handler gets of a slice. */
interface Handed extends Pick<LogPlace, 'next' | 'at' | 'gaps'> {
  readonly messages: readonly Message[]
}

/** The messages of a slice, and what stands between them that cannot be read: that is set aside first. */
async function handOver(
  slice: readonly KafkaMessage[],
  { batch: { topic, partition } }: EachBatchPayload,
  { setAside, log }: ConsumerOptions,
): Promise<Handed> {
  const messages: Message[] = []
  const gaps: LogGap[] = []
  for (const message of slice) {
    const unreadable = unreadableBatch(message)
    if (unreadable === null) {
      messages.push(toMessage(message))
      continue
    }
    const { firstOffset, lastOffset, firstMs, lastMs, reason } = unreadable
    log('error', 'a batch of the log cannot be read, it is set aside', {
      topic,
      partition,
      firstOffset: String(firstOffset),
      lastOffset: String(lastOffset),
      reason,
    })
    await setAside(topic, partition, unreadable)
    gaps.push({ log: topic, partition, firstOffset, lastOffset, from: new Date(firstMs), until: new Date(lastMs), cause: 'unreadable', detail: reason })
  }
  const last = slice.at(-1)!
  return { messages, gaps, next: BigInt(last.offset) + 1n, at: new Date(Number(last.timestamp)) }
}

/** Until the handler has resolved; false when this consumer stops, has lost the partition, or its position was moved before that. */
async function handleSlice(
  { messages, ...place }: Handed,
  epoch: number,
  payload: EachBatchPayload,
  { handle, stop, retryPause, log }: ConsumerOptions,
  lost: AbortSignal,
): Promise<boolean> {
  const { topic, partition } = payload.batch
  const over = AbortSignal.any([stop, lost])
  for (let attempt = 1; ; attempt++) {
    if (over.aborted || !payload.isRunning() || payload.isStale()) return false
    try {
      // Copied for every call: what a handler does to its batch must not reach the next attempt.
      const copies = messages.map((message) => ({ ...message, headers: { ...message.headers } }))
      await handle(copies, { signal: stop, place: { log: topic, partition, epoch, ...place } })
      return true
    } catch (error) {
      if (error instanceof StalePosition) return false
      log('warn', 'a batch could not be handled, it comes again', {
        topic,
        partition,
        offset: payload.batch.firstOffset(),
        attempt,
        error: error instanceof Error ? error.message : String(error),
      })
      await pause(attempt, retryPause, over)
    }
  }
}

const sizeOf = (message: KafkaMessage): number => unreadableBatch(message)?.bytes.length ?? message.value?.length ?? 0
