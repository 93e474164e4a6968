import pRetry from 'p-retry'
import { type Admin, type Kafka, leave } from './kafka-client.ts'
import { brokerVersions, unusable } from './broker-versions.ts'
import { explainKafkaError } from './kafka-trouble.ts'
import type { ConnectionOptions } from 'node:tls'
import type { Topic } from '#core/transport.ts'

/** What publisher and consumer must know of a topic. */
export interface TopicFacts {
  readonly name: string
  readonly partitions: number
  /** Most bytes of one batch for one partition, before compression: then it fits after it, too. */
  readonly maxBytes: number
}

export interface TopicSettings {
  readonly namespace: string
  /** For topics that are created; an existing topic keeps its own. */
  readonly partitions: number
  readonly retentionMs: number
}

export const TOPICS: readonly Topic[] = ['records', 'rejected']

/** One group for each topic: kafkajs shares partitions out wrongly among members of one group that read different topics. */
export const groupName = (namespace: string, group: string, topic: Topic): string => `${namespace}.${group}.${topic}`

/** A record is at most 1 MB (Cloud Audit and CloudTrail: 256 KB); JSON in JSON makes it longer. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024
/** Head of a batch and of its messages. */
const OVERHEAD_BYTES = 64 * 1024
/** Kafka's own default, for brokers that do not tell. */
const DEFAULT_MESSAGE_BYTES = 1_048_588
const TOPIC_CONFIG = 2
/** About ten seconds. */
const DESCRIBE_RETRIES = 7

/**
 * Checks that some broker can be used at all.
 * @throws with every broker's answer when none can
 */
export async function checkBrokers(brokers: readonly string[], tls?: ConnectionOptions, sasl = false): Promise<void> {
  const problems: string[] = []
  for (const broker of brokers) {
    try {
      const missing = unusable(await brokerVersions(broker, tls))
      if (missing.length === 0) return
      problems.push(`${broker}: ${missing.join('; ')}`)
    } catch (error) {
      problems.push(`${broker}: ${explainKafkaError(error, { tls: tls !== undefined, sasl })}`)
    }
  }
  throw new Error(`No Kafka broker can be used (KAFKA_BROKERS).\n${problems.join('\n')}`)
}

/** About three seconds: what may not be created does not come by waiting. */
const LIST_RETRIES = 4

/** Creates the topics that are missing, and tells what they are like. */
export async function prepareTopics(client: Kafka, settings: TopicSettings): Promise<Readonly<Record<Topic, TopicFacts>>> {
  const admin = client.admin()
  await admin.connect()
  try {
    await createMissing(admin, settings)
    // A broker that was just started, or has just heard of the topic, denies it for a moment.
    const describe = (topic: Topic): Promise<TopicFacts> =>
      pRetry(() => describeTopic(admin, topicName(settings.namespace, topic)), { retries: DESCRIBE_RETRIES, minTimeout: 200, maxTimeout: 2000 })
    return { records: await describe('records'), rejected: await describe('rejected') }
  } finally {
    await leave(admin)
  }
}

/** All topics of a namespace. */
export const topicNames = (namespace: string): readonly string[] => TOPICS.map((topic) => topicName(namespace, topic))

const topicName = (namespace: string, topic: Topic): string => `${namespace}.${topic}`

async function createMissing(admin: Admin, { namespace, partitions, retentionMs }: TopicSettings): Promise<void> {
  await create(
    admin,
    TOPICS.map((topic) => ({ name: topicName(namespace, topic), partitions, retentionMs, maxBytes: MAX_MESSAGE_BYTES })),
  )
}

/** A topic to be made where it does not exist yet. */
export interface NewTopic {
  readonly name: string
  readonly partitions: number
  readonly retentionMs: number
  /** Of one message. */
  readonly maxBytes: number
}

/** Creates the topics that are missing. @throws Error when one of them does not exist and may not be created */
export async function createTopics(client: Kafka, topics: readonly NewTopic[]): Promise<void> {
  const admin = client.admin()
  await admin.connect()
  try {
    await create(admin, topics)
  } finally {
    await leave(admin)
  }
}

async function create(admin: Admin, topics: readonly NewTopic[]): Promise<void> {
  const known = new Set(await admin.listTopics())
  const missing = topics.filter(({ name }) => !known.has(name))
  if (missing.length === 0) return
  const replicationFactor = Math.min(3, (await admin.describeCluster()).brokers.length)
  const configOf = ({ retentionMs, maxBytes }: NewTopic) => [
    // With three copies, two must have a message before it counts as published: one broker may be lost at any time.
    { name: 'min.insync.replicas', value: replicationFactor === 3 ? '2' : '1' },
    { name: 'retention.ms', value: String(retentionMs) },
    { name: 'max.message.bytes', value: String(maxBytes) },
    { name: 'cleanup.policy', value: 'delete' },
    { name: 'unclean.leader.election.enable', value: 'false' },
  ]
  try {
    await admin.createTopics({
      waitForLeaders: true,
      topics: missing.map((topic) => ({ topic: topic.name, numPartitions: topic.partitions, replicationFactor, configEntries: configOf(topic) })),
    })
  } catch (error) {
    // Another process was faster, or a leader was not chosen yet when kafkajs asked. The broker that is asked may hear of it a moment later.
    await pRetry(
      async () => {
        const now = new Set(await admin.listTopics())
        if (!missing.every(({ name }) => now.has(name)))
          throw new Error(`The Kafka topics ${missing.map(({ name }) => name).join(' and ')} do not exist and could not be created: ${String(error)}`, {
            cause: error,
          })
      },
      { retries: LIST_RETRIES, minTimeout: 200, maxTimeout: 1000 },
    )
  }
}

async function describeTopic(admin: Admin, name: string): Promise<TopicFacts> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [name] })
  const partitions = topics[0]?.partitions.length ?? 0
  if (partitions === 0) throw new Error(`The Kafka topic ${name} has no partitions.`)
  const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: TOPIC_CONFIG, name, configNames: ['max.message.bytes'] }] })
  const limit = Number(resources[0]?.configEntries.find(({ configName }) => configName === 'max.message.bytes')?.configValue ?? DEFAULT_MESSAGE_BYTES)
  return { name, partitions, maxBytes: limit - Math.min(OVERHEAD_BYTES, limit / 8) }
}
