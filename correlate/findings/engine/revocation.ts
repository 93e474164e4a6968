/**
 * What held after an agent was deleted or disabled: a proof from records, never from the clock. Deleting an agent recalls no token; what it holds runs out by itself.
 */
import type { EventId, Oid, TenantId } from '#core/keys.ts'
import type { Json } from '#core/record.ts'
import { formatTime, HOUR } from '#core/time.ts'
import { TOKEN_NS } from '../../link/parents.ts'
import type { StoredFact } from '../../directory/fact.ts'
import { candidatesDuring } from '../../moments.ts'
import type { Directory } from '../../directory/directory.ts'
import type { Context } from './context.ts'
import type { LeftBehind } from './left-behind.ts'
import { type LogSpan, covers } from './log-span.ts'
import type { Evidence } from './rule.ts'
import type { StoredEvent } from './stored-event.ts'

/** An AWS session lives up to 12 h; Google's federated tokens and tokens minted without a lifetime about 1 h (facts/aws.md g, facts/gcp.md g). */
const LONGEST_NS = { aws: 12n * HOUR, gcp: HOUR } as const
/** Nothing that a cloud issues lives longer (AWS sessions of users 36 h, Entra's longest tokens 28 h): what is older was over. */
const LOOK_BACK_NS = 48n * HOUR
const CLOUDS = ['entra', 'aws', 'gcp', 'app'] as const

interface Revocation {
  readonly by: Evidence
  readonly change: 'deleted' | 'disabled'
  readonly from: bigint
  /** When it was taken back; null: it holds. */
  readonly to: bigint | null
}

export interface Revoked {
  readonly tenantId: TenantId
  readonly oid: Oid
  readonly spans: readonly Revocation[]
  /** Successes after a revocation that no token from before it explains. */
  readonly acts: readonly StoredEvent[]
  /** False when a log that would have to show a regular token does not cover the time. */
  readonly sure: boolean
  /** Latest success on each cloud after the first revocation that concerns it. */
  readonly last: ReadonlyMap<string, StoredEvent>
  /** The last record about the tenant's directory: a restoration after that may be missing. */
  readonly auditedUntil: bigint | null
  readonly signIns: LogSpan | null
  /** The same for machines. */
  readonly proof: Readonly<Record<string, Json>>
}

/** Every agent that was ever deleted or disabled, sorted by tenant and oid. Rejects when the database fails. */
export async function revokedAgents(context: Context): Promise<readonly Revoked[]> {
  const { directory, facts } = context
  const lifecycle = Map.groupBy(facts.filter(({ fact }) => fact.type === 'lifecycle') as LifecycleFact[], ({ tenantId, fact }) => `${tenantId}/${fact.id}`)
  const revoked = [...lifecycle].flatMap(([key, changes]) => {
    const { tenantId, fact } = changes[0]!
    if (directory.principal(tenantId, fact.id)?.kind !== 'agent') return []
    const spans = revocations(changes)
    return spans.length > 0 ? [{ key, tenantId, oid: fact.id, spans }] : []
  })
  // A revocation that was taken back long ago says nothing of what came later.
  const spans = revoked.flatMap(({ tenantId, oid, spans: all }) => all.map(({ from, to }) => ({ tenantId, oid, fromNs: from - LOOK_BACK_NS, toNs: to })))
  const events = Map.groupBy(await context.eventsOf(spans, `l.is_subject and e.outcome = 'success'`), (event) => `${event.tenantId}/${event.subjectOid}`)
  const audited = new Map<string, bigint>()
  for (const { tenantId, fact, time } of facts) {
    if (fact.type !== 'lifecycle' && fact.type !== 'fics' && fact.type !== 'application') continue
    const known = audited.get(tenantId)
    if (known === undefined || time > known) audited.set(tenantId, time)
  }
  const identities = await context.leftBehind()
  const found: Revoked[] = []
  for (const one of revoked.toSorted((a, b) => (a.key < b.key ? -1 : 1))) {
    const signIns = await context.signInLog(one.tenantId, 'entra:ServicePrincipalSignIn')
    const theirs = identities.filter(({ tenantId, agents }) => tenantId === one.tenantId && agents.has(one.key))
    found.push(describe(one, events.get(one.key) ?? [], signIns, audited.get(one.tenantId) ?? null, theirs, directory))
  }
  return found
}

