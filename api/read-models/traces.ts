/** The linked stories of one owner, and each with its events, edges and sessions. */
import { NO_TENANT } from '#core/keys.ts'
import { formatTime } from '#core/time.ts'
import type { Page, Trace, TraceDetail } from '../contract.ts'
import { type TracePosition, encodeTraceCursor } from '../cursor.ts'
import { eventsInScope } from './bounds.ts'
import { ITEM_COLUMNS, ITEM_JOINS, type ItemRow, itemRows, toItem } from './item.ts'
import { type Store, scopeOf, shownTenant, tenantInScope } from './store.ts'

/** Events that one answer holds at most; the timeline of the owner has them all. */
const MAX_TRACE_EVENTS = 10_000

export interface TraceFilters {
  /** Owner's oid. */
  readonly oid?: string | undefined
  readonly tenant?: string | undefined
  /** Half-open period that a trace must touch. */
  readonly from?: bigint | undefined
  readonly to?: bigint | undefined
}

interface TraceRow {
  id: string
  tenant_id: string
  owner_oid: string
  start_ns: bigint
  end_ns: bigint
  events: bigint
  sessions: bigint
  sources: string[]
}

/** What a trace is shown with. A session lies within one trace of each owner, so that those that begin in it are its sessions (index: session_spans_owner). */
const TRACE_COLUMNS = `t.id, t.tenant_id, t.owner_oid, t.start_ns, t.end_ns, t.events, t.sources::text[] as sources, (
    select count(*) from session_spans s where s.tenant_id = t.tenant_id and s.owner_oid = t.owner_oid and s.start_ns between t.start_ns and t.end_ns
  ) as sessions`

/** A page of traces, the latest start first. Walks the index `traces_tenant_start`, tenant by tenant where several are asked for, or `traces_start` where all are. */
export async function tracePage(store: Store, filters: TraceFilters, limit: number, after?: TracePosition): Promise<Page<Trace>> {
  const scope = scopeOf(store)
  const values: unknown[] = [scope]
  const where: string[] = [tenantInScope('t.tenant_id', '$1')]
  const add = (condition: (parameter: string) => string, value: unknown): void => {
    values.push(value)
    where.push(condition(`$${values.length}`))
  }
  if (filters.oid !== undefined) add((p) => `t.owner_oid = ${p}::uuid`, filters.oid)
  if (filters.from !== undefined) add((p) => `t.end_ns >= ${p}::bigint`, filters.from)
  if (filters.to !== undefined) add((p) => `t.start_ns < ${p}::bigint`, filters.to)
  if (after) {
    values.push(after.startNs, after.id)
    where.push(`(t.start_ns, t.id) < ($${values.length - 1}::bigint, $${values.length}::uuid)`)
  }
  values.push(limit + 1)
  const latest = `order by t.start_ns desc, t.id desc limit $${values.length}`
  const page = (more: string): string => `select * from traces t where ${[...where, more].join(' and ')} ${latest}`
  const tenants = filters.tenant === undefined ? scope : [filters.tenant]
  if (tenants !== null) values.push(tenants)
  const chosen =
    tenants === null
      ? page('true')
      : `select t.* from unnest($${values.length}::uuid[]) n(tenant_id) cross join lateral (${page('t.tenant_id = n.tenant_id')}) t ${latest}`
  const { rows } = await store.query<TraceRow>(`select ${TRACE_COLUMNS} from (${chosen}) t order by t.start_ns desc, t.id desc`, values)
  const last = rows.length > limit ? rows[limit - 1] : undefined
  return { items: rows.slice(0, limit).map(toTrace), next: last ? encodeTraceCursor({ startNs: last.start_ns, id: last.id }) : null }
}

function toTrace(row: TraceRow): Trace {
  return {
    id: row.id,
    tenantId: shownTenant(row.tenant_id),
    ownerOid: row.owner_oid,
    start: formatTime(row.start_ns),
    end: formatTime(row.end_ns),
    events: Number(row.events),
    sessions: Number(row.sessions),
    sources: row.sources.toSorted() as Trace['sources'],
  }
}

/**
 * One trace with its events in time order, its edges and its sessions. An id once given out keeps resolving: it leads to the trace in which the event
 * that it was named after stands now. Null for an id that was never given out (or whose event has no owner any more), and for a trace of a tenant that the caller may
 * not see.
 */
export async function traceById(store: Store, id: string): Promise<TraceDetail | null> {
  const { rows } = await store.query<TraceRow>(
    `select ${TRACE_COLUMNS}
     from trace_ids i join heads h on h.event_id = i.first_event
     join conclusions o on o.time_ns = h.time_ns and o.event_id = h.event_id
     join traces t on t.owner_oid = case when o.agent_oid is not null and o.confidence in ('exact', 'derived', 'probable') then o.agent_oid else o.subject_oid end
       and t.tenant_id = coalesce(o.owner_tenant, o.tenant_id, '${NO_TENANT}') and h.time_ns between t.start_ns and t.end_ns
     where i.id = $1 and ${tenantInScope('t.tenant_id', '$2')}`,
    [id, scopeOf(store)],
  )
  const [row] = rows
  if (!row) return null
  const range = [row.tenant_id, row.owner_oid, row.start_ns, row.end_ns]
  const items = await itemRows<ItemRow & { link: 'exact' | 'time' | null }>(
    store,
    `select ${ITEM_COLUMNS}, c.link from (
       select time_ns, event_id from timeline where tenant_id = $1 and oid = $2 and is_owner and time_ns between $3 and $4 order by time_ns, event_id limit ${MAX_TRACE_EVENTS}
     ) n join events e on e.time_ns = n.time_ns and e.event_id = n.event_id ${ITEM_JOINS} order by e.time_ns, e.event_id`,
    range,
  )
  const sessionIds = [...new Set(items.flatMap((item) => item.session_id ?? []))]
  const sessions = await store.query<{ id: string; cloud: 'aws' | 'gcp'; resolved: boolean; root_event: string | null }>(
    'select id, cloud, resolved, root_event from sessions where id = any($1::uuid[]) order by id',
    [sessionIds],
  )
  const roots = await eventsInScope(
    store,
    sessions.rows.map((session) => session.root_event),
  )
  return {
    ...toTrace(row),
    items: items.map((item) => toItem(item, null)),
    edges: items.flatMap((item) => (item.parent_id === null ? [] : [{ parent: item.parent_id, child: item.event_id, link: item.link! }])),
    sessionList: sessions.rows.map((session) => ({
      id: session.id,
      cloud: session.cloud,
      resolved: session.resolved,
      rootEvent: session.root_event !== null && roots.has(session.root_event) ? session.root_event : null,
      eventIds: items.filter((item) => item.session_id === session.id).map((item) => item.event_id),
    })),
    truncated: items.length < Number(row.events),
  }
}
