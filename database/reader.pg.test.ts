import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../test/postgres.ts'
import { insertEvent, insertVariant, id, OTHER_TENANT, TENANT } from '#api/fixture.ts'
import { createApp } from '#api/app.ts'
import { listen } from '#api/listen.ts'
import { openDatabase, openPool } from './open.ts'
import { ensurePartitions } from './partitions.ts'
import { readerQueries } from './reader.ts'

const TIME = 1_790_000_000_000_000_000n
const OID = id('a')

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
  const event = (eventId: string, tenant: string) =>
    insertEvent(database.pool, {
      id: eventId,
      time: TIME,
      conclusion: { tenant, subject: OID, confidence: 'exact' },
      timeline: [{ oid: OID, role: 'actor' }],
    })
  await event(id('e', 1), TENANT)
  await event(id('e', 2), OTHER_TENANT)
  await insertVariant(database.pool, id('e', 2), TIME, '{"another":"text"}')
})
afterAll(() => database.drop())

const count = async (queries: Pick<pg.Pool, 'query'>, from: string): Promise<number> =>
  Number((await queries.query<{ count: bigint }>(`select count(*) as count from ${from}`)).rows[0]!.count)

describe('a reader bound to tenants', () => {
  test('sees their rows only, whatever the query says', async () => {
    const reader = readerQueries(database.pool, [TENANT])
    for (const table of ['timeline', 'conclusions', 'events', 'heads']) {
      const { rows } = await reader.query<{ event_id: string }>(`select event_id from ${table}`)
      expect([table, rows]).toEqual([table, [{ event_id: id('e', 1) }]])
    }
    expect(await count(reader, 'variants')).toBe(0)
    expect(await count(readerQueries(database.pool, [TENANT, OTHER_TENANT]), 'events')).toBe(2)
    expect(await count(readerQueries(database.pool, []), 'events')).toBe(0)
  })

  test('gets blocks and names of files only for events of its tenants', async () => {
    const { rows } = await database.pool.query<{ event_id: string; chunk_id: bigint; file_id: number }>(
      'select event_id, chunk_id, file_id from heads order by event_id',
    )
    const [own, other] = rows
    const ask = async (event: string, chunk: bigint, file: number) =>
      (
        await readerQueries(database.pool, [TENANT]).query<{ body: Buffer | null; name: string | null }>(
          'select trailjoin_chunk($1, $2) as body, trailjoin_file($1, $3) as name',
          [event, chunk, file],
        )
      ).rows[0]!
    expect(await ask(own!.event_id, own!.chunk_id, own!.file_id)).toEqual({ body: expect.any(Buffer), name: 'logs/trail.json' })
    expect(await ask(other!.event_id, other!.chunk_id, other!.file_id)).toEqual({ body: null, name: null })
    // An event of one's own opens no other block.
    expect((await ask(own!.event_id, other!.chunk_id, own!.file_id)).body).toBeNull()
    expect(await count(readerQueries(database.pool, [TENANT]), 'chunks')).toBe(0)
    expect(await count(readerQueries(database.pool, [TENANT]), 'files')).toBe(0)
  })

  test('cannot write, nor read partitions by themselves or what the API has no business with', async () => {
    for (const tenants of [[TENANT], null]) {
      const reader = readerQueries(database.pool, tenants)
      await expect(reader.query('delete from timeline')).rejects.toThrow(/permission denied|read-only/)
      for (const table of ['events_2026_09', 'waiting', 'api_tokens', 'access_log'])
        await expect(reader.query(`select 1 from ${table}`)).rejects.toThrow(/permission denied/)
    }
  })

  test('is refused what is no tenant id', () => {
    expect(() => readerQueries(database.pool, ["x', true); drop table events; --"])).toThrow(TypeError)
    expect(() => readerQueries(database.pool, ['00000000-0000-0000-0000-000000000000'])).toThrow(TypeError)
  })

  test('leaves nothing behind on the connection, also when the query fails', async () => {
    const own = new pg.Pool({ connectionString: database.url, max: 1 })
    const reader = readerQueries(own, [TENANT])
    await reader.query('select 1')
    await expect(reader.query('select nonsense')).rejects.toThrow(/nonsense/)
    const { rows } = await own.query<{ role: string; tenants: string | null }>(
      `select current_setting('role') as role, current_setting('trailjoin.tenants', true) as tenants`,
    )
    expect(rows[0]!.role).toBe('none')
    expect(rows[0]!.tenants ?? '').toBe('')
    await own.end()
  })
})

describe('the schema', () => {
  test('grants a reader no table without policies, and no partition', async () => {
    const { rows } = await database.pool.query<{ name: string; secured: boolean; policies: bigint; partition: boolean }>(
      `select c.relname as name, c.relrowsecurity as secured, c.relispartition as partition,
         (select count(*) from pg_policy p where p.polrelid = c.oid and 'trailjoin_reader_all'::regrole = any(p.polroles)) as policies
       from pg_class c where c.relkind in ('r', 'p', 'v', 'm') and c.relnamespace = 'public'::regnamespace
         and (has_table_privilege('trailjoin_reader', c.oid, 'select') or has_table_privilege('trailjoin_reader_all', c.oid, 'select'))`,
    )
    expect(rows.length).toBeGreaterThan(20)
    expect(rows.filter((row) => !row.secured || row.policies !== 1n || row.partition)).toEqual([])
  })

  test('gives partitions that come later no rows to anybody but the owner', async () => {
    await ensurePartitions(database.pool, [TIME + 100n * 86_400_000_000_000n])
    const { rows } = await database.pool.query<{ name: string }>(
      `select c.relname as name from pg_class c join pg_inherits i on i.inhrelid = c.oid where c.relkind = 'r' and not c.relrowsecurity`,
    )
    expect(rows).toEqual([])
  })
})

