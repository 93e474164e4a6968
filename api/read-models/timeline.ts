/** What did this oid do, across all clouds? */
import type { Role } from '#core/event.ts'
import type { Page, TimelineItem } from '../contract.ts'
import type { TimelinePosition } from '../cursor.ts'
import { encodeTimelineCursor } from '../cursor.ts'
import type { TimelineFilters } from '../query.ts'
import { MAX_LIMIT } from '../query.ts'
import { ITEM_COLUMNS, ITEM_JOINS, itemRows, toItem } from './item.ts'
import type { ItemRow } from './item.ts'
import { type Store, scopeOf } from './store.ts'

type Order = 'asc' | 'desc'

export interface TimelineRequest {
  readonly oid: string
  readonly filters: TimelineFilters
  readonly order: Order
  readonly limit: number
  readonly after?: TimelinePosition | undefined
}

/** An item with the tenant in whose timeline it stands, as stored. */
export interface TimelineRow extends ItemRow {
  row_tenant: string
  role: Role
}

/** One page of the timeline of an oid, in every tenant that knows it unless the filters name one. An unknown oid gives an empty page. */
export async function timelinePage(store: Store, request: TimelineRequest): Promise<Page<TimelineItem>> {
  const { items, next } = await timelineRowPage(store, request)
  return { items: items.map((row) => toItem(row, row.role)), next }
}

/** The same as stored rows. */
export async function timelineRowPage(store: Store, request: TimelineRequest): Promise<Page<TimelineRow>> {
  const tenants = await tenantsOf(store, request.oid, request.filters.tenant)
  if (tenants.length === 0) return { items: [], next: null }
  const { text, values } = statement(request, tenants)
  const rows = await itemRows<TimelineRow>(store, text, values)
  const last = rows.length > request.limit ? rows[request.limit - 1] : undefined
  return { items: rows.slice(0, request.limit), next: last ? encodeTimelineCursor(positionOf(last)) : null }
}

/** Of a timeline read to its end, or to `limit` items. */
export type TimelineRange = Omit<TimelineRequest, 'limit'> & { readonly limit?: number | undefined }

/** The whole timeline, page by page, in constant memory. Each page is a query of its own: a slow reader keeps no transaction open. */
export async function* timelinePages(store: Store, request: TimelineRange): AsyncGenerator<readonly TimelineItem[]> {
  for await (const rows of timelineRows(store, request)) yield rows.map((row) => toItem(row, row.role))
}

/** The same as stored rows, which hold more than an item shows: what exports stream from. */
export async function* timelineRows(store: Store, request: TimelineRange): AsyncGenerator<readonly TimelineRow[]> {
  const tenants = await tenantsOf(store, request.oid, request.filters.tenant)
  let { after } = request
  let left = request.limit ?? Number.POSITIVE_INFINITY
  while (tenants.length > 0 && left > 0) {
    const limit = Math.min(MAX_LIMIT, left)
    const { text, values } = statement({ ...request, limit, after }, tenants)
    const rows = await itemRows<TimelineRow>(store, text, values)
    const shown = rows.slice(0, limit)
    if (shown.length > 0) yield shown
    if (rows.length <= limit) return
    left -= shown.length
    after = positionOf(shown.at(-1)!)
  }
}

/** How many events the filters let through. */
export async function timelineCount(store: Store, oid: string, filters: TimelineFilters): Promise<number> {
  const tenants = await tenantsOf(store, oid, filters.tenant)
  if (tenants.length === 0) return 0
  const { where, values } = conditions(oid, filters, tenants)
  const { rows } = await store.query<{ count: bigint }>(
    `select count(*) as count ${FROM} left join conclusions c on c.time_ns = t.time_ns and c.event_id = t.event_id where ${where.join(' and ')}`,
    values,
  )
  return Number(rows[0]?.count ?? 0)
}

/**
 * Tenants (the nil UUID for "none proven") in which the oid has a timeline, of those that the caller may see and has asked for. Served by the primary key:
 * PostgreSQL 18 skips over its first column.
 */
