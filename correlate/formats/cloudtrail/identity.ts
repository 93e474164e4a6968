import type { Kind, Proof } from '#core/event.ts'
import { awsCredential, oid, type CredentialId, type TenantId } from '#core/keys.ts'
import type { JsonObject } from '#core/record.ts'
import { arr, at, distinct, isObj, obj, str, type Value } from '../read.ts'
import { entraIssuerIn } from '#core/entra-issuer.ts'

/** What a record says about its caller. */
export interface Caller {
  readonly proof: Proof
  readonly tenantId: TenantId | null
  readonly uses: CredentialId | null
  readonly issues: CredentialId | null
  readonly principal: string | null
  readonly asserted: readonly string[]
}

/** A record names at most a handful of claims; a tag bomb must not bloat the event. */
const MOST_ASSERTED = 8

/** The caller of one record. `succeeded` is false when the record carries an error: then it issued nothing. */
export function callerOf(record: JsonObject, kind: Kind, succeeded: boolean): Caller {
  const identity = obj(record['userIdentity'])
  const exchange = kind === 'token.exchanged'
  // An exchange is an unauthenticated call: the subject is in the token, and no key was used.
  const uses = exchange ? null : awsCredential(identity['accessKeyId'])
  const issuing = succeeded && (exchange || kind === 'credential.minted')
  const issues = issuing ? awsCredential(at(record, 'responseElements.credentials.accessKeyId')) : null
  const federation = exchange ? federationOf(record, identity) : null
  return {
    proof: federation?.proof ?? proofByKey(uses, issues, str(record['eventName'])),
    tenantId: federation ? federation.tenantId : sessionTenant(identity),
    uses,
    issues,
    principal: str(identity['arn']) ?? str(identity['principalId']) ?? str(identity['invokedBy']),
    asserted: assertedBy(record, identity),
  }
}

/**
 * The target account's copy of a cross-account AssumeRole and a service's own AssumeRole carry no caller key: the issued key, which the
 * caller's copy holds too, is all there is. A SAML user is never proven by another record, so WithSAML stays out.
 */
function proofByKey(uses: CredentialId | null, issues: CredentialId | null, eventName: string | null): Proof {
  if (uses !== null) return { by: 'credential' }
  return issues !== null && (eventName === 'AssumeRole' || eventName === 'AssumeRoot') ? { by: 'issued' } : { by: 'nothing' }
}

/** The subject that STS saw, on success and on AccessDenied alike. The principalId is never split: audiences and subjects hold colons. */
function federationOf(record: JsonObject, identity: JsonObject): { readonly proof: Proof; readonly tenantId: TenantId | null } {
  const provider = str(identity['identityProvider']) ?? str(at(record, 'responseElements.provider')) ?? str(identity['principalId'])
  const issuer = provider === null ? null : entraIssuerIn(provider)
  const subject = str(identity['userName']) ?? str(at(record, 'responseElements.subjectFromWebIdentityToken'))
  if (subject === null) return { proof: { by: 'nothing' }, tenantId: issuer?.tenantId ?? null }
  const entra = issuer?.entra ?? null
  // Another issuer's GUID is no Entra object id, whatever it looks like.
  return { proof: { by: 'federation', subject, oid: entra === false ? null : oid(subject), pool: null, entra }, tenantId: issuer?.tenantId ?? null }
}

/** First-hop sessions of a web identity name their provider on every call, so the tenant is on the record even when the exchange was missed. */
function sessionTenant(identity: JsonObject): TenantId | null {
  const provider = str(at(identity, 'sessionContext.webIdFederationData.federatedProvider'))
  return provider === null ? null : entraIssuerIn(provider).tenantId
}

/** Names that the caller chose: session name, source identity, session tags. Claims, never proof. */
function assertedBy(record: JsonObject, identity: JsonObject): string[] {
  const request = obj(record['requestParameters'])
  const sts = str(record['eventSource'])?.startsWith('sts.') === true
  return distinct([
    ...(sts ? [str(request['roleSessionName']), str(request['sourceIdentity']), ...tagValues(request['principalTags']), ...tagValues(request['tags'])] : []),
    ...(sts ? tagValues(request['incomingTransitiveTags']) : []),
    sessionName(identity),
    str(at(identity, 'sessionContext.sourceIdentity')),
  ]).slice(0, MOST_ASSERTED)
}

/** Tags come as `{key: value}`, `{key: [value]}` or `[{key, value}]`. */
function tagValues(tags: Value): (string | null)[] {
  if (isObj(tags)) return Object.values(tags).flatMap((value) => (Array.isArray(value) ? arr(value).map(str) : [str(value)]))
  return arr(tags).map((tag) => str(at(tag, 'value')))
}

/** The session name is the part of an assumed role's principalId after the role id (`AROA…:<name>`), or the end of its ARN. */
function sessionName(identity: JsonObject): string | null {
  const principal = str(identity['principalId'])
  const assumed = str(identity['type']) === 'AssumedRole'
  const colon = principal?.indexOf(':') ?? -1
  if (principal !== null && colon > 0 && (assumed || principal.startsWith('AROA'))) return str(principal.slice(colon + 1))
  return assumed ? str(/:assumed-role\/.*\/([^/]+)$/.exec(str(identity['arn']) ?? '')?.[1]) : null
}
