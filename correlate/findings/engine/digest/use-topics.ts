/** Sums of what was done with identities and keys, and from where. */
import type { Outcome, Source } from '#core/event.ts'
import type { AppId, Oid, TenantId } from '#core/keys.ts'
import { WATCHED_ACTION } from '#migrations/schema.ts'
import type { Topic } from './topic.ts'

export interface ApiProfile {
  readonly tenantId: string | null
  readonly audience: string
}

/** Audiences of the operator's own APIs. */
export const APIS: Topic<ApiProfile> = {
  name: 'api',
  where: `source = 'app' and resource is not null`,
  profile: { tenantId: 'record_tenant', audience: 'resource' },
  lists: 'none',
}

export interface ApiCallerProfile {
  readonly tenantId: string | null
  readonly proofAppId: AppId | null
  /** Where the API named the principal itself. */
  readonly principal: Oid | null
}

/** Who calls the operator's own APIs. */
export const API_CALLERS: Topic<ApiCallerProfile> = {
  name: 'api-caller',
  where: `source = 'app' and kind = 'api.called'`,
  profile: { tenantId: 'tenant', proofAppId: 'proof_app_id', principal: `case when proof = 'principal' then proof_oid end` },
  lists: 'all',
}

export interface AddressProfile {
  readonly tenantId: TenantId | null
  readonly subjectOid: Oid | null
  readonly agentOid: Oid | null
  readonly candidates: readonly Oid[]
  readonly ip: string
}

const WHO = { tenantId: 'concluded_tenant', subjectOid: 'subject', agentOid: 'agent', candidates: 'candidates' } as const

export interface UseProfile extends AddressProfile {
  readonly source: Source
  /** The concluded tenant, else the record's own. */
  readonly eventTenantId: TenantId | null
}

/**
 * From where cloud sessions with a proven subject are used. What an AWS service did on the caller's behalf with the caller's key comes from the service; the copy of a VPC
 * endpoint's owner shows an address inside the network, which the call's own record and the caller's other records never show.
 */
export const USES: Topic<UseProfile> = {
  name: 'use',
  where: `session is not null and subject is not null and ip is not null and invoked_by is null and kind <> 'token.exchanged' and (secondary is null or source <> 'aws')`,
  profile: { ...WHO, ip: 'ip', source: 'source', eventTenantId: 'tenant' },
  lists: 'all',
}

/** From where identities signed in, exchanged tokens and called APIs. */
export const HOMES: Topic<AddressProfile> = {
  name: 'home',
  where: `kind in ('token.issued', 'token.exchanged', 'api.called') and outcome = 'success' and ip is not null and (subject is not null or agent is not null or candidates <> '{}')`,
  profile: { ...WHO, ip: 'ip' },
  lists: 'none',
}

export interface ClaimProfile {
  readonly tenantId: TenantId | null
  readonly subjectOid: Oid
  readonly agentOid: Oid | null
  readonly candidates: readonly Oid[]
  readonly source: Source
  readonly asserted: readonly string[]
}

/** Names that the caller chose and that hold another GUID than those that are proven. */
export const CLAIMS: Topic<ClaimProfile> = {
  name: 'claim',
  where: `asserted is not null and subject is not null and exists (
    select from regexp_matches(array_to_string(asserted, ' '), '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', 'gi') found(guid)
    where lower(found.guid[1]) <> all (candidates::text[] || subject::text || coalesce(agent, subject)::text))`,
  profile: { ...WHO, source: 'source', asserted: 'asserted' },
  lists: 'first',
}

export interface SharedProfile {
  readonly tenantId: TenantId
  readonly subjectOid: Oid
  readonly source: Source
  readonly candidates: readonly Oid[]
}

/** Cloud events that prove an identity which several agents could use. */
export const SHARED: Topic<SharedProfile> = {
  name: 'shared',
  where: `confidence = 'ambiguous' and 'federated-credential' = any(basis) and source in ('aws', 'gcp') and subject is not null and concluded_tenant is not null`,
  profile: { tenantId: 'concluded_tenant', subjectOid: 'subject', source: 'source', candidates: 'candidates' },
  lists: 'first',
}

export interface ProbeProfile {
  readonly source: Source
  readonly kind: string
  readonly outcome: Outcome
  readonly action: string
  readonly errorCode: string | null
  readonly uses: string | null
  readonly subjectOid: Oid | null
  readonly account: string | null
  readonly principal: string | null
  /** Of Google's calls, which show no key. */
  readonly sessionId: string | null
  readonly modelName: string | null
  readonly modelId: string | null
  readonly resource: string | null
  readonly modelProvider: string | null
  readonly region: string | null
}

/** Refused model calls, and calls that look for models. */
export const PROBES: Topic<ProbeProfile> = {
  name: 'probe',
  where: `kind = 'llm.invoked' and outcome = 'failure' or kind in ('other', 'trust.changed') and ${WATCHED_ACTION}`,
  profile: {
    source: 'source',
    kind: 'kind',
    outcome: 'outcome',
    action: 'action',
    errorCode: 'error_code',
    uses: 'uses',
    subjectOid: 'subject',
    account: 'account',
    principal: 'principal',
    sessionId: `case when source = 'gcp' then session end`,
    modelName: 'model_name',
    modelId: 'model_id',
    resource: 'resource',
    modelProvider: 'model_provider',
    region: 'region',
  },
  lists: 'all',
}

export interface StaticProfile {
  readonly account: string | null
  readonly principal: string | null
  readonly credentialType: string
  readonly tenantId: TenantId | null
  readonly subjectOid: Oid | null
  readonly agentOid: Oid | null
  readonly model: string | null
}

/** Model calls on AWS with a long-lived key. */
export const STATIC_CALLS: Topic<StaticProfile> = {
  name: 'static-call',
  where: `kind = 'llm.invoked' and source = 'aws' and credential_type in ('iam-user', 'root', 'bedrock-api-key')`,
  profile: {
    account: 'account',
    principal: 'principal',
    credentialType: 'credential_type',
    tenantId: 'tenant',
    subjectOid: 'subject',
    agentOid: 'agent',
    model: 'coalesce(model_name, model_id)',
  },
  lists: 'first',
}

export interface KeyUseProfile {
  readonly principal: string | null
  readonly tenantId: TenantId | null
  readonly isModelCall: boolean
}

/** Uses of a downloaded service-account key. */
export const KEY_USES: Topic<KeyUseProfile> = {
  name: 'key-use',
  where: `credential_type = 'service-account-key' and source = 'gcp' and proof = 'nothing'`,
  profile: { principal: 'principal', tenantId: 'tenant', isModelCall: `kind = 'llm.invoked'` },
  lists: 'first',
}

export interface FederatedUseProfile {
  /** Lower case. */
  readonly account: string
  readonly tenantId: TenantId | null
  readonly subjectOid: Oid | null
  /** A call as the account; otherwise a token that was minted for it. */
  readonly called: boolean
}

/** Whom a service account of Google is lent to. */
export const FEDERATED_USES: Topic<FederatedUseProfile> = {
  name: 'federated-use',
  where: `source = 'gcp' and (kind = 'credential.minted' and outcome = 'success' and resource is not null and subject is not null
    or kind = 'llm.invoked' and proof = 'federation' and principal is not null)`,
  profile: {
    account: `lower(case when kind = 'llm.invoked' then principal else resource end)`,
    tenantId: 'concluded_tenant',
    subjectOid: 'subject',
    called: `kind = 'llm.invoked'`,
  },
  lists: 'none',
}
