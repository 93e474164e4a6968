/** What an event goes back to: the event that issued what it used (SPEC §1, "Parents"). Pure. */
import type { Attribution, Link } from '#core/event.ts'
import { NO_TENANT, type CredentialId, type EventId, type Oid, type TenantId } from '#core/keys.ts'
import { HOUR, MINUTE } from '#core/time.ts'
import { type LinkFacts, provingIssuers } from '../attribute.ts'
import { signInAncestors } from '../candidates.ts'
import type { Directory } from '../directory/directory.ts'
import type { Landmark, Landmarks, Window } from './landmarks.ts'
import { GCP_ANCHOR_NS } from './sessions.ts'

export interface Parent {
  readonly id: EventId
  readonly link: Link
}

/** Managed-identity tokens are cached for 24 h by the platform; other Entra tokens were seen to live up to 8 h 05 m (facts/entra.md g). */
export const MANAGED_IDENTITY_TOKEN_NS = 25n * HOUR
export const TOKEN_NS = 9n * HOUR
/** The Blueprint's exchange token: two decoded ones lived 65 min. */
export const EXCHANGE_TOKEN_NS = 65n * MINUTE

/** What parents are found with. */
export interface Ancestry {
  readonly directory: Directory
  readonly issuersOf: (credential: CredentialId) => readonly LinkFacts[]
  readonly invocationsOf: (requestKey: string) => readonly LinkFacts[]
  /** Successful issuances with this token id in this tenant. */
  readonly issuancesOf: (tenantId: TenantId, tokenId: string) => readonly LinkFacts[]
  readonly landmarks: Landmarks
}

const subjectKey = (tenantId: string | null, oid: string): string => `${tenantId ?? NO_TENANT}/${oid}`

/** Sign-ins that rest on another one; a managed identity's is where the story begins. */
function isDerivedSignIn({ kind, proof }: LinkFacts): boolean {
  return kind === 'token.issued' && !(proof.by === 'principal' && proof.kind === 'managed-identity')
}

/** The windows in which landmarks must be known to find the event's parent and session. */
export function windowsOf(event: LinkFacts, conclusion: Attribution, directory: Directory): readonly Window[] {
  const { tenantId, subjectOid } = conclusion
  if (!subjectOid) return []
  const back = (oid: string, by: bigint, tenant: string | null = tenantId): Window => ({
    tenantId: tenant ?? NO_TENANT,
    oid,
    from: event.timeNs - by,
    to: event.timeNs,
  })
  if (event.kind === 'token.exchanged') return [back(subjectOid, MANAGED_IDENTITY_TOKEN_NS)]
  if (event.kind === 'api.called') return [back(subjectOid, TOKEN_NS)]
  if (event.source === 'gcp') return [back(subjectOid, GCP_ANCHOR_NS)]
  if (!isDerivedSignIn(event) || !tenantId) return []
  const { blueprints, managedIdentities } = signInAncestors(directory, { tenantId, oid: subjectOid }, event.timeNs)
  return [
    ...blueprints.map((one) => back(one.oid, EXCHANGE_TOKEN_NS, one.tenantId)),
    ...managedIdentities.map((one) => back(one.oid, MANAGED_IDENTITY_TOKEN_NS, one.tenantId)),
  ]
}

/** The latest successful exchange of the subject that a GCP mint or call can belong to. */
export function anchorOf(event: LinkFacts, conclusion: Attribution, landmarks: Landmarks): Landmark | null {
  if (!conclusion.subjectOid) return null
  return landmarks.latest(
    [subjectKey(conclusion.tenantId, conclusion.subjectOid)],
    event,
    (one) => one.source === 'gcp' && one.kind === 'token.exchanged' && event.timeNs - one.timeNs <= GCP_ANCHOR_NS,
  )
}

/** The event's parent, or null. */
export function parentOf(event: LinkFacts, conclusion: Attribution, known: Ancestry): Parent | null {
  if (event.uses) return exact(firstIssuer(known.issuersOf(event.uses), event))
  if (event.proof.by === 'issued' && event.issues) {
    const [caller] = provingIssuers(known.issuersOf(event.issues))
    return caller?.uses ? exact(firstIssuer(known.issuersOf(caller.uses), event)) : null
  }
  if (event.kind === 'llm.metered') {
    const invocations = event.requestKey ? known.invocationsOf(event.requestKey) : []
    return exact(invocations.find((invocation) => !invocation.secondary) ?? invocations[0])
  }
  if (event.kind === 'api.called' && event.tokenId && conclusion.tenantId) {
    const issuance = known.issuancesOf(conclusion.tenantId, event.tokenId)[0]
    if (issuance) return exact(issuance)
  }
  return byClock(event, conclusion, known)
}

/** A proving issuer goes before the copy of another account; the event itself never counts. */
function firstIssuer(issuers: readonly LinkFacts[], event: LinkFacts): LinkFacts | undefined {
  const others = issuers.filter((issuer) => issuer.id !== event.id && issuer.outcome === 'success')
  return provingIssuers(others)[0] ?? others[0]
}

function byClock(event: LinkFacts, conclusion: Attribution, { directory, landmarks }: Ancestry): Parent | null {
  const { tenantId, subjectOid } = conclusion
  if (!subjectOid) return null
  const own = [subjectKey(tenantId, subjectOid)]
  const within = (one: Landmark, life: bigint): boolean => event.timeNs - one.timeNs <= life
  if (event.kind === 'token.exchanged') {
    return time(
      landmarks.latest(
        own,
        event,
        (one) => one.kind === 'token.issued' && within(one, one.principalKind === 'managed-identity' ? MANAGED_IDENTITY_TOKEN_NS : TOKEN_NS),
      ),
    )
  }
  if (event.kind === 'api.called') {
    return time(
      landmarks.latest(own, event, (one) => one.kind === 'token.issued' && one.resource !== null && one.resource === event.resource && within(one, TOKEN_NS)),
    )
  }
  if (event.source === 'gcp') {
    // Whoever acts as a service account uses a token minted for it; direct federated access uses the exchanged token itself.
    const account = event.kind !== 'credential.minted' && event.principal?.includes('@') ? event.principal.toLowerCase() : null
    const mint = account
      ? landmarks.latest(own, event, (one) => one.source === 'gcp' && one.kind === 'credential.minted' && isFor(one, account) && within(one, GCP_ANCHOR_NS))
      : null
    return time(mint ?? anchorOf(event, conclusion, landmarks))
  }
  if (!isDerivedSignIn(event) || !tenantId) return null
  const { blueprints, managedIdentities } = signInAncestors(directory, { tenantId, oid: subjectOid }, event.timeNs)
  const keys = (list: readonly { tenantId: TenantId; oid: Oid }[]): string[] => list.map((one) => subjectKey(one.tenantId, one.oid))
  const issued = (one: Landmark, life: bigint): boolean => one.kind === 'token.issued' && within(one, life)
  if (blueprints.length > 0) return time(landmarks.latest(keys(blueprints), event, (one) => issued(one, EXCHANGE_TOKEN_NS)))
  return time(landmarks.latest(keys(managedIdentities), event, (one) => one.principalKind === 'managed-identity' && issued(one, MANAGED_IDENTITY_TOKEN_NS)))
}

/** A mint whose record names its service account by number only may be for any. */
function isFor(mint: Landmark, account: string): boolean {
  return mint.resource === account || !mint.resource?.includes('@')
}

const exact = (event: { readonly id: EventId } | undefined): Parent | null => (event ? { id: event.id, link: 'exact' } : null)
const time = (landmark: Landmark | null): Parent | null => (landmark ? { id: landmark.id, link: 'time' } : null)
