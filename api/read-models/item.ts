/** One event as the timeline shows it: the columns to select, and the row made into an item. */
import type { Confidence, Kind, Outcome, Role, Source } from '#core/event.ts'
import { NO_TENANT } from '#core/keys.ts'
import { formatTime } from '#core/time.ts'
import type { TimelineItem } from '../contract.ts'
import { eventsInScope, standings } from './bounds.ts'
import { type Store, eventInScope, scopeOf } from './store.ts'

/**
 * The joins that an item takes beside `e` (events): `c` (conclusions), `h` (heads) and `tr`, the trace of the event's owner that covers its time. The owner
 * is the agent where that is sure enough, else the subject (DESIGN §4.5); one owner's traces are disjoint, so the first that ends later is the only one.
 */
export const ITEM_JOINS = `
  left join conclusions c on c.time_ns = e.time_ns and c.event_id = e.event_id
  left join heads h on h.event_id = e.event_id
  left join lateral (
    select x.id, x.start_ns from traces x
    where x.tenant_id = coalesce(c.owner_tenant, c.tenant_id, '${NO_TENANT}')
      and x.owner_oid = case when c.agent_oid is not null and c.confidence in ('exact', 'derived', 'probable') then c.agent_oid else c.subject_oid end
      and x.end_ns >= e.time_ns
    order by x.end_ns limit 1
  ) tr on tr.start_ns <= e.time_ns`

export const ITEM_COLUMNS = `
  e.event_id, e.native_id, e.time_ns, e.delivered_ns, e.ingested_at, e.source, e.kind, e.action, e.outcome, e.error_code, e.error_message,
  e.tenant_id as event_tenant, e.on_behalf_of as event_on_behalf_of, e.targets, e.account, e.region, e.principal, e.resource, e.token_id, e.asserted,
  e.model_id, e.model_name, e.model_provider, e.input_tokens, e.output_tokens, e.cache_read_tokens, e.cache_write_tokens,
  e.source_ip, e.user_agent, e.request_id,
  c.tenant_id as concluded_tenant, coalesce(c.owner_tenant, c.tenant_id) as owner_tenant, c.subject_oid, c.agent_oid, c.on_behalf_of as concluded_on_behalf_of, c.confidence, c.basis, c.candidates, c.evidence, c.session_id, c.parent_id, tr.id as trace_id,
  encode(h.sha256, 'hex') as raw_sha256`

export interface ItemRow {
  event_id: string
  native_id: string
  time_ns: bigint
  delivered_ns: bigint | null
  ingested_at: Date
  source: Source
  kind: Kind
  action: string
  outcome: Outcome
  error_code: string | null
  error_message: string | null
  event_tenant: string | null
  event_on_behalf_of: string | null
  targets: string[] | null
  account: string | null
  region: string | null
  principal: string | null
  resource: string | null
  token_id: string | null
  asserted: string[] | null
  model_id: string | null
  model_name: string | null
  model_provider: string | null
  input_tokens: bigint | null
  output_tokens: bigint | null
  cache_read_tokens: bigint | null
  cache_write_tokens: bigint | null
  source_ip: string | null
  user_agent: string | null
  request_id: string | null
  concluded_tenant: string | null
  owner_tenant: string | null
  subject_oid: string | null
  agent_oid: string | null
  concluded_on_behalf_of: string | null
  confidence: Confidence | null
  basis: string[] | null
  candidates: string[] | null
  evidence: string[] | null
  session_id: string | null
  parent_id: string | null
  trace_id: string | null
  raw_sha256: string | null
}

/**
 * The rows of a query for items, without what lies beyond the caller's tenants. An event may concern several tenants (an agent whose Blueprint trusts another
 * tenant's managed identity); each sees the event and, of the ids that were concluded for it, its own: an oid where the event stands in that oid's timeline in one of the
 * caller's tenants, another event where the caller may see that, too.
 */