type LifecycleFact = StoredFact & { readonly fact: { readonly type: 'lifecycle' } }

/** When the agent was deleted or disabled, each until it was restored or enabled again. */
function revocations(changes: readonly LifecycleFact[]): Revocation[] {
  const inOrder = changes.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : a.eventId < b.eventId ? -1 : 1))
  return inOrder.flatMap(({ tenantId, fact, time, eventId }, index): Revocation[] => {
    if (fact.change !== 'deleted' && fact.change !== 'disabled') return []
    // As the directory has it (`lifetimeOf`): whatever says that it is there again ends both. None enables what is deleted.
    const end = inOrder.slice(index + 1).find((later) => later.fact.change !== 'deleted' && later.fact.change !== 'disabled')
    return [{ by: { id: eventId, timeNs: time, tenantId }, change: fact.change, from: time, to: end?.time ?? null }]
  })
}

const inside = (span: Revocation, timeNs: bigint): boolean => timeNs > span.from && (span.to === null || timeNs < span.to)

/** Successes in the span that no token from before the revocation explains. */
function actsIn(span: Revocation, events: readonly StoredEvent[]): StoredEvent[] {
  const during = events.filter((event) => inside(span, event.timeNs))
  const issuedBefore = events.filter((event) => event.kind === 'token.issued' && event.timeNs <= span.from)
  const exchanges = during.filter((event) => {
    if (event.kind !== 'token.exchanged') return false
    const since = event.timeNs - TOKEN_NS
    // Later than any regular token lives, or within its life, but none was issued.
    return since > span.from || !issuedBefore.some((token) => token.timeNs >= since)
  })
  const sessions = new Set(exchanges.flatMap((event) => event.sessionId ?? []))
  const used = during.filter((event) => event.kind !== 'token.exchanged' && event.sessionId !== null && sessions.has(event.sessionId))
  return [...during.filter((event) => event.kind === 'token.issued'), ...exchanges, ...used]
}

function describe(
  { tenantId, oid, spans }: { readonly tenantId: TenantId; readonly oid: Oid; readonly spans: readonly Revocation[] },
  events: readonly StoredEvent[],
  signIns: LogSpan | null,
  auditedUntil: bigint | null,
  theirs: readonly LeftBehind[],
  directory: Directory,
): Revoked {
  const acts = distinct(spans.flatMap((span) => actsIn(span, events)))
  // A regular token would have been issued before the revocation: the log must cover its longest life before the act, and have come as far as the revocation.
  const covered = (act: StoredEvent): boolean =>
    act.kind === 'token.issued' ||
    spans.some((span) => inside(span, act.timeNs) && (act.timeNs - TOKEN_NS > span.from || covers(signIns, act.timeNs - TOKEN_NS, span.from)))
  const sure = acts.some(covered)
  // The revocation that is told of: the first one that was broken, else the first one that was not complete, else the last one.
  const left = theirs.flatMap(({ exchanges }) => exchanges.filter(({ abandoned }) => abandoned !== null))
  const within = (some: readonly { readonly timeNs: bigint }[]) => spans.find((span) => some.some(({ timeNs }) => inside(span, timeNs)))
  const told = within(acts) ?? within(left) ?? spans.at(-1)!
  const after = events.filter((event) => event.timeNs > told.from && (told.to === null || event.timeNs < told.to))
  const last = new Map(after.map((event) => [event.source, event]))
  const credentials = CLOUDS.flatMap((cloud) => aliveAfter(told, cloud, events))
  const alive = credentials.map((one) => one.until).reduce<bigint | null>((most, until) => (most === null || until > most ? until : most), null)
  const identities = theirs.flatMap((identity) => afterwards(told, { tenantId, oid }, identity, directory))
  const incomplete = identities.some(({ exchangesOfNobody }) => exchangesOfNobody > 0)
  const verdict = acts.length > 0 ? (sure ? 'broken' : 'doubtful') : incomplete ? 'incomplete' : last.size > 0 ? 'running-out' : 'quiet'
  const time = (timeNs: bigint | null): string | null => (timeNs === null ? null : formatTime(timeNs))
  return {
    tenantId,
    oid,
    spans,
    acts,
    sure,
    last,
    auditedUntil,
    signIns,
    proof: {
      verdict,
      revokedAt: time(told.from),
      change: told.change,
      revokedBy: told.by.id,
      takenBackAt: time(told.to),
      lastSuccess: CLOUDS.flatMap((cloud) => {
        const event = last.get(cloud)
        return event ? [{ cloud, at: formatTime(event.timeNs), event: event.id, action: event.action }] : []
      }),
      credentials: credentials.map(({ until, ...one }) => ({ ...one, aliveUntil: formatTime(until) })),
      aliveUntil: time(alive),
      identities,
      unexplained: {
        tokens: acts.filter((act) => act.kind === 'token.issued').length,
        exchanges: acts.filter((act) => act.kind === 'token.exchanged').length,
        other: acts.filter((act) => act.kind !== 'token.issued' && act.kind !== 'token.exchanged').length,
      },
      signInLog: signIns === null ? null : { from: formatTime(signIns.firstNs), until: formatTime(signIns.lastNs) },
      auditLogUntil: time(auditedUntil),
    },
  }
}

