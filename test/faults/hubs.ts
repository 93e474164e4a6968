/** Event hubs, as topics of the same Kafka: what Entra's diagnostic settings and an own API's access log are sent to. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createKafkaClient } from '#transport/kafka-client.ts'
import type { Producer } from '#transport/kafka-client.ts'

export const HUBS = ['insights-logs', 'api-access'] as const
export type Hub = (typeof HUBS)[number]

export interface HubSender {
  /** Resolves when every copy has them: as the sending service, it tries until then, so a message may come twice. */
  send(hub: Hub, messages: readonly string[]): Promise<void>
  close(): Promise<void>
}

/** Of each hub. */
export const HUB_PARTITIONS = 4
/** Small enough that no partition's share of them is longer than a broker takes (1 MiB): it would refuse them for ever. */
const MESSAGES_AT_ONCE = 16

export function createHubSender(brokers: readonly string[]): HubSender {
  const client = createKafkaClient({ brokers, clientId: 'diagnostic-settings' })
  let connecting: Promise<Producer> | null = null
  const connect = async (): Promise<Producer> => {
    const producer = client.producer({ allowAutoTopicCreation: false, retry: { retries: 2, initialRetryTime: 200 } })
    await producer.connect()
    return producer
  }
  async function sendAll(hub: Hub, messages: readonly string[]): Promise<void> {
    for (;;) {
      try {
        connecting ??= connect()
        const producer = await connecting
        const placed = messages.map((value, index) => ({ value, partition: index % HUB_PARTITIONS }))
        const answer = await producer.send({ topic: hub, acks: -1, messages: placed })
        // kafkajs reports success without a partition whose leader has moved (transport/kafka-publisher.ts): every one must be in the answer.
        const stored = new Set(answer.filter(({ errorCode }) => errorCode === 0).map(({ partition }) => partition))
        if (placed.every(({ partition }) => stored.has(partition))) return
      } catch {
        await sleep(500)
      }
      const old = await connecting?.catch(() => null)
      connecting = null
      await old?.disconnect().catch(() => undefined)
    }
  }
  return {
    async send(hub, messages) {
      for (let from = 0; from < messages.length; from += MESSAGES_AT_ONCE) await sendAll(hub, messages.slice(from, from + MESSAGES_AT_ONCE))
    },
    async close() {
      await (await connecting?.catch(() => null))?.disconnect().catch(() => undefined)
    },
  }
}
