import { RULES } from '#core/finding.ts'
import type { EventId, Oid, TenantId } from '#core/keys.ts'
import { guidsIn } from '#core/keys.ts'
import type { Directory, Principal } from '../directory/directory.ts'
import type { Draft, Evidence, FindingRule } from './engine/rule.ts'
import { cloudName, counted, during, list } from './engine/text.ts'

interface Row {
  readonly tenant: TenantId | null
  readonly subject: Oid
  readonly agent: Oid | null
  readonly candidates: readonly Oid[]
  readonly source: string
  readonly asserted: readonly string[]
  readonly events: bigint
  readonly first: bigint
  readonly last: bigint
  readonly ids: readonly EventId[]
  readonly times: readonly bigint[]
}

/** A caller wrote another known identity's object id where it could choose the name. */
export const finding: FindingRule = {
  ...RULES['identity-claim-mismatch'],
  why: "Role session names, source identities, session tags and request labels are chosen by the caller. Reports that believe them attribute one agent's work to another. An object id that is known, and is not the proven one, is either a mix-up in configuration or an attempt to blame somebody else.",
  remediation:
    "Fix the configuration that writes the name. On AWS require sts:RoleSessionName (or sts:SourceIdentity) to equal the subject in the role's trust policy. Never attribute by these values.",
  falsePositives: ['An orchestrator that writes the id of the agent it works for.'],
  async evaluate({ client, directory }) {
    // Groups first: a session name stands on every call of its session.
    const { rows } = await client.query<Row>(
      `select c.tenant_id as tenant, c.subject_oid as subject, c.agent_oid as agent, c.candidates, e.source, e.asserted, count(*) as events, min(e.time_ns) as first, max(e.time_ns) as last,
         (array_agg(e.event_id order by e.time_ns, e.event_id))[1:1000] as ids, (array_agg(e.time_ns order by e.time_ns, e.event_id))[1:1000] as times
       from events e join conclusions c on c.time_ns = e.time_ns and c.event_id = e.event_id
       where e.asserted is not null and c.subject_oid is not null and array_to_string(e.asserted, ' ') ~* '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
       group by c.tenant_id, c.subject_oid, c.agent_oid, c.candidates, e.source, e.asserted order by first, c.subject_oid, e.asserted`,
    )
    const hits = rows.flatMap((row) =>
      [...new Set(row.asserted.flatMap(guidsIn))].filter((guid) => isOther(directory, row, guid as Oid)).map((claimed) => ({ row, claimed })),
    )
    return [...Map.groupBy(hits, ({ row, claimed }) => [row.tenant, row.subject, claimed, row.source].join('\n')).values()].map((group): Draft => {
      const { row, claimed } = group[0]!
      const times = group.flatMap((hit) => [hit.row.first, hit.row.last]).toSorted((a, b) => (a < b ? -1 : 1))
      const events = group.reduce((sum, hit) => sum + Number(hit.row.events), 0)
      const proven = [row.subject, ...(row.agent && row.agent !== row.subject ? [row.agent] : [])]
      return {
        key: [row.tenant, row.subject, claimed, row.source],
        confidence: 'exact',
        tenantId: row.tenant,
        oids: [...proven, claimed],
        evidence: group.flatMap((hit): Evidence[] => hit.row.ids.map((id, index) => ({ id, timeNs: hit.row.times[index]! }))),
        total: { events, firstNs: times[0]!, lastNs: times.at(-1)! },
        explanation: `${counted(events, 'event')} on ${cloudName(row.source)} ${during(times)} ${events === 1 ? 'names' : 'name'} ${claimed} in a session name, source identity, tag or label, but ${list(proven)} ${proven.length === 1 ? 'is' : 'are'} what the credential proves.`,
      }
    })
  },
}

/** A known oid that is neither the proven subject, its agents, nor their Blueprint or managed identity. */
function isOther(directory: Directory, row: Row, claimed: Oid): boolean {
  if (!row.tenant) return false
  if (directory.principal(row.tenant, claimed) === null && directory.onlyTenantOf(claimed) === null) return false
  return !familyOf(directory, row.tenant, [row.subject, ...(row.agent ? [row.agent] : []), ...row.candidates]).has(claimed)
}

function familyOf(directory: Directory, tenant: TenantId, oids: readonly Oid[]): Set<string> {
  const family = new Set<string>(oids)
  const addApplication = (application: Principal['blueprints'][number]): void => {
    for (const id of guidsIn(application.key.slice(36))) family.add(id)
    for (const principal of application.principals) for (const id of [principal.oid, ...principal.appIds]) family.add(id)
    for (const identity of application.trusts) family.add(identity.subject.toLowerCase())
  }
  for (const oid of oids) {
    const principal = directory.principal(tenant, oid)
    for (const blueprint of principal?.blueprints ?? []) addApplication(blueprint)
    for (const id of principal?.appIds ?? []) family.add(id)
    for (const application of directory.applicationsOf(principal)) addApplication(application)
    for (const { application } of directory.trusting(tenant, oid)) addApplication(application)
  }
  return family
}
