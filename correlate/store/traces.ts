/**
 * Keeps the traces: disjoint stretches of time of one owner. An event that comes extends or joins traces, without looking at their events; one
 * that goes (its owner or session changed) has the traces around it cut anew from what is left.
 */
import type pg from 'pg'
import type { Source } from '#core/event.ts'
import type { EventId, Oid } from '#core/keys.ts'
import { eventId } from '#core/record.ts'
import { NO_TENANT } from '#core/keys.ts'
import { QUIET_NS } from '../link/sessions.ts'
import { type Part, type Segment, joinSegments, withContents } from '../link/segments.ts'
import type { Side } from './conclusions.ts'
import type { EventRef } from './lookups.ts'

/** An event that joined or left an owner's story (or its session within it). */
export interface Move {
  readonly tenantId: string
  readonly oid: Oid
  readonly id: EventId
  readonly timeNs: bigint
  readonly sessionId: EventId | null
  readonly source: Source
  readonly joined: boolean
}

type Moved = EventRef & { readonly source: Source }

/** What a change of conclusions means for traces. */
export function movesOf({ event, before, after }: { readonly event: Moved; readonly before: Side | null; readonly after: Side | null }): readonly Move[] {
  const place = (side: Side | null): Omit<Move, 'joined'> | null => {
    const owner = side?.entries.find((entry) => entry.isOwner)
    return owner
      ? { tenantId: owner.tenantId, oid: owner.oid, id: event.id, timeNs: event.timeNs, sessionId: side!.concluded.sessionId, source: event.source }
      : null
  }
  const [old, now] = [place(before), place(after)]
  if (old && now && old.tenantId === now.tenantId && old.oid === now.oid && old.sessionId === now.sessionId) return []
  return [...(old ? [{ ...old, joined: false }] : []), ...(now ? [{ ...now, joined: true }] : [])]
}

/** Brings sessions' reach and traces in line with the moves; the conclusions must be written already. */
export async function moveTraces(client: pg.ClientBase, moves: readonly Move[]): Promise<void> {
  for (const owned of Map.groupBy(moves, (move) => `${move.tenantId}/${move.oid}`).values()) {
    const owner = { tenantId: owned[0]!.tenantId, oid: owned[0]!.oid }
    const reach = await updateSpans(client, owner, owned)
    await recut(client, owner, owned, reach)
  }
}

interface Owner {
  readonly tenantId: string
  readonly oid: Oid
}

interface SpanRow {
  readonly session_id: EventId
  readonly start_ns: bigint
  readonly end_ns: bigint
}

/** Widens the reach of sessions that gained events, measures anew that of those that lost some. Returns every reach, old and new, that is concerned. */
async function updateSpans(client: pg.ClientBase, owner: Owner, moves: readonly Move[]): Promise<readonly Segment[]> {
  const reach: Segment[] = []
  const key = [owner.tenantId, owner.oid]
  const lost = new Set(moves.flatMap((move) => (!move.joined && move.sessionId ? [move.sessionId] : [])))
  if (lost.size > 0) {
    const { rows } = await client.query<SpanRow>(
      'delete from session_spans where session_id = any($3::uuid[]) and tenant_id = $1 and owner_oid = $2 returning session_id, start_ns, end_ns',
      [...key, [...lost]],
    )
    reach.push(...rows.map((row) => ({ start: row.start_ns, end: row.end_ns, first: null })))
    await client.query(
      `insert into session_spans (session_id, tenant_id, owner_oid, start_ns, end_ns)
       select r.id, $1, $2, min(l.time_ns), max(l.time_ns) from unnest($3::uuid[], $4::bigint[], $5::bigint[]) r(id, since, until)
       join timeline l on l.tenant_id = $1 and l.oid = $2 and l.is_owner and l.time_ns between r.since and r.until
       join conclusions c on c.time_ns = l.time_ns and c.event_id = l.event_id and c.session_id = r.id group by r.id`,
      [...key, rows.map((row) => row.session_id), rows.map((row) => row.start_ns), rows.map((row) => row.end_ns)],
    )
  }
  const gained = Map.groupBy(
    moves.filter((move) => move.joined && move.sessionId),
    (move) => move.sessionId!,
  )
  if (gained.size > 0) {
    const spans = [...gained.entries()].map(([sessionId, events]) => ({ sessionId, start: least(events), end: greatest(events) }))
    const { rows } = await client.query<SpanRow>(
      `insert into session_spans as s (session_id, tenant_id, owner_oid, start_ns, end_ns) select r.id, $1, $2, r.f, r.u from unnest($3::uuid[], $4::bigint[], $5::bigint[]) r(id, f, u)
       on conflict (session_id, tenant_id, owner_oid) do update set start_ns = least(s.start_ns, excluded.start_ns), end_ns = greatest(s.end_ns, excluded.end_ns)
       returning session_id, start_ns, end_ns`,
      [...key, spans.map((span) => span.sessionId), spans.map((span) => span.start), spans.map((span) => span.end)],
    )
    for (const row of rows) reach.push({ start: row.start_ns, end: row.end_ns, first: null })
  }
  return reach
}

const least = (events: readonly Move[]): bigint => events.reduce((min, { timeNs }) => (timeNs < min ? timeNs : min), events[0]!.timeNs)
const greatest = (events: readonly Move[]): bigint => events.reduce((max, { timeNs }) => (timeNs > max ? timeNs : max), events[0]!.timeNs)

interface TraceRow {
  readonly id: EventId
  readonly start_ns: bigint
  readonly end_ns: bigint
  readonly first_event: EventId
  readonly events: bigint
  readonly sources: readonly Source[]
}