async function tenantsOf(store: Store, oid: string, asked: string | undefined): Promise<readonly string[]> {
  const scope = scopeOf(store)
  if (asked !== undefined) return scope === null || scope.includes(asked) ? [asked] : []
  const { rows } =
    scope === null
      ? await store.query<{ tenant_id: string }>('select distinct tenant_id from timeline where oid = $1 order by 1', [oid])
      : await store.query<{ tenant_id: string }>(
          'select s.tenant_id from unnest($2::uuid[]) s(tenant_id) where exists (select from timeline l where l.tenant_id = s.tenant_id and l.oid = $1) order by 1',
          [oid, scope],
        )
  return rows.map((row) => row.tenant_id)
}

const FROM = 'from timeline t join events e on e.time_ns = t.time_ns and e.event_id = t.event_id'

function positionOf(row: TimelineRow): TimelinePosition {
  return { timeNs: row.time_ns, eventId: row.event_id, tenantId: row.row_tenant }
}

function statement(request: TimelineRequest, tenants: readonly string[]): { text: string; values: unknown[] } {
  const { where, values } = conditions(request.oid, request.filters, tenants)
  const direction = request.order === 'asc' ? 'asc' : 'desc'
  if (request.after) {
    values.push(request.after.timeNs.toString(), request.after.eventId, request.after.tenantId)
    const [time, event, tenant] = [values.length - 2, values.length - 1, values.length]
    const beyond = direction === 'asc' ? '>' : '<'
    // The first condition says nothing new; it is the one that lets whole months be left out.
    where.push(`t.time_ns ${beyond}= $${time}::bigint`, `(t.time_ns, t.event_id, t.tenant_id) ${beyond} ($${time}::bigint, $${event}::uuid, $${tenant}::uuid)`)
  }
  // One row more than asked for tells whether there is a next page.
  values.push(request.limit + 1)
  // Index: the primary key of timeline (tenant_id, oid, time_ns, event_id) gives the order, month by month; the joins go by primary key.
  const text = `
    select t.tenant_id as row_tenant, t.role, ${ITEM_COLUMNS} ${FROM} ${ITEM_JOINS}
    where ${where.join(' and ')}
    order by t.time_ns ${direction}, t.event_id ${direction}, t.tenant_id ${direction}
    limit $${values.length}`
  return { text, values }
}

function conditions(oid: string, filters: TimelineFilters, tenants: readonly string[]): { where: string[]; values: unknown[] } {
  const values: unknown[] = []
  const where: string[] = []
  const add = (value: unknown, condition: (parameter: string) => string): void => {
    values.push(value)
    where.push(condition(`$${values.length}`))
  }
  // An equality keeps the index order; `= any` of several tenants does not, and is rare.
  if (tenants.length === 1) add(tenants[0], (p) => `t.tenant_id = ${p}::uuid`)
  else add(tenants, (p) => `t.tenant_id = any(${p}::uuid[])`)
  add(oid, (p) => `t.oid = ${p}::uuid`)
  if (filters.from !== undefined) add(filters.from.toString(), (p) => `t.time_ns >= ${p}::bigint`)
  if (filters.to !== undefined) add(filters.to.toString(), (p) => `t.time_ns < ${p}::bigint`)
  if (filters.source) add(filters.source, (p) => `t.source = any(${p}::source[])`)
  if (filters.kind) add(filters.kind, (p) => `t.kind = any(${p}::kind[])`)
  if (filters.outcome) add(filters.outcome, (p) => `e.outcome = any(${p}::outcome[])`)
  if (filters.confidence) add(filters.confidence, (p) => `coalesce(c.confidence, 'none') = any(${p}::confidence[])`)
  // The separator keeps a match from running over the end of one field into the next.
  if (filters.text !== undefined) {
    const searched = 'e.action, e.resource, e.principal, e.error_code, e.error_message, e.model_id, e.model_name, e.native_id, e.source_ip'
    add(filters.text, (p) => `strpos(lower(concat_ws(E'\\x1f', ${searched})), lower(${p}::text)) > 0`)
  }
  return { where, values }
}
