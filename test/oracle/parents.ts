/** SPEC.md §1 "Parents", the table from top to bottom. */
import type { EventId } from '#core/keys.ts'
import { HOUR, MINUTE } from '#core/time.ts'
import { hasAppId, type Directory } from './directory.ts'
import { samePrincipal, type Principal } from './facts.ts'
import type { Concluded } from './oracle.ts'
import type { OracleSession } from './sessions.ts'
import { isProvingIssuer } from './subject.ts'

export interface Parent {
  readonly id: EventId
  readonly link: 'exact' | 'time'
}

/**
 * The event that issued what this one used, or null.
 * @param events all, in time order: the first one found is the earliest, `latest` takes the last
 */
export function parentOf(one: Concluded, events: readonly Concluded[], sessions: readonly OracleSession[], directory: Directory): Parent | null {
  const { event } = one
  const subject = subjectOf(one)
  const exact = (found: Concluded | undefined): Parent | null => (found ? { id: found.event.id, link: 'exact' } : null)
  const byTime = (found: Concluded | null | undefined): Parent | null => (found ? { id: found.event.id, link: 'time' } : null)
  const others = events.filter((other) => other !== one)
  const issuers = (credential: string | null): Concluded[] =>
    others.filter((other) => credential !== null && other.event.issues === credential && other.event.outcome === 'success')
  /** The latest event before this one, not older than its own limit. */
  const latest = (limit: bigint | ((other: Concluded) => bigint), matches: (other: Concluded) => boolean): Concluded | undefined =>
    others.findLast((other) => {
      const age = event.timeNs - other.event.timeNs
      return age >= 0n && age <= (typeof limit === 'bigint' ? limit : limit(other)) && matches(other)
    })
  const isIssuance = (other: Concluded): boolean => other.event.kind === 'token.issued' && other.event.outcome === 'success'
  const isOf = (other: Concluded, who: Principal | null): boolean => who !== null && samePrincipalOrNull(subjectOf(other), who)

  if (event.uses !== null) {
    const its = issuers(event.uses)
    return exact(its.find(isProvingIssuer) ?? its[0])
  }
  if (event.proof.by === 'issued') {
    const caller = issuers(event.issues).find(isProvingIssuer)
    const its = issuers(caller?.event.uses ?? null)
    return exact(its.find(isProvingIssuer) ?? its[0])
  }
  if (event.kind === 'llm.metered') {
    const its = others.filter((other) => other.event.kind === 'llm.invoked' && event.requestKey !== null && other.event.requestKey === event.requestKey)
    return exact(its.find((other) => !other.event.secondary) ?? its[0])
  }
  if (event.kind === 'token.exchanged')
    return byTime(
      latest(
        (other) => (isManagedIdentity(other) ? 25n : 9n) * HOUR,
        (other) => isIssuance(other) && isOf(other, subject),
      ),
    )
  if (event.source === 'gcp') {
    const exchange = sessions.find(({ members }) => members.includes(one))?.exchange
    if (event.kind === 'credential.minted') return byTime(exchange)
    const account = emailIn(event.cloud.principal)
    const mint = latest(65n * MINUTE, (other) => isMintFor(other, account) && isOf(other, subject))
    return byTime(mint ?? exchange)
  }
  if (event.kind === 'token.issued' && subject && !isManagedIdentity(one)) {
    const kind = directory.kindOf(subject)
    if (kind === 'agent') {
      const blueprints = directory.blueprintsOf(subject)
      const isBlueprint = (who: Principal | null): boolean =>
        who !== null && who.tenantId === subject.tenantId && directory.appIdsOf(who).some((id) => blueprints.some((blueprint) => hasAppId(blueprint, id)))
      return byTime(latest(65n * MINUTE, (other) => isIssuance(other) && isBlueprint(subjectOf(other))))
    }
    if (kind === 'user') return null
    const trusted = directory.applicationsOf(subject).flatMap((application) => directory.trustedBy(application, event.timeNs))
    return byTime(latest(25n * HOUR, (other) => isIssuance(other) && isManagedIdentity(other) && trusted.some((who) => isOf(other, who))))
  }
  if (event.kind === 'api.called') {
    const sameToken = others.find(
      (other) =>
        isIssuance(other) &&
        event.tokenId !== null &&
        one.attribution.tenantId !== null &&
        other.event.tokenId === event.tokenId &&
        other.attribution.tenantId === one.attribution.tenantId,
    )
    if (sameToken) return exact(sameToken)
    return byTime(latest(9n * HOUR, (other) => isIssuance(other) && isOf(other, subject) && event.resource !== null && other.event.resource === event.resource))
  }
  return null
}

function subjectOf({ attribution }: Concluded): Principal | null {
  return attribution.subjectOid === null ? null : { tenantId: attribution.tenantId, oid: attribution.subjectOid }
}

function samePrincipalOrNull(a: Principal | null, b: Principal | null): boolean {
  return a !== null && b !== null && samePrincipal(a, b)
}

function isManagedIdentity({ event }: Concluded): boolean {
  return event.kind === 'token.issued' && event.proof.by === 'principal' && event.proof.kind === 'managed-identity'
}

/** A service account's e-mail address at the end of a name, lower case. */
function emailIn(name: string | null): string | null {
  return /(?:^|\/)([^/@\s]+@[^/@\s]+)$/.exec(name ?? '')?.[1]?.toLowerCase() ?? null
}

/**
 * A successful mint for this account. Google names the account by address or by number; a mint that names it only by number may have been
 * for any account.
 */
function isMintFor({ event }: Concluded, account: string | null): boolean {
  if (event.source !== 'gcp' || event.kind !== 'credential.minted' || event.outcome !== 'success' || account === null) return false
  const target = emailIn(event.resource)
  return target === null || target === account
}
