import type { Attribution, Role } from '#core/event.ts'
import { NO_TENANT, type Oid, guidsIn } from '#core/keys.ts'
import type { CopyValue } from '#database/copy.ts'
import type { LinkFacts } from '../attribute.ts'
import type { Directory } from '../directory/directory.ts'

export interface TimelineEntry {
  readonly tenantId: string
  readonly oid: Oid
  readonly role: Role
  readonly isSubject: boolean
  readonly isOwner: boolean
}

/** True when both put the event into the same timeline in the same way. */
export function sameEntry(a: TimelineEntry, b: TimelineEntry): boolean {
  return a.tenantId === b.tenantId && a.oid === b.oid && a.role === b.role && a.isSubject === b.isSubject && a.isOwner === b.isOwner
}

/** Whose traces the event belongs to (DESIGN §4.5): its agent's where that is more than a claim, else its subject's. */
function ownerOf(conclusion: Attribution): Oid | null {
  const named = conclusion.confidence === 'exact' || conclusion.confidence === 'derived' || conclusion.confidence === 'probable'
  return named ? conclusion.agentOid : conclusion.subjectOid
}

export const TIMELINE_COLUMNS = ['tenant_id', 'oid', 'time_ns', 'event_id', 'role', 'source', 'kind', 'is_subject', 'is_owner'] as const

export function timelineRow(event: LinkFacts, entry: TimelineEntry): readonly CopyValue[] {
  return [entry.tenantId, entry.oid, event.timeNs, event.id, entry.role, event.source, event.kind, entry.isSubject, entry.isOwner]
}

const STRENGTH: Record<Role, number> = { actor: 0, candidate: 1, target: 2 }

/**
 * In whose timelines the event stands, and why: its subject and agent as actors; every agent that it may be, and an agent that a caller
 * merely named, as candidates; oids that a change names, and the user that a delegated call acts for, as targets.
 */
export function timelineEntries(event: LinkFacts, conclusion: Attribution, directory: Directory): readonly TimelineEntry[] {
  const entries = new Map<string, TimelineEntry>()
  const owner = ownerOf(conclusion)
  const add = (oid: Oid | null, role: Role, tenantId: string | null): void => {
    if (!oid) return
    const entry = { tenantId: tenantId ?? NO_TENANT, oid, role, isSubject: oid === conclusion.subjectOid, isOwner: oid === owner }
    const key = `${entry.tenantId}/${oid}`
    const known = entries.get(key)
    if (!known || STRENGTH[role] < STRENGTH[known.role]) entries.set(key, entry)
  }
  const agentTenant = (oid: Oid): string | null => {
    const agents = directory.agentsByOid(oid)
    return agents.length === 1 ? agents[0]!.tenantId : conclusion.tenantId
  }
  add(conclusion.subjectOid, 'actor', conclusion.tenantId)
  // An agent that is the subject is in the subject's tenant: contradictory records may know an agent of that oid in another one only, and the event has one owner.
  if (conclusion.agentOid && conclusion.agentOid !== conclusion.subjectOid)
    add(conclusion.agentOid, conclusion.confidence === 'asserted' ? 'candidate' : 'actor', agentTenant(conclusion.agentOid))
  for (const candidate of conclusion.candidates) add(candidate, 'candidate', agentTenant(candidate))
  add(conclusion.onBehalfOf, 'target', conclusion.tenantId)
  for (const target of event.targets) add(target, 'target', event.tenantId ?? directory.onlyTenantOf(target))
  return [...entries.values()]
}

/**
 * The ids that would change the conclusion of an event that stands in no timeline where it could be found: those in names that the caller chose, an appId
 * without a known agent, whoever changed the directory without being known as an agent or leading to some.
 */
export function waitingKeys(event: LinkFacts, conclusion: Attribution): readonly string[] {
  const { proof } = event
  if (proof.by === 'principal') {
    if (conclusion.subjectOid === null) return [proof.oid]
    return proof.kind === 'user' && proof.appId && !conclusion.agentOid ? [proof.appId] : []
  }
  if (conclusion.subjectOid) return []
  const keys = event.source === 'aws' || event.source === 'gcp' ? event.asserted.flatMap(guidsIn) : []
  return [...new Set(proof.by === 'application' ? [...keys, proof.appId] : keys)]
}
