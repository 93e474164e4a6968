/** An event with its conclusion as rules read it. */
import type { Confidence, GcpPool, Kind, Outcome, PrincipalKind, Proof, Source } from '#core/event.ts'
import type { AppId, EventId, Oid, TenantId } from '#core/keys.ts'

export interface StoredEvent {
  readonly id: EventId
  readonly timeNs: bigint
  readonly source: Source
  readonly kind: Kind
  readonly action: string
  readonly outcome: Outcome
  readonly errorCode: string | null
  readonly errorMessage: string | null
  /** Concluded, else as the record says. */
  readonly tenantId: TenantId | null
  readonly subjectOid: Oid | null
  readonly agentOid: Oid | null
  readonly confidence: Confidence
  readonly basis: readonly string[]
  readonly candidates: readonly Oid[]
  readonly sessionId: string | null
  readonly parentId: EventId | null
  readonly proof: Proof['by']
  readonly proofOid: Oid | null
  readonly proofAppId: AppId | null
  readonly proofKind: PrincipalKind | null
  readonly proofSubject: string | null
  readonly proofEntra: boolean | null
  readonly pool: GcpPool | null
  readonly targets: readonly Oid[]
  readonly uses: string | null
  readonly asserted: readonly string[]
  readonly account: string | null
  readonly region: string | null
  readonly principal: string | null
  readonly resource: string | null
  readonly modelId: string | null
  readonly modelName: string | null
  readonly modelProvider: string | null
  readonly sourceIp: string | null
  readonly credentialType: string | null
  readonly audience: string | null
  readonly invokedBy: string | null
  readonly issuedUntilNs: bigint | null
}

/** For a select from `events e left join conclusions c`. */
export const STORED_COLUMNS = `e.event_id as id, e.time_ns as "timeNs", e.source, e.kind, e.action, e.outcome, e.error_code as "errorCode", e.error_message as "errorMessage",
  coalesce(c.tenant_id, e.tenant_id) as "tenantId", c.subject_oid as "subjectOid", c.agent_oid as "agentOid", coalesce(c.confidence, 'none') as confidence,
  coalesce(c.basis, '{}') as basis, coalesce(c.candidates, '{}') as candidates, c.session_id as "sessionId", c.parent_id as "parentId", e.proof, e.proof_oid as "proofOid",
  e.proof_app_id as "proofAppId", e.proof_kind as "proofKind", e.proof_subject as "proofSubject", e.proof_entra as "proofEntra", e.pool, coalesce(e.targets, '{}') as targets, e.uses,
  coalesce(e.asserted, '{}') as asserted, e.account, e.region, e.principal, e.resource, e.model_id as "modelId", e.model_name as "modelName", e.model_provider as "modelProvider",
  e.source_ip as "sourceIp", e.credential_type as "credentialType", e.audience, e.invoked_by as "invokedBy", e.issued_until_ns as "issuedUntilNs"`

export type StoredRow = Omit<StoredEvent, 'pool'> & { readonly pool: string | null }

/** The row as rules read it. */
export const storedEvent = (row: StoredRow): StoredEvent => ({ ...row, pool: poolOf(row.pool) })

/** `project/pool[/provider]` as the store has it. */
export function poolOf(text: string | null): GcpPool | null {
  const [project, pool, provider] = text?.split('/') ?? []
  return project && pool ? { project, pool, provider: provider || null } : null
}
