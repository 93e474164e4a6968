import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openPool } from '#database/open.ts'
import { createTestDatabase } from '../../test/postgres.ts'
import type { TestDatabase } from '../../test/postgres.ts'
import { accessLogPage } from './log-page.ts'
import { NotTheOwner, prunable, pruneAccessLog } from './prune-log.ts'

const BY = { id: 'cli:ann', name: 'ann' }
const at = (time: string): bigint => BigInt(Date.parse(time)) * 1_000_000n

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database?.drop())
beforeEach(async () => {
  await database.pool.query(`alter table access_log disable trigger all; truncate access_log; alter table access_log enable trigger all`)
  // One a day from January on, at noon.
  await database.pool.query(
    `insert into access_log (request_id, phase, started_at, caller, method, route, filters, status, rows, cut)
     select gen_random_uuid(), 'whole', '2026-01-01T12:00:00Z'::timestamptz + n * interval '1 day', 'local', 'GET', '/v1/agents', '{}', 200, 1, false from generate_series(0, 99) n`,
  )
})

const entries = async () => (await accessLogPage(database.pool, 'everything', { limit: 1000 })).items

test('what is older goes, the rest stays, and who took how much away is on record', async () => {
  expect(await prunable(database.pool, at('2026-02-01T00:00:00Z'))).toBe(31)
  expect(await pruneAccessLog(database.pool, { before: at('2026-02-01T00:00:00Z'), by: BY })).toBe(31)
  const [pruning, ...rest] = await entries()
  expect(rest).toHaveLength(69)
  expect(rest.at(-1)!.time).toMatch(/^2026-02-01T12/)
  expect(pruning).toMatchObject({
    caller: 'cli:ann',
    tenants: null,
    method: 'PRUNE',
    route: 'trailjoin access-log prune',
    filters: { before: '2026-02-01T00:00:00.000000000Z' },
    status: 200,
    rows: 31,
  })
})

test('however many go, each part is looked for before writers have to wait, from where the last one ended', async () => {
  await database.pool.query(
    `insert into access_log (request_id, phase, started_at, caller, method, route, filters, status, rows, cut)
     select gen_random_uuid(), 'whole', '2025-12-01T12:00:00Z'::timestamptz + n * interval '1 second', 'local', 'GET', '/v1/agents', '{}', 200, 1, false from generate_series(1, 20001) n`,
  )
  const statements: { readonly text: string; readonly locked: boolean }[] = []
  const pool = {
    query: (text: string, values?: unknown[]) => {
      statements.push({ text, locked: false })
      return database.pool.query(text, values)
    },
    connect: async () => {
      const client = await database.pool.connect()
      return {
        query: (text: string, values?: unknown[]) => {
          statements.push({ text, locked: true })
          return client.query(text, values)
        },
        release: (broken?: boolean) => client.release(broken),
      }
    },
  } as unknown as typeof database.pool
  expect(await pruneAccessLog(pool, { before: at('2026-01-01T00:00:00Z'), by: BY })).toBe(20_001)
  expect(statements.filter(({ locked, text }) => locked && text.includes('started_at'))).toEqual([])
  expect(statements.filter(({ locked, text }) => locked && text.startsWith('delete'))).toHaveLength(3)
  expect(await entries()).toHaveLength(101)
})

test('a pruning is never pruned itself', async () => {
  await pruneAccessLog(database.pool, { before: at('2026-02-01T00:00:00Z'), by: BY })
  expect(await pruneAccessLog(database.pool, { before: at('2100-01-01T00:00:00Z'), by: BY })).toBe(69)
  expect((await entries()).map(({ method, rows }) => [method, rows])).toEqual([
    ['PRUNE', 69],
    ['PRUNE', 31],
  ])
})

test('afterwards the record takes new rows only, as before', async () => {
  await pruneAccessLog(database.pool, { before: at('2026-02-01T00:00:00Z'), by: BY })
  await expect(database.pool.query('delete from access_log')).rejects.toThrow('new rows only')
})

test('one that is stopped has said that it began, and can be run again', async () => {
  await expect(pruneAccessLog(database.pool, { before: at('2026-02-01T00:00:00Z'), by: BY, signal: AbortSignal.abort(new Error('Stopped.')) })).rejects.toThrow(
    'Stopped.',
  )
  expect((await entries())[0]).toMatchObject({ method: 'PRUNE', status: null, rows: null })
  expect(await pruneAccessLog(database.pool, { before: at('2026-02-01T00:00:00Z'), by: BY })).toBe(31)
})

test('a login that does not own the table is refused, whatever it was granted, and nothing is on record', async () => {
  const name = `trailjoin_test_${randomBytes(4).toString('hex')}`
  await database.pool.query(`create role ${name} login password 'only-for-this-test'; grant select, insert, delete on access_log to ${name}`)
  const url = new URL(database.url)
  url.username = name
  url.password = 'only-for-this-test'
  const login = await openPool(url.href)
  try {
    await expect(pruneAccessLog(login, { before: at('2026-02-01T00:00:00Z'), by: BY })).rejects.toThrow(NotTheOwner)
    await expect(login.query('delete from access_log')).rejects.toThrow('new rows only')
    await expect(login.query('alter table access_log disable trigger access_log_append_only')).rejects.toThrow('owner')
    expect(await entries()).toHaveLength(100)
  } finally {
    await login.end()
    await database.pool.query(`drop owned by ${name}; drop role ${name}`)
  }
})
