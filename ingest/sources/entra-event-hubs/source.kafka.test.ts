import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { createKafkaClient } from '#transport/kafka-client.ts'
import type { Kafka, Producer } from '#transport/kafka-client.ts'
import { openSource } from '../../engine/open.ts'
import type { Source } from '../../engine/source.ts'
import { collection } from '../../engine/test-run.ts'
import type { TestCollection } from '../../engine/test-run.ts'
import source from './source.ts'

const brokers = inject('kafkaBrokers')

describe.skipIf(brokers.length === 0)('an event hub, as a real Kafka plays it', () => {
  let client: Kafka
  let producer: Producer
  let hub = ''

  beforeAll(async () => {
    client = createKafkaClient({ brokers })
    producer = client.producer({ allowAutoTopicCreation: false })
    await producer.connect()
  })
  afterAll(() => producer.disconnect())

  beforeEach(async () => {
    hub = `entra-${randomBytes(4).toString('hex')}`
    const admin = client.admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic: hub, numPartitions: 3, replicationFactor: 1 }], waitForLeaders: false })
    // kafkajs asks for leaders once, and a broker that is busy has none yet.
    const leaders = async (): Promise<number> =>
      (await admin.fetchTopicMetadata({ topics: [hub] })).topics[0]?.partitions.filter(({ leader }) => leader >= 0).length ?? 0
    await expect.poll(() => leaders().catch(() => 0), { timeout: 60_000 }).toBe(3)
    await admin.disconnect()
  })

  const collect = (changes: Record<string, unknown> = {}): TestCollection =>
    collection({ source, settings: { namespace: 'weather', hubs: [hub], consumerGroup: hub, emulator: brokers[0]!, idleSeconds: 6, ...changes } })

  let ids = 0
  const record = (): string => `{"time":"2026-09-01T10:00:00.1234567Z","category":"ManagedIdentitySignInLogs","properties":{"id":"id-${ids++}","n":1.0}}`
  /** Sends messages as diagnostic settings do: each holds many records. */
  async function send(messages: number, each: number): Promise<readonly string[]> {
    const batches = Array.from({ length: messages }, () => Array.from({ length: each }, record))
    await producer.send({ topic: hub, messages: batches.map((texts, index) => ({ value: `{"records":[${texts.join(',')}]}`, partition: index % 3 })) })
    return batches.flat()
  }

  test('every record of every message arrives verbatim, and after a restart only what is new', async () => {
    const first = await send(30, 7)
    const run = collect()
    // A broker that is busy lets a poll end before it has given out the partitions, or shares them out anew before an offset is committed: then messages come again.
    const pollToTheEnd = async (): Promise<void> => {
      for (let turn = 0; turn < 6; turn++) {
        expect((await run.poll())[0]?.error).toBeNull()
        if ((await run.check()).some(({ message }) => message.endsWith(' is 0 messages behind'))) return
      }
    }
    await pollToTheEnd()
    expect(run.texts()).toEqual(first.toSorted())
    const before = run.sink.records.length
    const second = await send(4, 2)
    await pollToTheEnd()
    expect(run.texts()).toEqual([...first, ...second].toSorted())
    // Offsets are committed after the delivery: nothing of the first round came again.
    expect(new Set(run.sink.records.slice(before).map(({ text }) => text))).toEqual(new Set(second))
    expect((await run.statuses())[0]?.watermark).not.toBeNull()
    expect((await run.check()).map(({ check, level, message }) => [check, level, message.replaceAll(hub, 'hub')])).toEqual([
      ['reachable', 'ok', 'event hub weather.servicebus.windows.net/hub answers, with 3 partitions'],
      ['lag', 'ok', 'the group hub.hub is 0 messages behind'],
    ])
  })

  test('a delivery that fails commits nothing: the messages come again, and none is lost', async () => {
    const expected = await send(12, 3)
    const run = collect()
    const deliver = run.sink.deliver.bind(run.sink)
    let deliveries = 0
    Object.assign(run.sink, {
      deliver: (...batch: Parameters<typeof deliver>) => (++deliveries <= 2 ? Promise.reject(new Error('the database is away')) : deliver(...batch)),
    })
    // The first process dies with its delivery.
    expect((await run.poll(1))[0]?.error?.message).toContain('the database is away')
    expect(run.sink.records).toEqual([])
    expect((await run.poll())[0]?.error).toBeNull()
    expect(deliveries).toBeGreaterThan(2)
    expect(run.texts()).toEqual(expected.toSorted())
  })

  test('poison is kept with its reason, its neighbours arrive, and it does not come for ever', async () => {
    const good = await send(2, 2)
    await producer.send({
      topic: hub,
      messages: ['no json', '{"records":[{"cut":', '{"records":["no object"]}', '', null].map((value) => ({ value, partition: 0 })),
    })
    const more = await send(2, 1)
    const run = collect()
    await run.poll()
    expect(run.texts()).toEqual([...good, ...more].toSorted())
    expect(run.sink.rejections).toHaveLength(3)
    const before = run.sink.rejections.length
    await run.poll()
    expect(run.sink.rejections).toHaveLength(before)
  })

  test('several event hubs of one source are each read whole, by however many collectors', async () => {
    const expected = await send(30, 3)
    const other = `${hub}-other`
    const admin = client.admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic: other, numPartitions: 3, replicationFactor: 1 }], waitForLeaders: true })
    await admin.disconnect()
    const texts = Array.from({ length: 30 }, record)
    await producer.send({ topic: other, messages: texts.map((text, index) => ({ value: `{"records":[${text}]}`, partition: index % 3 })) })
    const run = collect({ hubs: [hub, other] })
    await run.poll()
    expect(run.texts()).toEqual([...expected, ...texts].toSorted())
    expect((await run.check()).map(({ message }) => message)).toContain(`the group ${hub}.${other} is 0 messages behind`)
  })

  test('members that come and go while it is loaded lose nothing', async () => {
    const members = Array.from({ length: 3 }, () => collect({ idleSeconds: 3 }))
    const sent: string[] = []
    let sending = true
    const load = (async () => {
      for (let round = 0; round < 60; round++) {
        sent.push(...(await send(6, 5)))
        await pause(100)
      }
      sending = false
    })()
    const arrived = (): Set<string> => new Set(members.flatMap((member) => member.texts()))
    // Each joins at another moment, and leaves after three silent seconds: by then the others have its partitions.
    await Promise.all(
      members.map(async (member, index) => {
        await pause(index * 1500)
        for (let polls = 0; polls < 20 && (sending || arrived().size < sent.length); polls++) await member.poll()
      }),
    )
    await load
    expect(sent).toHaveLength(1800)
    expect([...arrived()].toSorted()).toEqual(sent.toSorted())
    // The group was really shared.
    for (const member of members) expect(member.sink.records.length).toBeGreaterThan(0)
    // What is committed does not come again.
    const late = collect({ idleSeconds: 3 })
    await late.poll()
    expect(late.texts()).toEqual([])
  })

  test('a collector that another process relieves leaves its partitions to it', async () => {
    const opened = async () =>
      (
        await openSource(
          {
            kind: source.kind,
            name: 'hubs',
            everySeconds: 1,
            context: {},
            settings: source.settings.parse({ namespace: 'weather', hubs: [hub], consumerGroup: hub, emulator: brokers[0]!, idleSeconds: 3 }),
          },
          { kinds: new Map([[source.kind, source as Source<unknown>]]), environment: {}, log: () => undefined },
        )
      ).collectors[0]!
    const first = await opened()
    for await (const page of first.poll(null, new AbortController().signal)) await page.acknowledge?.()
    await first.release?.()
    // The first is still there, and polls no more.
    const expected = await send(30, 1)
    const run = collect()
    await run.poll()
    expect(run.texts()).toEqual(expected.toSorted())
    await first.close?.()
  })

  test('an event hub that does not exist is told as such, and does not stop another', async () => {
    const expected = await send(1, 1)
    const run = collect({ hubs: ['no-such-hub', hub] })
    const [missing, good] = await run.poll(1)
    expect(missing?.error).toMatchObject({ code: 'SOURCE_MISCONFIGURED', message: expect.stringContaining('no-such-hub') })
    expect(good?.error).toBeNull()
    expect(run.texts()).toEqual(expected)
  })
})
