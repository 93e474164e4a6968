/**
 * What a rule is and what it yields. A finding is a conclusion about the stored set of records (DESIGN §5.3): it is computed anew from facts and
 * conclusions, never from the order in which they came and never from the clock.
 */
import type { Confidence } from '#core/event.ts'
import type { RuleHead, Severity } from '#core/finding.ts'
import type { EventId, TenantId } from '#core/keys.ts'
import type { Json } from '#core/record.ts'
import type { Context } from './context.ts'

/** Events that one finding lists at most. */
export const MOST_EVIDENCE = 1000

/** An event that a finding rests on. */
export interface Evidence {
  readonly id: EventId
  readonly timeNs: bigint
  /** Of its conclusion, else its record; null or absent where none is proven. */
  readonly tenantId?: TenantId | null
}

/** One finding as its rule sees it. */
export interface Draft {
  /** What the finding is about (tenant, oid, cloud, …): its id is a function of the rule and this key, so more evidence never changes it. */
  readonly key: readonly (string | null)[]
  /** Where it differs from the rule's own. */
  readonly title?: string
  readonly severity?: Severity
  readonly confidence: Confidence
  readonly tenantId: string | null
  readonly oids: readonly (string | null)[]
  /** In any order; with `total` only some of what there is, the earliest ones. */
  readonly evidence: readonly Evidence[]
  /** Counted by the database where the evidence is too much to read. */
  readonly total?: { readonly events: number; readonly firstNs: bigint; readonly lastNs: bigint }
  /** What was found, for machines: the same statements as in the explanation. Times are ISO 8601 text. */
  readonly details?: Readonly<Record<string, Json>>
  /** Sentences. Name oids and times; never a secret. */
  readonly explanation: string
}

export interface FindingRule extends RuleHead {
  /** Why it matters, with the article or incident behind it. */
  readonly why: string
  readonly remediation: string
  readonly falsePositives: readonly string[]
  /** All findings that follow from what is stored. Rejects when the database fails. */
  readonly evaluate: (context: Context) => Promise<readonly Draft[]>
}
