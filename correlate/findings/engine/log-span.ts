/** How far a sign-in log can be trusted to show what did not happen: from when to when it was seen, without the times of which records are known to be missing. */
import type pg from 'pg'
import { HOUR } from '#core/time.ts'

/** A span of event time, in nanoseconds, both ends included. */
export interface Missing {
  /** Null: of any tenant. */
  readonly tenantId: string | null
  readonly fromNs: bigint
  readonly toNs: bigint
}

/** From when to when sign-ins of one log were seen in one tenant. */
export interface LogSpan {
  readonly firstNs: bigint
  readonly lastNs: bigint
  /** Times in it of which records are known to be missing. */
  readonly missing: readonly Pick<Missing, 'fromNs' | 'toNs'>[]
}

/** True when the log reaches back to `fromNs` and nothing is known to be missing from there up to `toNs`. */
export const reachesBack = (log: LogSpan | null, fromNs: bigint, toNs: bigint): log is LogSpan =>
  log !== null && log.firstNs <= fromNs && !log.missing.some((gap) => gap.fromNs <= toNs && gap.toNs >= fromNs)

/** True when the log also goes as far as `toNs`: what it does not show did not happen. */
export const covers = (log: LogSpan | null, fromNs: bigint, toNs: bigint): boolean => reachesBack(log, fromNs, toNs) && log.lastNs >= toNs

/**
 * A message lost between collector and store held events of some time before it was written: sign-in records arrive minutes to hours
 * after the sign-in. A day is more than any delivery that was seen (not documented as a bound).
 */
const DELIVERED_WITHIN_NS = 24n * HOUR
const BEGINNING = 0n
const END = 9_223_372_036_854_775_807n

/** Gaps of Entra's sources, and of the logs (Kafka topics) that records travel through. */
export async function missingSignIns(client: pg.ClientBase): Promise<readonly Missing[]> {
  const { rows } = await client.query<{ tenantId: string | null; fromNs: bigint | null; toNs: bigint | null; queue: boolean }>(
    `select s.tenant_id as "tenantId", (g ->> 'from')::bigint as "fromNs", (g ->> 'until')::bigint as "toNs", false as queue
     from source_status s, jsonb_array_elements(s.gaps) g where s.kind like 'entra-%'
     union all
     select null, (extract(epoch from from_at) * 1000000000)::bigint, (extract(epoch from coalesce(until_at, noted_at)) * 1000000000)::bigint, true
     from log_gaps where closed_at is null`,
  )
  return rows.map(({ tenantId, fromNs, toNs, queue }) => ({
    tenantId,
    fromNs: fromNs === null ? BEGINNING : queue ? fromNs - DELIVERED_WITHIN_NS : fromNs,
    toNs: toNs ?? END,
  }))
}
