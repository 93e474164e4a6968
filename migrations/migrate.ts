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

/** Any fixed number will do; it must differ from the other advisory locks of the product. */
const LOCK = 7_264_501

const ATTEMPTS = 5

const HERE = fileURLToPath(new URL('.', import.meta.url))

/**
 * Brings the schema up to date; several processes may do so at once. Throws `DatabaseError`: `DATABASE_NEWER` when the database has
 * migrations that this release does not know, `MIGRATIONS_DIFFER` when one is missing below a later one or was edited, `MIGRATION_FAILED`.
 */
export async function migrate(pool: pg.Pool, folder: string = HERE): Promise<void> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    await client.query('select pg_advisory_lock($1)', [LOCK])
    try {
      // With nothing to apply nothing but a look is needed: also who may only read (the API's own login) gets through.
      if ((await compare(client, folder)) > 0) await applyAll(client, folder)
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
