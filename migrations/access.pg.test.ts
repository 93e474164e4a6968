import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type pg from 'pg'
import { afterEach, expect, test } from 'vitest'
import { startEmbedded } from '#database/embedded.ts'
import { openPool } from '#database/open.ts'
import { readerQueries } from '#database/reader.ts'
import { createTestDatabase, testDataDir, TEST_SETTINGS } from '../test/postgres.ts'
import { missingAccess, repairAccess } from './access.ts'
import { migrate, schemaState } from './migrate.ts'

const run = promisify(execFile)
const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

async function migrated(): Promise<{ readonly pool: pg.Pool; readonly url: string }> {
  const database = await createTestDatabase()
  ends.push(() => database.drop())
  return database
}

/** A server that has never seen trailjoin: roles belong to the server. */
async function freshServer(): Promise<{ readonly pool: pg.Pool; readonly url: string; readonly folder: string }> {
  const folder = await testDataDir()
  const server = await startEmbedded(folder, { settings: TEST_SETTINGS })
  const pool = await openPool(server.url)
  ends.push(async () => {
    await pool.end()
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  })
  return { pool, url: server.url, folder }
}

/** Everything that says who may read what. */
async function access(pool: pg.Pool): Promise<unknown> {
  const rows = async (query: string): Promise<unknown> => (await pool.query(query)).rows
  return [
    await rows(`select tablename, policyname, cmd, roles::text, qual, with_check from pg_policies order by 1, 2`),
    await rows(
      `select relname, relrowsecurity, array(select (a.grantee::regrole, a.privilege_type)::text from aclexplode(relacl) a where a.grantee <> relowner order by 1) as grants
       from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by 1`,
    ),
    await rows(
      `select p.oid::regprocedure::text as name, array(select (a.grantee = 0, a.grantee::regrole, a.privilege_type)::text from aclexplode(proacl) a where a.grantee <> proowner order by 1) as grants
       from pg_proc p where pronamespace = 'public'::regnamespace order by 1`,
    ),
  ]
}

test('the list of roles, grants and policies is what the migrations make: nothing is missing, and repairing changes nothing', async () => {
  const { pool } = await migrated()
  expect(await missingAccess(pool)).toEqual([])
  const before = await access(pool)
  await repairAccess(pool)
  expect(await access(pool)).toEqual(before)
})

test('whatever is taken away is noticed, and migrate brings all of it back', async () => {
  const { pool } = await migrated()
  const before = await access(pool)
  const losses: Readonly<Record<string, string>> = {
    'drop policy tenants on timeline': 'the policy tenants of timeline',
    'drop policy decide on finding_decisions': 'the policy decide of finding_decisions',
    'revoke select on events from trailjoin_reader': 'the grant of events to trailjoin_reader',
    'alter table chunks disable row level security': 'row-level security of chunks',
    'alter table events_other disable row level security': 'row-level security of events_other',
    'grant execute on function trailjoin_chunk(uuid, bigint) to public': 'the bar of trailjoin_chunk(uuid, bigint) to everybody',
    'revoke execute on function trailjoin_file(uuid, integer) from trailjoin_reader_all': 'the grant of trailjoin_file(uuid, integer) to trailjoin_reader_all',
  }
  for (const [loss, what] of Object.entries(losses)) {
    await pool.query(loss)
    expect(await schemaState(pool), loss).toEqual({ pending: 0, missing: [what] })
    await migrate(pool)
    expect(await access(pool), loss).toEqual(before)
  }
})

test('a dump that lost its roles is repaired by migrate in a server that never had them', async () => {
  const source = await migrated()
  await source.pool.query(
    `insert into traces (id, tenant_id, owner_oid, start_ns, end_ns, first_event, events, sources) select gen_random_uuid(), t, t, 1, 2, t, 1, '{aws}' from unnest(array['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222']::uuid[]) t`,
  )
  const target = await freshServer()
  // What `pg_restore` leaves: schema and rows, but no statement that names a role of the other server.
  await migrate(target.pool)
  await target.pool.query('drop owned by trailjoin_reader, trailjoin_reader_all; drop role trailjoin_reader, trailjoin_reader_all')
  await target.pool.query(`insert into traces select * from json_populate_recordset(null::traces, $1)`, [
    JSON.stringify((await source.pool.query('select to_jsonb(t) as row from traces t')).rows.map(({ row }: { row: unknown }) => row)),
  ])
  expect(await schemaState(target.pool)).toEqual({ pending: 0, missing: ['the role trailjoin_reader', 'the role trailjoin_reader_all'] })
  await expect(readerQueries(target.pool, null).query('select 1 from traces')).rejects.toThrow(/^role "trailjoin_reader_all" does not exist$/)
  await Promise.all([migrate(target.pool), migrate(target.pool)])
  expect((await readerQueries(target.pool, null).query('select 1 from traces')).rowCount).toBe(2)
  expect((await readerQueries(target.pool, ['11111111-1111-4111-8111-111111111111']).query('select 1 from traces')).rowCount).toBe(1)
  expect(await access(target.pool)).toEqual(await access(source.pool))
}, 60_000)

const version = await run('pg_dump', ['--version']).then(
  ({ stdout }) => Number(/ (\d+)/.exec(stdout)?.[1]),
  () => 0,
)

test.skipIf(version < 18)(
  `a dump by pg_dump goes through pg_restore and migrate into a fresh server (pg_dump ${version || 'is not installed'}, 18 is needed)`,
  async () => {
    const source = await migrated()
    const target = await freshServer()
    const file = join(target.folder, 'dump')
    await run('pg_dump', ['-Fc', '-f', file, source.url])
    // Ends with 1: it cannot make what names the roles.
    await run('pg_restore', ['--no-owner', '-d', target.url, file]).catch(() => undefined)
    await migrate(target.pool)
    expect(await schemaState(target.pool)).toEqual({ pending: 0, missing: [] })
    expect(await access(target.pool)).toEqual(await access(source.pool))
  },
  60_000,
)
