/** What the rules make of a world, in a database of its own. */
import type pg from 'pg'
import { createCorrelator } from '#correlate/index.ts'
import { refreshFindings } from '../index.ts'
import type { World } from './world.ts'

export interface Found {
  readonly id: string
  readonly rule: string
  readonly severity: string
  readonly confidence: string
  readonly oids: readonly string[]
  /** Labels of the records. */
  readonly evidence: readonly string[]
  readonly explanation: string
}

/** Takes every row out of every table, but for the record of who looked, which only grows. */
export async function emptyStore(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'public' and tablename <> 'access_log' and tablename not in (select inhrelid::regclass::text from pg_inherits)`,
  )
  await pool.query(`truncate ${rows.map((table) => table.name).join(', ')} restart identity`)
}

/** Empties the store, ingests the records in the given order, and returns the findings. */
export async function findingsOf(pool: pg.Pool, world: World, options: { readonly reversed?: boolean } = {}): Promise<readonly Found[]> {
  await emptyStore(pool)
  const sink = createCorrelator(pool)
  const receipt = await sink.deliver(options.reversed ? world.records.toReversed() : world.records, [])
  if (receipt.rejected.length > 0) throw new Error(`The world holds a record that is rejected: ${receipt.rejected[0]!.reason}`)
  await sink.drain()
  await refreshFindings(pool)
  const { rows } = await pool.query<Omit<Found, 'evidence'> & { native: string[] }>(
    `select f.id, f.rule, f.severity, f.confidence, f.oids, f.explanation, (select array_agg(e.native_id order by e.time_ns, e.native_id) from events e where e.event_id = any(f.evidence)) as native from findings f order by f.rule, f.id`,
  )
  return rows.map(({ native, ...row }) => ({ ...row, evidence: native.map((id) => world.labels.get(id) ?? id) }))
}

export interface Case {
  readonly name: string
  readonly world: (world: World) => World
  /** The findings of the rule, each with exactly these oids and records; an empty list: it stays silent. */
  readonly gives: readonly { readonly oids: readonly string[]; readonly evidence: readonly string[]; readonly confidence?: string }[]
  /** What one of the explanations says. */
  readonly says?: string
}
