import { expect, test } from 'vitest'
import type { Kafka } from '#transport/kafka-client.ts'
import { createMailbox } from '../mailbox/mailbox.ts'
import { startHubConsumer } from './consumer.ts'

/** A consumer that never comes back from leaving, as kafkajs' when its coordinator is gone. */
function clinging(connect: () => Promise<void>): Kafka {
  const consumer = {
    on: () => undefined,
    events: { CRASH: 'consumer.crash' },
    connect,
    subscribe: () => Promise.resolve(),
    run: () => Promise.resolve(),
    disconnect: () => new Promise(() => undefined),
  }
  return { consumer: () => consumer } as unknown as Kafka
}

const options = { hub: 'h', groupId: 'g', mailbox: createMailbox<readonly string[]>({ bytes: 10, pageBytes: 10 }), leaveMs: 20 }

test('stopping ends also when the client never comes back from leaving its group', async () => {
  const consumer = await startHubConsumer(
    clinging(() => Promise.resolve()),
    options,
  )
  await consumer.stop()
})

test('a start that fails is told also then', async () => {
  await expect(
    startHubConsumer(
      clinging(() => Promise.reject(new Error('no broker'))),
      options,
    ),
  ).rejects.toThrow('no broker')
})
