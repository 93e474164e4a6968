/**
 * The dead-letter topic `<namespace>.unreadable`: batches that could not be read, byte for byte as they lay in their log, so that a
 * later version can read them (`trailjoin kafka replay`).
 */
import { setTimeout as pause } from 'node:timers/promises'
import { type Kafka, type KafkaLog, type Producer, type UnreadableBatch, leave } from './kafka-client.ts'
import { createTopics } from './kafka-topics.ts'

export interface DeadLetters {
  /** Resolves when the batch is in the dead-letter topic, or when it is certain that it cannot be put there: it is logged then, and stays in its log as long as that keeps it. */
  readonly keep: (topic: string, partition: number, batch: UnreadableBatch) => Promise<void>
  readonly close: () => Promise<void>
}

export interface DeadLetterOptions {
  readonly namespace: string
  readonly retentionMs: number
  readonly log: KafkaLog
}

const TRIES = 5
const PAUSE_MS = 500
/** A batch is at most what its topic takes (4 MiB), and is not compressed again. */
const MAX_BYTES = 16 * 1024 * 1024

export const deadLetterTopic = (namespace: string): string => `${namespace}.unreadable`

export function createDeadLetters(client: Kafka, { namespace, retentionMs, log }: DeadLetterOptions): DeadLetters {
  const topic = deadLetterTopic(namespace)
  let producer: Promise<Producer> | null = null

  async function open(): Promise<Producer> {
    await createTopics(client, [{ name: topic, partitions: 1, retentionMs, maxBytes: MAX_BYTES }])
    const fresh = client.producer({ allowAutoTopicCreation: false })
    await fresh.connect()
    return fresh
  }

  async function send(from: string, partition: number, { bytes, reason, firstOffset, lastOffset }: UnreadableBatch): Promise<void> {
    producer ??= open()
    try {
      await (
        await producer
      ).send({
        topic,
        acks: -1,
        messages: [
          {
            key: `${from}-${partition}-${firstOffset}`,
            value: bytes,
            headers: { topic: from, partition: String(partition), 'first-offset': String(firstOffset), 'last-offset': String(lastOffset), reason },
          },
        ],
      })
    } catch (error) {
      const failed = await producer?.catch(() => null)
      producer = null
      if (failed) await leave(failed)
      throw error
    }
  }

  return {
    async keep(from, partition, batch) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await send(from, partition, batch)
        } catch (error) {
          const words = { topic, from, partition, offset: String(batch.firstOffset), error: error instanceof Error ? error.message : String(error) }
          if (attempt >= TRIES) return log('error', 'an unreadable batch could not be put into the dead-letter topic: it stays in its log only', words)
          log('warn', 'an unreadable batch could not be put into the dead-letter topic, trying again', words)
          await pause(PAUSE_MS * attempt)
        }
      }
    },
    async close() {
      const opened = await producer?.catch(() => null)
      if (opened) await leave(opened)
    },
  }
}
