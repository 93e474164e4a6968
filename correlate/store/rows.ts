/** How events, conclusions and link facts stand in the tables (`migrations/schema.ts`). */
import type { Kind, Outcome, Proof, Source, TrailEvent } from '#core/event.ts'
import type { AppId, CredentialId, EventId, Oid, TenantId } from '#core/keys.ts'
import type { CopyValue } from '#database/copy.ts'
import type { LinkFacts } from '../attribute.ts'

export const EVENT_COLUMNS = [
  'time_ns',
  'event_id',
  'delivered_ns',
  'ingested_at',
  'native_id',
  'source',
  'kind',
  'action',
  'outcome',
  'error_code',
  'error_message',
  'tenant_id',
  'proof',
  'proof_oid',
  'proof_app_id',
  'proof_kind',
  'proof_subject',
  'proof_entra',
  'pool',
  'on_behalf_of',
  'targets',
  'uses',
  'issues',
  'request_key',
  'near_key',
  'token_id',
  'asserted',
  'account',
  'region',
  'principal',
  'resource',
  'model_id',
  'model_name',
  'model_provider',
  'input_tokens',
  'output_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'source_ip',
  'user_agent',
  'request_id',
  'shape_id',
  'ran_region',
  'credential_type',
  'audience',
  'invoked_by',
  'issued_until_ns',
  'secondary',
] as const

const orNull = <T>(list: readonly T[]): readonly T[] | null => (list.length > 0 ? list : null)

/** The values of `EVENT_COLUMNS` for one event. */
export function eventRow(event: TrailEvent, ingestedAt: Date, shapeId: number | null): readonly CopyValue[] {
  const { proof, cloud, model, usage, error } = event
  const oid = proof.by === 'principal' || proof.by === 'federation' ? proof.oid : null
  const appId = proof.by === 'principal' || proof.by === 'application' ? proof.appId : null
  const federation = proof.by === 'federation' ? proof : null
  const pool = federation?.pool
  return [
    event.timeNs,
    event.id,
    event.deliveredNs,
    ingestedAt,
    event.nativeId,
    event.source,
    event.kind,
    event.action,
    event.outcome,
    error?.code ?? null,
    error?.message ?? null,
    event.tenantId,
    proof.by,
    oid,
    appId,
    proof.by === 'principal' ? proof.kind : null,
    federation?.subject ?? null,
    federation?.entra ?? null,
    pool ? [pool.project, pool.pool, pool.provider ?? ''].join('/') : null,
    event.onBehalfOf,
    orNull(event.targets),
    event.uses,
    event.issues,
    event.requestKey,
    event.nearKey,
    event.tokenId,
    orNull(event.asserted),
    cloud.account,
    cloud.region,
    cloud.principal,
    event.resource,
    model?.id ?? null,
    model?.name ?? null,
    model?.provider ?? null,
    usage?.inputTokens ?? null,
    usage?.outputTokens ?? null,
    usage?.cacheReadTokens ?? null,
    usage?.cacheWriteTokens ?? null,
    event.sourceIp,
    event.userAgent,
    event.requestId,
    shapeId,
    event.ranRegion ?? null,
    event.means?.credential ?? null,
    event.means?.audience ?? null,
    event.means?.invokedBy ?? null,
    event.issuedUntilNs ?? null,
    event.secondary ?? null,
  ]
}

/** The columns that `linkFacts` reads, for a select from `events e`. */
export const LINK_COLUMNS = `e.time_ns, e.event_id, e.source, e.kind, e.outcome, e.tenant_id, e.proof, e.proof_oid, e.proof_app_id, e.proof_kind, e.proof_subject, e.proof_entra,
  e.pool, e.on_behalf_of, e.targets, e.uses, e.issues, e.request_key, e.near_key, e.asserted, e.token_id, e.resource, e.principal, e.secondary`

export interface LinkRow {
  readonly time_ns: bigint
  readonly event_id: EventId
  readonly source: Source
  readonly kind: Kind
  readonly outcome: Outcome
  readonly tenant_id: TenantId | null
  readonly proof: Proof['by']
  readonly proof_oid: Oid | null
  readonly proof_app_id: AppId | null
  readonly proof_kind: (Proof & { by: 'principal' })['kind']
  readonly proof_subject: string | null
  readonly proof_entra: boolean | null
  readonly pool: string | null
  readonly on_behalf_of: Oid | null
  readonly targets: readonly Oid[] | null
  readonly uses: CredentialId | null
  readonly issues: CredentialId | null
  readonly request_key: string | null
  readonly near_key: string | null
  readonly asserted: readonly string[] | null
  readonly token_id: string | null
  readonly resource: string | null
  readonly principal: string | null
  readonly secondary: boolean | null
}

/** The stored row as the attribution reads it. */
export function linkFacts(row: LinkRow): LinkFacts {
  return {
    id: row.event_id,
    timeNs: row.time_ns,
    source: row.source,
    kind: row.kind,
    outcome: row.outcome,
    tenantId: row.tenant_id,
    proof: proofOf(row),
    onBehalfOf: row.on_behalf_of,
    targets: row.targets ?? [],
    uses: row.uses,
    issues: row.issues,
    requestKey: row.request_key,
    nearKey: row.near_key,
    asserted: row.asserted ?? [],
    tokenId: row.token_id,
    resource: row.resource,
    principal: row.principal,
    secondary: row.secondary === true,
  }
}

function proofOf(row: LinkRow): Proof {
  switch (row.proof) {
    case 'principal':
      return { by: 'principal', oid: row.proof_oid!, appId: row.proof_app_id, kind: row.proof_kind }
    case 'application':
      return { by: 'application', appId: row.proof_app_id! }
    case 'federation': {
      const [project, pool, provider] = row.pool?.split('/') ?? []
      return {
        by: 'federation',
        subject: row.proof_subject!,
        oid: row.proof_oid,
        entra: row.proof_entra,
        pool: project && pool ? { project, pool, provider: provider || null } : null,
      }
    }
    default:
      return { by: row.proof }
  }
}
