/** Which logs were there, how far do they reach, and what is known to be missing? */
import type { Kind, Source } from '#core/event.ts'
import { formatTime } from '#core/time.ts'
import type { Coverage } from '../contract.ts'
import type { Store } from './store.ts'

const moment = (date: Date): string => formatTime(BigInt(date.getTime()) * 1_000_000n)

/** Live sources with their watermarks and gaps, and the kinds of events in the store with their first and last time. */
export async function coverage(store: Store): Promise<Coverage> {
  const [sources, logs, pending] = await Promise.all([
    liveSources(store),
    storedLogs(store),
    store.query<{ count: bigint }>('select count(*) as count from pending'),
  ])
  return { sources, logs, pending: Number(pending.rows[0]?.count ?? 0) }
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
     from source_status s left join cursors c using (source, part) order by s.source, s.part`,
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

/** First and last event of each source and kind: one pass over the events. */
async function storedLogs(store: Store): Promise<Coverage['logs']> {
  const { rows } = await store.query<{ source: Source; kind: Kind; first: bigint; last: bigint }>(
    'select source, kind, min(time_ns) as first, max(time_ns) as last from events group by source, kind order by source, kind',
  )
  return rows.map(({ source, kind, first, last }) => ({ source, kind, first: formatTime(first), last: formatTime(last) }))
}
