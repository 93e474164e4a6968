/**
 * How many batch jobs were started? What they use is in no log that the usage report is made from: neither CloudTrail nor Bedrock's invocation log nor Google Cloud's audit
 * log has a record for the single calls of a job. So the report names the jobs instead of leaving a gap that nobody sees.
 */
import { BATCH_ACTION } from '#migrations/schema.ts'
import type { BatchJobs } from '../usage/contract.ts'
import type { UsageFilters } from '../usage/query.ts'
import { type Store, scopeOf, tenantInScope } from './store.ts'

/** Jobs that were accepted in the period, each once however many records tell of it; counted with the same filters as calls. Index: events_batch_jobs. */
export async function batchJobs(store: Store, { from, to, tenant, cloud, agent }: UsageFilters): Promise<BatchJobs> {
  const nanos = (day: string | undefined): bigint | null => (day === undefined ? null : BigInt(Date.parse(`${day}T00:00:00Z`)) * 1_000_000n)
  const { rows } = await store.query<{ cloud: 'aws' | 'gcp'; jobs: bigint }>(
    `select cloud, count(*) as jobs from (
       select e.source as cloud, coalesce(e.request_key, e.event_id::text) as job from events e join conclusions c on c.time_ns = e.time_ns and c.event_id = e.event_id
       where e.${BATCH_ACTION} and ($1::bigint is null or e.time_ns >= $1) and ($2::bigint is null or e.time_ns < $2)
         and ($3::uuid is null or coalesce(c.tenant_id, e.tenant_id) = $3) and ${tenantInScope('coalesce(c.tenant_id, e.tenant_id)', '$4')} and ($5::source is null or e.source = $5)
         and ($6::uuid is null or c.confidence in ('asserted', 'none') or c.agent_oid = $6 or $6 = any(c.candidates))
       group by 1, 2 having bool_and(e.outcome <> 'failure')
     ) j group by 1`,
    [nanos(from), nanos(to), tenant ?? null, scopeOf(store), cloud ?? null, agent ?? null],
  )
  const of = (name: string): number => Number(rows.find((row) => row.cloud === name)?.jobs ?? 0)
  return { total: of('aws') + of('gcp'), aws: of('aws'), gcp: of('gcp') }
}
