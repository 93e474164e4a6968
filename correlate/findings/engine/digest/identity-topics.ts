/** Sums of what identities were given: sign-ins, and tokens that were exchanged. */
import type { Outcome, PrincipalKind, Source } from '#core/event.ts'
import type { AppId, Oid, TenantId } from '#core/keys.ts'
import { NO_MATCHING_CREDENTIAL, OWN_FAULTS, SECRET_ERRORS } from './codes.ts'
import type { Topic } from './topic.ts'

const quoted = (texts: Iterable<string>): string => [...texts].map((text) => `'${text}'`).join(', ')

export interface ExchangeProfile {
  readonly source: Source
  readonly outcome: Outcome
  readonly tenantId: TenantId | null
  readonly subjectOid: Oid | null
  readonly agentOid: Oid | null
  readonly candidates: readonly Oid[]
  readonly basis: readonly string[]
  readonly proofOid: Oid | null
  readonly proofSubject: string | null
  readonly proofEntra: boolean | null
  /** `project/pool[/provider]`. */
  readonly pool: string | null
  readonly audience: string | null
  readonly resource: string | null
  readonly account: string | null
  /** Nothing that was issued leads to it. */
  readonly orphan: boolean
  /** Named by Microsoft Sentinel. */
  readonly sentinel: boolean
  /** Of an agent's own exchange on Google Cloud: resources of the tokens that it was issued in a token's life before; '' for a token without one. Null for none. */
  readonly held: readonly string[] | null
}

/** Every token exchange, also refused ones and those of other issuers. */
export const EXCHANGES: Topic<ExchangeProfile> = {
  name: 'exchange',
  where: `kind = 'token.exchanged'`,
  profile: {
    source: 'source',
    outcome: 'outcome',
    tenantId: 'tenant',
    subjectOid: 'subject',
    agentOid: 'agent',
    candidates: 'candidates',
    basis: 'basis',
    proofOid: 'proof_oid',
    proofSubject: 'proof_subject',
    proofEntra: 'proof_entra',
    pool: 'pool',
    audience: 'audience',
    resource: 'resource',
    account: 'account',
    orphan: 'parent is null',
    sentinel: String.raw`coalesce((select bool_or(name like 'MicrosoftSentinel\_%') from unnest(asserted) name), false)`,
    held: 'held',
  },
  lists: 'all',
}

export interface RefusalProfile {
  readonly tenantId: TenantId | null
  readonly subjectOid: Oid | null
  readonly proofOid: Oid | null
  readonly proofAppId: AppId | null
  readonly proofKind: PrincipalKind | null
  readonly errorCode: string
}

/** Sign-ins that Entra refused for a reason that a rule asks for. */
export const REFUSED_SIGN_INS: Topic<RefusalProfile> = {
  name: 'refused-sign-in',
  where: `kind = 'token.issued' and outcome = 'failure' and error_code in (${quoted([...OWN_FAULTS, ...SECRET_ERRORS, ...NO_MATCHING_CREDENTIAL])})`,
  profile: {
    tenantId: 'tenant',
    subjectOid: 'subject',
    proofOid: 'proof_oid',
    proofAppId: 'proof_app_id',
    proofKind: 'proof_kind',
    errorCode: 'error_code',
  },
  lists: 'all',
}

export interface SignInLogProfile {
  readonly tenantId: string
  readonly log: string
}

/** From when to when each sign-in log reaches. */
export const SIGN_IN_LOGS: Topic<SignInLogProfile> = {
  name: 'sign-in-log',
  where: `kind = 'token.issued' and record_tenant is not null`,
  profile: { tenantId: 'record_tenant', log: 'action' },
  lists: 'none',
}

export interface NameProfile {
  readonly tenantId: string | null
  readonly oid: Oid
}

/** Principals that Entra's records name. */
export const ENTRA_NAMES: Topic<NameProfile> = {
  name: 'entra-name',
  where: `source = 'entra' and proof_oid is not null`,
  profile: { tenantId: 'record_tenant', oid: 'proof_oid' },
  lists: 'none',
}

export interface SecretProfile {
  readonly tenantId: TenantId | null
  readonly proofOid: Oid
  readonly proofAppId: AppId | null
  readonly proofKind: PrincipalKind | null
}

/** Sign-ins with a client secret. */
export const SECRET_SIGN_INS: Topic<SecretProfile> = {
  name: 'secret-sign-in',
  where: `kind = 'token.issued' and outcome = 'success' and credential_type = 'clientsecret' and proof_oid is not null`,
  profile: { tenantId: 'tenant', proofOid: 'proof_oid', proofAppId: 'proof_app_id', proofKind: 'proof_kind' },
  lists: 'all',
}
