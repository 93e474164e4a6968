/** From files through Kafka into the store: the same as importing them there, also when a correlator is killed on the way. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { canonicalExport } from '#api/read-models/canonical-export.ts'
import { knows } from '#correlate/accept.ts'
import { createCorrelator } from '#correlate/index.ts'
import type { Transport } from '#core/transport.ts'
import { importPaths } from '#ingest/import.ts'
import { maskText } from '#ingest/mask/mask.ts'
import { testNamespace } from '../test/kafka.ts'
import { type TestDatabase, createTestDatabase } from '../test/postgres.ts'
import { consumeInto } from './deliver.ts'
import { createKafkaTransport } from './kafka.ts'
import { createTransportSink } from './sink.ts'

const ROOT = join(import.meta.dirname, '..')
const SCENARIOS = join(ROOT, 'test', 'fixtures', 'scenarios')
const RECORDS = ['option-1-one-agent', 'option-1-shared-uami', 'option-2-three-agents', 'role-chain'].map((name) => join(SCENARIOS, name, 'records'))

const brokers = inject('kafkaBrokers')

async function exported(database: TestDatabase): Promise<string[]> {
  const lines: string[] = []
  for await (const line of canonicalExport(database.pool)) lines.push(line)
  return lines
}

async function rejectedTexts(database: TestDatabase): Promise<unknown[]> {
  return (await database.pool.query<{ text: unknown }>('select reason as text from rejected order by reason')).rows.map(({ text }) => text)
}

describe.skipIf(brokers.length === 0)('through Kafka', () => {
  let direct: TestDatabase
  let expected: string[]
  const databases: TestDatabase[] = []
  const transports: Transport[] = []
  const children: ChildProcess[] = []

  beforeAll(async () => {
    direct = await createTestDatabase()
    await importPaths(RECORDS, { sink: createCorrelator(direct.pool) })
    expected = await exported(direct)
    expect(expected.length).toBeGreaterThan(50)
  })
  afterAll(() => direct.drop())
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
    await Promise.all(transports.splice(0).map((transport) => transport.close()))
    await Promise.all(databases.splice(0).map((database) => database.drop()))
  })
  const database = async (): Promise<TestDatabase> => {
    const created = await createTestDatabase()
    databases.push(created)
    return created
  }
  const open = (namespace: string): Transport => {
    const transport = createKafkaTransport({ brokers, namespace, partitions: 4, sessionTimeoutMs: 6000 })
    transports.push(transport)
    return transport
  }

  test('the worked cases end in the same export as imported directly, with two correlators that share the work', async () => {
    const namespace = testNamespace()
    const store = await database()
    const sinks = [createCorrelator(store.pool), createCorrelator(store.pool)]
    const signal = new AbortController().signal
    await Promise.all(sinks.map((sink) => consumeInto(open(namespace), sink, { signal, mask: maskText })))
    const publisher = open(namespace)
    // Twice, as at-least-once delivery may do.
    for (let round = 0; round < 2; round++) await importPaths(RECORDS, { sink: createTransportSink(publisher, knows), batchSize: 20 })
    await publisher.publish('records', [{ key: 'poison', value: 'no record', headers: {} }])
    await vi.waitFor(async () => expect((await exported(store)).length).toBeGreaterThanOrEqual(expected.length), { timeout: 60_000, interval: 300 })
    await vi.waitFor(
      async () => {
        for (const sink of sinks) await sink.drain()
        expect(await exported(store)).toEqual(expected)
      },
      { timeout: 30_000, interval: 300 },
    )
    const before = await rejectedTexts(direct)
    await vi.waitFor(
      async () => expect((await rejectedTexts(store)).filter((reason) => !before.includes(reason))).toEqual([expect.stringContaining('no usable message')]),
      { timeout: 30_000, interval: 300 },
    )
  })

  test('the command stores the same after kill -9 in the middle, and stops well when asked', async () => {
    const store = await database()
    // The command reads the topics of the product; this broker is the test's own, unless KAFKA_BROKERS names one.
    const publisher = open('trailjoin')
    await importPaths(RECORDS, { sink: createTransportSink(publisher, knows), batchSize: 20 })
    let log = ''
    const start = (): ChildProcess => {
      const child = spawn(process.execPath, [join(ROOT, 'bin', 'trailjoin.ts'), 'correlate', '--metrics', '0'], {
        env: { ...process.env, KAFKA_BROKERS: brokers.join(','), DATABASE_URL: store.url, LOG_LEVEL: 'info' },
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      children.push(child)
      child.stderr?.on('data', (chunk: Buffer) => (log += chunk.toString()))
      return child
    }
    const count = async (): Promise<number> => Number((await store.pool.query<{ count: bigint }>('select count(*) from events')).rows[0]?.count)

    const first = start()
    await vi.waitFor(async () => expect(await count(), log).toBeGreaterThan(0), { timeout: 60_000, interval: 5 })
    first.kill('SIGKILL')
    await once(first, 'exit')

    const second = start()
    await vi.waitFor(async () => expect(await exported(store), log).toEqual(expected), { timeout: 100_000, interval: 500 })
    const url = log.match(/(?<="metrics":")[^"]+/g)?.at(-1)
    expect(await (await fetch(`${url}/healthz`)).text()).toBe('ok\n')
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/trailjoin_correlator_records_total\{outcome="(stored|duplicate)"\} \d+/)
    second.kill('SIGTERM')
    expect(await Promise.race([once(second, 'exit'), sleep(30_000)])).toEqual([0, null])
  })
})
