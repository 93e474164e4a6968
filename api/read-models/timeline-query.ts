/**
 * The SQL of a timeline. It walks the primary key of `timeline` (tenant_id, oid, time_ns, event_id) a stretch at a time and joins only what it walked over: left
 * to itself the planner joins the whole timeline of a busy agent (10⁶ events) and sorts it to give one page (bench/api.ts).
 */
import { canonicalIp } from '#core/ip.ts'
import type { TimelinePosition } from '../cursor.ts'
import type { TimelineFilters } from '../query.ts'
import { ITEM_COLUMNS, ITEM_JOINS } from './item.ts'

export interface Statement {
  readonly text: string
  readonly values: unknown[]
}

export interface Walk {
  readonly tenants: readonly string[]
  readonly oid: string
  readonly filters: TimelineFilters
  readonly order: 'asc' | 'desc'
  readonly after: TimelinePosition | undefined
  /** Rows of the timeline to look at, at most. */
  readonly stretch: number
}

/** Whether a filter looks at the event itself, so that rows walked over may fall out. */
export function looksAtEvents({ outcome, confidence, text }: TimelineFilters): boolean {
  return outcome !== undefined || confidence !== undefined || text !== undefined
}

/** The items of a stretch, in order, `limit` at most. */
export function itemsOf(walk: Walk, limit: number): Statement {
  const values: unknown[] = []
  const walked = stretchOf(walk, values)
  const where = eventConditions(walk.filters, values)
  values.push(limit)
  const most = `limit $${values.length}`
  const order = `order by ${orderOf(walk.order)}`
  // What falls out is joined with nothing more than it takes to know that.
  const chosen = where.length === 0 ? '' : `, chosen as materialized (select t.* from t ${EVENT_JOINS} where ${where.join(' and ')} ${order} ${most})`
  const text = `
    with t as materialized (${walked})${chosen}
    select t.tenant_id as row_tenant, t.role, ${ITEM_COLUMNS}
    from ${chosen === '' ? 't' : 'chosen t'} join events e on e.time_ns = t.time_ns and e.event_id = t.event_id ${ITEM_JOINS}
    ${order} ${most}`
  return { text, values }
}

/** The last place of a stretch, if there is more behind it; no row otherwise. */
export function endOf(walk: Walk): Statement {
  const values: unknown[] = []
  const walked = stretchOf({ ...walk, stretch: walk.stretch + 1 }, values)
  values.push(walk.stretch - 1)
  return { text: `select time_ns, event_id, tenant_id from (${walked}) t order by ${orderOf(walk.order)} offset $${values.length} limit 2`, values }
}

/** How many events the filters let through. */
export function countOf(walk: Omit<Walk, 'stretch' | 'after' | 'order'>): Statement {
  const values: unknown[] = []
  const where = [...timelineConditions(walk, values), ...eventConditions(walk.filters, values)]
  return { text: `select count(*) as count from timeline t ${looksAtEvents(walk.filters) ? EVENT_JOINS : ''} where ${where.join(' and ')}`, values }
}

/** Tenants (the nil UUID for "none proven") in which an oid has a timeline; of these ones only, if given. Looks a tenant up at a time: the index has it first. */
export function tenantsWith(oid: string, scope: readonly string[] | null): Statement {
  const inTimeline = 'cross join lateral (select from timeline l where l.tenant_id = s.tenant_id and l.oid = $1 order by l.time_ns limit 1) found order by 1'
  if (scope !== null) return { text: `select s.tenant_id from unnest($2::uuid[]) s(tenant_id) ${inTimeline}`, values: [oid, scope] }
  // "Loose index scan": from one tenant to the next larger one, instead of over all rows.
  const text = `
    with recursive s as (
      (select tenant_id from timeline order by tenant_id limit 1)
      union all
      select (select l.tenant_id from timeline l where l.tenant_id > s.tenant_id order by l.tenant_id limit 1) from s where s.tenant_id is not null
    )
    select s.tenant_id from s ${inTimeline}`
  return { text, values: [oid] }
}

/** What the filters of events look at. */
const EVENT_JOINS =
  'join events e on e.time_ns = t.time_ns and e.event_id = t.event_id left join conclusions c on c.time_ns = t.time_ns and c.event_id = t.event_id'

function orderOf(order: 'asc' | 'desc'): string {
  return `t.time_ns ${order}, t.event_id ${order}, t.tenant_id ${order}`
}

function stretchOf(walk: Walk, values: unknown[]): string {
  const where = timelineConditions(walk, values)
  if (walk.after) {
    values.push(walk.after.timeNs.toString(), walk.after.eventId, walk.after.tenantId)
    const [time, event, tenant] = [values.length - 2, values.length - 1, values.length]
    const beyond = walk.order === 'asc' ? '>' : '<'
    // The first condition says nothing new; it is the one that lets whole months be left out.
    where.push(`t.time_ns ${beyond}= $${time}::bigint`, `(t.time_ns, t.event_id, t.tenant_id) ${beyond} ($${time}::bigint, $${event}::uuid, $${tenant}::uuid)`)
  }
  values.push(walk.stretch)
  return `select t.tenant_id, t.role, t.time_ns, t.event_id from timeline t where ${where.join(' and ')} order by ${orderOf(walk.order)} limit $${values.length}`
}

function timelineConditions({ tenants, oid, filters }: Pick<Walk, 'tenants' | 'oid' | 'filters'>, values: unknown[]): string[] {
  const { where, add } = conditionsInto(values)
  // An equality keeps the index order; `= any` of several tenants does not, and is rare.
  if (tenants.length === 1) add(tenants[0], (p) => `t.tenant_id = ${p}::uuid`)
  else add(tenants, (p) => `t.tenant_id = any(${p}::uuid[])`)
  add(oid, (p) => `t.oid = ${p}::uuid`)
  if (filters.from !== undefined) add(filters.from.toString(), (p) => `t.time_ns >= ${p}::bigint`)
  if (filters.to !== undefined) add(filters.to.toString(), (p) => `t.time_ns < ${p}::bigint`)
  if (filters.source) add(filters.source, (p) => `t.source = any(${p}::source[])`)
  if (filters.kind) add(filters.kind, (p) => `t.kind = any(${p}::kind[])`)
  return where
}

function eventConditions(filters: TimelineFilters, values: unknown[]): string[] {
  const { where, add } = conditionsInto(values)
  if (filters.outcome) add(filters.outcome, (p) => `e.outcome = any(${p}::outcome[])`)
  if (filters.confidence) add(filters.confidence, (p) => `coalesce(c.confidence, 'none') = any(${p}::confidence[])`)
  // The separator keeps a match from running over the end of one field into the next.
  if (filters.text !== undefined) {
    const searched = 'e.action, e.resource, e.principal, e.error_code, e.error_message, e.model_id, e.model_name, e.native_id, e.source_ip'
    // An address is stored in one form, however it is asked for.
    const texts = [...new Set([filters.text, canonicalIp(filters.text) ?? filters.text])]
    add(texts, (p) => `exists (select from unnest(${p}::text[]) as asked where strpos(lower(concat_ws(E'\\x1f', ${searched})), lower(asked)) > 0)`)
  }
  return where
}

function conditionsInto(values: unknown[]): { readonly where: string[]; readonly add: (value: unknown, condition: (parameter: string) => string) => void } {
  const where: string[] = []
  return {
    where,
    add: (value, condition) => {
      values.push(value)
      where.push(condition(`$${values.length}`))
    },
  }
}
