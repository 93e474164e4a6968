import type pg from 'pg'

/** Tables that are range-partitioned by `time_ns`; each has a default partition `<table>_other`. */
export const PARTITIONED = ['events', 'conclusions', 'timeline'] as const

const NANOS = 1_000_000n
/**
 * Months outside of these go to the default partition: a broken clock must not make a table a month from 1970 to 9999. Because
 * only they go there, a new partition never has to pull rows out of it.
 */
const FIRST_NS = BigInt(Date.UTC(2018, 0)) * NANOS
const END_NS = BigInt(Date.UTC(2036, 0)) * NANOS

/** Must differ from the other advisory locks of the product. */
const LOCK = 7_264_502

interface Month {
  /** `2026_05` */
  readonly name: string
  /** Half open, nanoseconds, UTC. */
  readonly fromNs: bigint
  readonly toNs: bigint
}

/** Months whose partitions this process has seen committed. */
const known = new WeakMap<pg.Pool, Set<string>>()

/**
 * Makes the monthly partitions of all partitioned tables (`events_2026_05`, …) that rows of these times need. Cheap when they exist.
 *
 * Call it before a transaction begins, not inside: it works on connections of its own, and would wait for the caller's locks. A partition
 * is attached rather than created in place: that way readers and writers of the table's other partitions are not held up. Each
 * is its own short transaction, so that no lock on one table is held while waiting for another. Read through its table a partition obeys the
 * policies of the table; by itself it has none, so that nobody but the owner sees its rows there.
 */
export async function ensurePartitions(pool: pg.Pool, timesNs: Iterable<bigint>): Promise<void> {
  const seen = known.get(pool) ?? new Set()
  known.set(pool, seen)
  const missing = monthsOf(timesNs).filter((month) => !seen.has(month.name))
  if (missing.length === 0) return
  const { rows } = await pool.query<{ name: string }>(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = any ($1::regclass[])`,
    [PARTITIONED],
  )
  const there = new Set(rows.map((row) => row.name))
  for (const month of missing) {
    for (const table of PARTITIONED) {
      if (!there.has(`${table}_${month.name}`)) await pool.query(attach(table, month))
    }
    seen.add(month.name)
  }
}

/** One statement, so one transaction. The table is looked for again under the lock: another process may have made it meanwhile. */
function attach(table: string, month: Month): string {
  const name = `${table}_${month.name}`
  return `do $$ begin
    perform pg_advisory_xact_lock(${LOCK});
    if to_regclass('${name}') is null then
      create table ${name} (like ${table} including all);
      alter table ${name} enable row level security;
      alter table ${table} attach partition ${name} for values from (${month.fromNs}) to (${month.toNs});
    end if;
  end $$`
}

/** The months of the times that lie within the range, each once. */
function monthsOf(timesNs: Iterable<bigint>): Month[] {
  const months = new Map<string, Month>()
  let current: Month | null = null
  for (const time of timesNs) {
    if (time < FIRST_NS || time >= END_NS || (current !== null && time >= current.fromNs && time < current.toNs)) continue
    current = monthOf(time)
    months.set(current.name, current)
  }
  return [...months.values()]
}

function monthOf(timeNs: bigint): Month {
  const date = new Date(Number(timeNs / NANOS))
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
  return {
    name: `${year}_${String(month + 1).padStart(2, '0')}`,
    fromNs: BigInt(Date.UTC(year, month)) * NANOS,
    toNs: BigInt(Date.UTC(year, month + 1)) * NANOS,
  }
}
