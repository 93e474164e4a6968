/**
 * From subject to agent (DESIGN §4.2): who could have acted as this subject at that instant. Pure over the directory.
 */
import type { EventId, Oid, TenantId } from '#core/keys.ts'
import type { Application, Directory, Principal, Trust } from './directory/directory.ts'
import type { TrustedIdentity } from './directory/trust.ts'
import { type Span, covers } from './directory/intervals.ts'

export interface Candidates {
  /** The subject is the agent itself: nothing had to be concluded. */
  readonly self: boolean
  readonly agents: readonly { readonly tenantId: TenantId; readonly oid: Oid }[]
  readonly basis: readonly string[]
  /** The audit records that the list rests on, sorted. */
  readonly evidence: readonly EventId[]
}

/** Whom a record proves. */
export type Subject = { readonly tenantId: TenantId; readonly oid: Oid }

const NOBODY: Candidates = { self: false, agents: [], basis: [], evidence: [] }

/** The agents that could have acted as the subject at that instant. */
export function candidatesOf(directory: Directory, subject: Subject, time: bigint): Candidates {
  const principal = directory.principal(subject.tenantId, subject.oid)
  switch (principal?.kind) {
    case 'agent':
      return { self: true, agents: [{ tenantId: principal.tenantId, oid: principal.oid }], basis: [], evidence: [] }
    case 'user':
      return NOBODY
    case 'blueprint':
      return blueprintAgents(directory, principal, time)
    default:
      return firstWithAgents(
        () => managedIdentityAgents(directory, subject, time),
        () => (principal && isBlueprint(directory, principal) ? blueprintAgents(directory, principal, time) : bridgeAgents(directory, principal, time)),
      )
  }
}

function firstWithAgents(...routes: readonly (() => Candidates)[]): Candidates {
  for (const route of routes) {
    const found = route()
    if (found.agents.length > 0) return found
  }
  return NOBODY
}

/** A principal that no record calls a Blueprint's is one all the same if its application has agents and nobody trusts the principal itself. */
function isBlueprint(directory: Directory, principal: Principal): boolean {
  if (principal.kind === 'managed-identity' || directory.trusting(principal.tenantId, principal.oid).length > 0) return false
  return directory.applicationsOf(principal).some((application) => application.agents.length > 0)
}

/** All instants at which the answer for this subject can change. */
export function turningPoints(directory: Directory, subject: Subject): Set<bigint> {
  const times = new Set<bigint>()
  const visit = (spans: readonly Span[]): void => {
    for (const { from, to } of spans) {
      if (from !== null) times.add(from)
      if (to !== null) times.add(to)
    }
  }
  const visitApplication = (application: Application, deep: boolean): void => {
    visit(application.alive)
    for (const agent of application.agents) visit(agent.alive)
    for (const identity of application.trusts) {
      visit(identity.valid)
      if (deep) for (const next of trustingSame(directory, identity)) visitApplication(next.application, false)
    }
  }
  const principal = directory.principal(subject.tenantId, subject.oid)
  for (const { application } of directory.trusting(subject.tenantId, subject.oid)) visitApplication(application, false)
  for (const application of directory.applicationsOf(principal)) visitApplication(application, true)
  for (const blueprint of principal?.blueprints ?? []) visitApplication(blueprint, false)
  return times
}

function blueprintAgents(directory: Directory, principal: Principal, time: bigint): Candidates {
  return gather(directory.applicationsOf(principal), time, ['blueprint'], [])
}

function managedIdentityAgents(directory: Directory, subject: Subject, time: bigint): Candidates {
  const valid = directory
    .trusting(subject.tenantId, subject.oid)
    .filter(({ application, identity }) => covers(application.alive, time) && covers(identity.valid, time))
  return gather(
    valid.map(({ application }) => application),
    time,
    ['federated-credential'],
    valid.flatMap(({ identity }) => identity.evidence),
  )
}

/** An ordinary application that itself signs in through a managed identity: go on from that managed identity. */
function bridgeAgents(directory: Directory, principal: Principal | null, time: bigint): Candidates {
  const applications: Application[] = []
  const evidence: EventId[] = []
  for (const bridge of directory.applicationsOf(principal)) {
    if (!covers(bridge.alive, time)) continue
    for (const identity of bridge.trusts) {
      if (!covers(identity.valid, time)) continue
      for (const next of trustingSame(directory, identity)) {
        if (next.application === bridge || !covers(next.application.alive, time) || !covers(next.identity.valid, time)) continue
        applications.push(next.application)
        evidence.push(...identity.evidence, ...next.identity.evidence)
      }
    }
  }
  return gather(applications, time, ['bridge', 'federated-credential'], evidence)
}

/** Who else trusts this identity. */
function trustingSame(directory: Directory, { issuerTenant, subject }: TrustedIdentity): readonly Trust[] {
  return issuerTenant ? directory.trusting(issuerTenant, subject.toLowerCase() as Oid) : []
}

function gather(applications: readonly Application[], time: bigint, basis: readonly string[], evidence: readonly EventId[]): Candidates {
  const agents = new Map<string, Principal>()
  for (const application of applications) {
    if (!covers(application.alive, time)) continue
    for (const agent of application.agents) if (covers(agent.alive, time)) agents.set(`${agent.oid}/${agent.tenantId}`, agent)
  }
  const sorted = [...agents.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, agent]) => agent)
  return {
    self: false,
    agents: sorted.map(({ tenantId, oid }) => ({ tenantId, oid })),
    basis: sorted.length > 0 ? basis : [],
    evidence: sorted.length > 0 ? [...new Set([...evidence, ...sorted.flatMap((agent) => agent.evidence)])].toSorted() : [],
  }
}

/** Whose sign-ins a sign-in of this subject can go back to: an agent's to its Blueprints' principals, an application's to the managed identities it trusts. */
export function signInAncestors(
  directory: Directory,
  subject: Subject,
  time: bigint,
): { blueprints: readonly { tenantId: TenantId; oid: Oid }[]; managedIdentities: readonly { tenantId: TenantId; oid: Oid }[] } {
  const principal = directory.principal(subject.tenantId, subject.oid)
  if (principal?.kind === 'agent') {
    return { blueprints: principal.blueprints.flatMap((blueprint) => blueprint.principals), managedIdentities: [] }
  }
  const living = directory.applicationsOf(principal).filter((application) => covers(application.alive, time))
  const trusted = living.flatMap((application) => application.trusts.filter((identity) => identity.issuerTenant !== null && covers(identity.valid, time)))
  return { blueprints: [], managedIdentities: trusted.map((identity) => ({ tenantId: identity.issuerTenant!, oid: identity.subject.toLowerCase() as Oid })) }
}
