/** What the scenarios ask of Kafka itself: empty topics, how far the groups are, everything once more. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createKafkaClient } from '#transport/kafka-client.ts'
import type { Admin, Kafka } from '#transport/kafka-client.ts'
import { HUBS, HUB_PARTITIONS } from './hubs.ts'

export interface KafkaLog {
  /** No topics and groups but empty event hubs. */
  reset(): Promise<void>
  /** Messages that the correlators and the collectors of the event hubs have not acknowledged. */
  lag(): Promise<number>
  /** Messages on the topic of records. */
  size(): Promise<number>
  /** Sends every message of the topic of records once more, and resolves with their number. */
  repeatAll(): Promise<number>
  /** Puts a message on the topic of records that is no record. */
  poison(value: string): Promise<void>
  /** Resolves when every partition has all of its copies. */
  whole(): Promise<void>
}

const RECORDS = 'trailjoin.records'
const REJECTED = 'trailjoin.rejected'
/** Topics and who reads them. */
const READERS: readonly (readonly [topic: string, group: string])[] = [
  [RECORDS, 'trailjoin.correlator.records'],
  [REJECTED, 'trailjoin.correlator.rejected'],
  ...HUBS.map((hub) => [hub, `trailjoin.${hub}`] as const),
]

export function openLog(brokers: readonly string[]): KafkaLog {
  const client = createKafkaClient({ brokers, clientId: 'faults' })
  /** A connection of its own each time: brokers die here. */
  async function asking<Result>(work: (admin: Admin) => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      const admin = client.admin({ retry: { retries: 3 } })
      try {
        await admin.connect()
        return await work(admin)
      } catch (error) {
        if (attempt >= 30) throw error
        await sleep(1000)
      } finally {
        await admin.disconnect().catch(() => undefined)
      }
    }
  }
  const endOf = async (admin: Admin, topic: string): Promise<Map<number, bigint>> =>
    new Map((await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, BigInt(high)]))
  const size = (topic: string): Promise<number> =>
    asking(async (admin) => (await admin.fetchTopicOffsets(topic)).reduce((sum, { high, low }) => sum + Number(BigInt(high) - BigInt(low)), 0))

  return {
    reset: () =>
      asking(async (admin) => {
        const groups = (await admin.listGroups()).groups.map(({ groupId }) => groupId)
        if (groups.length > 0) await admin.deleteGroups(groups)
        const mine = async (): Promise<string[]> => (await admin.listTopics()).filter((topic) => READERS.some(([known]) => known === topic))
        const topics = await mine()
        if (topics.length > 0) await admin.deleteTopics({ topics })
        while ((await mine()).length > 0) await sleep(200)
        await admin.createTopics({ topics: HUBS.map((topic) => ({ topic, numPartitions: HUB_PARTITIONS, replicationFactor: 3 })), waitForLeaders: true })
      }),
    lag: () =>
      asking(async (admin) => {
        const existing = new Set(await admin.listTopics())
        let sum = 0n
        for (const [topic, groupId] of READERS) {
          if (!existing.has(topic)) continue
          const ends = await endOf(admin, topic)
          const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] })
          for (const { partition, offset } of committed?.partitions ?? []) {
            sum += (ends.get(partition) ?? 0n) - (offset === '-1' ? 0n : BigInt(offset))
            ends.delete(partition)
          }
          for (const end of ends.values()) sum += end
        }
        return Number(sum)
      }),
    size: () => size(RECORDS),
    repeatAll: () => repeatAll(client, () => size(RECORDS)),
    async poison(value) {
      const producer = client.producer()
      await producer.connect()
      await producer.send({ topic: RECORDS, messages: [{ key: 'poison', value }] })
      await producer.disconnect()
    },
    whole: () =>
      asking(async (admin) => {
        for (;;) {
          const { topics } = await admin.fetchTopicMetadata()
          if (topics.every(({ partitions }) => partitions.every(({ isr, replicas }) => isr.length === replicas.length))) return
          await sleep(300)
        }
      }),
  }
}

async function repeatAll(client: Kafka, size: () => Promise<number>): Promise<number> {
  const total = await size()
  const consumer = client.consumer({ groupId: `faults-repeat-${Date.now()}` })
  const producer = client.producer()
  await Promise.all([consumer.connect(), producer.connect()])
  await consumer.subscribe({ topics: [RECORDS], fromBeginning: true })
  const { promise, resolve, reject } = Promise.withResolvers<undefined>()
  let seen = 0
  await consumer.run({
    eachBatch: async ({ batch }) => {
      // Its own repeats come back to it: only what was there before counts.
      const messages = batch.messages.filter(({ headers }) => headers?.['repeated'] === undefined)
      if (messages.length === 0) return
      await producer
        .send({
          topic: RECORDS,
          acks: -1,
          messages: messages.map(({ key, value, headers }) => ({ key, value, headers: { ...headers, repeated: '1' }, partition: batch.partition })),
        })
        .catch(reject)
      seen += messages.length
      if (seen >= total) resolve(undefined)
    },
  })
  await promise
  await Promise.all([consumer.disconnect(), producer.disconnect()])
  return seen
}
