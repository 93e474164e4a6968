import type { GcpPool, Proof } from '#core/event.ts'
import { at, str } from '../read.ts'
import type { AuditCall } from './entry.ts'
import { isMint, isTokenService } from './method.ts'
import { isForeign, parsePool, parsePrincipal, subjectOid } from './principal.ts'
import type { FederatedPrincipal } from './principal.ts'

const NOTHING: Proof = { by: 'nothing' }

/** What a call proves about who acted. A function of the record alone: which tenant issued the token is the pool's to say. */
export function proofOf(call: AuditCall): Proof {
  if (isTokenService(call)) return exchangeProof(call)
  // A downloaded key is a static secret: whoever holds it acts, and no federation stands behind it.
  if (call.byKey) return NOTHING
  const federated = federatedPrincipals(call)
  if (federated.length === 1) return federation(federated[0]!.subject, federated[0]!.pool)
  if (federated.length === 0 && isMint(call) && mayBeFederatedMint(call)) return { by: 'proximity' }
  return NOTHING
}

/**
 * The mapped principal is what every later record carries; the raw `sub` beside it may be another GUID (Google's Azure
 * example shows two). A rejected exchange has only the raw one.
 */
function exchangeProof(call: AuditCall): Proof {
  const pool = parsePool(call.resourceName) ?? parsePool(str(at(call.request, 'audience')))
  const uri = str(at(call.metadata, 'mapped_principal')) ?? str(at(call.metadata, 'mappedPrincipal'))
  const mapped = parsePrincipal(uri) ?? parsePrincipal(call.subject)
  if (mapped) return federation(mapped.subject, mapped.pool && { ...mapped.pool, provider: pool?.provider ?? null })
  return call.subject === null ? NOTHING : federation(call.subject, pool)
}

function federation(subject: string, pool: GcpPool | null): Proof {
  return { by: 'federation', subject, oid: subjectOid(subject), pool, entra: isForeign(subject) ? false : null }
}

/** Distinct federated principals that the caller or its delegation chain names. Two of them leave open who acted. */
function federatedPrincipals(call: AuditCall): FederatedPrincipal[] {
  const uris = new Set([call.subject, ...call.delegates])
  return [...uris].map(parsePrincipal).filter((principal) => principal !== null)
}

/**
 * Since 2026 Google logs a federated mint without its subject: the caller stands there as the target service account itself, or
 * not at all. A caller named otherwise (a person, another service account) is that caller. A denied mint without caller is
 * redacted: no exchange may be read into it.
 */
function mayBeFederatedMint(call: AuditCall): boolean {
  if (call.email !== null) return targetAccounts(call).has(call.email.toLowerCase())
  return call.subject === null && call.failure === null
}

/** E-mail addresses of the service account that a mint is for, lower case. */
function targetAccounts(call: AuditCall): Set<string> {
  const names = [str(at(call.request, 'name')), call.resourceName].map((name) => /\/serviceAccounts\/([^/]+@[^/]+)$/.exec(name ?? '')?.[1] ?? null)
  const label = str(at(call.resourceLabels, 'email_id'))
  return new Set([...names, label].filter((email) => email !== null).map((email) => email.toLowerCase()))
}

/**
 * Caller address and user agent, by which a mint without subject finds its exchange; null where the record needs or offers none.
 * Google's front ends append `,gzip(gfe)` once a hop to the mint's user agent (it may be all there is), not to the exchange's.
 */
export function nearKeyOf(call: AuditCall, kind: string, proof: Proof): string | null {
  const wanted = (kind === 'token.exchanged' && call.failure === null) || proof.by === 'proximity'
  if (!wanted || call.callerIp === null) return null
  return `gcp:${call.callerIp.toLowerCase()}:${(call.userAgent ?? '').replace(/(,?[\w.-]+\(gfe\))+$/, '')}`
}

/** The address of the service account that a mint is for, lower case; null when the record has none or names several. */
export function mintedAccount(call: AuditCall): string | null {
  const accounts = targetAccounts(call)
  return accounts.size === 1 ? [...accounts][0]! : null
}