describe('a login role that is a member of the readers and nothing else', () => {
  const name = `trailjoin_test_${randomBytes(4).toString('hex')}`
  let login: pg.Pool
  let loginUrl: string
  beforeAll(async () => {
    await database.pool.query(`create role ${name} login password 'only-for-this-test'`)
    await database.pool.query(`grant trailjoin_reader, trailjoin_reader_all to ${name} with inherit false, set true`)
    const url = new URL(database.url)
    url.username = name
    url.password = 'only-for-this-test'
    loginUrl = url.href
    // Not a bare pool: a connection that the server ends while it closes would fail the run.
    login = await openPool(url.href)
  })
  afterAll(async () => {
    await login.end()
    await database.pool.query(`drop owned by ${name}`)
    await database.pool.query(`drop role ${name}`)
  })

  test('opens the store, asks and is on record, with the rights that docs/operators/access.md names', async () => {
    const guide = await readFile(new URL('../docs/operators/access.md', import.meta.url), 'utf8')
    const rights = /^GRANT USAGE ON SCHEMA drizzle[^]*?(?=^```)/m.exec(guide)?.[0]
    await database.pool.query(rights!.replaceAll('trailjoin_api', name))
    const own = await openDatabase({ databaseUrl: loginUrl })
    const logged: unknown[] = []
    const log = { info: () => undefined, error: (fields: unknown) => void logged.push(fields) }
    const auth = () => Promise.resolve({ id: 'test', name: null, roles: ['responder' as const], scope: [TENANT] })
    const server = await listen(createApp({ pool: own.pool, auth, log }), { host: '127.0.0.1', port: 0 })
    const status = async (path: string): Promise<number> => (await fetch(`${server.url}${path}`, { headers: { authorization: 'Bearer x' } })).status
    expect([await status(`/v1/events/${id('e', 1)}/raw`), await status(`/v1/events/${id('e', 2)}/raw`)]).toEqual([200, 404])
    await database.pool.query(
      `insert into findings (id, rule, severity, confidence, title, tenant_id, oids, evidence, first_ns, last_ns, explanation, remediation, content_hash)
       select f, 'sami-anchor', 'low', 'exact', 't', t, '{}', '{}', 1, 2, 'e', 'r', 'h' from unnest($1::uuid[], $2::uuid[]) r(f, t)`,
      [
        [id('f', 1), id('f', 2)],
        [TENANT, OTHER_TENANT],
      ],
    )
    const headers = { authorization: 'Bearer x', 'content-type': 'application/json' }
    const acknowledge = async (finding: string): Promise<number> =>
      (await fetch(`${server.url}/v1/findings/${finding}/acknowledgement`, { method: 'POST', headers, body: '{"reason":"known"}' })).status
    expect([await acknowledge(id('f', 1)), await acknowledge(id('f', 2))]).toEqual([200, 404])
    expect(await count(database.pool, 'finding_decisions')).toBe(1)
    await server.close()
    await own.close()
    expect(logged).toEqual([])
    expect(await count(database.pool, `access_log where caller = 'test'`)).toBeGreaterThan(0)
  })

  test('serves scoped queries, and reads no table by itself', async () => {
    expect(await count(readerQueries(login, [TENANT]), 'events')).toBe(1)
    expect(await count(readerQueries(login, null), 'events')).toBe(2)
    for (const table of ['events', 'timeline', 'chunks', 'rejected']) await expect(login.query(`select 1 from ${table}`)).rejects.toThrow(/permission denied/)
    await expect(login.query('select trailjoin_chunk($1, 1)', [id('e', 1)])).rejects.toThrow(/permission denied/)
  })

  test('is narrowed by its row of login_tenants, and never widened by it', async () => {
    const bound = async (tenants: readonly string[]): Promise<unknown> => {
      const { rows } = await readerQueries(login, tenants).query<{ event_id: string }>('select event_id from events order by event_id')
      return rows.map(({ event_id: event }) => event)
    }
    await database.pool.query('insert into login_tenants (login, tenants) values ($1, $2)', [name, [TENANT]])
    try {
      expect(await bound([TENANT])).toEqual([id('e', 1)])
      expect(await bound([TENANT, OTHER_TENANT])).toEqual([id('e', 1)])
      expect(await bound([OTHER_TENANT])).toEqual([])
      await database.pool.query('update login_tenants set tenants = array[null]::uuid[] where login = $1', [name])
      expect(await bound([TENANT, OTHER_TENANT])).toEqual([])
    } finally {
      await database.pool.query('delete from login_tenants where login = $1', [name])
    }
    expect(await bound([TENANT, OTHER_TENANT])).toEqual([id('e', 1), id('e', 2)])
  })
})
