import type pg from 'pg'
import type { Attribution, Link } from '#core/event.ts'
import { type EventId, NO_TENANT } from '#core/keys.ts'
import { type CopyValue, copyRows } from '#database/copy.ts'
import type { LinkFacts } from '../attribute.ts'
import type { Directory } from '../directory/directory.ts'
import type { Session } from '../link/sessions.ts'
import type { EventRef } from './lookups.ts'
import { TIMELINE_COLUMNS, type TimelineEntry, sameEntry, timelineEntries, timelineRow, waitingKeys } from './timeline.ts'

/** A conclusion with its place among other events. */
export interface Concluded extends Attribution {
  readonly sessionId: EventId | null
  readonly parentId: EventId | null
  readonly link: Link | null
}

/** A conclusion with the timelines that it puts its event into. */
export interface Side {
  readonly concluded: Concluded
  readonly entries: readonly TimelineEntry[]
}

/** One event's conclusion as it was stored (null: none yet) and as it is now. */
export interface Change {
  readonly event: LinkFacts
  readonly before: Side | null
  readonly after: Side
}

const COLUMNS = [
  'time_ns',
  'event_id',
  'tenant_id',
  'subject_oid',
  'agent_oid',
  'on_behalf_of',
  'confidence',
  'basis',
  'candidates',
  'evidence',
  'owner_tenant',
  'other_tenants',
  'session_id',
  'parent_id',
  'link',
  'round',
  'source',
  'kind',
  'outcome',
] as const

/** The stored conclusions about these events. Primary key of conclusions. */
export async function storedConclusions(client: pg.ClientBase, refs: readonly EventRef[]): Promise<Map<EventId, Concluded>> {
  const { rows } = await client.query<Concluded & { eventId: EventId }>(
    `select c.event_id as "eventId", c.tenant_id as "tenantId", c.subject_oid as "subjectOid", c.agent_oid as "agentOid", c.on_behalf_of as "onBehalfOf", c.confidence, c.basis, c.candidates, c.evidence,
       c.session_id as "sessionId", c.parent_id as "parentId", c.link
     from unnest($1::bigint[], $2::uuid[]) r(t, i) join conclusions c on c.time_ns = r.t and c.event_id = r.i`,
    [refs.map((ref) => ref.timeNs), refs.map((ref) => ref.id)],
  )
  return new Map(rows.map(({ eventId, ...concluded }) => [eventId, concluded]))
}

/** Compares what was concluded with what is concluded now, each in the directory of its time. Null when nothing changes. */
export function changeOf(
  event: LinkFacts,
  stored: Concluded | undefined,
  concluded: Concluded,
  directories: { before: Directory; after: Directory },
): Change | null {
  const after = { concluded, entries: timelineEntries(event, concluded, directories.after) }
  if (!stored) return { event, before: null, after }
  const before = { concluded: stored, entries: timelineEntries(event, stored, directories.before) }
  return sameAttribution(before, after) && samePlace(stored, concluded) ? null : { event, before, after }
}

function samePlace(a: Concluded, b: Concluded): boolean {
  return a.sessionId === b.sessionId && a.parentId === b.parentId && a.link === b.link
}

function sameAttribution({ concluded: a, entries }: Side, { concluded: b, entries: others }: Side): boolean {
  return (
    a.tenantId === b.tenantId &&
    a.subjectOid === b.subjectOid &&
    a.agentOid === b.agentOid &&
    a.onBehalfOf === b.onBehalfOf &&
    a.confidence === b.confidence &&
    sameList(a.basis, b.basis) &&
    sameList(a.candidates, b.candidates) &&
    sameList(a.evidence, b.evidence) &&
    entries.length === others.length &&
    entries.every((entry, index) => sameEntry(entry, others[index]!))
  )
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index])
}

/** Writes changed conclusions with their timeline and waiting rows, as of this round. */
export async function writeChanges(client: pg.ClientBase, changes: readonly Change[], round: bigint): Promise<void> {
  const { updated = [], replaced = [] } = Object.groupBy(changes, (change) => (staysInPlace(change) ? 'updated' : 'replaced'))
  await updateInPlace(client, updated, round)
  if (replaced.length === 0) return
  await removeConclusions(
    client,
    replaced.flatMap(({ event, before }) => (before ? [{ event, entries: before.entries }] : [])),
  )
  await copyRows(
    client,
    'conclusions',
    COLUMNS,
    replaced.map(({ event, after }) => conclusionRow(event, after, round)),
  )
  await copyRows(
    client,
    'timeline',
    TIMELINE_COLUMNS,
    replaced.flatMap(({ event, after }) => after.entries.map((entry) => timelineRow(event, entry))),
  )
  await copyRows(
    client,
    'waiting',
    ['key', 'time_ns', 'event_id'],
    replaced.flatMap(({ event, after }) => waitingKeys(event, after.concluded).map((key) => [key, event.timeNs, event.id])),
  )
}

