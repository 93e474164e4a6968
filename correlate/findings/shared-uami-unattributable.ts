import { RULES } from '#core/finding.ts'
import type { EventId, Oid } from '#core/keys.ts'
import { type Draft, type FindingRule } from './engine/rule.ts'
import { cloudName, counted, during, list, sorted } from './engine/text.ts'

interface Row {
  readonly tenant: string
  readonly subject: Oid
  readonly source: string
  readonly events: bigint
  readonly first: bigint
  readonly last: bigint
  readonly agents: readonly Oid[]
  readonly ids: readonly EventId[]
  readonly times: readonly bigint[]
}

/** Cloud activity that several agents could have done, because they share the managed identity that the cloud sees. */
export const finding: FindingRule = {
  ...RULES['shared-uami-unattributable'],
  why: 'With Option 1 the cloud logs the managed identity. If several agents run on it, no record says which of them called the model: neither an incident nor a bill can be attributed. The article: "one cloud-side principal shared by every agent on the UAMI".',
  remediation:
    'Give each agent a user-assigned managed identity of its own, or let the Agent Identities federate (Option 2), so that the cloud logs the agent.',
  falsePositives: ['An agent that still exists but never runs counts as a candidate until it is deleted or disabled.'],
  async evaluate({ client, directory }) {
    const shared = [...directory.subjects()].filter(({ tenantId, oid }) => directory.principal(tenantId, oid)?.kind !== 'agent')
    if (shared.length === 0) return []
    // Reads all conclusions once: of a store with shared identities a large part is ambiguous.
    const { rows } = await client.query<Row>(
      `with hits as materialized (
         select c.tenant_id as tenant, c.subject_oid as subject, e.source, c.time_ns, c.event_id, c.candidates
         from conclusions c join unnest($1::uuid[], $2::uuid[]) r(tenant, oid) on r.tenant = c.tenant_id and r.oid = c.subject_oid
         join events e on e.time_ns = c.time_ns and e.event_id = c.event_id
         where c.confidence = 'ambiguous' and 'federated-credential' = any(c.basis) and e.source in ('aws', 'gcp')),
       firsts as (select *, row_number() over (partition by tenant, subject, source order by time_ns, event_id) as nth from hits),
       sums as (select tenant, subject, source, count(*) as events, min(time_ns) as first, max(time_ns) as last from hits group by 1, 2, 3),
       agents as (select tenant, subject, array_agg(distinct agent) as agents from (select distinct tenant, subject, candidates from hits) h, unnest(h.candidates) agent group by 1, 2)
       select s.*, a.agents, array_agg(f.event_id order by f.nth) as ids, array_agg(f.time_ns order by f.nth) as times
       from sums s join agents a using (tenant, subject) join firsts f on f.tenant = s.tenant and f.subject = s.subject and f.source = s.source and f.nth <= 1000
       group by s.tenant, s.subject, s.source, s.events, s.first, s.last, a.agents order by s.tenant, s.subject, s.source`,
      [shared.map((one) => one.tenantId), shared.map((one) => one.oid)],
    )
    return [...Map.groupBy(rows, (row) => `${row.tenant}/${row.subject}`)].map(([, group]): Draft => {
      const { tenant, subject } = group[0]!
      const agents = sorted(group[0]!.agents)
      const firsts = group.flatMap((row) => [row.first, row.last]).toSorted((a, b) => (a < b ? -1 : 1))
      const clouds = group.map((row) => `${counted(Number(row.events), 'event')} on ${cloudName(row.source)}`)
      return {
        key: [tenant, subject],
        confidence: 'exact',
        tenantId: tenant,
        oids: [subject, ...agents],
        evidence: group.flatMap((row) => row.ids.map((id, index) => ({ id, timeNs: row.times[index]! }))),
        total: { events: group.reduce((sum, row) => sum + Number(row.events), 0), firstNs: firsts[0]!, lastNs: firsts.at(-1)! },
        explanation: `${clouds.join(' and ')} ${during(firsts)} prove the identity ${subject} only, which ${counted(agents.length, 'agent')} could use: ${list(agents)}.`,
      }
    })
  },
}
