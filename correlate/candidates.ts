/**
 * From subject to agent (DESIGN §4.2): who could have acted as this subject at that moment, or at some instant of that span. Pure over the directory.
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

/** When something may have been done: from the exchange of the credential until its use, or the one instant of the event. Both ends count. */
export interface Moment {
  readonly from: bigint
  readonly to: bigint
}

type Subject = { readonly tenantId: TenantId; readonly oid: Oid }

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

/** The answers for one subject, each until the next turning point: looked up when they are asked for. */
interface History {
  readonly times: readonly bigint[]
  readonly answers: Map<string, Candidates>
}

/** Directories are never edited, so that what one of them said stays true as long as it is there. */
const histories = new WeakMap<Directory, Map<string, History>>()

function historyOf(directory: Directory, subject: Subject): History {
  let all = histories.get(directory)
  if (!all) histories.set(directory, (all = new Map()))
  const key = `${subject.tenantId}/${subject.oid}`
  let history = all.get(key)
  if (!history) all.set(key, (history = { times: sorted(turningPoints(directory, subject)), answers: new Map() }))
  return history
}

const sorted = (times: Iterable<bigint>): bigint[] => [...times].toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))

/** How many of the turning points are not after the instant. */
function stepAt({ times }: History, time: bigint): number {
  let [low, high] = [0, times.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (times[middle]! <= time) low = middle + 1
    else high = middle
  }
  return low
}

/** The agents that could have acted as the subject at some instant of these moments. */
export function candidatesDuring(directory: Directory, subject: Subject, moments: readonly Moment[]): Candidates {
  const history = historyOf(directory, subject)
  const steps = new Set<number>()
  for (const { from, to } of moments) for (let step = stepAt(history, from), last = stepAt(history, to); step <= last; step++) steps.add(step)
  const inOrder = [...steps].toSorted((a, b) => a - b)
  const key = inOrder.join()
  let answer = history.answers.get(key)
  if (!answer) {
    const parts = inOrder.map((step) => candidatesOf(directory, subject, step === 0 ? (history.times[0] ?? 0n) - 1n : history.times[step - 1]!))
    history.answers.set(key, (answer = parts.length === 1 ? parts[0]! : together(parts)))
  }
  return answer
}

/** Whoever is in one of the answers is in all of them together. */
function together(answers: readonly Candidates[]): Candidates {
  const agents = new Map(answers.flatMap((answer) => answer.agents.map((agent) => [`${agent.oid}/${agent.tenantId}`, agent] as const)))
  return {
    self: answers[0]!.self,
    agents: [...agents].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, agent]) => agent),
    basis: [...new Set(answers.flatMap(({ basis }) => basis))],
    evidence: [...new Set(answers.flatMap(({ evidence }) => evidence))].toSorted(),
  }
}

/** Whoever could ever have acted as the subject. */
export function candidatesEver(directory: Directory, subject: Subject): Candidates {
  const { times } = historyOf(directory, subject)
  const first = times[0] ?? 0n
  return candidatesDuring(directory, subject, [{ from: first - 1n, to: times.at(-1) ?? first }])
}

/** Nobody is left who could act as the subject: who could do so last, and when that ended. */
export interface Abandoned {
  readonly since: bigint
  readonly last: Candidates
}

/** Null where somebody could act as the subject at that instant, and where nobody ever could before it. */
export function abandonedAt(directory: Directory, subject: Subject, time: bigint): Abandoned | null {
  const history = historyOf(directory, subject)
  for (let step = stepAt(history, time), now = step; step >= 0; step--) {
    const at = step === 0 ? (history.times[0] ?? 0n) - 1n : history.times[step - 1]!
    const last = candidatesDuring(directory, subject, [{ from: at, to: at }])
    if (last.agents.length > 0) return step === now ? null : { since: history.times[step]!, last }
  }
  return null
}

/** True where the answer for this subject may change after the first of these instants and until the second. */
export function turnsBetween(directory: Directory, subject: Subject, from: bigint, to: bigint): boolean {
  const history = historyOf(directory, subject)
  return stepAt(history, from) !== stepAt(history, to)
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
