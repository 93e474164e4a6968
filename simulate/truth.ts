/**
 * What is really true in a simulated world, said in the words of DESIGN §4, computed from the world and never from records:
 * this file must stay independent of the product's correlator, which is tested against it.
 */
import type { Confidence, Kind, Outcome, Source } from '#core/event.ts'
import type { Agent, Blueprint, ManagedIdentity, Tenant } from './cast.ts'

/** The truth about one record. `expected` values hold when every record of the world was ingested; with records missing they are the most that can be known. */
export interface Truth {
  readonly nativeId: string
  readonly source: Source
  /** A list where DESIGN leaves more than one kind right. */
  readonly kinds: readonly Kind[]
  readonly outcome: Outcome
  /** The time that the record itself says, nine fraction digits. */
  readonly time: string
  readonly tenantId: string
  readonly subjectOid: string | null
  readonly agentOid: string | null
  readonly confidence: Confidence
  /** Sorted; filled only where the confidence is `ambiguous`. */
  readonly candidates: readonly string[]
  readonly onBehalfOf: string | null
  /** Oids that must stand among the event's targets; more are allowed. */
  readonly targets: readonly string[]
  /** Who really did it, whatever the records can prove. Null for people, services and set-up. */
  readonly actualAgentOid: string | null
  /** Equal labels mean one session; null where there is none. */
  readonly session: string | null
  /** Native id of the parent where the link is exact, else null. */
  readonly exactParent: string | null
  /** What this truth says nothing about. */
  readonly skip: readonly TruthField[]
}

export type TruthField = 'tenant' | 'subject' | 'agent' | 'session' | 'parent' | 'targets'

/** What a record proves about who acted, as the world knows it. */
export type Claim =
  | { readonly by: 'agent'; readonly agent: Agent }
  | { readonly by: 'managed-identity'; readonly identity: ManagedIdentity }
  | { readonly by: 'bridge'; readonly bridgeOid: string; readonly identity: ManagedIdentity }
  | { readonly by: 'blueprint'; readonly blueprint: Blueprint }
  | { readonly by: 'nothing' }

export interface Verdict {
  readonly subjectOid: string | null
  readonly agentOid: string | null
  readonly confidence: Confidence
  readonly candidates: readonly string[]
}

/** From when to when, ms; the end does not belong to it, null is none. */
type Stretch = readonly [from: number, to: number | null]

/** When the agent exists and is enabled. */
function lifeOf(agent: Agent): readonly Stretch[] {
  return agent.disabled.reduce<readonly Stretch[]>(
    (life, [off, on]) =>
      life.flatMap(([from, to]): Stretch[] => {
        const before: Stretch = [from, to === null || off < to ? off : to]
        const after: Stretch = [from > on ? from : on, to]
        return [before, after].filter(([start, end]) => end === null || start < end)
      }),
    [[agent.createdAt, agent.deletedAt]],
  )
}

/** True while the agent exists and is enabled; `at` in ms. */
export function isAlive(agent: Agent, at: number): boolean {
  return meet([lifeOf(agent)], at, at)
}

/** True if at some instant from the first to the last all of these held. */
function meet(all: readonly (readonly Stretch[])[], first: number, last: number): boolean {
  const [some, ...others] = all
  if (!some) return true
  return some.some(([from, to]) => {
    const start = from > first ? from : first
    const end = to !== null && to <= last ? to - 1 : last
    return start <= end && meet(others, start, end)
  })
}

/**
 * Agents that could run on a managed identity at some instant from `since` to `at`: those of every Blueprint with a federated credential for it valid then. Sorted oids.
 */
function agentsOn(identity: ManagedIdentity, tenant: Tenant, since: number, at: number): string[] {
  const oids = new Set<string>()
  for (const blueprint of tenant.blueprints) {
    const fics = blueprint.fics.filter((fic) => fic.identity === identity).map((fic): Stretch => [fic.from, fic.to])
    for (const agent of blueprint.agents) if (meet([fics, lifeOf(agent)], since, at)) oids.add(agent.oid)
  }
  return [...oids].sort()
}

/**
 * Subject, agent and confidence of a claim at a moment, DESIGN §4.2 and §4.3.
 * @param since when the credential was exchanged that it was done with: whoever could act since then may have had it
 */
export function judge(claim: Claim, tenant: Tenant, at: number, since = at): Verdict {
  switch (claim.by) {
    case 'agent':
      return {
        subjectOid: claim.agent.oid,
        agentOid: claim.agent.oid,
        confidence: 'exact',
        candidates: [],
      }
    case 'managed-identity':
      return byCandidates(claim.identity.oid, agentsOn(claim.identity, tenant, since, at))
    case 'bridge':
      return byCandidates(claim.bridgeOid, agentsOn(claim.identity, tenant, since, at))
    case 'blueprint':
      return byCandidates(
        claim.blueprint.servicePrincipalOid,
        claim.blueprint.agents
          .filter((agent) => isAlive(agent, at))
          .map((agent) => agent.oid)
          .sort(),
      )
    case 'nothing':
      return { subjectOid: null, agentOid: null, confidence: 'none', candidates: [] }
  }
}

function byCandidates(subjectOid: string, agents: readonly string[]): Verdict {
  if (agents.length === 0) return { subjectOid, agentOid: null, confidence: 'none', candidates: [] }
  if (agents.length === 1) return { subjectOid, agentOid: agents[0] ?? null, confidence: 'derived', candidates: [] }
  return { subjectOid, agentOid: null, confidence: 'ambiguous', candidates: agents }
}

/** One subject nearby: at most `probable`. Several: every agent any of them could mean is a candidate, none is chosen. */
export function byProximity(verdicts: readonly Verdict[]): Verdict {
  const subjects = new Set(verdicts.map((verdict) => verdict.subjectOid))
  const only = verdicts[0]
  if (!only) return { subjectOid: null, agentOid: null, confidence: 'none', candidates: [] }
  if (subjects.size === 1) return only.agentOid === null ? only : { ...only, confidence: 'probable' }
  const candidates = [...new Set(verdicts.flatMap((verdict) => (verdict.agentOid === null ? verdict.candidates : [verdict.agentOid])))].sort()
  return {
    subjectOid: null,
    agentOid: null,
    confidence: candidates.length > 1 ? 'ambiguous' : candidates.length === 1 ? 'probable' : 'none',
    candidates: candidates.length > 1 ? candidates : [],
  }
}
