/** How much, where and how surely: counts over the timelines of some oids, and how they federate. */
import type { Confidence, Kind, Role, Source } from '#core/event.ts'
import type { Topology } from '../contract.ts'
import { type Store, scopeOf, tenantInScope } from './store.ts'

export interface Count {
  readonly tenantId: string
  readonly oid: string
  readonly role: Role
  readonly source: Source
  readonly kind: Kind
  readonly confidence: Confidence
  readonly events: number
  readonly firstNs: bigint
  readonly lastNs: bigint
}

interface CountRow {
  tenant_id: string
  oid: string
  role: Role
  source: Source
  kind: Kind
  confidence: Confidence
  events: bigint
  first_ns: bigint
  last_ns: bigint
}

/** Event counts of these oids' timelines by role, source, kind and confidence. */
export async function countsOf(store: Store, oids: readonly string[]): Promise<readonly Count[]> {
  const { rows } = await store.query<CountRow>(
    `select t.tenant_id, t.oid, t.role, t.source, t.kind, coalesce(c.confidence, 'none') as confidence,
            count(*) as events, min(t.time_ns) as first_ns, max(t.time_ns) as last_ns
     from timeline t
     left join conclusions c on c.time_ns = t.time_ns and c.event_id = t.event_id
     where t.oid = any($1::uuid[]) and ${tenantInScope('t.tenant_id', '$2')}
     group by 1, 2, 3, 4, 5, 6`,
    [oids, scopeOf(store)],
  )
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    oid: row.oid,
    role: row.role,
    source: row.source,
    kind: row.kind,
    confidence: row.confidence,
    events: Number(row.events),
    firstNs: row.first_ns,
    lastNs: row.last_ns,
  }))
}

/** First and last instant of some counts; nulls for none. */
export function spanOf(counts: readonly Count[]): { readonly firstNs: bigint | null; readonly lastNs: bigint | null } {
  let firstNs: bigint | null = null
  let lastNs: bigint | null = null
  for (const count of counts) {
    if (firstNs === null || count.firstNs < firstNs) firstNs = count.firstNs
    if (lastNs === null || count.lastNs > lastNs) lastNs = count.lastNs
  }
  return { firstNs, lastNs }
}

/** Adds up the events of the counts by one of their fields, with a zero for every other word. */
export function sumBy<Word extends string>(counts: readonly Count[], words: readonly Word[], wordOf: (count: Count) => Word): Record<Word, number> {
  const sums = Object.fromEntries(words.map((word) => [word, 0])) as Record<Word, number>
  for (const count of counts) sums[wordOf(count)] += count.events
  return sums
}

/** How each agent federates to each cloud: (tenant, oid) → topology. */
export type Topologies = (tenantId: string, oid: string) => { readonly aws: Topology | null; readonly gcp: Topology | null }

interface ExchangeRow {
  tenant_id: string
  oid: string
  certain: boolean
  source: 'aws' | 'gcp'
  own: boolean
  bridge: boolean
}

/**
 * The topology per cloud of agents and of managed identities, from successful exchanges. An exchange that an agent is only a candidate for
 * says how the agent federates only while nothing that is surely its own does.
 */
export async function readTopologies(store: Store): Promise<Topologies> {
  const { rows } = await store.query<ExchangeRow>(
    `select distinct a.tenant_id, a.oid, a.certain, e.source::text as source, c.subject_oid = a.oid as own, 'bridge' = any(c.basis) as bridge
     from events e
     join conclusions c on c.time_ns = e.time_ns and c.event_id = e.event_id
     cross join lateral (
       select coalesce(c.owner_tenant, c.tenant_id) as tenant_id, c.agent_oid as oid, true as certain where c.agent_oid is not null
       union all
       select c.tenant_id, unnest(c.candidates), false
     ) a
     where e.kind = 'token.exchanged' and e.outcome = 'success' and e.source in ('aws', 'gcp') and c.tenant_id is not null and c.subject_oid is not null
       and ${tenantInScope('a.tenant_id', '$1')}`,
    [scopeOf(store)],
  )
  const seen = new Map<string, { certain: Set<Topology>; possible: Set<Topology> }>()
  for (const row of rows) {
    const key = `${row.tenant_id}/${row.oid}/${row.source}`
    const entry = seen.get(key) ?? { certain: new Set(), possible: new Set() }
    seen.set(key, entry)
    entry[row.certain ? 'certain' : 'possible'].add(row.own ? 'option-2' : row.bridge ? 'bridge' : 'option-1')
  }
  const of = (key: string): Topology | null => {
    const entry = seen.get(key)
    const chosen = [...(entry?.certain.size ? entry.certain : (entry?.possible ?? []))]
    return chosen.length > 1 ? 'mixed' : (chosen[0] ?? null)
  }
  return (tenantId, oid) => ({ aws: of(`${tenantId}/${oid}/aws`), gcp: of(`${tenantId}/${oid}/gcp`) })
}
