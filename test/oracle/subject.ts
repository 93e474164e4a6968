/** From one event to the principals that it, or another record, proves. SPEC.md §1 "Subject", the table from top to bottom. */
import type { Proof } from '#core/event.ts'
import type { AppId, EventId, Oid } from '#core/keys.ts'
import { SECOND } from '#core/time.ts'
import { appIdAsOid, type Directory } from './directory.ts'
import type { Fact, Facts, Principal } from './facts.ts'

/** One way that leads from an event to a principal. */
export interface Chain {
  readonly subject: Principal
  /** The record says itself that the subject is an agent, without naming its oid in a directory fact. */
  readonly saysAgent: boolean
  /** The user that a delegated call acts for, where only the directory shows that it is one. */
  readonly onBehalfOf: Oid | null
  /** One word a hop. */
  readonly basis: readonly string[]
  /** The other events on the way. */
  readonly evidence: readonly EventId[]
  /** The event whose own record names the subject: where the way ends. */
  readonly end: Fact
  /** Whose doing is told of: the event itself, but of a usage log its call. */
  readonly deed: Fact
}

/** A rejected exchange, a denied mint and a target account's copy issued nothing that proves anything. */
export const isProvingIssuer = ({ event }: Fact): boolean => event.outcome === 'success' && event.proof.by !== 'issued'

/**
 * All ways from the event to a principal.
 * @param before the events already on the way: broken sources can write a circle
 */
export function chainsOf(one: Fact, facts: Facts, directory: Directory, before: readonly EventId[] = []): Chain[] {
  const { event } = one
  if (before.includes(event.id)) return []
  const way = [...before, event.id]
  switch (event.proof.by) {
    case 'principal': {
      const { oid, appId, kind } = event.proof
      if (kind === 'user' && appId !== null && event.tenantId !== null) {
        const agents = agentsWith(one, appId, directory)
        if (agents.length > 0)
          return agents.map((subject) => ({ subject, saysAgent: true, onBehalfOf: oid, basis: ['application'], evidence: [], end: one, deed: one }))
      }
      const tenantId = event.tenantId ?? directory.onlyTenantOf(oid)
      return [{ subject: { tenantId, oid }, saysAgent: kind === 'agent', onBehalfOf: null, basis: ['principal'], evidence: [], end: one, deed: one }]
    }
    case 'application':
      return applicationChains(one, event.proof, directory)
    case 'federation':
      return federationChains(one, event.proof, directory)
    case 'credential':
    case 'issued': {
      const credential = event.proof.by === 'credential' ? event.uses : event.issues
      if (credential === null) return []
      const issuers = facts.events.filter((other) => other.event.issues === credential && isProvingIssuer(other))
      return through('credential', one, issuers, facts, directory, way)
    }
    case 'request': {
      const invocations = facts.events.filter(
        (other) => other.event.kind === 'llm.invoked' && event.requestKey !== null && other.event.requestKey === event.requestKey,
      )
      return through('request-id', one, invocations, facts, directory, way)
    }
    case 'proximity': {
      const exchanges = facts.events.filter(
        ({ event: other }) =>
          other.kind === 'token.exchanged' &&
          other.outcome === 'success' &&
          event.nearKey !== null &&
          other.nearKey === event.nearKey &&
          other.timeNs <= event.timeNs &&
          event.timeNs - other.timeNs <= 2n * SECOND,
      )
      return through('proximity', one, exchanges, facts, directory, way)
    }
    case 'nothing':
      return []
  }
}

/** The chains of the events that one hop leads to, with the hop put in front. Consecutive credential hops are one word. */
function through(hop: string, from: Fact, events: readonly Fact[], facts: Facts, directory: Directory, way: readonly EventId[]): Chain[] {
  return events.flatMap((one) =>
    chainsOf(one, facts, directory, way).map((chain) => ({
      ...chain,
      deed: hop === 'request-id' ? chain.deed : from,
      basis: hop === 'credential' && chain.basis[0] === 'credential' ? chain.basis : [hop, ...chain.basis],
      evidence: [one.event.id, ...chain.evidence],
    })),
  )
}

function applicationChains(one: Fact, { appId }: Extract<Proof, { by: 'application' }>, directory: Directory): Chain[] {
  const { event } = one
  const agents = agentsWith(one, appId, directory)
  // A delegated sign-in gives this proof only where it says that an agent called; an API's log and Graph's activity log say nothing about the client.
  const saysSo = event.source === 'entra' && event.kind === 'token.issued'
  const subjects = agents.length > 0 || !saysSo ? agents : [{ tenantId: event.tenantId, oid: appIdAsOid(appId) }]
  return subjects.map((subject) => ({ subject, saysAgent: true, onBehalfOf: null, basis: ['application'], evidence: [], end: one, deed: one }))
}

/** The known agents (of the record's tenant, if it has one) with this appId; if there are none, those whose oid it is. */
function agentsWith({ event }: Fact, appId: AppId, directory: Directory): Principal[] {
  const agents = directory.agents.filter((agent) => event.tenantId === null || agent.tenantId === event.tenantId)
  const behind = agents.filter((agent) => directory.appIdsOf(agent).includes(appId))
  const saysSo = event.source === 'entra' && event.kind === 'token.issued'
  if (behind.length > 0 || (saysSo && event.proof.by === 'application')) return behind
  return agents.filter((agent) => agent.oid === appIdAsOid(appId))
}

function federationChains(one: Fact, proof: Extract<Proof, { by: 'federation' }>, directory: Directory): Chain[] {
  const { event } = one
  if (proof.oid === null || proof.entra === false) return []
  const pool = proof.pool ? directory.poolTrusts(proof.pool) : null
  if (pool === 'foreign') return []
  const tenantId = event.tenantId ?? pool ?? directory.onlyTenantOf(proof.oid)
  return [{ subject: { tenantId, oid: proof.oid }, saysAgent: false, onBehalfOf: null, basis: ['federated-subject'], evidence: [], end: one, deed: one }]
}
