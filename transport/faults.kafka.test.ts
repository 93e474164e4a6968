/** What must hold while brokers die and consumers come and go: on a cluster of three that this file starts and breaks. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import type { Message, Transport } from '#core/transport.ts'
import { type KafkaCluster, startKafka } from '../scripts/kafka-cluster.ts'
import { testNamespace } from '../test/kafka.ts'
import { message } from './contract.ts'
import { createKafkaTransport } from './kafka.ts'

const PUBLISHES = 150
const EACH = 100

describe.skipIf(!inject('kafkaPrograms'))('three brokers', () => {
  let cluster: KafkaCluster
  const opened: Transport[] = []
  beforeAll(async () => {
    cluster = await startKafka({ brokers: 3 })
  })
  afterAll(() => cluster.stop())
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((transport) => transport.close()))
  })
  const open = (namespace: string): Transport => {
    const transport = createKafkaTransport({
      brokers: cluster.brokers,
      namespace,
      partitions: 6,
      sessionTimeoutMs: 6000,
      retryPause: { first: 50, longest: 500 },
    })
    opened.push(transport)
    return transport
  }
  const expected = Array.from({ length: PUBLISHES * EACH }, (_, index) => `${index}`)
  const batchOf = (publish: number): Message[] => Array.from({ length: EACH }, (_, index) => message(`key ${index}`, `${publish * EACH + index}`))
  const missing = (got: ReadonlySet<string>): string[] => expected.filter((value) => !got.has(value))

  test.each([0, 1, 2])('a broker (%i) that is killed while messages are published and consumed loses none', async (victim) => {
    const namespace = testNamespace()
    const got = new Map<string, string[]>()
    const seen = new Set<string>()
    await open(namespace).consume('records', 'g', (batch) => {
      for (const { key, value } of batch) {
        seen.add(value)
        const values = got.get(key) ?? []
        got.set(key, [...values, value])
      }
      return Promise.resolve()
    })
    const publisher = open(namespace)
    let published = 0
    const publishing = (async () => {
      for (let publish = 0; publish < PUBLISHES; publish++) {
        await publisher.publish('records', batchOf(publish))
        published = publish + 1
        await sleep(5)
      }
    })()
    await vi.waitFor(() => expect(published).toBeGreaterThan(PUBLISHES / 5), { timeout: 60_000, interval: 5 })
    await cluster.kill(victim)
    await publishing
    await vi.waitFor(() => expect(missing(seen)).toEqual([]), { timeout: 180_000, interval: 200 })
    await cluster.restart(victim)
    // First sights of each key are in order: repeats may follow, gaps may not.
    for (const values of got.values()) {
      const first = [...new Set(values)].map(Number)
      expect(first).toEqual(first.toSorted((a, b) => a - b))
    }
  })

  test('consumers that join and leave under load miss nothing between them', async () => {
    const namespace = testNamespace()
    const seen = new Set<string>()
    const byConsumer: number[] = []
    const consumer = async (): Promise<Transport> => {
      const transport = open(namespace)
      const number = byConsumer.push(0) - 1
      await transport.consume('records', 'g', async (batch) => {
        await sleep(20)
        for (const { value } of batch) seen.add(value)
        byConsumer[number] = (byConsumer[number] ?? 0) + batch.length
      })
      return transport
    }
    const publisher = open(namespace)
    const first = await consumer()
    let published = 0
    const publishing = (async () => {
      for (let publish = 0; publish < PUBLISHES; publish++) {
        await publisher.publish('records', batchOf(publish))
        published = publish + 1
        await sleep(20)
      }
    })()
    await consumer()
    await vi.waitFor(() => expect(published).toBeGreaterThan(PUBLISHES / 3), { timeout: 60_000, interval: 20 })
    await first.close()
    await consumer()
    await publishing
    await vi.waitFor(() => expect(missing(seen)).toEqual([]), { timeout: 180_000, interval: 200 })
    // Each of the three has done some of it.
    expect(byConsumer.every((count) => count > 0)).toBe(true)
  })

  test('with two of three brokers gone a publish is refused after its time, and the messages that it promised are there later', async () => {
    const namespace = testNamespace()
    const publisher = createKafkaTransport({ brokers: cluster.brokers, namespace, partitions: 6, publishTimeoutMs: 4000 })
    opened.push(publisher)
    await publisher.publish('records', batchOf(0))
    await Promise.all([cluster.kill(0), cluster.kill(1)])
    await expect(publisher.publish('records', batchOf(1))).rejects.toThrow()
    await Promise.all([cluster.restart(0), cluster.restart(1)])
    await publisher.publish('records', batchOf(2))
    const seen = new Set<string>()
    await open(namespace).consume('records', 'g', (batch) => {
      for (const { value } of batch) seen.add(value)
      return Promise.resolve()
    })
    const promised = [...batchOf(0), ...batchOf(2)].map(({ value }) => value)
    await vi.waitFor(() => expect(promised.filter((value) => !seen.has(value))).toEqual([]), { timeout: 60_000, interval: 200 })
  })
})
