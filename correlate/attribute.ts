/**
 * From record to subject to agent (DESIGN §4.1 to §4.3). Pure: everything it needs from other records comes through `Known`.
 * It never guesses: what is not proven stays without an agent, and several candidates are all listed and none is chosen.
 */
import type { Attribution, Confidence, Kind, Outcome, Proof, Source } from '#core/event.ts'
import { type AppId, type CredentialId, type EventId, type Oid, type TenantId, guidsIn } from '#core/keys.ts'
import { SECOND } from '#core/time.ts'
import { type Moment, candidatesDuring } from './moments.ts'
import type { Directory } from './directory/directory.ts'

/** The part of a stored event that links and attributions rest on. */
export interface LinkFacts {
  readonly id: EventId
  readonly timeNs: bigint
  readonly source: Source
  readonly kind: Kind
  readonly outcome: Outcome
  readonly tenantId: TenantId | null
  readonly proof: Proof
  readonly onBehalfOf: Oid | null
  readonly targets: readonly Oid[]
  readonly uses: CredentialId | null
  readonly issues: CredentialId | null
  readonly requestKey: string | null
  readonly nearKey: string | null
  readonly asserted: readonly string[]
  readonly tokenId: string | null
  /** What was acted on, and the cloud's principal: a GCP mint is for the first, a call acts as the second. */
  readonly resource: string | null
  readonly principal: string | null
  /** Only repeats or continues what another record tells of (`TrailEvent.secondary`). */
  readonly secondary: boolean
}

/** What other records say, as far as it was looked up for the events at hand. */
export interface Known {
  readonly directory: Directory
  /** All events that issued this credential. */
  readonly issuersOf: (credential: CredentialId) => readonly LinkFacts[]
  /** All invocations with this request key. */
  readonly invocationsOf: (requestKey: string) => readonly LinkFacts[]
  /** All successful exchanges with this near key. */
  readonly exchangesNear: (nearKey: string) => readonly LinkFacts[]
}

/** A mint belongs to an exchange at most this long before it (facts/gcp.md b.2: three measured pairs took 77 to 113 ms). */
export const PROXIMITY_NS = 2n * SECOND

interface Subject {
  readonly tenantId: TenantId | null
  readonly oid: Oid
  /** The platform itself says that this principal is an agent. */
  readonly agent: boolean
  readonly onBehalfOf: Oid | null
  readonly strength: 'exact' | 'probable'
  readonly basis: readonly string[]
  readonly evidence: readonly EventId[]
  /** When whoever acted as the subject may have got hold of what the event was done with, until the event; not before the exchange. */
  readonly moments: readonly Moment[]
}

/** What is concluded about an event, and how long before it the moment begins that its candidates are looked for in. */
export interface Attributed {
  readonly attribution: Attribution
  readonly reachNs: bigint
}

const NONE: Attribution = { tenantId: null, subjectOid: null, agentOid: null, onBehalfOf: null, confidence: 'none', basis: [], candidates: [], evidence: [] }

/**
 * The conclusion about one event.
 * @param exchangedNs when the session of Google Cloud that the event belongs to began: no record says which token was used, the session does
 */
export function attribute(event: LinkFacts, known: Known, exchangedNs?: bigint): Attributed {
  const found = distinct(subjectsOf(event, known, new Set()))
  const subjects = exchangedNs !== undefined && found.length === 1 ? [{ ...found[0]!, moments: [inOrder({ from: exchangedNs, to: event.timeNs })] }] : found
  const reachNs = subjects.reduce(
    (most, { moments }) => moments.reduce((longest, { from }) => (event.timeNs - from > longest ? event.timeNs - from : longest), most),
    0n,
  )
  return { attribution: concluded(event, subjects, known), reachNs }
}

function concluded(event: LinkFacts, subjects: readonly Subject[], known: Known): Attribution {
  if (subjects.length === 1) {
    const conclusion = fromSubject(event, subjects[0]!, known.directory)
    // Whoever changes the directory stands in `cloud.principal`; as a subject it counts when it is an agent or leads to some.
    if (isAudit(event) && conclusion.confidence === 'none') return { ...NONE, tenantId: event.tenantId, onBehalfOf: event.onBehalfOf }
    return conclusion
  }
  const nothing = { ...NONE, tenantId: event.tenantId, onBehalfOf: event.onBehalfOf }
  // Several subjects behind one credential or request id contradict each other: then nothing is proven.
  if (subjects.length > 1) return event.proof.by === 'proximity' ? fromSeveral(event, subjects, known.directory) : nothing
  return asserted(event, known.directory) ?? nothing
}

