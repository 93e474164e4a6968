import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase } from './open.ts'
import { createTestDatabase, type TestDatabase } from '../test/postgres.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase({ empty: true })
})
afterAll(() => database.drop())

/** The test server's address with some parts changed. */
function changed(parts: Partial<Record<'password' | 'port' | 'pathname' | 'hostname', string>>): string {
  return Object.assign(new URL(database.url), parts).href
}

test("a server of one's own is migrated and used, and stays up after close", async () => {
  const opened = await openDatabase({ databaseUrl: database.url })
  expect(opened.embedded).toBe(false)
  expect((await opened.pool.query('select from timeline')).rowCount).toBe(0)
  await opened.close()
  expect((await database.pool.query('select 1::int8 as one')).rows).toEqual([{ one: 1n }])
})

test.for([
  ['a closed port', { port: '1' }, 'nothing listens there'],
  ['a wrong password', { password: 'hunter2' }, 'user or password is refused'],
  ['a missing database', { pathname: '/absent' }, 'this database does not exist on the server'],
  ['an unknown host', { hostname: 'no-such-host.invalid' }, 'the host name is unknown'],
] as const)('%s is named with its reason, and the password is not', async ([, parts, reason]) => {
  const url = changed(parts)
  const error = await openDatabase({ databaseUrl: url }).catch((thrown: unknown) => thrown as Error & { code: string })
  const { hostname, port, pathname, password } = new URL(url)
  expect(error).toMatchObject({ code: 'CONNECTION_FAILED', message: `cannot connect to PostgreSQL at ${hostname}:${port}${pathname}: ${reason}` })
  expect((error as Error).message).not.toContain(password)
})

test('what is no PostgreSQL address is refused without repeating it', async () => {
  for (const databaseUrl of ['localhost', 'mysql://user:hunter2@host/db', 'postgresql://']) {
    await expect(openDatabase({ databaseUrl })).rejects.toMatchObject({ message: expect.not.stringContaining('hunter2') })
  }
  await expect(openDatabase({ databaseUrl: 'mysql://user:hunter2@host/db' })).rejects.toMatchObject({ code: 'BAD_URL' })
})

test('a database that cannot be migrated is not opened and not held', async () => {
  const other = await createTestDatabase()
  await other.pool.query('insert into drizzle.__drizzle_migrations (hash, created_at) values ($1, 9999999999999)', ['of a newer release'])
  await expect(openDatabase({ databaseUrl: other.url })).rejects.toMatchObject({ code: 'DATABASE_NEWER' })
  // The server takes a moment to notice that a connection is gone.
  const others = async (): Promise<unknown> =>
    (await other.pool.query(`select count(*)::integer as others from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`)).rows
  await expect.poll(others, { timeout: 10_000 }).toEqual([{ others: 0 }])
  await other.drop()
})

test('a connection that breaks while it is in use and silent is an error of its next query, not the end of the process', async () => {
  const opened = await openDatabase({ databaseUrl: database.url })
  const client = await opened.pool.connect()
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  // As a server that is killed while its client computes between two queries.
  await database.pool.query('select pg_terminate_backend($1)', [rows[0]?.pid])
  await sleep(300)
  await expect(client.query('select 1')).rejects.toThrow()
  client.release(true)
  expect((await opened.pool.query('select 1::int8 as one')).rows).toEqual([{ one: 1n }])
  await opened.close()
})
