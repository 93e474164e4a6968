import { type EachBatchPayload, type Kafka, METADATA_MAX_AGE_MS, leave } from '#transport/kafka-client.ts'
import { setTimeout as pause } from 'node:timers/promises'
import type { Mailbox } from '../mailbox/mailbox.ts'

export interface HubConsumerOptions {
  readonly hub: string
  readonly groupId: string
  /** The texts of one fetched batch; its offsets are committed when it is durable. */
  readonly mailbox: Mailbox<readonly string[]>
  /** How long leaving the group may take, in milliseconds. */
  readonly leaveMs?: number
}

export interface HubConsumer {
  stop(): Promise<void>
}

/** As Microsoft recommends for its endpoint (facts: Entra, "Event Hubs as Kafka"). */
const SESSION_TIMEOUT_MS = 30_000
const HEARTBEAT_MS = 3000
/** Of one partition in one fetch: a page of the engine. */
const PARTITION_BYTES = 1024 * 1024
/** Before a batch that could not be stored is offered again. */
const AGAIN_MS = 500

/**
 * Reads an event hub from the group's position, or from its beginning. What makes it unable to go on is told to the mailbox, whose poll then fails and is tried again with a new
 * consumer. Rejects when it cannot be started.
 */
export async function startHubConsumer(client: Kafka, { hub, groupId, mailbox, leaveMs }: HubConsumerOptions): Promise<HubConsumer> {
  const stopping = new AbortController()
  const consumer = client.consumer({
    groupId,
    sessionTimeout: SESSION_TIMEOUT_MS,
    heartbeatInterval: HEARTBEAT_MS,
    rebalanceTimeout: 2 * SESSION_TIMEOUT_MS,
    metadataMaxAge: METADATA_MAX_AGE_MS,
    allowAutoTopicCreation: false,
    maxBytesPerPartition: PARTITION_BYTES,
    maxWaitTimeInMs: 500,
    // The engine's back-off comes after these.
    retry: { retries: 3, initialRetryTime: 300, maxRetryTime: 3000, restartOnFailure: () => Promise.resolve(false) },
  })
  consumer.on(consumer.events.CRASH, ({ payload }) => mailbox.fail(payload.error))
  try {
    await consumer.connect()
    // "latest", the default of kafkajs, would skip what lies between a position that is gone and the end.
    await consumer.subscribe({ topics: [hub], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 4,
      eachBatch: (payload) => handleBatch(payload, mailbox, stopping.signal),
    })
  } catch (error) {
    await leave(consumer, leaveMs)
    throw error
  }
  return {
    async stop() {
      stopping.abort()
      // Batches that wait must not outlive the consumer that could commit them.
      mailbox.refuse()
      await leave(consumer, leaveMs)
    },
  }
}

const OUTCOME = [(): boolean => true, (): boolean => false] as const

/** False when the signal aborts: disconnecting waits for this handler, which must not wait for a delivery that hangs. */
function aborted(signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(false)
    signal.addEventListener('abort', () => resolve(false), { once: true })
  })
}

/** Offers the batch until it is durable, then commits. Leaves without committing when the consumer stops or has lost the partition: the batch comes again. */
async function handleBatch(payload: EachBatchPayload, mailbox: Mailbox<readonly string[]>, stop: AbortSignal): Promise<void> {
  const { topic, partition, messages } = payload.batch
  const lost = new AbortController()
  const over = AbortSignal.any([stop, lost.signal])
  // Storing may take longer than the session: the group hears from this member all the same.
  const beat = setInterval(() => void payload.heartbeat().catch((error: unknown) => lost.abort(error)), HEARTBEAT_MS)
  try {
    const texts = messages.map(({ value }) => value?.toString() ?? '').filter((text) => text !== '')
    const bytes = texts.reduce((sum, text) => sum + text.length, 0)
    while (!over.aborted && payload.isRunning() && !payload.isStale()) {
      const stored = await Promise.race([mailbox.put(texts, bytes).then(...OUTCOME), aborted(over)])
      if (stored) {
        const last = messages.at(-1)!.offset
        payload.resolveOffset(last)
        await payload.commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset: String(BigInt(last) + 1n) }] }] })
        break
      }
      await pause(AGAIN_MS, undefined, { signal: over }).catch(() => undefined)
    }
  } finally {
    clearInterval(beat)
  }
  // The group is being shared out anew: kafkajs joins again when it sees this error.
  if (lost.signal.aborted) throw lost.signal.reason
}