function isAudit({ source, kind }: LinkFacts): boolean {
  return source === 'entra' && kind !== 'token.issued' && kind !== 'api.called'
}

/** Every subject that the event's proof leads to; more than one is a contradiction or, for proximity, a collision. */
function subjectsOf(event: LinkFacts, known: Known, visited: Set<EventId>): readonly Subject[] {
  if (visited.has(event.id)) return []
  visited.add(event.id)
  const { proof } = event
  const through = (events: readonly LinkFacts[], basis: string, strength: 'exact' | 'probable' = 'exact'): Subject[] =>
    events.flatMap((next) =>
      subjectsOf(next, known, new Set(visited)).map((subject) => ({
        ...subject,
        strength: strength === 'probable' ? strength : subject.strength,
        // A usage log tells of its call, and of nothing later; whatever was issued may have been used from the exchange on.
        moments: basis === 'request-id' ? subject.moments : subject.moments.map(({ from }) => ({ from, to: event.timeNs })),
        basis: subject.basis[0] === basis ? subject.basis : [basis, ...subject.basis],
        evidence: [next.id, ...subject.evidence],
      })),
    )
  switch (proof.by) {
    case 'principal':
      // A user's row whose client turns out to be an agent is an on-behalf-of call, also where the row does not say so (facts/entra.md a.1).
      if (proof.kind === 'user' && proof.appId && event.tenantId) {
        const agents = application({ ...event, onBehalfOf: proof.oid }, proof.appId, known.directory, false)
        if (agents.length > 0) return agents
      }
      return [direct(event, event.tenantId ?? known.directory.onlyTenantOf(proof.oid), proof.oid, 'principal', proof.kind === 'agent')]
    case 'application':
      return application(event, proof.appId, known.directory, event.source === 'entra' && event.kind === 'token.issued')
    case 'federation': {
      if (proof.oid === null || proof.entra === false) return []
      const issuer = proof.pool ? known.directory.pools.issuerOf(proof.pool) : null
      if (issuer === 'foreign') return []
      return [direct(event, event.tenantId ?? issuer ?? known.directory.onlyTenantOf(proof.oid), proof.oid, 'federated-subject', false)]
    }
    case 'credential':
      return event.uses ? through(provingIssuers(known.issuersOf(event.uses)), 'credential') : []
    case 'issued':
      return event.issues ? through(provingIssuers(known.issuersOf(event.issues)), 'credential') : []
    case 'request':
      return event.requestKey ? through(known.invocationsOf(event.requestKey), 'request-id') : []
    case 'proximity':
      return event.nearKey
        ? through(
            known.exchangesNear(event.nearKey).filter((one) => one.timeNs <= event.timeNs && event.timeNs - one.timeNs <= PROXIMITY_NS),
            'proximity',
            'probable',
          )
        : []
    case 'nothing':
      return []
  }
}

/** The target account's copy of a cross-account AssumeRole names the new key, but not whose it is: only the caller's copy proves that. */
export function provingIssuers(issuers: readonly LinkFacts[]): readonly LinkFacts[] {
  return issuers.filter((issuer) => issuer.outcome === 'success' && issuer.proof.by !== 'issued')
}

function direct(event: LinkFacts, tenantId: TenantId | null, oid: Oid, basis: string, agent: boolean): Subject {
  const moments = [{ from: event.timeNs, to: event.timeNs }]
  return { tenantId, oid, agent, onBehalfOf: event.onBehalfOf, strength: 'exact', basis: [basis], evidence: [], moments }
}

/** Clocks differ: what was used before it was issued was used at its own time. */
const inOrder = ({ from, to }: Moment): Moment => (from > to ? { from: to, to } : { from, to })

/**
 * The agent behind an appId: known from other records, or the appId itself, which equals the oid in every token seen (facts/entra.md a.1):
 * where the row says that it is an agent's (`saysAgent`), or the oid is known as one.
 */
