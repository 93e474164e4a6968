/** What people decide about findings. Every decision is a row of its own, so who decided what and when stays known. */
import { z } from 'zod'
import { storable } from '#core/text.ts'
import { type Queries, scopeOf, type Store, tenantInScope } from '../read-models/store.ts'
import { findingById } from '../read-models/findings.ts'
import type { Finding } from './contract.ts'

export const Reason = z
  .strictObject({
    reason: z
      .string()
      .transform((text) => storable(text).trim())
      .refine((text) => text.length > 0 && text.length <= 2000, 'is empty or longer than 2000 characters: say in a sentence why nothing more needs to be done'),
  })
  .meta({ id: 'AcknowledgementReason' })

/** Who decides: `Caller`, as far as it is written down. */
export interface Decider {
  readonly id: string
  readonly name: string | null
}

/**
 * Acknowledges a finding, also one that is acknowledged already (the new reason and the evidence as it is now count).
 * @param store what the decider may see; @param db where decisions are written
 * @returns the finding as it is then, or null when the decider sees no such finding
 */
export function acknowledge(store: Store, db: Queries, id: string, reason: string, by: Decider): Promise<Finding | null> {
  return decide(store, db, id, true, reason, by)
}

/** Takes an acknowledgement back; without one nothing is written. */
export async function reopen(store: Store, db: Queries, id: string, by: Decider): Promise<Finding | null> {
  const finding = await findingById(store, id)
  return finding === null || finding.status === 'open' ? finding : decide(store, db, id, false, null, by)
}

async function decide(store: Store, db: Queries, id: string, acknowledged: boolean, reason: string | null, by: Decider): Promise<Finding | null> {
  // Seen through the decider's own bounds: the write itself has none.
  const { rows } = await store.query<{ tenant_id: string | null; evidence_hash: string }>(
    `select tenant_id, evidence_hash from findings where id = $1 and ${tenantInScope('tenant_id', '$2')}`,
    [id, scopeOf(store)],
  )
  const [row] = rows
  if (!row) return null
  await db.query(
    `insert into finding_decisions (finding_id, tenant_id, acknowledged, reason, by, by_name, decided_at, evidence_hash) values ($1, $2, $3, $4, $5, $6, now(), $7)`,
    [id, row.tenant_id, acknowledged, reason, by.id, by.name, row.evidence_hash],
  )
  return findingById(store, id)
}
