/**
 * From subject to agent (DESIGN §4.2): who could have acted as this subject at that moment. Pure over the directory.
 */
import type { EventId, Oid, TenantId } from '#core/keys.ts'
import { type Application, type Directory, type Principal } from './directory/directory.ts'
import { type Span, covers } from './directory/intervals.ts'

export interface Candidates {
  /** The subject is the agent itself: nothing had to be concluded. */
  readonly self: boolean
  readonly agents: readonly { readonly tenantId: TenantId; readonly oid: Oid }[]
  readonly basis: readonly string[]
  /** The audit records that the list rests on, sorted. */
  readonly evidence: readonly EventId[]
}

const NOBODY: Candidates = { self: false, agents: [], basis: [], evidence: [] }

/** The agents that could have acted as the subject at that instant. */
export function candidatesOf(directory: Directory, subject: { tenantId: TenantId; oid: Oid }, time: bigint): Candidates {
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
  if (principal.kind === 'managed-identity' || !principal.appId) return false
  const application = directory.application(principal.tenantId, principal.appId)
  return application !== null && application.agents.length > 0 && directory.trusting(principal.tenantId, principal.oid).length === 0
}

/** All instants at which the answer for this subject can change. */
export function turningPoints(directory: Directory, subject: { tenantId: TenantId; oid: Oid }): Set<bigint> {
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
    for (const fic of application.fics) {
      visit(fic.valid)
      const identity = fic.issuerTenant ? { tenantId: fic.issuerTenant, oid: fic.subject as Oid } : null
      if (deep && identity) for (const trusted of directory.trusting(identity.tenantId, identity.oid)) visitApplication(trusted.application, false)
    }
  }
  const principal = directory.principal(subject.tenantId, subject.oid)
  for (const trusted of directory.trusting(subject.tenantId, subject.oid)) visitApplication(trusted.application, false)
  const application = principal?.appId ? directory.application(principal.tenantId, principal.appId) : null
  if (application) visitApplication(application, true)
  for (const blueprint of principal?.blueprints ?? []) visitApplication(blueprint, false)
  return times
}

function blueprintAgents(directory: Directory, principal: Principal, time: bigint): Candidates {
  const applications = new Map<string, Application>()
  for (const blueprint of principal.blueprints) applications.set(blueprint.key, blueprint)
  const own = principal.appId ? directory.application(principal.tenantId, principal.appId) : null
  if (own) applications.set(own.key, own)
  return gather([...applications.values()], time, ['blueprint'], [])
}

function managedIdentityAgents(directory: Directory, subject: { tenantId: TenantId; oid: Oid }, time: bigint): Candidates {
  const valid = directory.trusting(subject.tenantId, subject.oid).filter((fic) => covers(fic.valid, time))
  return gather(valid.map((fic) => fic.application), time, ['federated-credential'], valid.flatMap((fic) => fic.evidence))
}

/** An ordinary application that itself signs in through a managed identity: go on from that managed identity. */
function bridgeAgents(directory: Directory, principal: Principal | null, time: bigint): Candidates {
  const application = principal?.appId ? directory.application(principal.tenantId, principal.appId) : null
  if (!application) return NOBODY
  const applications: Application[] = []
  const evidence: EventId[] = []
  for (const fic of application.fics) {
    if (!fic.issuerTenant || !covers(fic.valid, time)) continue
    for (const next of directory.trusting(fic.issuerTenant, fic.subject.toLowerCase() as Oid)) {
      if (next.application === application || !covers(next.valid, time)) continue
      applications.push(next.application)
      evidence.push(...fic.evidence, ...next.evidence)
    }
  }
  return gather(applications, time, ['bridge', 'federated-credential'], evidence)
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
  subject: { tenantId: TenantId; oid: Oid },
  time: bigint,
): { blueprints: readonly { tenantId: TenantId; oid: Oid }[]; managedIdentities: readonly { tenantId: TenantId; oid: Oid }[] } {
  const principal = directory.principal(subject.tenantId, subject.oid)
  if (principal?.kind === 'agent') {
    return { blueprints: principal.blueprints.flatMap((blueprint) => blueprint.principals), managedIdentities: [] }
  }
  const application = principal?.appId ? directory.application(principal.tenantId, principal.appId) : null
  const trusted = application?.fics.filter((fic) => fic.issuerTenant !== null && covers(fic.valid, time)) ?? []
  return { blueprints: [], managedIdentities: trusted.map((fic) => ({ tenantId: fic.issuerTenant!, oid: fic.subject.toLowerCase() as Oid })) }
}
