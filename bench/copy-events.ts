/** Large stores for benchmarks: rows copied in SQL, because the product would take hours, and what is measured comes after. */
import type pg from 'pg'
import { ensurePartitions } from '#database/partitions.ts'

const HALF_DAY_NS = 43_200_000_000_000n
const TABLES = ['heads', 'events', 'conclusions', 'timeline', 'session_spans', 'traces'] as const

interface Copying {
  /** Copy k lies k half days after the original. */
  readonly copies: number
  /** Makes the ids of these copies different from those of other copies. */
  readonly label: string
  /** Of what lies in these nanoseconds only; of everything without it. */
  readonly within?: readonly [from: bigint, to: bigint]
  /** Number of the first copy; 1 without it. */
  readonly first?: number
  /** SQL for the oid that the copy of an oid belongs to, from `oid` and `k`; the same one without it. */
  readonly oid?: string
}

/** Copies every stored event, with its conclusion, timeline rows and traces, under new ids and later times. Indexes of `events` are made anew at the end. */
export async function copyEvents(pool: pg.Pool, { copies, label, within, first = 1, oid = 'oid' }: Copying): Promise<void> {
  const { rows: span } = await pool.query<{ to: bigint }>('select max(time_ns) as to from events')
  await ensurePartitions(
    pool,
    Array.from({ length: copies + 1 }, (_, copy) => (within?.[1] ?? span[0]!.to) + BigInt(first - 1 + copy) * HALF_DAY_NS),
  )
  const { rows: indexes } = await pool.query<{ name: string; definition: string }>(
    `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition from pg_index where indrelid = 'events'::regclass and not indisprimary`,
  )
  for (const { name } of indexes) await pool.query(`drop index ${name}`)
  for (const table of TABLES) {
    const { rows: columns } = await pool.query<{ name: string }>(
      `select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = '' order by attnum`,
      [table],
    )
    const names = columns.map(({ name }) => name)
    const time = table === 'traces' || table === 'session_spans' ? 'start_ns' : 'time_ns'
    const original = `select * from ${table}${within ? ` where ${time} between ${within[0]} and ${within[1]}` : ''}`
    const copied = names.map((name) => copyOf(name, label, oid))
    await pool.query(
      `insert into ${table} (${names.join(', ')}) select ${copied.join(', ')} from (${original}) t, generate_series(${first}, ${first + copies - 1}) k`,
    )
  }
  for (const { definition } of indexes) await pool.query(definition.replace(' ON ONLY ', ' ON '))
  await pool.query('vacuum analyze')
}

/** How a column of a copied row differs from the original's. */
function copyOf(name: string, label: string, oid: string): string {
  const later = `${name} + k * ${HALF_DAY_NS}`
  const another = `md5(${name}::text || '${label}/' || k)::uuid`
  if (['time_ns', 'start_ns', 'end_ns'].includes(name)) return later
  if (['event_id', 'parent_id', 'first_event', 'session_id', 'id'].includes(name)) return another
  if (['uses', 'issues', 'request_key'].includes(name)) return `${name} || '${label}/' || k`
  if (['oid', 'owner_oid', 'agent_oid', 'subject_oid', 'proof_oid'].includes(name)) return `(${oid.replaceAll(/\boid\b/g, name)})`
  return name
}
