/** Linked events for rules, page by page in order of time, from one snapshot and in constant memory. */
import type pg from 'pg'
import type { Source } from '#core/event.ts'
import { selectList, type FieldName, type FieldValue, type SigmaEvent } from './fields.ts'

const PAGE = 5_000

export interface EventRange {
  readonly fromNs: bigint | null
  /** Not included. */
  readonly toNs: bigint | null
  /** Null: all. */
  readonly sources: readonly Source[] | null
}

interface Row {
  readonly eventId: string
  readonly eventTime: bigint
  readonly eventTenant: string | null
  readonly [field: string]: unknown
}

/** Rejects when the database fails. */
export async function* linkedEvents(pool: pg.Pool, fields: readonly FieldName[], { fromNs, toNs, sources }: EventRange): AsyncGenerator<SigmaEvent> {
  const client = await pool.connect()
  try {
    await client.query('begin transaction isolation level repeatable read read only')
    let [time, id] = [fromNs ?? 0n, '00000000-0000-0000-0000-000000000000']
    for (;;) {
      // Primary key of events.
      const { rows } = await client.query<Row>(
        `select e.event_id as "eventId", e.time_ns as "eventTime", coalesce(c.tenant_id, e.tenant_id) as "eventTenant", ${selectList(fields)}
         from events e left join conclusions c on c.time_ns = e.time_ns and c.event_id = e.event_id
         where (e.time_ns, e.event_id) > ($1::bigint, $2::uuid) and e.time_ns >= $1::bigint and ($3::bigint is null or e.time_ns < $3::bigint)
           and ($4::text[] is null or e.source::text = any($4::text[])) order by e.time_ns, e.event_id limit ${PAGE}`,
        [time, id, toNs, sources],
      )
      for (const row of rows) yield { id: row.eventId, timeNs: row.eventTime, tenantId: row.eventTenant, field: (name) => (row[name] ?? null) as FieldValue }
      const last = rows.at(-1)
      if (!last || rows.length < PAGE) return
      ;[time, id] = [last.eventTime, last.eventId]
    }
  } finally {
    await client.query('rollback').catch(() => undefined)
    client.release()
  }
}
