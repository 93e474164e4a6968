import { type Consumer, type EachBatchPayload, type Kafka, type KafkaLog, type KafkaMessage, METADATA_MAX_AGE_MS, leave } from './kafka-client.ts'
import { type PauseLimits, pause } from './pause.ts'
import { slices } from './slices.ts'
import type { Message } from '#core/transport.ts'

export interface ConsumerOptions {
  readonly topic: string
  readonly groupId: string
  readonly handle: (batch: readonly Message[], signal: AbortSignal) => Promise<void>
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
      const error = await runOnce(consumer, options, running)
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
async function runOnce(consumer: Consumer, options: ConsumerOptions, running: Set<Promise<void>>): Promise<Error | null> {
  const { stop, topic, concurrency } = options
  const { promise: over, resolve: end } = Promise.withResolvers<Error | null>()
  const onStop = (): void => end(null)
  stop.addEventListener('abort', onStop, { once: true })
  consumer.on(consumer.events.CRASH, ({ payload }) => end(payload.error))
  try {
    await consumer.connect()
    // Also what kafkajs does when its position is gone from the log; "latest", its default, would skip what lies between.
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: concurrency,
      eachBatch: async (payload) => {
        const work = handleBatch(payload, options)
        running.add(work)
        await work.finally(() => running.delete(work))
      },
    })
    return stop.aborted ? null : await over
  } finally {
    stop.removeEventListener('abort', onStop)
  }
}

/** Hands a fetched batch over in slices, and moves the group's position after each one that was handled. */
async function handleBatch(payload: EachBatchPayload, options: ConsumerOptions): Promise<void> {
  const { batch } = payload
  const { topic, partition } = batch
  const lost = new AbortController()
  // A handler may take longer than the session: the group hears from this member all the same.
  const beat = setInterval(() => void payload.heartbeat().catch((error: unknown) => lost.abort(error)), heartbeatOf(options))
  try {
    for (const slice of slices(batch.messages, sizeOf)) {
      if (!(await handleSlice(slice, payload, options, lost.signal))) break
      const last = slice.at(-1)!.offset
      payload.resolveOffset(last)
      await payload.commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset: String(BigInt(last) + 1n) }] }] })
    }
  } finally {
    clearInterval(beat)
  }
  // The group is being shared out anew: kafkajs joins again when it sees this error.
  if (lost.signal.aborted) throw lost.signal.reason
}

/** Until the handler has resolved; false when this consumer stops or has lost the partition before that. */
async function handleSlice(
  slice: readonly KafkaMessage[],
  payload: EachBatchPayload,
  { handle, stop, retryPause, log }: ConsumerOptions,
  lost: AbortSignal,
): Promise<boolean> {
  const over = AbortSignal.any([stop, lost])
  for (let attempt = 1; ; attempt++) {
    if (over.aborted || !payload.isRunning() || payload.isStale()) return false
    try {
      await handle(slice.map(toMessage), stop)
      return true
    } catch (error) {
      log('warn', 'a batch could not be handled, it comes again', {
        topic: payload.batch.topic,
        partition: payload.batch.partition,
        offset: slice[0]?.offset,
        attempt,
        error: error instanceof Error ? error.message : String(error),
      })
      await pause(attempt, retryPause, over)
    }
  }
}

const sizeOf = ({ value }: KafkaMessage): number => value?.length ?? 0

function toMessage({ key, value, headers = {} }: KafkaMessage): Message {
  const texts: Record<string, string> = {}
  for (const [name, header] of Object.entries(headers)) {
    const first = Array.isArray(header) ? header[0] : header
    if (first !== undefined) texts[name] = first.toString()
  }
  return { key: key?.toString() ?? '', value: value?.toString() ?? '', headers: texts }
}
