import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPool } from '#database/open.ts'
import { readerQueries } from '#database/reader.ts'
import { createTestDatabase, type TestDatabase } from '../test/postgres.ts'
import { migrate } from './migrate.ts'

const name = `trailjoin_test_${randomBytes(4).toString('hex')}`
let database: TestDatabase
let owner: pg.Pool

/** A database whose owner may neither make roles nor give them away, on a server that has the readers already (of another database). */
beforeAll(async () => {
  database = await createTestDatabase({ empty: true })
  await database.pool.query(`create role ${name} login password 'only-for-this-test'`)
  const url = new URL(database.url)
  await database.pool.query(`alter database ${url.pathname.slice(1)} owner to ${name}`)
  url.username = name
  url.password = 'only-for-this-test'
  owner = await openPool(url.href)
})
afterAll(async () => {
  await owner.end()
  await database.pool.query(`drop owned by ${name} cascade`)
  await database.pool.query(`alter database ${new URL(database.url).pathname.slice(1)} owner to current_user`)
  await database.pool.query(`drop role ${name}`)
  await database.drop()
})

test('an owner who may not have the roles of readers is told what an administrator must run, and that is enough', async () => {
  const failure = await migrate(owner).catch((error: unknown) => error as Error)
  expect(failure).toMatchObject({ code: 'MIGRATION_FAILED' })
  const commands = /CREATE ROLE trailjoin_reader NOLOGIN; CREATE ROLE trailjoin_reader_all NOLOGIN; (GRANT [^;]+);/.exec((failure as Error).message)
  expect(commands).not.toBeNull()
  // The roles are there; on a server without them all three are run.
  await database.pool.query(commands![1]!)
  await migrate(owner)
  // The owner writes and reads as ever, and serves readers without being one.
  await owner.query(
    `insert into traces (id, tenant_id, owner_oid, start_ns, end_ns, first_event, events, sources) select gen_random_uuid(), t, t, 1, 2, t, 1, '{aws}' from unnest(array['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222']::uuid[]) t`,
  )
  expect((await owner.query('select 1 from traces')).rowCount).toBe(2)
  expect((await readerQueries(owner, ['11111111-1111-4111-8111-111111111111']).query('select 1 from traces')).rowCount).toBe(1)
  expect((await readerQueries(owner, null).query('select 1 from traces')).rowCount).toBe(2)
})