async function recut(client: pg.ClientBase, owner: Owner, moves: readonly Move[], reach: readonly Segment[]): Promise<void> {
  const joined = moves.filter((move) => move.joined).map((move): Segment => ({ start: move.timeNs, end: move.timeNs, first: move.id }))
  const left = moves.filter((move) => !move.joined).map((move): Segment => ({ start: move.timeNs, end: move.timeNs, first: null }))
  const dirty = joinSegments([...joined, ...left, ...reach])
  const old = await tracesNear(client, owner, dirty)
  const known = old.map((trace): Segment => ({ start: trace.start_ns, end: trace.end_ns, first: trace.first_event }))
  const stretches = joinSegments([...dirty, ...known])
  // What joined was in none of the traces before: their counts and its own add up. Where something left, what is there is counted.
  const members = left.length === 0 ? [...old.map(partOf), ...moves.map(memberOf)] : await membersOf(client, owner, stretches)
  const cut = left.length === 0 ? joinSegments([...joined, ...reach, ...known]) : await segmentsOf(client, owner, stretches, members)
  const traces = withContents(cut, members)
  const unchanged = new Set(old.filter((trace) => traces.some((one) => isSame(one, trace))).map((trace) => trace.id))
  await client.query('delete from traces where id = any($1::uuid[])', [old.filter((trace) => !unchanged.has(trace.id)).map((trace) => trace.id)])
  const fresh = traces.map((one) => ({ ...one, id: traceId(owner, one.first!) })).filter((one) => !unchanged.has(one.id))
  if (fresh.length === 0) return
  await client.query(
    `insert into traces (id, tenant_id, owner_oid, start_ns, end_ns, first_event, events, sources)
     select r.id, $1, $2, r.f, r.u, r.first, r.events, string_to_array(r.sources, ',')::source[]
     from unnest($3::uuid[], $4::bigint[], $5::bigint[], $6::uuid[], $7::bigint[], $8::text[]) r(id, f, u, first, events, sources)`,
    [
      owner.tenantId,
      owner.oid,
      fresh.map((one) => one.id),
      fresh.map((one) => one.start),
      fresh.map((one) => one.end),
      fresh.map((one) => one.first),
      fresh.map((one) => one.events),
      fresh.map((one) => one.sources.join(',')),
    ],
  )
  await client.query('insert into trace_ids (id, first_event) select * from unnest($1::uuid[], $2::uuid[]) on conflict do nothing', [
    fresh.map((one) => one.id),
    fresh.map((one) => one.first),
  ])
}

const partOf = (trace: TraceRow): Part => ({ start: trace.start_ns, end: trace.end_ns, first: trace.first_event, events: trace.events, sources: trace.sources })
const memberOf = ({ timeNs, id, source }: Omit<Move, 'joined'>): Part => ({ start: timeNs, end: timeNs, first: id, events: 1n, sources: [source] })

const isSame = (one: Part, trace: TraceRow): boolean =>
  one.start === trace.start_ns &&
  one.end === trace.end_ns &&
  one.first === trace.first_event &&
  one.events === trace.events &&
  one.sources.join() === trace.sources.join()

/** A function of the trace's content: its owner and its first event. */
function traceId(owner: { readonly tenantId: string; readonly oid: string }, first: EventId): EventId {
  return eventId('trace', owner.tenantId === NO_TENANT ? '' : owner.tenantId, owner.oid, first)
}

async function tracesNear(client: pg.ClientBase, owner: Owner, dirty: readonly Segment[]): Promise<TraceRow[]> {
  const { rows } = await client.query<TraceRow>(
    `select distinct on (t.id) t.id, t.start_ns, t.end_ns, t.first_event, t.events, t.sources::text[] as sources from unnest($3::bigint[], $4::bigint[]) r(f, u)
     join traces t on t.tenant_id = $1 and t.owner_oid = $2 and t.end_ns >= r.f - $5::bigint and t.start_ns <= r.u + $5::bigint`,
    [owner.tenantId, owner.oid, dirty.map((one) => one.start), dirty.map((one) => one.end), QUIET_NS],
  )
  return rows
}

/** The events that the owner has in these stretches. */
async function membersOf(client: pg.ClientBase, owner: Owner, stretches: readonly Segment[]): Promise<readonly Part[]> {
  const { rows } = await client.query<{ time_ns: bigint; event_id: EventId; source: Source }>(
    `select l.time_ns, l.event_id, l.source from unnest($3::bigint[], $4::bigint[]) r(since, until)
     join timeline l on l.tenant_id = $1 and l.oid = $2 and l.is_owner and l.time_ns between r.since and r.until`,
    rangesOf(owner, stretches),
  )
  return rows.map((row) => ({ start: row.time_ns, end: row.time_ns, first: row.event_id, events: 1n, sources: [row.source] }))
}

/** Cuts these stretches anew from the events and sessions that the owner has in them. */
async function segmentsOf(client: pg.ClientBase, owner: Owner, stretches: readonly Segment[], members: readonly Segment[]): Promise<readonly Segment[]> {
  const spans = await client.query<SpanRow>(
    `select s.session_id, s.start_ns, s.end_ns from unnest($3::bigint[], $4::bigint[]) r(since, until)
     join session_spans s on s.tenant_id = $1 and s.owner_oid = $2 and s.end_ns >= r.since and s.start_ns <= r.until`,
    rangesOf(owner, stretches),
  )
  return joinSegments([...members, ...spans.rows.map((row) => ({ start: row.start_ns, end: row.end_ns, first: null }))])
}

const rangesOf = (owner: Owner, stretches: readonly Segment[]): unknown[] => [
  owner.tenantId,
  owner.oid,
  stretches.map((one) => one.start),
  stretches.map((one) => one.end),
]
