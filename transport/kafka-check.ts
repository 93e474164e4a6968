/** A look at the cluster for `doctor`: it creates nothing. */
import { createKafkaClient, leave } from './kafka-client.ts'
import type { KafkaClientSettings } from './kafka-client.ts'
import { TOPICS, checkBrokers, groupName, topicNames } from './kafka-topics.ts'
import { explainKafkaError } from './kafka-trouble.ts'

export interface KafkaState {
  readonly brokers: number
  /** Topics that are not there yet. */
  readonly missing: readonly string[]
  /** Messages that the correlators have not handled; null while there are no topics. */
  readonly behind: bigint | null
}

/** @throws Error whose message names the setting to look at */
export async function inspectKafka(settings: KafkaClientSettings & { readonly namespace: string; readonly group: string }): Promise<KafkaState> {
  const { ssl, sasl, namespace, group } = settings
  const tls = ssl === undefined || ssl === false ? undefined : ssl === true ? {} : ssl
  await checkBrokers(settings.brokers, tls, sasl !== undefined)
  const admin = createKafkaClient(settings).admin()
  try {
    await admin.connect()
    const [{ brokers }, known] = [await admin.describeCluster(), new Set(await admin.listTopics())]
    const names = topicNames(namespace)
    const missing = names.filter((name) => !known.has(name))
    let behind = missing.length > 0 ? null : 0n
    for (const topic of missing.length > 0 ? [] : names) {
      const [offsets] = await admin.fetchOffsets({ groupId: groupName(namespace, group, TOPICS[names.indexOf(topic)]!), topics: [topic] })
      const done = new Map(offsets?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]))
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
        // A group that has no position yet (-1), or one that is gone, begins at the oldest message.
        const from = done.get(partition) ?? -1n
        behind = (behind ?? 0n) + BigInt(high) - (from < BigInt(low) ? BigInt(low) : from)
      }
    }
    return { brokers: brokers.length, missing, behind }
  } catch (error) {
    throw new Error(`Kafka cannot be used: ${explainKafkaError(error, { tls: tls !== undefined, sasl: sasl !== undefined })}`, { cause: error })
  } finally {
    await leave(admin)
  }
}
