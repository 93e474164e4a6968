/** The invariants of correlate/SPEC.md §2, each by its number, in situations made for it; `law.property.pg.test.ts` meets them at random. */
import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { RawRecord } from '#core/record.ts'
import { createCorrelator } from '#correlate/index.ts'
import { createRandom } from '../../simulate/random.ts'
import { simulateWorld } from '../../simulate/simulate.ts'
import { createTestDatabase, type TestDatabase } from '../postgres.ts'
import { difference } from './compare.ts'
import { clear, exportOf, openLawStore, shuffled, type LawStore } from './deliver.ts'
import { rawRecord } from './worlds.ts'

const random = createRandom(7, 'invariants')
const simulated = [...simulateWorld({ seed: 7, agents: 8, days: 0.5, turnsPerDay: 60, events: 160, duplicates: 0.4 })]
const records = simulated.map(({ text }, index) => rawRecord(text, index))
const ofCloud = new Map(['entra', 'aws', 'gcp'].map((source) => [source, records.filter((_, index) => simulated[index]!.truth.source === source)]))
const byCloud = (source: string): RawRecord[] => ofCloud.get(source)!

let database: TestDatabase
let store: LawStore
let straight: readonly string[]

beforeAll(async () => {
  database = await createTestDatabase()
  store = await openLawStore(database.url)
  straight = await delivered(records)
})
afterAll(async () => {
  await store.close()
  await database.drop()
})
beforeEach(() => clear(store.pools[0]!))

async function delivered(all: readonly RawRecord[]): Promise<readonly string[]> {
  const correlator = createCorrelator(store.pools[0]!)
  await correlator.deliver(all, [])
  await correlator.drain()
  return exportOf(store.pools[0]!)
}

async function expectStraight(): Promise<void> {
  expect(difference(await exportOf(store.pools[0]!), straight)).toBeNull()
}

test('I2: delivering everything again stores nothing and changes nothing', async () => {
  const [pool] = store.pools
  const before = await delivered(records)
  const counts = (): Promise<pg.QueryResult> =>
    pool!.query(
      'select (select count(*) from heads) h, (select count(*) from variants) v, (select count(*) from events) e, (select count(*) from chunks) c, (select count(*) from directory_facts) d',
    )
  const { rows } = await counts()
  const correlator = createCorrelator(pool!)
  const receipt = await correlator.deliver(shuffled(records, random), [])
  await correlator.drain()
  expect(receipt).toMatchObject({ stored: 0, duplicates: records.length, variants: 0, rejected: [] })
  expect((await counts()).rows).toEqual(rows)
  expect(await exportOf(pool!)).toEqual(before)
})

test.each([
  ['entra', 'aws'],
  ['aws', 'entra'],
  ['entra', 'gcp'],
])('I3: %s records that commit only after everything else was concluded, %s first, are not missed', async (late, first) => {
  const gate = Promise.withResolvers<void>()
  const slow = createCorrelator(withCommitsAfter(store.pools[1]!, gate.promise))
  const quick = createCorrelator(store.pools[0]!)
  const flying = slow.deliver(byCloud(late), [])
  try {
    await quick.deliver(byCloud(first), [])
    await quick.deliver(
      records.filter((record) => !byCloud(late).includes(record)),
      [],
    )
    await quick.drain()
  } finally {
    gate.resolve()
    await flying
  }
  await slow.drain()
  await expectStraight()
})

test('I3: two halves that are concluded at the same moment find each other', async () => {
  const correlators = store.pools.map((pool) => createCorrelator(pool))
  await Promise.all(
    correlators.map((one, index) =>
      one.deliver(
        records.filter((_, place) => place % correlators.length === index),
        [],
      ),
    ),
  )
  await Promise.all(correlators.map((one) => one.drain()))
  await expectStraight()
})

test('I4: of several texts the same one speaks in every order, and nothing is left of those that spoke before', async () => {
  // The same events a day later or earlier, under another hash: what spoke first led to other sessions, parents and traces.
  const variants = records
    .slice(60, 130)
    .flatMap((record) => [
      record,
      rawRecord(record.text.replace(/^\{/, '{"law":1,').replace(/2026-09-01T/, '2026-09-02T'), 1),
      rawRecord(record.text.replace(/^\{/, '{"law":2,').replaceAll('2026-09-01T', '2026-08-31T'), 2),
    ])
  const expected = await delivered(variants)
  for (const order of [variants.toReversed(), shuffled(variants, random), shuffled(variants, random)]) {
    await clear(store.pools[0]!)
    const correlator = createCorrelator(store.pools[0]!)
    for (let start = 0; start < order.length; start += 30) {
      await correlator.deliver(order.slice(start, start + 30), [])
      await correlator.drain()
    }
    expect(difference(await exportOf(store.pools[0]!), expected)).toBeNull()
  }
})

test('I5: conclusions drawn anew from the stored facts are those that are stored', async () => {
  const [pool] = store.pools
  const correlator = createCorrelator(pool!)
  const order = shuffled(records, random)
  for (let start = 0; start < order.length; start += 20) {
    await correlator.deliver(order.slice(start, start + 20), [])
    await correlator.drain()
  }
  await correlator.drain()
  await expectStraight()
  await pool!.query('truncate conclusions, timeline, waiting, sessions, session_spans, traces')
  await pool!.query('update directory_facts set derived = false')
  await pool!.query('insert into pending (times, event_ids, keys) select array_agg(time_ns), array_agg(event_id), array[]::text[] from events')
  await correlator.drain()
  await expectStraight()
})

test('I9: writers that deliver the same records at once, each in its own order, all come to an end', async () => {
  const correlators = store.pools.map((pool) => createCorrelator(pool))
  const receipts = await Promise.all(correlators.map((one) => one.deliver(shuffled(records, random), [])))
  await Promise.all(correlators.map((one) => one.drain()))
  expect(receipts.reduce((sum, { stored }) => sum + stored, 0)).toBe(straight.filter((line) => line.includes('"type":"event"')).length)
  await expectStraight()
})

/** The pool with every commit held back until the promise resolves. */
function withCommitsAfter(pool: pg.Pool, gate: Promise<void>): pg.Pool {
  const client = (one: pg.PoolClient): pg.PoolClient =>
    new Proxy(one, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        if (name !== 'query') return value.bind(target)
        // A copy is asked for through `query`, too, and answers with a stream: only the commit may become a promise.
        const run = (...args: unknown[]): unknown => Reflect.apply(value, target, args)
        return (...args: unknown[]) => (args[0] === 'commit' ? gate.then(() => run(...args)) : run(...args))
      },
    })
  return new Proxy(pool, {
    get(target, name) {
      if (name === 'connect') return async () => client(await target.connect())
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
