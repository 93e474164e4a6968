/** Which logs were there, how far do they reach, and what is known to be missing? */
import type { Kind, Source } from '#core/event.ts'
import { formatTime } from '#core/time.ts'
import type { Coverage } from '../contract.ts'
import { type Store, eventInScope, scopeOf, tenantInScope } from './store.ts'

const moment = (date: Date): string => formatTime(BigInt(date.getTime()) * 1_000_000n)

/**
 * Live sources with their watermarks and gaps, and the kinds of events in the store with their first and last time. Callers bound to tenants see the sources declared
 * as theirs and their own events; what waits to be concluded may be anybody's, so they are not told.
 */
export async function coverage(store: Store): Promise<Coverage> {
  const [sources, lost, logs, pending] = await Promise.all([
    liveSources(store),
    lostMessages(store),
    storedLogs(store),
    store.scope === 'everything' ? store.query<{ count: bigint }>('select count(*) as count from pending') : null,
  ])
  return { sources, lost, logs, pending: pending && Number(pending.rows[0]?.count ?? 0) }
}

interface StatusRow {
  source: string
  part: string
  kind: string
  watermark_ns: bigint | null
  last_success_at: Date | null
  last_error_at: Date | null
  last_error_code: string | null
  last_error: string | null
  failures: number
  records: bigint
  rejected: bigint
  gaps: readonly { from: string; until: string; reason: string }[]
}

async function liveSources(store: Store): Promise<Coverage['sources']> {
  const { rows } = await store.query<StatusRow>(
    `select s.source, s.part, s.kind, c.watermark_ns, s.last_success_at, s.last_error_at, s.last_error_code, s.last_error, s.failures, s.records, s.rejected, s.gaps
     from source_status s left join cursors c using (source, part)
     where ${tenantInScope('s.tenant_id', '$1')} order by s.source, s.part`,
    [scopeOf(store)],
  )
  return rows.map((row) => ({
    source: row.source,
    part: row.part,
    kind: row.kind,
    watermark: row.watermark_ns === null ? null : formatTime(row.watermark_ns),
    lastSuccessAt: row.last_success_at && moment(row.last_success_at),
    lastError:
      row.last_error_at && row.last_error_code
        ? { code: row.last_error_code, message: row.last_error, at: moment(row.last_error_at), failures: row.failures }
        : null,
    records: Number(row.records),
    rejected: Number(row.rejected),
    gaps: row.gaps.map((gap) => ({ from: formatTime(BigInt(gap.from)), until: formatTime(BigInt(gap.until)), reason: gap.reason })),
  }))
}

interface LostRow {
  log: string
  partition: number
  first_offset: bigint
  last_offset: bigint | null
  from_at: Date | null
  until_at: Date | null
  cause: Coverage['lost'][number]['cause']
  detail: string | null
  noted_at: Date
}

/** Gaps of the logs that records travel through; the latest thousand. */
async function lostMessages(store: Store): Promise<Coverage['lost']> {
  const { rows } = await store.query<LostRow>(
    `select log, partition, first_offset, last_offset, from_at, until_at, cause, detail, noted_at from log_gaps where closed_at is null
     order by noted_at desc, log, partition, first_offset limit 1000`,
  )
  return rows.map((row) => ({
    log: row.log,
    partition: row.partition,
    firstOffset: String(row.first_offset),
    lastOffset: row.last_offset === null ? null : String(row.last_offset),
    from: row.from_at && moment(row.from_at),
    until: row.until_at && moment(row.until_at),
    cause: row.cause,
    detail: row.detail,
    notedAt: moment(row.noted_at),
  }))
}

/**
 * First and last event of each source and kind: one pass over the events. For bounded callers over the conclusions, which hold tenants, source and kind in the row:
 * an event that is not concluded about is nobody's yet, and row-level security would look each event up there.
 */
async function storedLogs(store: Store): Promise<Coverage['logs']> {
  const from = store.scope === 'everything' ? 'events e where $1::uuid[] is null' : `conclusions e where ${eventInScope('e', '$1')}`
  const { rows } = await store.query<{ source: Source; kind: Kind; first: bigint; last: bigint }>(
    `select e.source, e.kind, min(e.time_ns) as first, max(e.time_ns) as last from ${from} group by e.source, e.kind order by e.source, e.kind`,
    [scopeOf(store)],
  )
  return rows.map(({ source, kind, first, last }) => ({ source, kind, first: formatTime(first), last: formatTime(last) }))
}
