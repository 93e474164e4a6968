/** SPEC.md §1 "Traces" and the trace's part of "Ids". */
import type { EventId, Oid, TenantId } from '#core/keys.ts'
import { eventId } from '#core/record.ts'
import { MINUTE } from '#core/time.ts'
import { samePrincipal, type Principal } from './facts.ts'
import type { Concluded } from './oracle.ts'
import type { OracleSession } from './sessions.ts'

export interface OracleTrace {
  readonly id: EventId
  readonly tenantId: TenantId | null
  readonly ownerOid: Oid
  /** In time order. */
  readonly members: readonly Concluded[]
  readonly sessionIds: readonly EventId[]
}

/** All traces over the events (which must be in time order). */
export function tracesOf(events: readonly Concluded[], sessions: readonly OracleSession[]): OracleTrace[] {
  const owners: Principal[] = []
  for (const one of events) {
    const owner = ownerOf(one)
    if (owner && !owners.some((other) => samePrincipal(other, owner))) owners.push(owner)
  }
  return owners.flatMap((owner) => {
    const its = events.filter((one) => {
      const other = ownerOf(one)
      return other !== null && samePrincipal(other, owner)
    })
    return tracesOfOwner(owner, its, sessions)
  })
}

/** Whose story the event belongs to. */
function ownerOf({ attribution: { tenantId, agentTenantId, agentOid, subjectOid, confidence } }: Concluded): Principal | null {
  if (confidence === 'exact' || confidence === 'derived' || confidence === 'probable') return { tenantId: agentTenantId, oid: agentOid! }
  return subjectOid === null ? null : { tenantId, oid: subjectOid }
}

function tracesOfOwner(owner: Principal, events: readonly Concluded[], sessions: readonly OracleSession[]): OracleTrace[] {
  const sessionOf = (one: Concluded): OracleSession | undefined => sessions.find(({ members }) => members.includes(one))
  /** How far the owner's trace reaches once it holds this event: to the end of the owner's part of the event's session. */
  const reach = (one: Concluded): bigint => {
    const session = sessionOf(one)
    return session ? events.findLast((other) => session.members.includes(other))!.event.timeNs : one.event.timeNs
  }
  const groups: { members: Concluded[]; end: bigint }[] = []
  for (const one of events) {
    const group = groups.at(-1)
    const end = reach(one)
    if (group && one.event.timeNs - group.end <= 30n * MINUTE) {
      group.members.push(one)
      if (end > group.end) group.end = end
    } else groups.push({ members: [one], end })
  }
  return groups.map(({ members }) => ({
    id: eventId('trace', owner.tenantId ?? '', owner.oid, members[0]!.event.id),
    tenantId: owner.tenantId,
    ownerOid: owner.oid,
    members,
    sessionIds: [...new Set(members.flatMap((one) => sessionOf(one)?.id ?? []))].toSorted(),
  }))
}
