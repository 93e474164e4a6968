/** GCP sessions without an exchange: consecutive mints and calls of one subject, named after the first (SPEC §1, "Sessions"). */
import type pg from 'pg'
import type { EventId } from '#core/keys.ts'
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

/** Groups anew around these instants; returns the events whose session changes, with the session they get. */
export async function regroupUnanchored(client: pg.ClientBase, touched: readonly Unanchored[]): Promise<readonly (EventRef & { session: Session })[]> {
  const changed: (EventRef & { session: Session })[] = []
  for (const list of Map.groupBy(touched, (one) => `${one.tenantId}/${one.oid}`).values()) {
    for (const instants of groupQuietly(list.map((one) => ({ ...one, id: '' as EventId })))) {
      const members = await chainAround(client, instants[0]!, instants[0]!.timeNs, instants.at(-1)!.timeNs)
      for (const group of groupQuietly(members)) {
        const session = unanchoredSession(group[0]!)
        changed.push(...group.filter((member) => member.sessionId !== session.id).map((member) => ({ timeNs: member.timeNs, id: member.id, session })))
      }
    }
  }
  await writeSessions(client, changed.map((one) => one.session))
  return changed
}

/** All unanchored events of the subject that hang together with this stretch. */
async function chainAround(client: pg.ClientBase, subject: { tenantId: string; oid: string }, from: bigint, to: bigint): Promise<readonly Member[]> {
  for (let [since, until] = [from - QUIET_NS, to + QUIET_NS]; ; ) {
    const { rows } = await client.query<{ time_ns: bigint; event_id: EventId; session_id: EventId | null }>(
      `select l.time_ns, l.event_id, c.session_id from timeline l
       join conclusions c on c.time_ns = l.time_ns and c.event_id = l.event_id
       left join sessions s on s.id = c.session_id
       where l.tenant_id = $1 and l.oid = $2 and l.time_ns between $3 and $4 and l.is_subject and l.source = 'gcp' and l.kind <> 'token.exchanged' and s.root_event is null
       order by l.time_ns, l.event_id`,
      [subject.tenantId, subject.oid, since, until],
    )
    const [first, last] = [rows[0]?.time_ns ?? from, rows.at(-1)?.time_ns ?? to]
    // Closed once nothing stands within a quiet gap of either edge of what was read.
    if (first - QUIET_NS >= since && last + QUIET_NS <= until) return rows.map((row) => ({ timeNs: row.time_ns, id: row.event_id, sessionId: row.session_id }))
    since = first - QUIET_NS < since ? first - QUIET_NS : since
    until = last + QUIET_NS > until ? last + QUIET_NS : until
  }
}
