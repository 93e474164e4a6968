/**
 * A second opinion: what follows from a set of records, written from correlate/SPEC.md §1 alone and without a database. Slow and obvious
 * on purpose. Tests compare the product's canonical export with its lines.
 */
import type { Attribution } from '#core/event.ts'
import type { EventId, TenantId } from '#core/keys.ts'
import { canonicalJson, type Json } from '#core/record.ts'
import { formatTime } from '#core/time.ts'
import type { Accepted } from '#correlate/accept.ts'
import { attribute } from './attribution.ts'
import { directoryOf } from './directory.ts'
import { compare, distinct, factsOf, type Fact } from './facts.ts'
import { parentOf, type Parent } from './parents.ts'
import { sessionsOf, type OracleSession } from './sessions.ts'
import { tracesOf, type OracleTrace } from './traces.ts'

/** An event with who did it. */
export interface Concluded extends Fact {
  readonly attribution: Attribution & {
    /** The agent's own tenant: a federated credential may stand in another one than its subject. */ readonly agentTenantId: TenantId | null
  }
}

/** An event with everything that follows for it. */
export interface OracleEvent extends Concluded {
  readonly parent: Parent | null
  readonly sessionId: EventId | null
  readonly traceId: EventId | null
}

export interface OracleAnswer {
  /** The canonical export of events, sessions and traces (SPEC.md §1 "Export"). */
  readonly lines: readonly string[]
  /** In time order. */
  readonly events: readonly OracleEvent[]
  readonly sessions: readonly OracleSession[]
  readonly traces: readonly OracleTrace[]
}

/** What follows from the records. Their order and repetition make no difference. */
export function oracle(accepted: readonly Accepted[]): OracleAnswer {
  const facts = factsOf(accepted)
  const directory = directoryOf(facts.statements)
  // Sessions of Google Cloud hang on subjects alone, and what is said of agents hangs on sessions: so subjects come first.
  const bySubject = sessionsOf(facts.events.map((one) => ({ ...one, attribution: attribute(one, facts, directory) })))
  const exchangeOf = ({ event }: Fact): Fact | null =>
    event.kind === 'token.exchanged' ? null : (bySubject.find(({ members }) => members.some((one) => one.event.id === event.id))?.exchange ?? null)
  const concluded: Concluded[] = facts.events.map((one) => ({ ...one, attribution: attribute(one, facts, directory, exchangeOf) }))
  const sessions = sessionsOf(concluded)
  const traces = tracesOf(concluded, sessions)
  const parents = new Map(concluded.map((one) => [one.event.id, parentOf(one, concluded, sessions, directory)]))
  const events = concluded.map((one) => ({
    ...one,
    parent: parents.get(one.event.id) ?? null,
    sessionId: sessions.find(({ members }) => members.includes(one))?.id ?? null,
    traceId: traces.find(({ members }) => members.includes(one))?.id ?? null,
  }))
  const lines = [...events.map(eventLine), ...sessions.map(sessionLine), ...traces.map((trace) => traceLine(trace, parents))]
  return { lines: lines.toSorted((a, b) => compare(a.type, b.type) || compare(a.id, b.id)).map((line) => canonicalJson(line)), events, sessions, traces }
}

export type { OracleSession }

type Line = { readonly [key: string]: Json } & { readonly type: string; readonly id: string }

function eventLine({ event, attribution, sha256, parent, sessionId, traceId }: OracleEvent): Line {
  return {
    type: 'event',
    id: event.id,
    nativeId: event.nativeId,
    time: formatTime(event.timeNs),
    source: event.source,
    kind: event.kind,
    action: event.action,
    outcome: event.outcome,
    error: event.error && { code: event.error.code, message: event.error.message },
    tenantId: attribution.tenantId,
    subjectOid: attribution.subjectOid,
    agentOid: attribution.agentOid,
    onBehalfOf: attribution.onBehalfOf,
    targets: [...event.targets],
    attribution: {
      confidence: attribution.confidence,
      basis: [...attribution.basis],
      candidates: [...attribution.candidates],
      evidence: [...attribution.evidence],
    },
    traceId,
    sessionId,
    parentId: parent?.id ?? null,
    cloud: { account: event.cloud.account, region: event.cloud.region, principal: event.cloud.principal },
    resource: event.resource,
    model: event.model && { id: event.model.id, name: event.model.name, provider: event.model.provider },
    usage: event.usage && {
      inputTokens: event.usage.inputTokens,
      outputTokens: event.usage.outputTokens,
      cacheReadTokens: event.usage.cacheReadTokens,
      cacheWriteTokens: event.usage.cacheWriteTokens,
    },
    sourceIp: event.sourceIp,
    userAgent: event.userAgent,
    requestId: event.requestId,
    deliveredAt: event.deliveredNs === null ? null : formatTime(event.deliveredNs),
    rawSha256: sha256,
  }
}

function sessionLine({ id, cloud, tenantId, subjectOid, rootNativeId, resolved, members }: OracleSession): Line {
  return { type: 'session', id, cloud, tenantId, subjectOid, rootNativeId, resolved, eventIds: distinct(members.map(({ event }) => event.id)) }
}

function traceLine({ id, tenantId, ownerOid, members, sessionIds }: OracleTrace, parents: ReadonlyMap<EventId, Parent | null>): Line {
  const eventIds = distinct(members.map(({ event }) => event.id))
  return {
    type: 'trace',
    id,
    tenantId,
    ownerOid,
    start: formatTime(members[0]!.event.timeNs),
    end: formatTime(members.at(-1)!.event.timeNs),
    sessionIds: [...sessionIds],
    eventIds,
    edges: eventIds.flatMap((child) => {
      const parent = parents.get(child)
      return parent ? [{ child, link: parent.link, parent: parent.id }] : []
    }),
  }
}
