import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { repeatedWrongly } from '../test/law/repeated.ts'
import { createTestDatabase, type TestDatabase } from '../test/postgres.ts'
import { openPool } from '#database/open.ts'
import { migrate } from './migrate.ts'

const HERE = fileURLToPath(new URL('.', import.meta.url))
let database: TestDatabase
let folder: string

beforeEach(async () => {
  database = await createTestDatabase({ empty: true })
  folder = await mkdtemp(join(tmpdir(), 'migrations-'))
  await cp(HERE, folder, { recursive: true, filter: (path) => !path.endsWith('.ts') })
})

afterEach(async () => {
  await database.drop()
  await rm(folder, { recursive: true, force: true })
})

const journal = async (): Promise<{ entries: { idx: number; version: string; when: number; tag: string; breakpoints: boolean }[] }> =>
  JSON.parse(await readFile(join(folder, 'meta', '_journal.json'), 'utf8'))

/** Adds a migration to the copied folder. */
async function add(tag: string, when: (last: number) => number, sql: string): Promise<void> {
  const content = await journal()
  const last = content.entries.at(-1)!
  content.entries.push({ ...last, idx: last.idx + 1, when: when(last.when), tag })
  await writeFile(join(folder, `${tag}.sql`), sql)
  await writeFile(join(folder, 'meta', '_journal.json'), JSON.stringify(content))
}

const applied = async (): Promise<number> => (await database.pool.query('select from drizzle.__drizzle_migrations')).rowCount ?? 0
const there = async (table: string): Promise<boolean> => (await database.pool.query('select to_regclass($1) is not null as there', [table])).rows[0].there

test('an empty database gets every table', async () => {
  await migrate(database.pool)
  for (const table of ['events', 'conclusions', 'timeline', 'heads', 'variants', 'chunks', 'pending', 'rejected', 'shapes', 'files', 'directory_facts']) {
    expect([table, await there(table)]).toEqual([table, true])
  }
  expect(await applied()).toBe((await journal()).entries.length)
})

test('migrating an up-to-date database changes nothing', async () => {
  await migrate(database.pool)
  const before = await database.pool.query('select * from drizzle.__drizzle_migrations')
  await migrate(database.pool)
  expect((await database.pool.query('select * from drizzle.__drizzle_migrations')).rows).toEqual(before.rows)
})

test('eight processes that migrate at once do it once', async () => {
  const pools = await Promise.all(Array.from({ length: 8 }, () => openPool(database.url)))
  await Promise.all(pools.map((pool) => migrate(pool)))
  await Promise.all(pools.map((pool) => pool.end()))
  expect(await applied()).toBe((await journal()).entries.length)
})

test('a new migration is applied to a database that has the others', async () => {
  await migrate(database.pool)
  await add('9999_later', (last) => last + 1000, 'create table later (id integer primary key)')
  await migrate(database.pool, folder)
  expect(await there('later')).toBe(true)
})

test('a database of a newer release is refused', async () => {
  await add('9999_later', (last) => last + 1000, 'create table later (id integer primary key)')
  await migrate(database.pool, folder)
  await expect(migrate(database.pool)).rejects.toMatchObject({ code: 'DATABASE_NEWER', message: expect.stringContaining('newer release') })
})

test('a migration dated before the last applied one is an error, not skipped in silence', async () => {
  await migrate(database.pool)
  await add('9999_earlier', (last) => last - 1000, 'create table earlier (id integer primary key)')
  await expect(migrate(database.pool, folder)).rejects.toMatchObject({ code: 'MIGRATIONS_DIFFER' })
  expect(await there('earlier')).toBe(false)
})

test('a migration that was edited after it was applied is an error', async () => {
  await migrate(database.pool)
  const file = join(folder, `${(await journal()).entries[0]!.tag}.sql`)
  await writeFile(file, `${await readFile(file, 'utf8')}\n-- edited`)
  await expect(migrate(database.pool, folder)).rejects.toMatchObject({ code: 'MIGRATIONS_DIFFER' })
})

test('a failing migration leaves no half of itself and no lock', async () => {
  await migrate(database.pool)
  await add('9999_broken', (last) => last + 1000, 'create table half (id integer primary key);--> statement-breakpoint\nselect 1/0')
  await expect(migrate(database.pool, folder)).rejects.toMatchObject({ code: 'MIGRATION_FAILED', message: expect.stringContaining('division by zero') })
  expect(await there('half')).toBe(false)
  await migrate(database.pool)
})

