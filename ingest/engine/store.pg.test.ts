import type { PoolClient } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPool } from '#database/open.ts'
import { createTestDatabase } from '../../test/postgres.ts'
import type { TestDatabase } from '../../test/postgres.ts'
import { createLeases } from './lease.ts'
import { createSourceStore } from './store.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

const key = { source: 'trail', part: '111122223333/us-east-1', kind: 'aws-s3' }
const counts = { records: 4, stored: 2, duplicates: 1, rejected: 1 }

test('a cursor comes back as it was stored, and its page is counted', async () => {
  const store = createSourceStore(database.pool)
  expect(await store.cursor(key)).toBeNull()
  await store.advance(key, { cursor: { through: '2026-09-01T00:00:00.000Z', list: [1, null, 'x'] }, watermark: 1_788_253_200_123_456_789n, gaps: [], counts })
  await store.advance(key, { cursor: { through: 'later' }, watermark: 5n, gaps: [{ from: 1n, until: 2n, reason: 'gone' }], counts })
  expect(await store.cursor(key)).toEqual({ through: 'later' })
  expect(await store.cursor({ ...key, part: 'other' })).toBeNull()
  expect(await store.statuses()).toEqual([
    {
      ...key,
      watermark: 1_788_253_200_123_456_789n,
      lastSuccessAt: null,
      lastErrorAt: null,
      lastErrorCode: null,
      lastError: null,
      failures: 0,
      records: 8n,
      stored: 4n,
      duplicates: 2n,
      rejected: 2n,
      gaps: [{ from: 1n, until: 2n, reason: 'gone' }],
    },
  ])
})

test('failures are counted until a poll succeeds', async () => {
  const store = createSourceStore(database.pool)
  const other = { ...key, source: 'other' }
  await store.failed(other, 'SOURCE_THROTTLED', 'slow down')
  await store.failed(other, 'SOURCE_DENIED', 'no')
  const status = async () => (await store.statuses()).find(({ source }) => source === 'other')
  expect(await status()).toMatchObject({ failures: 2, lastErrorCode: 'SOURCE_DENIED', lastError: 'no', lastSuccessAt: null, watermark: null })
  await store.succeeded(other)
  expect(await status()).toMatchObject({ failures: 0, lastErrorCode: 'SOURCE_DENIED', lastSuccessAt: expect.any(Date) })
})

test('a lease is held by one process, for as long as its connection lives', async () => {
  const one = createLeases(database.pool)
  const two = createLeases(database.pool)
  expect([await one.hold('a', ''), await two.hold('a', '')]).toEqual([true, false])
  expect([await one.hold('a', ''), await two.hold('b', '')]).toEqual([true, true])
  // The server ends the session of the first: whoever asks next has the lease.
  await database.pool.query(`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and classid = 7264510 and pid <> pg_backend_pid()
    and objid = (hashtext('a/')::bigint & 4294967295)::oid
    and database = (select oid from pg_database where datname = current_database())`)
  await expect.poll(() => two.hold('a', ''), { timeout: 5000 }).toBe(true)
  await expect.poll(() => one.hold('a', '').catch(() => null), { timeout: 5000 }).toBe(false)
  await Promise.all([one.close(), two.close()])
  expect(await createLeasesOnce('a')).toBe(true)
})

test('a connection that breaks before the first lease is held is given back: the pool can be closed', async () => {
  const pool = await openPool(database.url)
  // The server ends the session as soon as it is there, as a server does that is killed.
  const end = (client: PoolClient): void => void client.query('select pg_terminate_backend(pg_backend_pid())').catch(() => undefined)
  pool.once('acquire', end)
  const leases = createLeases(pool)
  await expect(leases.hold('a', '')).rejects.toThrow(/terminat/i)
  await leases.close()
  expect(pool.totalCount).toBe(0)
  await pool.end()
})

async function createLeasesOnce(source: string): Promise<boolean> {
  const leases = createLeases(database.pool)
  try {
    return await leases.hold(source, '')
  } finally {
    await leases.close()
  }
}
