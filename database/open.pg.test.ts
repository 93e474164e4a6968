import { createConnection, createServer } from 'node:net'
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
  const opened = await openDatabase({ databaseUrl: database.url, purpose: 'migrate' })
  expect(opened.embedded).toBe(false)
  expect((await opened.pool.query('select from timeline')).rowCount).toBe(0)
  await opened.close()
  expect((await database.pool.query('select 1::int8 as one')).rows).toEqual([{ one: 1n }])
})

const PATIENCE = { waitMs: 1500, say: () => undefined }

test('the schema of a server is changed by `migrate` alone: who reads, stores or looks leaves it as it is, and says so', async () => {
  const other = await createTestDatabase({ empty: true })
  for (const purpose of ['read', 'store'] as const)
    await expect(openDatabase({ databaseUrl: other.url, purpose })).rejects.toMatchObject({
      code: 'NOT_MIGRATED',
      message: expect.stringContaining('run `trailjoin migrate` first'),
    })
  const looked = await openDatabase({ databaseUrl: other.url, purpose: 'look' })
  expect(looked.pending).toBeGreaterThan(0)
  await looked.close()
  await expect(openDatabase({ databaseUrl: other.url, purpose: 'role', patience: PATIENCE })).rejects.toMatchObject({
    code: 'WAITED_TOO_LONG',
    message: expect.stringContaining('until somebody runs `trailjoin migrate`'),
  })
  expect((await other.pool.query(`select from pg_class where relname = 'events'`)).rowCount).toBe(0)
  await other.drop()
})

test('a role waits for a server and a schema that come later, and says for what', async () => {
  const other = await createTestDatabase({ empty: true })
  const proxy = createServer((client) => {
    const server = createConnection(Number(new URL(other.url).port), '127.0.0.1')
    for (const [one, two] of [
      [client, server],
      [server, client],
    ] as const)
      one
        .on('error', () => two.destroy())
        .on('close', () => two.destroy())
        .pipe(two)
  })
  const port = await new Promise<number>((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const bound = (probe.address() as { port: number }).port
      probe.close(() => resolve(bound))
    })
  })
  const said: string[] = []
  const opening = openDatabase({
    databaseUrl: Object.assign(new URL(other.url), { port: String(port) }).href,
    purpose: 'role',
    patience: { waitMs: 30_000, say: (line) => void said.push(line) },
  })
  await expect.poll(() => said.join(), { timeout: 10_000 }).toMatch(/Waiting for PostgreSQL at 127\.0\.0\.1:\d+\/\S+: nothing listens there/)
  proxy.listen(port, '127.0.0.1')
  await expect.poll(() => said.join(), { timeout: 20_000 }).toContain('Waiting for the database schema')
  await (await openDatabase({ databaseUrl: other.url, purpose: 'migrate' })).close()
  const role = await opening
  await role.close()
  proxy.close()
  await other.drop()
})

test('an update that somebody holds up who does nothing is given up after the stated time, and names him', async () => {
  const other = await createTestDatabase({ empty: true })
  const holder = await other.pool.connect()
  await holder.query('select pg_advisory_lock(7264501)')
  await expect(openDatabase({ databaseUrl: other.url, purpose: 'migrate', patience: PATIENCE })).rejects.toMatchObject({
    code: 'WAITED_TOO_LONG',
    message: expect.stringMatching(
      /gave up after 2 seconds of waiting for the lock of the schema's update: the database session \d+ \(trailjoin\) holds it and does nothing/,
    ),
  })
  holder.release(true)
  await other.drop()
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
  const opened = await openDatabase({ databaseUrl: database.url, purpose: 'migrate' })
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
