/** What a log can no longer give, or holds in a form that nobody can read, is noticed, told and passed: it stops nobody and is never taken for nothing. */
import { open as openHandle, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Kafka } from 'kafkajs'
import { afterEach, describe, expect, inject, test, vi } from 'vitest'
import { type LogGap, type LogPosition, type LogPositions, type Message, StalePosition, type Transport } from '#core/transport.ts'
import { startKafka } from '../scripts/kafka-cluster.ts'
import { testNamespace } from '../test/kafka.ts'
import { message } from './contract.ts'
import { createKafkaTransport } from './kafka.ts'
import { CompressionTypes } from './kafkajs.ts'

const brokers = inject('kafkaBrokers')

/** Positions in memory, with the promises of the ones in PostgreSQL. */
function positionsInMemory(): LogPositions & { readonly gaps: LogGap[]; readonly places: Map<number, LogPosition> } {
  const places = new Map<number, LogPosition>()
  const gaps: LogGap[] = []
  return {
    gaps,
    places,
    read: () => Promise.resolve(new Map(places)),
    pass(gap, { next, epoch }) {
      if ((places.get(gap.partition)?.epoch ?? 0) !== epoch) return Promise.reject(new StalePosition('moved'))
      gaps.push(gap)
      places.set(gap.partition, { next, epoch, paused: false, at: null })
      return Promise.resolve()
    },
  }
}

