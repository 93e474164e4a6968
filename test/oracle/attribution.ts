/** From an event's chains to its attribution. SPEC.md §1: the end of "Subject", and "Candidates". */
import type { Attribution } from '#core/event.ts'
import { guidsIn, type EventId, type TenantId } from '#core/keys.ts'
import { sameApplication, type Directory } from './directory.ts'
import { compare, distinct, samePrincipal, type Fact, type Facts, type Principal } from './facts.ts'
import { chainsOf, type Chain } from './subject.ts'

/** The agents that a subject stands for at one time, how one knows, and the audit records that show it. */
interface Behind {
  readonly agents: readonly Principal[]
  readonly isItself: boolean
  readonly basis: readonly string[]
  readonly evidence: readonly EventId[]
}

/**
 * Who did it, as far as the set of records proves it.
 * @param exchangeOf the exchange that a session of Google Cloud began with, for its mints and calls
 */
export function attribute(
  one: Fact,
  facts: Facts,
  directory: Directory,
  exchangeOf: (one: Fact) => Fact | null = () => null,
): Attribution & { readonly agentTenantId: TenantId | null } {
  const { event } = one
  const nothing = {
    agentTenantId: null,
    tenantId: event.tenantId,
    subjectOid: null,
    agentOid: null,
    onBehalfOf: event.onBehalfOf,
    confidence: 'none',
    basis: [],
    candidates: [],
    evidence: [],
  } as const
  const evidence = (...ids: readonly (readonly EventId[])[]): EventId[] => distinct(ids.flat()).filter((id) => id !== event.id)

  const chains = chainsOf(one, facts, directory)
  const subjects: Chain[] = []
  for (const chain of chains) if (!subjects.some(({ subject }) => samePrincipal(subject, chain.subject))) subjects.push(chain)

  if (subjects.length === 0) {
    const agent = assertedAgent(one, directory)
    return agent
      ? { ...nothing, tenantId: agent.tenantId, agentOid: agent.oid, agentTenantId: agent.tenantId, confidence: 'asserted', basis: ['asserted-name'] }
      : nothing
  }

  if (subjects.length > 1) {
    // Two records prove two principals for one credential: one of them must be wrong, and nobody knows which.
    if (event.proof.by !== 'proximity') return nothing
    const behind = subjects.map((chain) =>
      behindDuring(
        chain,
        chains.filter(({ subject }) => samePrincipal(subject, chain.subject)).map(({ end, deed }) => [end, deed]),
        directory,
      ),
    )
    const candidates = distinct(behind.flatMap(({ agents }) => agents.map(({ oid }) => oid)))
    if (candidates.length === 0) return nothing
    const tenants = new Set(subjects.map(({ subject }) => subject.tenantId))
    const tenantId = tenants.size === 1 ? [...tenants][0]! : event.tenantId
    return {
      ...nothing,
      tenantId,
      confidence: 'ambiguous',
      basis: ['proximity'],
      candidates,
      evidence: evidence(...chains.map((chain) => chain.evidence), ...behind.map((it) => it.evidence)),
    }
  }

  const subject = subjects[0]!.subject
  const exchange = exchangeOf(one)
  const behind = behindDuring(
    { subject, saysAgent: chains.some(({ saysAgent }) => saysAgent) },
    exchange ? [[exchange, one]] : chains.map(({ end, deed }) => [end, deed]),
    directory,
  )
  // An audit record's initiator is who pressed the button: of interest only where that was an agent.
  if (one.format === 'entra-audit' && behind.agents.length === 0) return nothing
  const single = behind.agents.length === 1
  const near = chains.some(({ basis }) => basis.includes('proximity'))
  return {
    ...nothing,
    tenantId: subject.tenantId,
    subjectOid: subject.oid,
    agentOid: single ? behind.agents[0]!.oid : null,
    agentTenantId: single ? behind.agents[0]!.tenantId : null,
    onBehalfOf: event.onBehalfOf ?? subjects[0]!.onBehalfOf,
    confidence: behind.agents.length === 0 ? 'none' : !single ? 'ambiguous' : near ? 'probable' : behind.isItself ? 'exact' : 'derived',
    basis: [...shortestBasis(chains), ...behind.basis],
    candidates: single ? [] : distinct(behind.agents.map(({ oid }) => oid)),
    evidence: evidence(...chains.map((chain) => chain.evidence), behind.evidence),
  }
}

