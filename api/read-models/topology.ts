/** How an agent federated to each cloud over time: as itself (Option 2), through its managed identity (Option 1), through a bridge, or in several ways at once. */
import { formatTime } from '#core/time.ts'
import type { Topology, TopologyPeriod } from '../contract.ts'
import { type Store, scopeOf, tenantInScope } from './store.ts'

/** Successful exchanges of one way, from the first to the last. */
export interface Way {
  readonly topology: Exclude<Topology, 'mixed'>
  readonly firstNs: bigint
  readonly lastNs: bigint
}

interface Row {
  readonly tenantId: string
  readonly oid: string
  readonly source: 'aws' | 'gcp'
  readonly certain: boolean
  readonly own: boolean
  readonly bridge: boolean
  readonly firstNs: bigint
  readonly lastNs: bigint
}

/** How some oids federate to each cloud. An oid of which no exchange is known has no topology and no periods: nothing is claimed then. */
export interface Topologies {
  /** Over all of the time that was seen. */
  readonly topology: (tenantId: string, oid: string) => Readonly<Record<'aws' | 'gcp', Topology | null>>
  /** The oldest first. */
  readonly overTime: (tenantId: string, oid: string) => Readonly<Record<'aws' | 'gcp', TopologyPeriod[]>>
}

/**
 * The topologies of these oids in these tenants, from successful exchanges in their timelines. What an agent is only a candidate for says how the agent federates
 * only while nothing in that cloud is surely its own.
 */
export async function readTopologies(store: Store, tenants: readonly string[], oids: readonly string[]): Promise<Topologies> {
  const rows = tenants.length === 0 || oids.length === 0 ? [] : await readRows(store, tenants, oids)
  const byPlace = Map.groupBy(rows, (row) => `${row.tenantId}/${row.oid}`)
  const waysOf = (tenantId: string, oid: string, cloud: Row['source']): readonly Way[] => {
    const here = (byPlace.get(`${tenantId}/${oid}`) ?? []).filter((row) => row.source === cloud)
    const certain = here.filter((row) => row.certain)
    return (certain.length > 0 ? certain : here).map((row) => ({ ...row, topology: wayOf(row) }))
  }
  const both =
    <Value>(of: (ways: readonly Way[]) => Value) =>
    (tenantId: string, oid: string): Readonly<Record<'aws' | 'gcp', Value>> => ({
      aws: of(waysOf(tenantId, oid, 'aws')),
      gcp: of(waysOf(tenantId, oid, 'gcp')),
    })
  return { topology: both(wholeOf), overTime: both(periodsOf) }
}

async function readRows(store: Store, tenants: readonly string[], oids: readonly string[]): Promise<readonly Row[]> {
  // Primary key of timeline, then of conclusions, which know the outcome: a look at each event would cost a bound caller another one into conclusions (migrations: policies).
  const { rows } = await store.query<Row>(
    `with t as materialized (
       select tenant_id, oid, time_ns, event_id, source from timeline
       where tenant_id = any($1::uuid[]) and oid = any($2::uuid[]) and kind = 'token.exchanged' and source in ('aws', 'gcp') and ${tenantInScope('tenant_id', '$3')}
     )
     select t.tenant_id as "tenantId", t.oid, t.source::text as source, c.agent_oid is not distinct from t.oid as certain, c.subject_oid = t.oid as own,
       'bridge' = any(c.basis) as bridge, min(t.time_ns) as "firstNs", max(t.time_ns) as "lastNs"
     from t join conclusions c on c.time_ns = t.time_ns and c.event_id = t.event_id
     where c.outcome = 'success' and c.subject_oid is not null and (c.agent_oid = t.oid or t.oid = any(c.candidates)) group by 1, 2, 3, 4, 5, 6`,
    [tenants, oids, scopeOf(store)],
  )
  return rows
}

const wholeOf = (ways: readonly Way[]): Topology | null => {
  const different = [...new Set(ways.map((way) => way.topology))]
  return different.length > 1 ? 'mixed' : (different[0] ?? null)
}

const wayOf = ({ own, bridge }: Pick<Row, 'own' | 'bridge'>): Way['topology'] => (own ? 'option-2' : bridge ? 'bridge' : 'option-1')

/**
 * Periods from the first and the last exchange of each way: where two ways overlap in time it is `mixed`. A period lasts until the next one begins, the last one is open.
 * @param ways at most one of each topology
 */
export function periodsOf(ways: readonly Way[]): TopologyPeriod[] {
  const merged = [...Map.groupBy(ways, (way) => way.topology)].map(([topology, same]) => ({
    topology,
    firstNs: same.map((way) => way.firstNs).reduce((a, b) => (b < a ? b : a)),
    lastNs: same.map((way) => way.lastNs).reduce((a, b) => (b > a ? b : a)),
  }))
  // Something may begin at each first exchange, and just after each last one.
  const starts = [...new Set(merged.flatMap((way) => [way.firstNs, way.lastNs + 1n]))].toSorted((a, b) => (a < b ? -1 : 1))
  const periods: { topology: Topology; sinceNs: bigint }[] = []
  for (const sinceNs of starts) {
    const active = merged.filter((way) => way.firstNs <= sinceNs && sinceNs <= way.lastNs)
    if (active.length === 0) continue
    const topology: Topology = active.length > 1 ? 'mixed' : active[0]!.topology
    if (periods.at(-1)?.topology !== topology) periods.push({ topology, sinceNs })
  }
  return periods.map(({ topology, sinceNs }, index) => {
    const next = periods[index + 1]
    return { topology, since: formatTime(sinceNs), until: next ? formatTime(next.sinceNs) : null }
  })
}
