import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPool } from './open.ts'
import { ensurePartitions, PARTITIONED } from './partitions.ts'
import { createTestDatabase, type TestDatabase } from '../test/postgres.ts'

const INSERT = `insert into timeline (tenant_id, oid, time_ns, event_id, role, source, kind, is_subject, is_owner)
  values (gen_random_uuid(), gen_random_uuid(), $1, gen_random_uuid(), 'actor', 'aws', 'other', true, true)`

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

const ns = (iso: string): bigint => BigInt(Date.parse(iso)) * 1_000_000n
const partitions = async (table: string): Promise<string[]> => {
  const { rows } = await database.pool.query('select relname from pg_inherits join pg_class on oid = inhrelid where inhparent = $1::regclass order by 1', [
    table,
  ])
  return rows.map((row: { relname: string }) => row.relname)
}
const insert = async (time: bigint): Promise<string> => {
  const { rows } = await database.pool.query(`${INSERT} returning tableoid::regclass::text as name`, [time])
  return rows[0].name
}

test('a month gets one partition of each table, with the indexes of the table', async () => {
  await ensurePartitions(database.pool, [ns('2026-05-10T00:00:00Z'), ns('2026-05-31T23:59:59Z')])
  for (const table of PARTITIONED) expect(await partitions(table)).toEqual([`${table}_2026_05`, `${table}_other`])
  const count = async (table: string): Promise<number> =>
    (await database.pool.query('select from pg_index where indrelid = $1::regclass and indisvalid', [table])).rowCount ?? 0
  for (const table of PARTITIONED) expect(await count(`${table}_2026_05`)).toBe(await count(table))
})

test('the first nanosecond of a month is in it and the last one of the month before is not', async () => {
  await ensurePartitions(database.pool, [ns('2024-02-29T12:00:00Z'), ns('2024-03-01T00:00:00Z')])
  expect(await insert(ns('2024-03-01T00:00:00Z'))).toBe('timeline_2024_03')
  expect(await insert(ns('2024-03-01T00:00:00Z') - 1n)).toBe('timeline_2024_02')
})

test('times before 2018 and after 2035 make no partition and land in the default one', async () => {
  const before = await partitions('timeline')
  const outside = [ns('2018-01-01T00:00:00Z') - 1n, ns('2036-01-01T00:00:00Z'), 0n, -1n, 9_223_372_036_854_775_807n]
  await ensurePartitions(database.pool, outside)
  expect(await partitions('timeline')).toEqual(before)
  for (const time of outside) expect(await insert(time)).toBe('timeline_other')
})

test('the first and the last month of the range have partitions although the default one holds their neighbours', async () => {
  const edges = [ns('2018-01-01T00:00:00Z'), ns('2036-01-01T00:00:00Z') - 1n]
  await ensurePartitions(database.pool, edges)
  expect(await Promise.all(edges.map(insert))).toEqual(['timeline_2018_01', 'timeline_2035_12'])
})

test('many processes that need the same new months at once all succeed, while a writer holds its transaction open', async () => {
  const pools = await Promise.all(Array.from({ length: 6 }, () => openPool(database.url)))
  const months = Array.from({ length: 12 }, (_, month) => BigInt(Date.UTC(2030, month)) * 1_000_000n)
  const writer = await database.pool.connect()
  try {
    await writer.query('begin')
    await writer.query(INSERT, [ns('2026-05-10T00:00:00Z')])
    await Promise.all(pools.map((pool, index) => ensurePartitions(pool, index % 2 ? months : months.toReversed())))
    await writer.query('commit')
  } finally {
    writer.release(true)
    await Promise.all(pools.map((pool) => pool.end()))
  }
  expect((await partitions('events')).filter((name) => name.includes('2030'))).toHaveLength(12)
})