/** Of several ways to the one subject: the one with the fewest hops, then the one that comes first in the alphabet. */
function shortestBasis(chains: readonly Chain[]): readonly string[] {
  return chains.map(({ basis }) => basis).toSorted((a, b) => a.length - b.length || compare(a.join(), b.join()))[0]!
}

/**
 * The agents that could have used this subject at some instant between the first and the second of one of these pairs of events. Of a pair in the wrong order
 * (clocks differ) the time of the second counts.
 */
function behindDuring(who: Pick<Chain, 'subject' | 'saysAgent'>, pairs: readonly (readonly [Fact, Fact])[], directory: Directory): Behind {
  const instants = pairs.flatMap(([{ event: first }, { event: second }]) => {
    const start = first.timeNs < second.timeNs ? first.timeNs : second.timeNs
    return [start, ...directory.changesBetween(start, second.timeNs)]
  })
  const inOrder = [...new Set(instants)].toSorted((a, b) => (a < b ? -1 : 1))
  const answers = inOrder.map((timeNs) => behindOf(who, timeNs, directory))
  const agents = answers.flatMap((answer) => answer.agents)
  return {
    agents: agents.filter((one, index) => agents.findIndex((other) => samePrincipal(one, other)) === index),
    isItself: answers.some(({ isItself }) => isItself),
    basis: [...new Set(answers.flatMap(({ basis }) => basis))],
    evidence: answers.flatMap(({ evidence }) => evidence),
  }
}

/** The agents that could have used this subject at this time. */
function behindOf({ subject, saysAgent }: Pick<Chain, 'subject' | 'saysAgent'>, timeNs: bigint, directory: Directory): Behind {
  const nobody: Behind = { agents: [], isItself: false, basis: [], evidence: [] }
  const found = (basis: readonly string[], agents: readonly Principal[], trust: readonly EventId[]): Behind => {
    const distinctAgents = agents.filter((one, index) => agents.findIndex((other) => samePrincipal(one, other)) === index)
    return agents.length === 0 ? nobody : { agents: distinctAgents, isItself: false, basis, evidence: [...trust, ...agents.flatMap(directory.lifecycleEvents)] }
  }
  const asBlueprint = (): Behind =>
    found(
      ['blueprint'],
      directory.applicationsOf(subject).flatMap((application) => directory.agentsOf(application, timeNs)),
      [],
    )

  const kind = directory.kindOf(subject)
  if (kind === 'agent' || saysAgent) return { agents: [subject], isItself: true, basis: [], evidence: [] }
  if (kind === 'user') return nobody
  if (kind === 'blueprint') return asBlueprint()

  const trusting = directory.applicationsTrusting(subject, timeNs)
  const direct = found(
    ['federated-credential'],
    trusting.flatMap((application) => directory.agentsOf(application, timeNs)),
    trusting.flatMap((application) => directory.trustEvents(application, subject)),
  )
  if (direct.agents.length > 0) return direct
  if (directory.isBlueprint(subject)) return asBlueprint()

  // The bridge: an ordinary application that signs in through a managed identity's federated credential, as an agent's Blueprint does.
  const steps = directory.applicationsOf(subject).flatMap((bridge) =>
    directory.trustedBy(bridge, timeNs).flatMap((identity) =>
      directory
        .applicationsTrusting(identity, timeNs)
        .filter((other) => !sameApplication(other, bridge))
        .map((other) => ({ bridge, identity, other })),
    ),
  )
  return found(
    ['bridge', 'federated-credential'],
    steps.flatMap(({ other }) => directory.agentsOf(other, timeNs)),
    steps.flatMap(({ bridge, identity, other }) => [...directory.trustEvents(bridge, identity), ...directory.trustEvents(other, identity)]),
  )
}

/** The one known agent whose oid stands in a name that the caller chose. Of another tenant than the record's it is none. */
function assertedAgent({ event }: Fact, directory: Directory): Principal | null {
  if (event.source !== 'aws' && event.source !== 'gcp') return null
  const named = event.asserted.flatMap(guidsIn)
  const agents = directory.agents.filter((agent) => named.includes(agent.oid) && (event.tenantId === null || agent.tenantId === event.tenantId))
  return agents.length === 1 ? agents[0]! : null
}
