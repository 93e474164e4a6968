/** Which session an event belongs to (SPEC §1, "Sessions"). Pure. */
import type { CredentialId, EventId } from '#core/keys.ts'
import { eventId } from '#core/record.ts'
import { MINUTE } from '#core/time.ts'
import { type LinkFacts, provingIssuers } from '../attribute.ts'

export interface Session {
  readonly id: EventId
  readonly cloud: 'aws' | 'gcp'
  readonly key: string
  /** Id of the event that it starts from, where that was seen. */
  readonly rootEvent: EventId | null
  readonly resolved: boolean
}

/** A federated token or a minted one lives an hour; five minutes are for clocks and delivery. */
export const GCP_ANCHOR_NS = 65n * MINUTE
/** Events of an unanchored session are at most this far apart; also what ends a trace. */
export const QUIET_NS = 30n * MINUTE

type Issuers = (credential: CredentialId) => readonly LinkFacts[]

/** The credentials that a credential was issued with; null stands for an issuer that used none. */
function issuedWith(credential: CredentialId, issuersOf: Issuers): readonly (CredentialId | null)[] {
  return provingIssuers(issuersOf(credential)).map((issuer) => issuer.uses)
}

/** Broken sources reuse keys: a credential that was issued with itself, however far round, has no root but itself. */
function isInCircle(credential: CredentialId, issuersOf: Issuers): boolean {
  const seen = new Set<CredentialId>()
  for (let next = [credential]; next.length > 0;) {
    next = next.flatMap((one) => issuedWith(one, issuersOf).filter((used) => used !== null)).filter((used) => !seen.has(used))
    if (next.includes(credential)) return true
    for (const used of next) seen.add(used)
  }
  return false
}

/** The credential that a credential goes back to. Where that cannot be told (never seen issued, contradictory, circular), it is its own root. */
function rootCredential(credential: CredentialId, issuersOf: Issuers): CredentialId {
  if (isInCircle(credential, issuersOf)) return credential
  const roots = new Set(issuedWith(credential, issuersOf).map((used) => (used === null ? credential : rootCredential(used, issuersOf))))
  return roots.size === 1 ? [...roots][0]! : credential
}

/** Tells the session of an AWS event: everything that uses a credential or issues one, usage logs excepted. Null for all others. Each credential's root is looked for once. */
export function awsSessions(issuersOf: Issuers): (event: LinkFacts) => Session | null {
  const known = new Map<CredentialId, Session>()
  return (event) => {
    const credential = event.uses ?? (event.outcome === 'success' ? event.issues : null)
    if (event.source !== 'aws' || event.kind === 'llm.metered' || credential === null) return null
    let session = known.get(credential)
    if (!session) known.set(credential, (session = awsSession(rootCredential(credential, issuersOf), issuersOf)))
    return session
  }
}

function awsSession(key: CredentialId, issuersOf: Issuers): Session {
  const [root] = provingIssuers(issuersOf(key))
  return { id: eventId('session', 'aws', key), cloud: 'aws', key, rootEvent: root?.id ?? null, resolved: root !== undefined }
}

/** The session that a successful exchange starts. */
export function gcpSession(exchange: { readonly id: EventId }): Session {
  return { id: eventId('session', 'gcp', exchange.id), cloud: 'gcp', key: exchange.id, rootEvent: exchange.id, resolved: true }
}

/** The session of mints and calls without an exchange, named after its first event. */
export function unanchoredSession(first: { readonly id: EventId }): Session {
  return { id: eventId('session', 'gcp-unanchored', first.id), cloud: 'gcp', key: first.id, rootEvent: null, resolved: false }
}

/** True for events that belong to a GCP session if their subject is known: mints and calls, also refused ones, but not refused exchanges. */
export function inGcpSession(event: Pick<LinkFacts, 'source' | 'kind' | 'outcome'>): boolean {
  return event.source === 'gcp' && (event.kind !== 'token.exchanged' || event.outcome === 'success')
}