function application(event: LinkFacts, appId: AppId, directory: Directory, saysAgent: boolean): readonly Subject[] {
  const agents = directory.agentsByAppId(event.tenantId, appId)
  if (agents.length > 0) return agents.map((agent) => direct(event, agent.tenantId, agent.oid, 'application', true))
  const sameId = appId as string as Oid
  if (saysAgent) return [direct(event, event.tenantId, sameId, 'application', true)]
  const tenantId = event.tenantId ?? directory.onlyTenantOf(sameId)
  return tenantId && directory.principal(tenantId, sameId)?.kind === 'agent' ? [direct(event, tenantId, sameId, 'application', true)] : []
}

/** One entry a (tenant, oid), the shortest chain first; the evidence of equal chains is joined. */
function distinct(subjects: readonly Subject[]): readonly Subject[] {
  const found = new Map<string, Subject>()
  for (const subject of subjects) {
    const key = `${subject.tenantId}/${subject.oid}`
    const other = found.get(key)
    if (!other) found.set(key, subject)
    else {
      const [first] = [other, subject].toSorted((a, b) => a.basis.length - b.basis.length || (a.basis.join() < b.basis.join() ? -1 : 1))
      found.set(key, {
        ...first!,
        agent: other.agent || subject.agent,
        evidence: [...other.evidence, ...subject.evidence],
        moments: [...other.moments, ...subject.moments],
      })
    }
  }
  return [...found.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, subject]) => subject)
}

function fromSubject(event: LinkFacts, subject: Subject, directory: Directory): Attribution {
  const found = { tenantId: subject.tenantId, subjectOid: subject.oid, onBehalfOf: event.onBehalfOf ?? subject.onBehalfOf }
  const conclude = (
    confidence: Confidence,
    agentOid: Oid | null,
    candidates: readonly Oid[],
    basis: readonly string[],
    evidence: readonly EventId[],
  ): Attribution => ({
    ...found,
    agentOid,
    confidence,
    basis: [...subject.basis, ...basis],
    candidates,
    evidence: [...new Set([...subject.evidence, ...evidence])].toSorted(),
  })
  if (subject.agent) return conclude(subject.strength, subject.oid, [], [], [])
  if (!subject.tenantId) return conclude('none', null, [], [], [])
  const { self, agents, basis, evidence } = candidatesDuring(directory, { tenantId: subject.tenantId, oid: subject.oid }, subject.moments.map(inOrder))
  if (agents.length === 0) return conclude('none', null, [], [], [])
  if (agents.length > 1)
    return conclude(
      'ambiguous',
      null,
      agents.map((agent) => agent.oid),
      basis,
      evidence,
    )
  const confidence = subject.strength === 'probable' ? 'probable' : self ? 'exact' : 'derived'
  return conclude(confidence, agents[0]!.oid, [], basis, evidence)
}

/** Two strangers behind one address within two seconds: all their agents are candidates, none is chosen. */
function fromSeveral(event: LinkFacts, subjects: readonly Subject[], directory: Directory): Attribution {
  const single = subjects.map((subject) => fromSubject(event, subject, directory))
  const candidates = [...new Set(single.flatMap((one) => (one.agentOid ? [one.agentOid] : one.candidates)))].toSorted()
  const tenants = new Set(subjects.map((subject) => subject.tenantId))
  const tenantId = tenants.size === 1 ? subjects[0]!.tenantId : null
  const evidence = [...new Set(single.flatMap((one) => one.evidence))].toSorted()
  if (candidates.length === 0) return { ...NONE, tenantId, evidence, basis: ['proximity'] }
  return { ...NONE, tenantId, confidence: 'ambiguous', basis: ['proximity'], candidates, evidence }
}

/** Nothing is proven, but the caller wrote an agent's oid into a name that it could choose: a claim, shown as one. */
function asserted(event: LinkFacts, directory: Directory): Attribution | null {
  if (event.source !== 'aws' && event.source !== 'gcp') return null
  const claimed = new Set(event.asserted.flatMap(guidsIn))
  const agents = [...claimed]
    .flatMap((guid) => directory.agentsByOid(guid as Oid))
    .filter((agent) => event.tenantId === null || agent.tenantId === event.tenantId)
  if (agents.length !== 1) return null
  return { ...NONE, tenantId: agents[0]!.tenantId, agentOid: agents[0]!.oid, confidence: 'asserted', basis: ['asserted-name'] }
}
