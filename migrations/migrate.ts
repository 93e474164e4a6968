/**
 * Applies the migrations. drizzle's migrator takes no lock, and it silently skips a migration that was generated earlier but merged
 * later than the last one applied (it compares `when` only); so it is wrapped in a lock and compared with the journal.
 */
import { drizzle } from 'drizzle-orm/node-postgres'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { migrate as apply } from 'drizzle-orm/node-postgres/migrator'
import { fileURLToPath } from 'node:url'
import type pg from 'pg'
import { DatabaseError, errorCode } from '#database/errors.ts'
import { makeReaders, mayBecomeReaders, missingAccess, repairAccess } from './access.ts'
import { beginWait, QUIET } from '#database/waiting.ts'
import type { Patience, Wait } from '#database/waiting.ts'

/** Any fixed number will do; it must differ from the other advisory locks of the product. */
const LOCK = 7_264_501

const ATTEMPTS = 5

/** No update takes longer. */
const UPDATE_MS = 6 * 3_600_000

const HERE = fileURLToPath(new URL('.', import.meta.url))

/**
 * Brings the schema up to date, and repairs who may read it where a restored dump lost that; several processes may do so at once. Throws `DatabaseError`: `DATABASE_NEWER` when the database has
 * migrations that this release does not know, `MIGRATIONS_DIFFER` when one is missing below a later one or was edited, `MIGRATION_FAILED`.
 */
export async function migrate(pool: pg.Pool, folder: string = HERE, patience: Patience = QUIET): Promise<void> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    // With nothing to apply there is nothing to wait for.
    if ((await compare(client, folder)) === 0 && (folder !== HERE || (await isOpenToReaders(client)))) return
    await lockIn(client, patience)
    try {
      // Another process may have done it meanwhile.
      if ((await compare(client, folder)) > 0) {
        // They build upon the roles.
        if (folder === HERE && (await appliedMigrations(client)).size > 0) await inTransaction(client, () => makeReaders(client))
        await applyAll(client, folder)
      }
      if (folder === HERE && !(await isOpenToReaders(client))) await inTransaction(client, () => repairAccess(client))
    } finally {
      await client.query('select pg_advisory_unlock($1)', [LOCK])
    }
  } catch (error) {
    // A connection that may still hold the lock must not go back to the pool.
    broken = error instanceof Error ? error : new Error(String(error))
    if (error instanceof DatabaseError) throw error
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    throw new DatabaseError(
      'MIGRATION_FAILED',
      `the database schema could not be brought up to date: ${cause instanceof Error ? cause.message : String(cause)}${errorCode(cause) === '42501' ? ' (let the owner of the tables run `trailjoin migrate`)' : ''}`,
      error,
    )
  } finally {
    client.release(broken)
  }
}

/** What the schema lacks for this release. */
export interface SchemaState {
  /** How many migrations are not applied. */
  readonly pending: number
  /** Roles, grants and policies of readers that are gone, in words; asked only where no migration is pending. */
  readonly missing: readonly string[]
}

/** Looks at the schema; changes nothing. Throws `DATABASE_NEWER`, `MIGRATIONS_DIFFER`. */
export async function schemaState(pool: pg.Pool, folder: string = HERE): Promise<SchemaState> {
  const client = await pool.connect()
  try {
    const pending = await compare(client, folder)
    return { pending, missing: pending === 0 && folder === HERE ? await missingAccess(client) : [] }
  } finally {
    client.release()
  }
}

async function isOpenToReaders(client: pg.PoolClient): Promise<boolean> {
  return (await missingAccess(client)).length === 0 && (await mayBecomeReaders(client))
}

async function inTransaction(client: pg.PoolClient, work: () => Promise<void>): Promise<void> {
  await client.query('begin')
  try {
    await work()
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  }
}

/** An update may take many minutes: so it is waited for as long as its holder works, and only one who does nothing is given up on. */
async function lockIn(client: pg.PoolClient, patience: Patience): Promise<void> {
  let holder: { readonly pid: number; readonly program: string; readonly works: boolean } | undefined
  const whom = (): string =>
    `the lock of the schema's update: ${holder === undefined ? 'another process holds it' : `the database session ${holder.pid} (${holder.program || 'unknown program'}) holds it${holder.works ? ' and works' : ' and does nothing'}`}`
  const begin = (waitMs?: number): Wait => beginWait(patience, whom, 'End that program if it hangs, and try again.', waitMs)
  const long = begin(UPDATE_MS)
  let short = begin()
  for (;;) {
    const { rows } = await client.query<{ got: boolean }>('select pg_try_advisory_lock($1) as got', [LOCK])
    if (rows[0]?.got) return
    const { rows: holders } = await client.query<{ pid: number; program: string; works: boolean }>(
      `select a.pid, a.application_name as program, a.state = 'active' as works from pg_locks l join pg_stat_activity a using (pid)
        where l.locktype = 'advisory' and l.granted and l.objid = $1 and l.database = (select oid from pg_database where datname = current_database())`,
      [LOCK],
    )
    holder = holders[0]
    if (holder?.works) short = begin()
    await (holder?.works ? long : short).step(250)
  }
}

/** All in one transaction. An older process that still runs may hold a table that is wanted and want one that is held: whom PostgreSQL ends then has changed nothing, and tries again. */
async function applyAll(client: pg.PoolClient, folder: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await apply(drizzle(client), { migrationsFolder: folder })
      return
    } catch (error) {
      if (attempt >= ATTEMPTS || errorCode(error instanceof Error ? (error.cause ?? error) : error) !== '40P01') throw error
    }
  }
}

/** How many migrations are still to be applied. */
async function compare(client: pg.PoolClient, folder: string): Promise<number> {
  const known = readMigrationFiles({ migrationsFolder: folder })
  const applied = await appliedMigrations(client)
  const last = Math.max(-1, ...applied.keys())
  const times = new Set(known.map((migration) => migration.folderMillis))
  const newer = [...applied.keys()].filter((time) => !times.has(time))
  if (newer.length > 0) {
    throw new DatabaseError(
      'DATABASE_NEWER',
      `the database was made by a newer release (${newer.length} migrations that this one does not know): update trailjoin, or use another database`,
    )
  }
  for (const { folderMillis: time, hash } of known) {
    const found = applied.get(time)
    const date = new Date(time).toISOString()
    if (found === undefined && time < last) {
      throw new DatabaseError(
        'MIGRATIONS_DIFFER',
        `the migration of ${date} is not applied, but a later one is: give it a later "when" in migrations/meta/_journal.json`,
      )
    }
    if (found !== undefined && found !== hash) {
      throw new DatabaseError(
        'MIGRATIONS_DIFFER',
        `the migration of ${date} was changed after it was applied to this database: restore it and add a new one, or use a new database`,
      )
    }
  }
  return known.length - applied.size
}

/** Hash by `when`. */
async function appliedMigrations(client: pg.PoolClient): Promise<Map<number, string>> {
  const { rows: tables } = await client.query(`select to_regclass('drizzle.__drizzle_migrations') is not null as there`)
  if (!(tables[0] as { there: boolean }).there) return new Map()
  const { rows } = await client.query<{ hash: string; created_at: unknown }>('select hash, created_at from drizzle.__drizzle_migrations')
  return new Map(rows.map((row) => [Number(row.created_at), row.hash]))
}