function conclusionRow(event: LinkFacts, { concluded: one, entries }: Side, round: bigint): readonly CopyValue[] {
  const owner = entries.find((entry) => entry.isOwner)?.tenantId
  const ownerTenant = owner === undefined || owner === (one.tenantId ?? NO_TENANT) ? null : owner
  return [
    event.timeNs,
    event.id,
    one.tenantId,
    one.subjectOid,
    one.agentOid,
    one.onBehalfOf,
    one.confidence,
    one.basis,
    one.candidates,
    one.evidence,
    ownerTenant,
    otherTenants(event, one, entries),
    one.sessionId,
    one.parentId,
    one.link,
    round,
    event.source,
    event.kind,
    event.outcome,
  ]
}

/** Whom the event concerns beside the tenant of its conclusion: its record's own tenant, and those in whose timelines it stands. With that tenant they may read it. */
function otherTenants(event: LinkFacts, { tenantId }: Attribution, entries: readonly TimelineEntry[]): readonly string[] | null {
  const tenants = new Set<string>(entries.map((entry) => entry.tenantId))
  if (event.tenantId) tenants.add(event.tenantId)
  tenants.delete(NO_TENANT)
  if (tenantId) tenants.delete(tenantId)
  return tenants.size === 0 ? null : [...tenants].toSorted()
}

/** Only the event's place among others changes (session, parent): the usual case for landmarks, and the cheapest to write. */
function staysInPlace({ before, after }: Change): boolean {
  return before !== null && sameAttribution(before, after)
}

async function updateInPlace(client: pg.ClientBase, changes: readonly Change[], round: bigint): Promise<void> {
  if (changes.length === 0) return
  await client.query(
    `update conclusions c set session_id = r.session, parent_id = r.parent, link = r.link, round = $6::bigint from unnest($1::bigint[], $2::uuid[], $3::uuid[], $4::uuid[], $5::link[]) r(t, i, session, parent, link)
     where c.time_ns = r.t and c.event_id = r.i`,
    [
      changes.map(({ event }) => event.timeNs),
      changes.map(({ event }) => event.id),
      changes.map(({ after }) => after.concluded.sessionId),
      changes.map(({ after }) => after.concluded.parentId),
      changes.map(({ after }) => after.concluded.link),
      round,
    ],
  )
}

/** Deletes conclusions with the timeline and waiting rows that they led to. */
export async function removeConclusions(
  client: pg.ClientBase,
  gone: readonly { readonly event: EventRef; readonly entries: readonly TimelineEntry[] }[],
): Promise<void> {
  if (gone.length === 0) return
  const refs = [gone.map(({ event }) => event.timeNs), gone.map(({ event }) => event.id)]
  const rows = gone.flatMap(({ event, entries }) => entries.map((entry) => ({ ...entry, event })))
  await client.query('delete from conclusions c using unnest($1::bigint[], $2::uuid[]) r(t, i) where c.time_ns = r.t and c.event_id = r.i', refs)
  await client.query('delete from waiting w using unnest($1::bigint[], $2::uuid[]) r(t, i) where w.time_ns = r.t and w.event_id = r.i', refs)
  await client.query(
    `delete from timeline l using unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[]) r(tenant, oid, t, i)
     where l.tenant_id = r.tenant and l.oid = r.oid and l.time_ns = r.t and l.event_id = r.i`,
    [rows.map((row) => row.tenantId), rows.map((row) => row.oid), rows.map((row) => row.event.timeNs), rows.map((row) => row.event.id)],
  )
}

/** Stores what is known of these sessions now. */
export async function writeSessions(client: pg.ClientBase, sessions: Iterable<Session>): Promise<void> {
  const distinct = [...new Map([...sessions].map((session) => [session.id, session])).values()].toSorted((a, b) => (a.id < b.id ? -1 : 1))
  if (distinct.length === 0) return
  await client.query(
    `insert into sessions as s (id, cloud, key, root_event, resolved) select * from unnest($1::uuid[], $2::source[], $3::text[], $4::uuid[], $5::boolean[])
     on conflict (id) do update set root_event = excluded.root_event, resolved = excluded.resolved where (s.root_event, s.resolved) is distinct from (excluded.root_event, excluded.resolved)`,
    [
      distinct.map((one) => one.id),
      distinct.map((one) => one.cloud),
      distinct.map((one) => one.key),
      distinct.map((one) => one.rootEvent),
      distinct.map((one) => one.resolved),
    ],
  )
}

/** One change an event: from what stood before the first of its changes to what stands after the last. */
export function netChanges(changes: readonly Change[]): readonly Change[] {
  const net = new Map<EventId, Change>()
  for (const change of changes) net.set(change.event.id, { ...change, before: net.get(change.event.id) ? net.get(change.event.id)!.before : change.before })
  return [...net.values()]
}
