/** What cannot be beaten: event rows loaded by one COPY in one transaction, without raw records and without conclusions. */
import { createReadStream, createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import { EVENT_COLUMNS } from '#correlate/store/rows.ts'
import { withDatabase } from '#database/embedded.ts'
import { openPool } from '#database/open.ts'
import { ensurePartitions } from '#database/partitions.ts'
import { migrate } from '#migrations/migrate.ts'

export interface EventRows {
  readonly file: string
  readonly count: number
  readonly bytes: number
  readonly months: readonly bigint[]
}

/** A migrated database of its own, dropped afterwards. */
export async function inDatabase<Result>(url: string, work: (url: string, pool: pg.Pool) => Promise<Result>): Promise<Result> {
  const admin = new pg.Client({ connectionString: withDatabase(url, 'postgres') })
  await admin.connect()
  await admin.query('create database bench')
  const own = withDatabase(url, 'bench')
  const pool = await openPool(own)
  try {
    await migrate(pool)
    return await work(own, pool)
  } finally {
    await pool.end()
    await admin.query('drop database bench with (force)')
    // Whatever the last measurement left to write must not be paid by the next.
    await admin.query('checkpoint')
    await admin.end()
  }
}

/** Writes the stored events to a file, as COPY text. */
export async function takeEventRows(pool: pg.Pool, file: string): Promise<EventRows> {
  const client = await pool.connect()
  try {
    await pipeline(client.query(copyTo(`copy (select ${EVENT_COLUMNS.join(', ')} from events) to stdout`)), createWriteStream(file))
    const { rows } = await client.query<{ count: number; months: string[] }>(
      `select count(*)::integer as count, array_agg(distinct (extract(epoch from date_trunc('month', to_timestamp(time_ns / 1e9) at time zone 'UTC')) * 1e9)::bigint::text) as months from events`,
    )
    return { file, count: rows[0]!.count, bytes: (await stat(file)).size, months: rows[0]!.months.map(BigInt) }
  } finally {
    client.release()
  }
}

/** Makes the tables that the rows go into: `events` with its partitions, and `plain` without any index. */
export async function prepareForRows(pool: pg.Pool, rows: EventRows): Promise<void> {
  await ensurePartitions(pool, rows.months)
  await pool.query('create table plain (like events)')
}

/** Loads them. Committed durably, as an import is. */
export async function copyRows(pool: pg.Pool, rows: EventRows, table: 'events' | 'plain'): Promise<void> {
  const client = await pool.connect()
  try {
    await pipeline(createReadStream(rows.file, { highWaterMark: 128 * 1024 }), client.query(copyFrom(`copy ${table} (${EVENT_COLUMNS.join(', ')}) from stdin`)))
  } finally {
    client.release()
  }
}