describe.skipIf(brokers.length === 0)('a log with gaps', () => {
  const opened: Transport[] = []
  const clients: { disconnect(): Promise<void> }[] = []
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((transport) => transport.close()))
    await Promise.all(clients.splice(0).map((client) => client.disconnect()))
  })
  const open = (namespace: string): Transport => {
    const transport = createKafkaTransport({ brokers, namespace, partitions: 1, retryPause: { first: 5, longest: 50 } })
    opened.push(transport)
    return transport
  }
  const admin = async () => {
    const client = new Kafka({ brokers: [...brokers], logLevel: 0 }).admin()
    await client.connect()
    clients.push(client)
    return client
  }
  const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 30_000, interval: 50 })
  /** Consumes into a list, moving the positions as a store would. */
  async function consume(transport: Transport, positions: ReturnType<typeof positionsInMemory>): Promise<Message[]> {
    const got: Message[] = []
    await transport.consume(
      'records',
      'g',
      (batch, { place }) => {
        const known = positions.places.get(place!.partition)
        if ((known?.epoch ?? 0) !== place!.epoch) return Promise.reject(new StalePosition('moved'))
        got.push(...batch)
        positions.gaps.push(...place!.gaps)
        positions.places.set(place!.partition, { next: place!.next, epoch: place!.epoch, paused: known?.paused ?? false, at: place!.at })
        return Promise.resolve()
      },
      { positions },
    )
    return got
  }
  const values = (batch: readonly Message[]): string[] => batch.map(({ value }) => value)

  test.each(['gzip', 'snappy', 'lz4', 'zstd', 'uncompressed', 'producer'])('a topic whose own setting is compression.type=%s is read', async (compression) => {
    const namespace = testNamespace()
    const client = await admin()
    await client.createTopics({
      topics: ['records', 'rejected'].map((topic) => ({
        topic: `${namespace}.${topic}`,
        numPartitions: 1,
        configEntries: [{ name: 'compression.type', value: compression }],
      })),
    })
    const transport = open(namespace)
    const got = await consume(transport, positionsInMemory())
    const sent = Array.from({ length: 300 }, (_, index) => message('k', `${index} ${'record '.repeat(40)}`))
    await transport.publish('records', sent)
    await eventually(() => expect(values(got)).toEqual(values(sent)))
  })

  test.each([CompressionTypes.GZIP, CompressionTypes.Snappy, CompressionTypes.LZ4, CompressionTypes.ZSTD])(
    'what another producer wrote with compression %i is read',
    async (compression) => {
      const namespace = testNamespace()
      const transport = open(namespace)
      await transport.publish('records', [message('k', 'first')])
      const producer = new Kafka({ brokers: [...brokers], logLevel: 0 }).producer()
      await producer.connect()
      clients.push(producer)
      await producer.send({ topic: `${namespace}.records`, compression, messages: [{ key: 'k', value: `second ${'x'.repeat(5000)}` }] })
      const got = await consume(transport, positionsInMemory())
      await eventually(() => expect(values(got).map((value) => value.slice(0, 8))).toEqual(['first', 'second x']))
    },
  )

  test('a batch that is damaged on the disk of its broker is set aside with its offsets, byte for byte, and the partition goes on', async () => {
    const cluster = await startKafka({ brokers: 1 })
    const namespace = testNamespace()
    const transport = createKafkaTransport({ brokers: cluster.brokers, namespace, partitions: 1, retryPause: { first: 5, longest: 50 } })
    const client = new Kafka({ brokers: [...cluster.brokers], logLevel: 0 })
    const reader = client.consumer({ groupId: `${namespace}.reader` })
    try {
      await transport.publish('records', [message('k', 'before')])
      const producer = client.producer()
      await producer.connect()
      await producer.send({ topic: `${namespace}.records`, messages: ['lost 1', 'lost 2', 'lost 3'].map((value) => ({ key: 'k', value })) })
      await producer.disconnect()
      await transport.publish('records', [message('k', 'after')])
      const file = join(cluster.dir, 'broker-1', 'data', `${namespace}.records-0`, '00000000000000000000.log')
      const bytes = await readFile(file)
      const at = bytes.indexOf('lost 2')
      expect(at).toBeGreaterThan(0)
      // In place: the broker sends the file as it lies.
      const handle = await openHandle(file, 'r+')
      await handle.write(Buffer.from('hurt'), 0, 4, at)
      await handle.close()

      const positions = positionsInMemory()
      const got = await consume(transport, positions)
      await eventually(() => expect(values(got)).toEqual(['before', 'after']))
      expect(positions.gaps).toEqual([
        expect.objectContaining({ cause: 'unreadable', firstOffset: 1n, lastOffset: 3n, from: expect.any(Date), detail: 'its checksum is wrong' }),
      ])
      expect(positions.places.get(0)?.next).toBe(5n)

      const kept: { value: Buffer; headers: Record<string, unknown> }[] = []
      await reader.connect()
      await reader.subscribe({ topics: [`${namespace}.unreadable`], fromBeginning: true })
      await reader.run({ eachMessage: ({ message: { value, headers } }) => Promise.resolve(void kept.push({ value: value!, headers: headers! })) })
      await eventually(() => expect(kept).toHaveLength(1))
      expect(String(kept[0]!.headers['first-offset'])).toBe('1')
      expect(kept[0]!.value.includes('lost 1')).toBe(true)
      expect(kept[0]!.value.includes('hurt 2')).toBe(true)
    } finally {
      await reader.disconnect()
      await transport.close()
      await cluster.stop()
    }
  })

  test('what retention removed before it was read is a gap with its offsets', async () => {
    const namespace = testNamespace()
    const transport = open(namespace)
    await transport.publish(
      'records',
      Array.from({ length: 20 }, (_, index) => message('k', `a${index}`)),
    )
    const client = await admin()
    await client.fetchTopicMetadata({ topics: [`${namespace}.records`] })
    await client.deleteTopicRecords({ topic: `${namespace}.records`, partitions: [{ partition: 0, offset: '14' }] })
    const positions = positionsInMemory()
    const got = await consume(transport, positions)
    await eventually(() => expect(values(got)).toEqual(['a14', 'a15', 'a16', 'a17', 'a18', 'a19']))
    expect(positions.gaps).toEqual([expect.objectContaining({ cause: 'retention', firstOffset: 0n, lastOffset: 13n })])
  })

  test('a log that lost everything that was not read tells it without a new message', async () => {
    const namespace = testNamespace()
    const transport = open(namespace)
    await transport.publish(
      'records',
      Array.from({ length: 20 }, (_, index) => message('k', `a${index}`)),
    )
    const client = await admin()
    await client.fetchTopicMetadata({ topics: [`${namespace}.records`] })
    await client.deleteTopicRecords({ topic: `${namespace}.records`, partitions: [{ partition: 0, offset: '-1' }] })
    const positions = positionsInMemory()
    await consume(transport, positions)
    await eventually(() => expect(positions.gaps).toEqual([expect.objectContaining({ cause: 'retention', firstOffset: 0n, lastOffset: 19n })]))
  })

  test('a store that was restored to an earlier position reads again from there, whatever the consumer group says', async () => {
    const namespace = testNamespace()
    const first = open(namespace)
    const positions = positionsInMemory()
    const got = await consume(first, positions)
    await first.publish(
      'records',
      Array.from({ length: 10 }, (_, index) => message('k', `a${index}`)),
    )
    await eventually(() => expect(got).toHaveLength(10))
    await first.close()
    positions.places.set(0, { next: 4n, epoch: 0, paused: false, at: null })
    const again = await consume(open(namespace), positions)
    await eventually(() => expect(values(again)).toEqual(['a4', 'a5', 'a6', 'a7', 'a8', 'a9']))
    expect(positions.gaps).toEqual([])
  })

  test('a running consumer follows when its position is moved, paused and resumed from outside', async () => {
    const namespace = testNamespace()
    const transport = open(namespace)
    const positions = positionsInMemory()
    const got = await consume(transport, positions)
    await transport.publish(
      'records',
      Array.from({ length: 5 }, (_, index) => message('k', `a${index}`)),
    )
    await eventually(() => expect(got).toHaveLength(5))
    // Moved back: read again.
    positions.places.set(0, { next: 3n, epoch: 1, paused: false, at: null })
    await eventually(() => expect(values(got).slice(5)).toEqual(['a3', 'a4']))
    positions.places.set(0, { ...positions.places.get(0)!, paused: true })
    await new Promise((resolve) => setTimeout(resolve, 6000))
    await transport.publish('records', [message('k', 'b')])
    await new Promise((resolve) => setTimeout(resolve, 1000))
    expect(got).toHaveLength(7)
    positions.places.set(0, { ...positions.places.get(0)!, paused: false })
    await eventually(() => expect(values(got).slice(7)).toEqual(['b']))
  })
})
