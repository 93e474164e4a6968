/** What did this oid do, across all clouds? */
import type { Role } from '#core/event.ts'
import type { Page, TimelineItem } from '../contract.ts'
import type { TimelinePosition } from '../cursor.ts'
import { encodeTimelineCursor } from '../cursor.ts'
import type { TimelineFilters } from '../query.ts'
import { MAX_LIMIT } from '../query.ts'
import { itemRows, toItem } from './item.ts'
import type { ItemRow } from './item.ts'
import { type Store, scopeOf } from './store.ts'
import { type Walk, countOf, endOf, itemsOf, looksAtEvents, tenantsWith } from './timeline-query.ts'

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
  // One row more than asked for tells whether there is a next page.
  const rows = await nextRows(store, request, tenants, request.limit + 1)
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
    const rows = await nextRows(store, { ...request, after }, tenants, limit + 1)
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
  const { text, values } = countOf({ tenants, oid, filters })
  const { rows } = await store.query<{ count: bigint }>(text, values)
  return Number(rows[0]?.count ?? 0)
}

/** Tenants in which the oid may have a timeline, of those that the caller may see and has asked for. */
async function tenantsOf(store: Store, oid: string, asked: string | undefined): Promise<readonly string[]> {
  const scope = scopeOf(store)
  if (asked !== undefined) return scope === null || scope.includes(asked) ? [asked] : []
  const { text, values } = tenantsWith(oid, scope)
  const { rows } = await store.query<{ tenant_id: string }>(text, values)
  return rows.map((row) => row.tenant_id)
}

function positionOf(row: TimelineRow): TimelinePosition {
  return { timeNs: row.time_ns, eventId: row.event_id, tenantId: row.row_tenant }
}

/** Rows of a timeline that are looked at in one query, where a filter may let few of them through; more each time, because then few is to be expected. */
const STRETCH = { first: 2_000, most: 32_000 } as const

/** The next rows that the filters let through, `limit` at most; fewer only at the end of the timeline. */
async function nextRows(
  store: Store,
  { oid, filters, order, after: begin }: Omit<TimelineRequest, 'limit'>,
  tenants: readonly string[],
  limit: number,
): Promise<readonly TimelineRow[]> {
  const walk = { tenants, oid, filters, order }
  if (!looksAtEvents(filters)) return await read(store, { ...walk, after: begin, stretch: limit }, limit)
  const found: TimelineRow[] = []
  let after = begin
  for (let stretch: number = STRETCH.first; ; stretch = Math.min(stretch * 4, STRETCH.most)) {
    found.push(...(await read(store, { ...walk, after, stretch }, limit - found.length)))
    if (found.length >= limit) return found
    const { text, values } = endOf({ ...walk, after, stretch })
    const { rows } = await store.query<{ time_ns: bigint; event_id: string; tenant_id: string }>(text, values)
    const [end, beyond] = rows
    if (!end || !beyond) return found
    after = { timeNs: end.time_ns, eventId: end.event_id, tenantId: end.tenant_id }
  }
}

async function read(store: Store, walk: Walk, limit: number): Promise<readonly TimelineRow[]> {
  const { text, values } = itemsOf(walk, limit)
  return await itemRows<TimelineRow>(store, text, values)
}
