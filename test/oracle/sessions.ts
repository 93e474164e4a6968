/** SPEC.md §1 "Sessions" and the session's part of "Ids". */
import type { CredentialId, EventId, Oid, TenantId } from '#core/keys.ts'
import { eventId } from '#core/record.ts'
import { MINUTE } from '#core/time.ts'
import { samePrincipal, type Principal } from './facts.ts'
import type { Concluded } from './oracle.ts'
import { isProvingIssuer } from './subject.ts'

export interface OracleSession {
  readonly id: EventId
  readonly cloud: 'aws' | 'gcp'
  readonly tenantId: TenantId | null
  readonly subjectOid: Oid | null
  readonly rootNativeId: string | null
  readonly resolved: boolean
  /** In time order. */
  readonly members: readonly Concluded[]
  /** The exchange that a GCP session starts from. */
  readonly exchange: Concluded | null
}

/** All sessions over the events (which must be in time order). An event belongs to one at most. */
export function sessionsOf(events: readonly Concluded[]): OracleSession[] {
  return [...awsSessions(events), ...gcpSessions(events)]
}

function awsSessions(events: readonly Concluded[]): OracleSession[] {
  const provingIssuers = (credential: CredentialId): Concluded[] => events.filter((one) => one.event.issues === credential && isProvingIssuer(one))

  /** The credentials that the proving issuers of this one used; itself where an issuer used none. */
  const origins = (credential: CredentialId): Set<CredentialId> => new Set(provingIssuers(credential).map(({ event }) => event.uses ?? credential))

  /** True where following the origins leads back: no record can be the first of a circle. */
  function isInCircle(credential: CredentialId): boolean {
    const reached = new Set<CredentialId>()
    const next = [...origins(credential)].filter((one) => one !== credential)
    for (let one = next.pop(); one !== undefined; one = next.pop()) {
      if (one === credential) return true
      if (reached.has(one)) continue
      reached.add(one)
      next.push(...origins(one))
    }
    return false
  }

  function rootOf(credential: CredentialId): CredentialId {
    if (isInCircle(credential)) return credential
    const roots = new Set([...origins(credential)].map((one) => (one === credential ? credential : rootOf(one))))
    return roots.size === 1 ? [...roots][0]! : credential
  }

  const members = new Map<CredentialId, Concluded[]>()
  for (const one of events) {
    const credential = one.event.uses ?? (one.event.outcome === 'success' ? one.event.issues : null)
    if (credential === null) continue
    const root = rootOf(credential)
    members.set(root, [...(members.get(root) ?? []), one])
  }
  return [...members].map(([root, its]) => {
    const issuer = provingIssuers(root)[0]
    const subjects = its.flatMap(subjectOf)
    const subject = subjects.length > 0 && subjects.every((one) => samePrincipal(one, subjects[0]!)) ? subjects[0]! : null
    return {
      id: eventId('session', 'aws', root),
      cloud: 'aws',
      tenantId: subject?.tenantId ?? null,
      subjectOid: subject?.oid ?? null,
      rootNativeId: issuer?.event.nativeId ?? null,
      resolved: issuer !== undefined,
      members: its,
      exchange: null,
    }
  })
}

function gcpSessions(events: readonly Concluded[]): OracleSession[] {
  const all = events.filter(({ event }) => event.source === 'gcp')
  const subjects: Principal[] = []
  for (const subject of all.flatMap(subjectOf)) if (!subjects.some((one) => samePrincipal(one, subject))) subjects.push(subject)
  return subjects.flatMap((subject) =>
    sessionsOfSubject(
      subject,
      all.filter((one) => subjectOf(one).some((its) => samePrincipal(its, subject))),
    ),
  )
}

function sessionsOfSubject(subject: Principal, events: readonly Concluded[]): OracleSession[] {
  const exchanges = events.filter(({ event }) => event.kind === 'token.exchanged' && event.outcome === 'success')
  const anchored = new Map<Concluded, Concluded[]>(exchanges.map((exchange) => [exchange, [exchange]]))
  const unanchored: Concluded[][] = []
  for (const one of events) {
    if (one.event.kind === 'token.exchanged') continue
    const exchange = exchanges.findLast(({ event }) => event.timeNs <= one.event.timeNs && one.event.timeNs - event.timeNs <= 65n * MINUTE)
    const last = unanchored.at(-1)
    if (exchange) anchored.get(exchange)!.push(one)
    else if (last && one.event.timeNs - last.at(-1)!.event.timeNs <= 30n * MINUTE) last.push(one)
    else unanchored.push([one])
  }
  const session = (id: EventId, exchange: Concluded | null, members: readonly Concluded[]): OracleSession => ({
    id,
    cloud: 'gcp',
    tenantId: subject.tenantId,
    subjectOid: subject.oid,
    rootNativeId: exchange?.event.nativeId ?? null,
    resolved: exchange !== null,
    members,
    exchange,
  })
  return [
    ...[...anchored].map(([exchange, members]) => session(eventId('session', 'gcp', exchange.event.id), exchange, members)),
    ...unanchored.map((members) => session(eventId('session', 'gcp-unanchored', members[0]!.event.id), null, members)),
  ]
}

function subjectOf({ attribution }: Concluded): Principal[] {
  return attribution.subjectOid === null ? [] : [{ tenantId: attribution.tenantId, oid: attribution.subjectOid }]
}
