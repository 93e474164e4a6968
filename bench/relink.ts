/**
 * What one late root record costs (SPEC I7): the AssumeRoleWithWebIdentity of a session arrives after all its calls. First as the session grows, in
 * a store of one size; then as the store grows, with one session. `node bench/relink.ts [--large]`: `--large` goes up to 10⁷ events (needs time
 * and some 15 GB), `--stores` leaves out the first part.
 * Prints a table: milliseconds until every conclusion is stored, rows of conclusions and timeline written, WAL bytes written.
 */
import { rm } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import type pg from 'pg'
import type { RecordSink } from '#core/sink.ts'
import { createCorrelator } from '#correlate/index.ts'
import { startEmbedded } from '#database/embedded.ts'
import { openPool } from '#database/open.ts'
import { migrate } from '#migrations/migrate.ts'
import { testDataDir } from '../test/postgres.ts'
import { copyEvents } from './copy-events.ts'
import { BATCH, callWith, fill, newKey, rootOf } from './sessions.ts'

const { values } = parseArgs({ options: { large: { type: 'boolean', default: false }, most: { type: 'string' }, stores: { type: 'boolean', default: false } } })
const MOST = Number(values.most ?? (values.large ? 10_000_000 : 1_000_000))
const SESSIONS = [10, 100, 1_000, 10_000, 100_000].filter((size) => size <= MOST)
const STORES = [10_000, 100_000, 1_000_000, 10_000_000].filter((size) => size <= MOST)
/** Calls of the session while the store grows. */
const FIXED_SESSION = 100
/** Larger stores are made by copying rows in SQL: the product would take an hour, and what is measured comes after. */
const BY_PRODUCT = 100_000
const folder = await testDataDir()
const server = await startEmbedded(folder)
const pool = await openPool(server.url)
try {
  await migrate(pool)
  const sink = createCorrelator(pool)
  let stored = await fill(sink, 0, 10_000)
  console.log('calls in session | events in store |        ms | rows written | WAL bytes')
  for (const size of values.stores ? [] : SESSIONS) {
    await lateRoot(sink, size, stored)
    stored += size + 1
  }
  for (const size of STORES) {
    stored = size > BY_PRODUCT ? await multiply(stored, size) : await fill(sink, stored, size)
    await lateRoot(sink, FIXED_SESSION, stored)
    stored += FIXED_SESSION + 1
  }
} finally {
  await pool.end()
  await server.stop()
  await rm(folder, { recursive: true, force: true })
}

/** Copies what is stored into the half days that follow, until there is about so much. All of it belongs to one agent: the hardest case for its timeline and trace. */
async function multiply(stored: number, until: number): Promise<number> {
  const copies = Math.ceil(until / stored) - 1
  await copyEvents(pool, { copies, label: `${stored}` })
  return stored * (copies + 1)
}

async function lateRoot(sink: RecordSink, calls: number, stored: number): Promise<void> {
  const key = newKey()
  for (let count = 0; count < calls; count += BATCH)
    await sink.deliver(
      Array.from({ length: Math.min(BATCH, calls - count) }, () => callWith(key)),
      [],
    )
  await sink.drain()
  const before = await position(pool)
  const began = performance.now()
  await sink.deliver([rootOf(key)], [])
  await sink.drain()
  const took = performance.now() - began
  const after = await position(pool)
  const { rows } = await pool.query<{ written: bigint }>(
    `select (select count(*) from conclusions where xmin::text::bigint >= $1::bigint) + (select count(*) from timeline where xmin::text::bigint >= $1::bigint) as written`,
    [before.transaction],
  )
  const columns = [
    [calls, 16],
    [stored + calls + 1, 15],
    [took.toFixed(0), 9],
    [rows[0]!.written, 12],
    [after.wal - before.wal, 9],
  ] as const
  console.log(columns.map(([value, width]) => String(value).padStart(width)).join(' | '))
}

/** Where the server stands: the next transaction, and the end of what was written ahead. */
async function position(server: pg.Pool): Promise<{ readonly transaction: string; readonly wal: number }> {
  const { rows } = await server.query<{ transaction: string; wal: string }>(
    `select pg_snapshot_xmax(pg_current_snapshot())::text as transaction, (pg_current_wal_insert_lsn() - '0/0')::text as wal`,
  )
  return { transaction: rows[0]!.transaction, wal: Number(rows[0]!.wal) }
}
