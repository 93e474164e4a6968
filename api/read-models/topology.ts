/** How an agent federated to each cloud over time: as itself (Option 2), through its managed identity (Option 1), through a bridge, or in several ways at once. */
import { formatTime } from '#core/time.ts'
import type { Topology, TopologyPeriod } from '../contract.ts'
import { type Store, eventInScope, scopeOf } from './store.ts'

/** Successful exchanges of one way, from the first to the last. */
export interface Way {
  readonly topology: Exclude<Topology, 'mixed'>
  readonly firstNs: bigint
  readonly lastNs: bigint
}

interface Row {
  readonly source: 'aws' | 'gcp'
  readonly certain: boolean
  readonly own: boolean
  readonly bridge: boolean
  readonly firstNs: bigint
  readonly lastNs: bigint
}

/**
 * The periods of each cloud, the oldest first; none where no exchange is known, and nothing is claimed then. What the agent is only a candidate for counts only
 * while nothing is surely its own, as in `topology`.
 */
export async function topologyOverTime(store: Store, tenantId: string, oid: string): Promise<Readonly<Record<'aws' | 'gcp', TopologyPeriod[]>>> {
  // Primary key of timeline.
  const { rows } = await store.query<Row>(
    `select e.source::text as source, c.agent_oid is not distinct from t.oid as certain, c.subject_oid = t.oid as own, 'bridge' = any(c.basis) as bridge,
       min(t.time_ns) as "firstNs", max(t.time_ns) as "lastNs"
     from timeline t join events e on e.time_ns = t.time_ns and e.event_id = t.event_id join conclusions c on c.time_ns = t.time_ns and c.event_id = t.event_id
     where t.tenant_id = $1 and t.oid = $2 and t.kind = 'token.exchanged' and e.outcome = 'success' and e.source in ('aws', 'gcp') and c.subject_oid is not null
       and (c.agent_oid = t.oid or t.oid = any(c.candidates)) and ${eventInScope('c', '$3')} group by 1, 2, 3, 4`,
    [tenantId, oid, scopeOf(store)],
  )
  const of = (cloud: Row['source']): TopologyPeriod[] => {
    const here = rows.filter((row) => row.source === cloud)
    const certain = here.filter((row) => row.certain)
    return periodsOf((certain.length > 0 ? certain : here).map((row) => ({ ...row, topology: wayOf(row) })))
  }
  return { aws: of('aws'), gcp: of('gcp') }
}

const wayOf = ({ own, bridge }: Row): Way['topology'] => (own ? 'option-2' : bridge ? 'bridge' : 'option-1')

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