test('what is stored before 0015 gets its source, kind and outcome, and traces their events and sources', async () => {
  const content = await journal()
  const before = { ...content, entries: content.entries.filter(({ idx }) => idx < 15) }
  await writeFile(join(folder, 'meta', '_journal.json'), JSON.stringify(before))
  await migrate(database.pool, folder)
  const [tenant, owner, other] = ['1', '2', '3'].map((digit) => `${digit.repeat(8)}-0000-4000-8000-000000000000`)
  // Ten events of one owner in two traces, and in the same time some that are another's or only name the owner.
  await database.pool.query(
    `insert into events (time_ns, event_id, ingested_at, native_id, source, kind, action, outcome, proof)
     select n * 100, ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, now(), n::text, ('{entra,aws,gcp}'::source[])[1 + n % 3],
       ('{other,llm.invoked}'::kind[])[1 + n % 2], 'x', ('{success,failure}'::outcome[])[1 + n / 6], 'nothing' from generate_series(1, 10) n`,
  )
  await database.pool.query(
    `insert into conclusions (time_ns, event_id, tenant_id, confidence, basis, candidates, evidence) select time_ns, event_id, $1, 'exact', '{}', '{}', '{}' from events`,
    [tenant],
  )
  await database.pool.query(
    `insert into timeline (tenant_id, oid, time_ns, event_id, role, source, kind, is_subject, is_owner)
     select $1::uuid, case when time_ns = 300 then $3::uuid else $2::uuid end, time_ns, event_id, 'actor', source, kind, true, time_ns <> 400 from events`,
    [tenant, owner, other],
  )
  await database.pool.query(
    `insert into traces (id, tenant_id, owner_oid, start_ns, end_ns, first_event)
     select gen_random_uuid(), $1, o, s, e, $1 from unnest($2::uuid[], array[100, 600, 300], array[500, 1000, 300]) t(o, s, e)`,
    [tenant, [owner, owner, other]],
  )
  await migrate(database.pool)
  expect(await repeatedWrongly(database.pool)).toBeNull()
  const { rows } = await database.pool.query('select events, sources::text[] as sources from traces order by owner_oid, start_ns')
  expect(rows).toEqual([
    { events: 3n, sources: ['aws', 'gcp'] },
    { events: 5n, sources: ['entra', 'aws', 'gcp'] },
    { events: 1n, sources: ['entra'] },
  ])
})

test('what was concluded before 0020 about the use of cloud credentials is concluded about again, and nothing else', async () => {
  const content = await journal()
  await writeFile(join(folder, 'meta', '_journal.json'), JSON.stringify({ ...content, entries: content.entries.filter(({ idx }) => idx < 20) }))
  await migrate(database.pool, folder)
  const [subject, agent] = ['2', '3'].map((digit) => `${digit.repeat(8)}-0000-4000-8000-000000000000`)
  const rows = [
    ['aws', 'llm.invoked', subject, null, '{federated-subject}'],
    ['gcp', 'llm.invoked', subject, agent, '{federated-subject}'],
    ['gcp', 'credential.minted', null, null, '{proximity}'],
    ['aws', 'llm.metered', subject, agent, '{request-id}'],
    ['aws', 'llm.invoked', agent, agent, '{federated-subject}'],
    ['aws', 'llm.invoked', null, null, '{}'],
    ['aws', 'token.exchanged', subject, null, '{federated-subject}'],
    ['entra', 'token.issued', subject, null, '{principal}'],
  ]
  for (const [index, [source, kind, subjectOid, agentOid, basis]] of rows.entries())
    await database.pool.query(
      `insert into conclusions (time_ns, event_id, subject_oid, agent_oid, confidence, basis, candidates, evidence, source, kind, outcome)
       values ($1::bigint, ('00000000-0000-4000-8000-' || lpad($7, 12, '0'))::uuid, $2, $3, 'none', $4, '{}', '{}', $5, $6, 'success')`,
      [index, subjectOid, agentOid, basis, source, kind, String(index)],
    )
  await migrate(database.pool)
  const { rows: pending } = await database.pool.query('select times from pending')
  expect(pending).toEqual([{ times: [0n, 1n, 2n, 3n] }])
})

test('a reader that runs during an update, and wants what the update has locked, neither ends the update nor is ended by it', async () => {
  const content = await journal()
  await writeFile(join(folder, 'meta', '_journal.json'), JSON.stringify({ ...content, entries: content.entries.filter(({ idx }) => idx < 15) }))
  await migrate(database.pool, folder)
  // Whose time is over first is the one that PostgreSQL ends: the update.
  const { rows } = await database.pool.query<{ name: string }>('select quote_ident(current_database()) as name')
  await database.pool.query(`alter database ${rows[0]!.name} set deadlock_timeout = '2s'`)
  const pool = await openPool(database.url)
  const reader = await database.pool.connect()
  await reader.query(`begin; set local deadlock_timeout = '1min'; select from rejected`)
  const update = migrate(pool)
  await expect.poll(async () => (await database.pool.query(`select from pg_locks where relation = 'rejected'::regclass and not granted`)).rowCount).toBe(1)
  await reader.query('select from chunks')
  await reader.query('commit')
  reader.release()
  await update
  await pool.end()
  expect(await applied()).toBe(content.entries.length)
})
