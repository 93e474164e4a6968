/** Takes pushed records in: read and masked like those of a file, held to the tenants of who pushed them, handed to the sink. */
import type { Intake, Push, PushedLine } from '#api/intake.ts'
import { cutRefused } from '#core/record.ts'
import type { RawRecord, Rejection } from '#core/record.ts'
import type { Fate, Knows, RecordSink } from '#core/sink.ts'
import { accept } from '#correlate/accept.ts'
import type { ApiLogs } from '#ingest/api-logs.ts'
import { BATCH_RECORDS } from '#ingest/batches.ts'
import { readLines } from '#ingest/read-lines.ts'

/**
 * Records go to the sink a batch at a time, one push after the other within it; the promise settles when all of them are durable.
 * @param logs access logs in words of their own
 */
export function createIntake(sink: RecordSink, logs?: ApiLogs): Intake {
  const knows: Knows = (value) => sink.knows(value) || logs?.matches(value) === true
  return async (push) => {
    const { records, rejections } = readLines(`push:${push.from}`, push.bytes, push.tenantId === null ? {} : { tenantId: push.tenantId }, knows)
    const { allowed, refused } = withinScope(logs === undefined ? records : records.map(logs.translate), push)
    const results = new Map<number, PushedLine>()
    const tell = (index: number, line: number | null, status: Fate, reason: string | null): void => void results.set(index, { line: line ?? 1, status, reason })
    const kept = [...rejections, ...refused]
    for (const { origin, reason } of kept) tell(origin.index, origin.line, 'rejected', reason)
    for (let start = 0; start < Math.max(1, allowed.length); start += BATCH_RECORDS) {
      const batch = allowed.slice(start, start + BATCH_RECORDS)
      const receipt = await sink.deliver(batch, start === 0 ? kept : [])
      const reasons = new Map(receipt.rejected.map((rejection) => [rejection.origin.index, rejection.reason]))
      batch.forEach((record, place) => {
        const { fate, reason } = fateOf(record, receipt.fates?.[place], reasons.get(record.origin.index))
        tell(record.origin.index, record.origin.line, fate, reason)
      })
    }
    return [...results.entries()].toSorted(([a], [b]) => a - b).map(([, result]) => result)
  }
}

/** Behind Kafka only the correlators learn what a record is; whether they will know it at all can be told here. */
function fateOf(record: RawRecord, fate: Fate | undefined, reason: string | undefined): { readonly fate: Fate; readonly reason: string | null } {
  if (reason !== undefined) return { fate: 'rejected', reason }
  if (fate !== undefined) return { fate, reason: null }
  const outcome = accept(record)
  return 'reason' in outcome ? { fate: 'rejected', reason: outcome.reason } : { fate: 'accepted', reason: null }
}

/**
 * Whoever is bound to tenants may write records of these and no others: a record of another tenant would change what that tenant sees, and one of no tenant
 * (what clouds log) may prove things about any. What is refused is kept with its reason, like everything that is refused.
 */
function withinScope(records: readonly RawRecord[], { scope }: Push): { readonly allowed: readonly RawRecord[]; readonly refused: readonly Rejection[] } {
  if (scope === 'everything') return { allowed: records, refused: [] }
  const allowed: RawRecord[] = []
  const refused: Rejection[] = []
  for (const record of records) {
    const outcome = accept(record)
    const tenant = 'reason' in outcome ? undefined : outcome.event.tenantId
    if (tenant === undefined || (tenant !== null && scope.includes(tenant))) allowed.push(record)
    else {
      const reason =
        tenant === null
          ? 'belongs to no tenant, and this token may write for its own tenants only'
          : `belongs to tenant ${tenant}, which this token may not write for`
      refused.push({ origin: record.origin, ...cutRefused(reason, record.text) })
    }
  }
  return { allowed, refused }
}
