/** `trailjoin kafka`: an operator's hand on the topics, while correlators run and while none does. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { Kafka } from 'kafkajs'
import { deadLetterTopic } from '#transport/dead-letters.ts'
import { createKafkaClient } from '#transport/kafka-client.ts'
import { createTopics } from '#transport/kafka-topics.ts'
import { createKafkaTransport } from '#transport/kafka.ts'
import { rejectionToMessage } from '#transport/record-codec.ts'
import { createTransportSink } from '#transport/sink.ts'
import type { Transport } from '#core/transport.ts'
import { testNamespace } from '../test/kafka.ts'
import { type TestDatabase, createTestDatabase } from '../test/postgres.ts'

const run = promisify(execFile)
const PROGRAM = join(import.meta.dirname, '..', 'bin', 'trailjoin.ts')
const brokers = inject('kafkaBrokers')
const require = createRequire(import.meta.url)
const { RecordBatch: encodeBatch } = require('kafkajs/src/protocol/recordBatch/v0') as { RecordBatch: (batch: object) => Promise<{ readonly buffer: Buffer }> }
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: object) => unknown

describe.skipIf(brokers.length === 0)('trailjoin kafka', () => {
  const namespace = testNamespace()
  let database: TestDatabase
  let transport: Transport
  let correlator: ReturnType<typeof spawn> | null = null
  let count = 0
  const environment = (): NodeJS.ProcessEnv => ({
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    KAFKA_BROKERS: brokers.join(','),
    KAFKA_NAMESPACE: namespace,
    DATABASE_URL: database.url,
  })
  beforeAll(async () => {
    database = await createTestDatabase()
    transport = createKafkaTransport({ brokers, namespace, partitions: 2 })
  })
  afterAll(async () => {
    await stop()
    await transport?.close()
    await database?.drop()
  })

  const kafka = async (...args: readonly string[]): Promise<{ stdout: string; stderr: string; code: number }> => {
    const result = await run(process.execPath, [PROGRAM, 'kafka', ...args], { env: environment() }).then(
      (done) => ({ ...done, code: 0 }),
      (error: unknown) => error as { stdout: string; stderr: string; code: number },
    )
    return result
  }
  const start = (): void => {
    correlator = spawn(process.execPath, [PROGRAM, 'correlate'], { env: environment(), stdio: 'ignore' })
  }
  const stop = async (): Promise<void> => {
    if (correlator === null) return
    const ended = once(correlator, 'exit')
    correlator.kill('SIGTERM')
    await ended
    correlator = null
  }
  /** Rejections are the smallest things that travel; each is known by its text. */
  const publish = async (...texts: readonly string[]): Promise<void> => {
    const rejections = texts.map((text) => ({ origin: { file: 'f', line: null, index: count++ }, reason: 'for the test', text }))
    await createTransportSink(transport, () => true).deliver([], rejections)
  }
  const stored = async (): Promise<readonly string[]> =>
    (await database.pool.query<{ text: string }>('select text from rejected order by text')).rows.map(({ text }) => text)
  const eventually = (check: () => Promise<void>): Promise<void> => vi.waitFor(check, { timeout: 60_000, interval: 200 })

  test('tells how far each partition is stored, pauses, resumes, skips and rewinds', async () => {
    await publish('a', 'b', 'c', 'd')
    start()
    await eventually(async () => expect(await stored()).toEqual(['a', 'b', 'c', 'd']))
    const status = JSON.parse((await kafka('status', '--format', 'json')).stdout) as { items: { log: string; behind: string; next: string; paused: boolean }[] }
    expect(status.items).toHaveLength(4)
    const rejected = status.items.filter(({ log }) => log === `${namespace}.rejected`)
    expect(rejected.reduce((sum, { next }) => sum + Number(next), 0)).toBe(4)
    expect(status.items.every(({ behind, paused }) => behind === '0' && !paused)).toBe(true)

    // Paused while it runs: what comes waits.
    expect(await kafka('pause')).toMatchObject({ code: 0 })
    await new Promise((resolve) => setTimeout(resolve, 6000))
    await publish('e', 'f')
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(await stored()).toHaveLength(4)
    expect((await kafka('status')).stdout).toContain('paused')

    // Skipped and resumed: what was skipped is a gap, what comes is stored.
    const skipped = await kafka('skip', '--to', 'end')
    expect(skipped.stderr).toContain('2 messages')
    await kafka('resume')
    await publish('g')
    await eventually(async () => expect(await stored()).toContain('g'))
    expect(await stored()).toEqual(['a', 'b', 'c', 'd', 'g'])
    const gaps = await database.pool.query<{ cause: string; messages: bigint }>(
      'select cause, sum(last_offset - first_offset + 1)::bigint as messages from log_gaps where closed_at is null group by cause',
    )
    expect(gaps.rows).toEqual([{ cause: 'skipped', messages: 2n }])

    // Rewound: read again, the gap is closed.
    expect((await kafka('rewind', '--to', 'start')).stderr).toContain('read again')
    await eventually(async () => expect(new Set(await stored())).toEqual(new Set(['a', 'b', 'c', 'd', 'e', 'f', 'g'])))
    expect((await database.pool.query('select 1 from log_gaps where closed_at is null')).rowCount).toBe(0)
  })

  test('works while no correlator runs: the next one begins where it was told to', async () => {
    await stop()
    const before = (await stored()).length
    await publish('h', 'i')
    await kafka('skip', '--to', 'end')
    start()
    await publish('k')
    await eventually(async () => expect(await stored()).toContain('k'))
    expect(await stored()).not.toContain('h')
    expect((await stored()).length).toBe(before + 1)
  })

  test.each([
    [['skip'], /required option '--to/],
    [['skip', '--to', 'yesterday'], /--to must be end, an offset or a time such as .*, got "yesterday"/],
    [['rewind', '--to', 'end'], /--to must be start/],
    [['rewind', '--to', '7'], /--partition/],
    [['pause', '--partition', '1'], /--partition goes with --topic/],
    [['pause', '--topic', 'records', '--partition', '99'], /has no partition 99/],
    [['rewind', '--to', '999', '--topic', 'records', '--partition', '0'], /has the offsets/],
    [['pause', '--topic', 'nonsense'], /Allowed choices are records, rejected/],
  ])('says what is wrong with %j', async (args, says) => {
    const { code, stderr } = await kafka(...args)
    expect(code).not.toBe(0)
    expect(stderr).toMatch(says)
    expect(stderr).not.toMatch(/ at .*\.ts:/)
  })

  test('replays nothing where nothing was set aside, then what can be read by now, and names what cannot', async () => {
    expect((await kafka('replay')).stderr).toContain('0 batches had been set aside')
    const { key, value, headers } = rejectionToMessage({ origin: { file: 'f', line: null, index: 0 }, reason: 'was set aside', text: 'read after all' })
    const readable = (await encodeBatch({ records: [encodeRecord({ key, value: Buffer.from(value), headers })] })).buffer
    const topic = deadLetterTopic(namespace)
    await createTopics(createKafkaClient({ brokers }), [{ name: topic, partitions: 1, retentionMs: 3_600_000, maxBytes: 1_000_000 }])
    const producer = new Kafka({ brokers: [...brokers], logLevel: 0 }).producer()
    await producer.connect()
    const log = `${namespace}.rejected`
    const letter = (bytes: Buffer, offset: string) => ({
      value: bytes,
      headers: { topic: log, partition: '0', 'first-offset': offset, 'last-offset': offset, reason: 'for the test' },
    })
    await producer.send({ topic, messages: [letter(readable, '1000'), letter(Buffer.from('no batch'), '1001')] })
    await producer.disconnect()
    await database.pool.query(
      `insert into log_gaps (log, partition, first_offset, last_offset, cause) values ($1, 0, 1000, 1000, 'unreadable'), ($1, 0, 1001, 1001, 'unreadable')`,
      [log],
    )
    if (correlator === null) start()
    const replayed = await kafka('replay')
    expect(replayed.code).toBe(1)
    expect(replayed.stderr).toContain('2 batches had been set aside: 1 were read (1 messages), 1 still cannot be read')
    await eventually(async () => expect(await stored()).toContain('read after all'))
    const open = await database.pool.query<{ first: bigint }>(`select first_offset as first from log_gaps where cause = 'unreadable' and closed_at is null`)
    expect(open.rows).toEqual([{ first: 1001n }])
  })
})