/**
 * What an identity that the agent could use until its revocation exchanged with clouds after that. None where the agent could not use it then. Those of other tenants are left
 * out: whoever reads the proof may see the agent's only.
 */
function afterwards(told: Revocation, agent: { readonly tenantId: TenantId; readonly oid: Oid }, identity: LeftBehind, directory: Directory) {
  const { tenantId, oid, exchanges } = identity
  const usedBy = (time: bigint) => candidatesDuring(directory, { tenantId, oid }, [{ from: time, to: time }]).agents
  if (!usedBy(told.from - 1n).some((one) => one.tenantId === agent.tenantId && one.oid === agent.oid)) return []
  const after = exchanges.filter((one) => inside(told, one.timeNs))
  const latest = new Map(after.map((one) => [one.source, one]))
  return [
    {
      oid,
      otherAgents: usedBy(told.from).filter((one) => one.oid !== agent.oid).length,
      exchanges: after.length,
      exchangesOfNobody: after.filter((one) => one.abandoned !== null).length,
      lastExchange: [...latest].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([cloud, { id, timeNs }]) => ({ cloud, at: formatTime(timeNs), event: id })),
    },
  ]
}

interface Alive {
  readonly cloud: string
  /** How many were issued that outlive the revocation. */
  readonly issued: number
  readonly issuedAfterRevocation: number
  readonly lastIssuedAt: string
  readonly until: bigint
  /** `record`: the cloud wrote it; `longest life`: the longest that such a credential lives. */
  readonly basis: 'record' | 'longest life'
}

/** Credentials of one cloud that were still good after the revocation, together. */
function aliveAfter(span: Revocation, cloud: StoredEvent['source'], events: readonly StoredEvent[]): Alive[] {
  const kinds = cloud === 'entra' ? ['token.issued'] : ['token.exchanged', 'credential.minted']
  const until = (event: StoredEvent): bigint =>
    event.issuedUntilNs ?? event.timeNs + (event.source === 'aws' || event.source === 'gcp' ? LONGEST_NS[event.source] : TOKEN_NS)
  const issued = events.filter(
    (event) => event.source === cloud && kinds.includes(event.kind) && until(event) > span.from && (span.to === null || event.timeNs < span.to),
  )
  const [latest] = issued.toSorted((a, b) => (until(a) > until(b) ? -1 : until(a) < until(b) ? 1 : a.id < b.id ? -1 : 1))
  if (!latest) return []
  return [
    {
      cloud,
      issued: issued.length,
      issuedAfterRevocation: issued.filter((event) => event.timeNs > span.from).length,
      lastIssuedAt: formatTime(issued.at(-1)!.timeNs),
      until: until(latest),
      basis: latest.issuedUntilNs === null ? 'longest life' : 'record',
    },
  ]
}

function distinct(events: readonly StoredEvent[]): StoredEvent[] {
  const seen = new Set<EventId>()
  return events.filter((event) => !seen.has(event.id) && seen.add(event.id))
}
