/** GCP sessions without an exchange: consecutive mints and calls of one subject, named after the first (SPEC §1, "Sessions"). */
import type pg from 'pg'
import { type EventId, NO_TENANT } from '#core/keys.ts'
import { QUIET_NS, type Session, unanchoredSession } from '../link/sessions.ts'
import { groupQuietly } from '../link/segments.ts'
import { writeSessions } from './conclusions.ts'
import type { EventRef } from './lookups.ts'

/** A subject's instant at which an event without an exchange came, went or changed. */
export interface Unanchored {
  readonly tenantId: string
  readonly oid: string
  readonly timeNs: bigint
}

interface Member extends EventRef {
  readonly sessionId: EventId | null
}

/** A subject's stretch of time whose unanchored events are being gathered. */
interface Stretch {
  readonly tenantId: string
  readonly oid: string
  since: bigint
  until: bigint
  members: readonly Member[]
}

/** Groups anew around these instants; returns the events whose session changes, with the session they get. */
export async function regroupUnanchored(client: pg.ClientBase, touched: readonly Unanchored[]): Promise<readonly (EventRef & { session: Session })[]> {
  const changed = new Map<EventId, EventRef & { session: Session }>()
  for (const stretch of await gather(client, touched)) {
    for (const group of groupQuietly(stretch.members)) {
      const session = unanchoredSession(group[0]!)
      for (const { timeNs, id, sessionId } of group) if (sessionId !== session.id) changed.set(id, { timeNs, id, session })
    }
  }
  const result = [...changed.values()]
  await writeSessions(
    client,
    result.map((one) => one.session),
  )
  return result
}

/** Every stretch around the instants with all unanchored events that hang together with it. */
async function gather(client: pg.ClientBase, touched: readonly Unanchored[]): Promise<readonly Stretch[]> {
  const stretches: Stretch[] = []
  for (const list of Map.groupBy(touched, (one) => `${one.tenantId}/${one.oid}`).values()) {
    for (const instants of groupQuietly(list.map((one) => ({ ...one, id: '' as EventId })))) {
      const { tenantId, oid, timeNs } = instants[0]!
      stretches.push({ tenantId, oid, since: timeNs - QUIET_NS, until: instants.at(-1)!.timeNs + QUIET_NS, members: [] })
    }
  }
  // Read again, wider, as long as something stands within a quiet gap of an edge: it may hang together with what lies beyond.
  for (let open = stretches; open.length > 0;) {
    const members = await readMembers(client, open)
    open = open.filter((stretch, index) => {
      stretch.members = members.get(index) ?? []
      const [first, last] = [stretch.members[0], stretch.members.at(-1)]
      if (!first || !last || (first.timeNs - QUIET_NS >= stretch.since && last.timeNs + QUIET_NS <= stretch.until)) return false
      stretch.since = first.timeNs - QUIET_NS < stretch.since ? first.timeNs - QUIET_NS : stretch.since
      stretch.until = last.timeNs + QUIET_NS > stretch.until ? last.timeNs + QUIET_NS : stretch.until
      return true
    })
  }
  return stretches
}

/** Events of these subjects that stood within a quiet gap of these instants: their group may fall apart when something goes. */
export async function unanchoredNear(
  client: pg.ClientBase,
  instants: readonly { readonly tenantId: string | null; readonly oid: string; readonly timeNs: bigint }[],
): Promise<EventRef[]> {
  if (instants.length === 0) return []
  const stretches = instants.map(({ tenantId, oid, timeNs }) => ({
    tenantId: tenantId ?? NO_TENANT,
    oid,
    since: timeNs - QUIET_NS,
    until: timeNs + QUIET_NS,
    members: [],
  }))
  return [...(await readMembers(client, stretches)).values()].flat()
}

/** The unanchored events of each stretch, by its place in the list, in order. Primary key of timeline. */
async function readMembers(client: pg.ClientBase, stretches: readonly Stretch[]): Promise<ReadonlyMap<number, readonly Member[]>> {
  const { rows } = await client.query<{ place: bigint; time_ns: bigint; event_id: EventId; session_id: EventId | null }>(
    `select r.place, l.time_ns, l.event_id, c.session_id
     from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) with ordinality r(tenant, oid, since, until, place)
     join timeline l on l.tenant_id = r.tenant and l.oid = r.oid and l.time_ns between r.since and r.until and l.is_subject and l.source = 'gcp' and l.kind <> 'token.exchanged'
     join conclusions c on c.time_ns = l.time_ns and c.event_id = l.event_id
     left join sessions s on s.id = c.session_id
     where s.root_event is null order by r.place, l.time_ns, l.event_id`,
    [stretches.map((one) => one.tenantId), stretches.map((one) => one.oid), stretches.map((one) => one.since), stretches.map((one) => one.until)],
  )
  return Map.groupBy(
    rows.map((row) => ({ place: Number(row.place) - 1, timeNs: row.time_ns, id: row.event_id, sessionId: row.session_id })),
    (row) => row.place,
  )
}
