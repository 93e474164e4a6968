/** What the command line asks of a cluster: how far its topics reach, and what was set aside. */
import { type Kafka, type KafkaClientSettings, type KafkaMessage, createKafkaClient, leave, readBatch } from './kafka-client.ts'
import { deadLetterTopic } from './dead-letters.ts'
import { topicNames } from './kafka-topics.ts'
import { explainKafkaError } from './kafka-trouble.ts'

export interface PartitionEnds {
  readonly log: string
  readonly partition: number
  /** First offset that is still there. */
  readonly low: bigint
  /** Offset that the next message will get. */
  readonly high: bigint
}

export interface KafkaAdmin {
  /** Of every partition of this program's topics that exist. */
  ends(): Promise<readonly PartitionEnds[]>
  /** The first offset of each partition of a topic that was written at that time or later. */
  offsetsAt(log: string, time: Date): Promise<ReadonlyMap<number, bigint>>
  /**
   * Hands over every batch of the dead-letter topic, in order, with its messages when they can be read now, else with the reason.
   * Resolves when it has been read to its present end.
   */
  deadLetters(handle: (letter: DeadLetter) => Promise<void>): Promise<void>
  close(): Promise<void>
}

export interface DeadLetter {
  readonly log: string
  readonly partition: number
  readonly firstOffset: bigint
  readonly lastOffset: bigint
  readonly content: { readonly messages: readonly KafkaMessage[] } | { readonly unreadable: string }
}

/** @throws Error whose message names the setting to look at */
export async function openKafkaAdmin(settings: KafkaClientSettings & { readonly namespace: string }): Promise<KafkaAdmin> {
  const client = createKafkaClient(settings)
  const admin = client.admin()
  try {
    await admin.connect()
  } catch (error) {
    await leave(admin)
    const known = { tls: settings.ssl !== undefined && settings.ssl !== false, sasl: settings.sasl !== undefined }
    throw new Error(`Kafka cannot be used: ${explainKafkaError(error, known)}`, { cause: error })
  }
  return {
    async ends() {
      const known = new Set(await admin.listTopics())
      const all: PartitionEnds[] = []
      for (const log of topicNames(settings.namespace).filter((name) => known.has(name))) {
        for (const { partition, low, high } of await admin.fetchTopicOffsets(log)) all.push({ log, partition, low: BigInt(low), high: BigInt(high) })
      }
      return all.toSorted((a, b) => (a.log === b.log ? a.partition - b.partition : a.log < b.log ? -1 : 1))
    },
    async offsetsAt(log, time) {
      const offsets = await admin.fetchTopicOffsetsByTimestamp(log, time.getTime())
      return new Map(offsets.map(({ partition, offset }) => [partition, BigInt(offset)]))
    },
    async deadLetters(handle) {
      const topic = deadLetterTopic(settings.namespace)
      if (!(await admin.listTopics()).includes(topic)) return
      const [end] = await admin.fetchTopicOffsets(topic)
      if (!end || end.low === end.high) return
      await readTo(client, topic, BigInt(end.high), async (message) => handle(await letterOf(message)))
    },
    close: () => leave(admin),
  }
}

async function letterOf({ value, headers = {} }: KafkaMessage): Promise<DeadLetter> {
  const header = (name: string): string => String(headers[name] ?? '')
  const content = await readBatch(value ?? Buffer.alloc(0)).then(
    (messages) => ({ messages }),
    (error: unknown) => ({ unreadable: error instanceof Error ? error.message : String(error) }),
  )
  return {
    log: header('topic'),
    partition: Number(header('partition')),
    firstOffset: BigInt(header('first-offset')),
    lastOffset: BigInt(header('last-offset')),
    content,
  }
}

/** Reads a topic of one partition from its beginning to an offset, in a group of its own that nobody comes back to. */
async function readTo(client: Kafka, topic: string, end: bigint, handle: (message: KafkaMessage) => Promise<void>): Promise<void> {
  const consumer = client.consumer({ groupId: `${topic}.replay.${crypto.randomUUID()}` })
  const { promise: over, resolve, reject } = Promise.withResolvers<undefined>()
  consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ message }) => {
        if (BigInt(message.offset) < end) await handle(message).catch(reject)
        if (BigInt(message.offset) >= end - 1n) resolve(undefined)
      },
    })
    await over
  } finally {
    await leave(consumer)
  }
}
