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
  readonly ids: readonly EventId[]
  readonly times: readonly bigint[]
}

/** Cloud activity that several agents could have done, because they share the managed identity that the cloud sees. */
export const finding: FindingRule = {
  id: 'shared-uami-unattributable',
  title: 'Several agents share the identity that the cloud sees',
  severity: 'medium',
  why: 'With Option 1 the cloud logs the managed identity. If several agents run on it, no record says which of them called the model: neither an incident nor a bill can be attributed. The article: "one cloud-side principal shared by every agent on the UAMI".',
  remediation:
    'Give each agent a user-assigned managed identity of its own, or let the Agent Identities federate (Option 2), so that the cloud logs the agent.',
  falsePositives: ['An agent that still exists but never runs counts as a candidate until it is deleted or disabled.'],
  async evaluate({ client, directory }) {
    const shared = [...directory.subjects()].filter(({ tenantId, oid }) => directory.principal(tenantId, oid)?.kind !== 'agent')
    if (shared.length === 0) return []
    // Primary key of timeline; a subject whose events are all certain costs one look each.
    const { rows } = await client.query<Row>(
      `select l.tenant_id as tenant, l.oid as subject, l.source, count(*) as events, min(l.time_ns) as first, max(l.time_ns) as last,
         (array_agg(l.event_id order by l.time_ns, l.event_id))[1:1000] as ids, (array_agg(l.time_ns order by l.time_ns, l.event_id))[1:1000] as times
       from unnest($1::uuid[], $2::uuid[]) r(tenant, oid) join timeline l on l.tenant_id = r.tenant and l.oid = r.oid and l.is_subject and l.source in ('aws', 'gcp')
       join conclusions c on c.time_ns = l.time_ns and c.event_id = l.event_id
       where c.confidence = 'ambiguous' and 'federated-credential' = any(c.basis) group by l.tenant_id, l.oid, l.source order by l.tenant_id, l.oid, l.source`,
      [shared.map((one) => one.tenantId), shared.map((one) => one.oid)],
    )
    const candidates = await client.query<{ tenant: string; subject: string; candidate: Oid }>(
      `select distinct l.tenant_id as tenant, l.oid as subject, unnest(c.candidates) as candidate
       from unnest($1::uuid[], $2::uuid[]) r(tenant, oid) join timeline l on l.tenant_id = r.tenant and l.oid = r.oid and l.is_subject and l.source in ('aws', 'gcp')
       join conclusions c on c.time_ns = l.time_ns and c.event_id = l.event_id where c.confidence = 'ambiguous' and 'federated-credential' = any(c.basis)`,
      [rows.map((row) => row.tenant), rows.map((row) => row.subject)],
    )
    const agentsOf = Map.groupBy(candidates.rows, (row) => `${row.tenant}/${row.subject}`)
    return [...Map.groupBy(rows, (row) => `${row.tenant}/${row.subject}`)].map(([key, group]): Draft => {
      const { tenant, subject } = group[0]!
      const agents = sorted((agentsOf.get(key) ?? []).map((row) => row.candidate))
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