export async function itemRows<Row extends ItemRow>(store: Store, text: string, values: unknown[]): Promise<readonly Row[]> {
  const { rows } = await store.query<Row>(text, values)
  const { scope } = store
  if (scope === 'everything') return rows
  const [stands, events] = await Promise.all([
    standings(
      store,
      rows.map((row) => ({
        timeNs: row.time_ns,
        eventId: row.event_id,
        oids: [row.subject_oid, row.agent_oid, row.concluded_on_behalf_of, row.event_on_behalf_of, ...(row.candidates ?? []), ...(row.targets ?? [])],
      })),
    ),
    eventsInScope(
      store,
      rows.flatMap((row) => [row.parent_id, ...(row.evidence ?? [])]),
    ),
  ])
  return rows.map((row) => {
    const ownOid = (oid: string | null): string | null => (oid !== null && stands(row.event_id, oid) ? oid : null)
    const ownTenant = (tenant: string | null): string | null => (tenant !== null && scope.includes(tenant) ? tenant : null)
    return {
      ...row,
      event_tenant: ownTenant(row.event_tenant),
      concluded_tenant: ownTenant(row.concluded_tenant),
      owner_tenant: ownTenant(row.owner_tenant),
      event_on_behalf_of: ownOid(row.event_on_behalf_of),
      concluded_on_behalf_of: ownOid(row.concluded_on_behalf_of),
      targets: row.targets?.filter(ownOid) ?? null,
      subject_oid: ownOid(row.subject_oid),
      agent_oid: ownOid(row.agent_oid),
      candidates: row.candidates?.filter(ownOid) ?? null,
      evidence: row.evidence?.filter((id) => events.has(id)) ?? null,
      parent_id: row.parent_id !== null && events.has(row.parent_id) ? row.parent_id : null,
      trace_id: ownTenant(row.owner_tenant) === null ? null : row.trace_id,
    }
  })
}

const tokens = (count: bigint | null): number | null => (count === null ? null : Number(count))

/** The item of one row. An event without a conclusion yet (its facts are stored, nothing is derived) says `none` and rests on nothing. */
export function toItem<ItemRole extends Role | null>(row: ItemRow, role: ItemRole): Omit<TimelineItem, 'role'> & { role: ItemRole } {
  const usage = {
    inputTokens: tokens(row.input_tokens),
    outputTokens: tokens(row.output_tokens),
    cacheReadTokens: tokens(row.cache_read_tokens),
    cacheWriteTokens: tokens(row.cache_write_tokens),
  }
  return {
    id: row.event_id,
    nativeId: row.native_id,
    time: formatTime(row.time_ns),
    source: row.source,
    kind: row.kind,
    action: row.action,
    outcome: row.outcome,
    error: row.error_code === null ? null : { code: row.error_code, message: row.error_message },
    tenantId: row.concluded_tenant ?? row.event_tenant,
    subjectOid: row.subject_oid,
    agentOid: row.agent_oid,
    onBehalfOf: row.concluded_on_behalf_of ?? row.event_on_behalf_of,
    targets: row.targets ?? [],
    role,
    attribution: { confidence: row.confidence ?? 'none', basis: row.basis ?? [], candidates: row.candidates ?? [], evidence: row.evidence ?? [] },
    traceId: row.trace_id,
    sessionId: row.session_id,
    parentId: row.parent_id,
    cloud: { account: row.account, region: row.region, principal: row.principal },
    resource: row.resource,
    model: row.model_id === null ? null : { id: row.model_id, name: row.model_name, provider: row.model_provider },
    usage: Object.values(usage).every((count) => count === null) ? null : usage,
    sourceIp: row.source_ip,
    userAgent: row.user_agent,
    requestId: row.request_id,
    deliveredAt: row.delivered_ns === null ? null : formatTime(row.delivered_ns),
    ingestedAt: formatTime(BigInt(row.ingested_at.getTime()) * 1_000_000n),
    rawSha256: row.raw_sha256,
  }
}

/** These events as far as the store has them and the caller may see them, in order of time. */
export async function eventRows(store: Store, ids: readonly string[]): Promise<readonly ItemRow[]> {
  return await itemRows<ItemRow>(
    store,
    `select ${ITEM_COLUMNS}
     from heads at join events e on e.time_ns = at.time_ns and e.event_id = at.event_id ${ITEM_JOINS}
     where at.event_id = any($1::uuid[]) and ${eventInScope('c', '$2')} order by e.time_ns, e.event_id`,
    [ids, scopeOf(store)],
  )
}
