/** AWS use by day and caller, as CloudTrail and the invocation log name callers. Needed to compare with AWS's bill, which knows callers and no agents. */
import type { Store } from '../read-models/store.ts'
import { scopeOf } from '../read-models/store.ts'
import type { UsageCounts } from './contract.ts'
import type { UsageFilters } from './query.ts'

export interface PrincipalDay extends Pick<UsageCounts, 'calls' | 'errors' | 'inputTokens' | 'outputTokens' | 'cacheReadTokens' | 'cacheWriteTokens'> {
  readonly day: string
  /** ARN of a user, or of a role with its session; null where the record names nobody. */
  readonly principal: string | null
  /** Calls whose tokens a usage log says. */
  readonly meteredCalls: number
  /** Agents that calls are charged to; sorted. */
  readonly agents: readonly string[]
  /** Calls that are charged to no single agent. */
  readonly unchargedCalls: number
}

const SUMS = ['calls', 'errors', 'inputTokens', 'outputTokens', 'cacheReadTokens', 'cacheWriteTokens', 'meteredCalls', 'unchargedCalls'] as const

/** Reads the events of the period: it takes as long as they are many. Sorted by day and principal. */
export async function usageByPrincipal(store: Store, { from, to, tenant }: Pick<UsageFilters, 'from' | 'to' | 'tenant'>): Promise<PrincipalDay[]> {
  const nanos = (day: string | undefined): bigint | null => (day === undefined ? null : BigInt(Date.parse(`${day}T00:00:00Z`)) * 1_000_000n)
  const { rows } = await store.query<Pick<PrincipalDay, 'day' | 'principal' | 'agents'> & Record<(typeof SUMS)[number], bigint | string>>(
    `select u.day::text as day, e.principal, sum(p.calls) as calls, sum(p.errors) as errors, sum(p.input_tokens) as "inputTokens", sum(p.output_tokens) as "outputTokens",
       sum(p.cache_read_tokens) as "cacheReadTokens", sum(p.cache_write_tokens) as "cacheWriteTokens",
       coalesce(sum(p.calls) filter (where u.token_basis = 'metered'), 0) as "meteredCalls", coalesce(sum(p.calls) filter (where u.share <> 'agent'), 0) as "unchargedCalls",
       coalesce(array_agg(distinct u.agent_oid order by u.agent_oid) filter (where u.share = 'agent'), '{}') as agents
     from events e join usage_parts p on p.event_id = e.event_id join usage_daily u on u.id = p.row_id
     where e.kind in ('llm.invoked', 'llm.metered') and e.source = 'aws' and ($1::bigint is null or e.time_ns >= $1) and ($2::bigint is null or e.time_ns < $2)
       and ($3::uuid is null or u.tenant_id = $3) and ($4::uuid[] is null or u.tenant_id = any($4))
     group by 1, 2 order by 1, 2 nulls last`,
    [nanos(from), nanos(to), tenant ?? null, scopeOf(store)],
  )
  return rows.map((row) => ({ ...row, ...(Object.fromEntries(SUMS.map((name) => [name, Number(row[name])])) as Record<(typeof SUMS)[number], number>) }))
}
