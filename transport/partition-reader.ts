/** Keeps a kafkajs consumer at the positions that the store holds: sends it back or on, pauses it, and looks after quiet partitions. */
import { type Admin, type Consumer, type EachBatchPayload, type Kafka, type KafkaLog, leave } from './kafka-client.ts'
import { type LogEnds, type Places, type Step, createPlaces } from './partition-places.ts'
import type { LogPositions } from '#core/transport.ts'

export interface PartitionReader {
  /** The epoch under which the batch may be handled; null when the consumer was sent elsewhere, and the batch is to be dropped. */
  before(payload: EachBatchPayload): Promise<number | null>
  stored: Places['stored']
  forget: Places['forget']
  /** Stops looking; releases its connection. */
  close(): Promise<void>
}

export interface PartitionReaderOptions {
  readonly topic: string
  readonly groupId: string
  readonly positions: LogPositions
  readonly log: KafkaLog
}

/** How often quiet partitions are looked at, in milliseconds: after a command (pause, resume, rewind, skip) it takes so long at most. */
const LOOK_MS = 5000

/** Attach it before the consumer runs. */
export function createPartitionReader(client: Kafka, consumer: Consumer, { topic, groupId, positions, log }: PartitionReaderOptions): PartitionReader {
  let admin: Promise<Admin> | null = null
  const asAdmin = (): Promise<Admin> =>
    (admin ??= (async () => {
      const fresh = client.admin()
      await fresh.connect()
      return fresh
    })().catch((error: unknown) => {
      admin = null
      throw error
    }))
  const open = (): Places =>
    createPlaces({
      log: topic,
      positions,
      async committed(partition) {
        const [offsets] = await (await asAdmin()).fetchOffsets({ groupId, topics: [topic] })
        const offset = BigInt(offsets?.partitions.find((one) => one.partition === partition)?.offset ?? -1)
        return offset < 0n ? null : offset
      },
      async ends() {
        const offsets = await (await asAdmin()).fetchTopicOffsets(topic)
        return new Map(offsets.map(({ partition, low, high }): [number, LogEnds] => [partition, { low: BigInt(low), high: BigInt(high) }]))
      },
    })

  let places = open()
  let assigned: readonly number[] = []
  let looking: Promise<void> | null = null

  function follow(partition: number, step: Step): void {
    const partitions = [{ topic, partitions: [partition] }]
    if (step.do === 'wait') consumer.pause(partitions)
    else if (step.do === 'seek') {
      consumer.resume(partitions)
      consumer.seek({ topic, partition, offset: String(step.offset) })
    }
  }

  function look(): void {
    const [mine, having] = [places, assigned]
    if (having.length === 0) return
    looking ??= mine
      .look(having)
      .then((steps) => {
        // Partitions were shared out anew meanwhile: what was found is about others'.
        if (places === mine) for (const [partition, step] of steps) follow(partition, step)
      })
      .catch((error: unknown) => log('warn', 'the positions of a topic could not be looked at, trying again', { topic, error: messageOf(error) }))
      .finally(() => (looking = null))
  }

  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    places = open()
    assigned = payload.memberAssignment[topic] ?? []
    look()
  })
  const timer = setInterval(look, LOOK_MS)

  return {
    async before({ batch: { partition, messages } }) {
      const [first] = messages
      if (first === undefined) return null
      const step = await places.before(partition, BigInt(first.offset), new Date(Number(first.timestamp)))
      if (step.do === 'read') return step.epoch
      follow(partition, step)
      return null
    },
    stored: (partition, next, at) => places.stored(partition, next, at),
    forget: (partition) => places.forget(partition),
    async close() {
      clearInterval(timer)
      await looking
      const opened = await admin?.catch(() => null)
      if (opened) await leave(opened)
    },
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
