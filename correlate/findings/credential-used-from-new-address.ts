import { RULES } from '#core/finding.ts'
import { NO_TENANT } from '#core/keys.ts'
import { type Context, signInLogOf } from './engine/context.ts'
import type { Draft, FindingRule } from './engine/rule.ts'
import type { StoredEvent } from './engine/stored-event.ts'
import { cloudName, counted, during, list, sorted } from './engine/text.ts'

/** A cloud session is used from an address where neither its identity nor its agent was ever seen. */
export const finding: FindingRule = {
  ...RULES['credential-used-from-new-address'],
  why: 'A cloud key works from anywhere until it expires. If it is used from an address at which its agent never signed in, exchanged a token or called an API, it may have left the workload.',
  remediation:
    "Check whether the address belongs to the workload (a second egress, a NAT pool). If not: revoke the role's active sessions or disable the service account, and look at everything the session did. Bind the role to the workload's addresses (aws:SourceIp, VPC Service Controls).",
  falsePositives: [
    'Egress through a pool of addresses of which the exchanges happened to use others.',
    'A call through a VPC endpoint, which AWS logs with its private address.',
  ],
  async evaluate(context) {
    const uses = await usesElsewhere(context)
    const drafts: Draft[] = []
    for (const group of Map.groupBy(uses, (event) => [event.tenantId, event.subjectOid, event.source].join('\n')).values()) {
      const { tenantId, subjectOid, source } = group[0]!
      // Sign-ins of managed identities have no address (facts/entra.md b.2): that log could say nothing.
      const log = tenantId === null || subjectOid === null ? null : signInLogOf(context.directory, tenantId, subjectOid)
      const span = log === 'entra:ServicePrincipalSignIn' ? await context.signInLog(tenantId!, log) : null
      const sure = log === 'entra:ManagedIdentitySignIn' || (span !== null && span.firstNs <= group[0]!.timeNs && span.lastNs >= group.at(-1)!.timeNs)
      const sessions = sorted(group.map((event) => event.sessionId))
      drafts.push({
        key: [tenantId, subjectOid, source],
        confidence: sure ? 'exact' : 'probable',
        tenantId,
        oids: group.flatMap((event) => [event.subjectOid, event.agentOid]),
        evidence: group,
        explanation: `${counted(sessions.length, 'session')} of ${subjectOid} on ${cloudName(source)} ${sessions.length === 1 ? 'was' : 'were'} used from ${list(sorted(group.map((event) => event.sourceIp)))} ${during(group.map((event) => event.timeNs))} (${counted(group.length, 'event')}). Neither the identity nor its agent ever signed in, exchanged a token or called an API from there${sure ? '.' : ', as far as is known: its sign-in log does not cover that time.'}`,
      })
    }
    return drafts
  },
}

interface Use {
  readonly tenant: string | null
  readonly subject: string
  readonly who: readonly string[]
  readonly ip: string
}

/** What an AWS service did on the caller's behalf with the caller's key comes from the service. */
const BY_THE_CALLER = `e.source_ip is not null and e.invoked_by is null and e.kind <> 'token.exchanged'`

/** Sessions with a proven subject and the addresses they were used from, less those that are known. */
async function usesElsewhere({ client, events }: Context): Promise<readonly StoredEvent[]> {
  const { rows } = await client.query<Use>(
    `select tenant, subject, array_agg(distinct oid) as who, ip from (
       select c.tenant_id as tenant, c.subject_oid as subject, c.agent_oid as agent, c.candidates, e.source_ip as ip from conclusions c join events e on e.time_ns = c.time_ns and e.event_id = c.event_id
       where c.session_id is not null and c.subject_oid is not null and ${BY_THE_CALLER} group by 1, 2, 3, 4, 5
     ) used, unnest(array[subject, agent] || candidates) w(oid) where oid is not null group by tenant, subject, ip`,
  )
  const known = await knownAddresses(client, rows)
  const strange = rows.filter((row) => {
    const addresses = row.who.flatMap((oid) => [...(known.get(`${row.tenant}/${oid}`) ?? [])])
    // Where no address of the agent is known at all, none can be new.
    return addresses.length > 0 && !addresses.includes(row.ip)
  })
  if (strange.length === 0) return []
  return events(
    `c.session_id is not null and ${BY_THE_CALLER} and (coalesce(c.tenant_id, '${NO_TENANT}'), c.subject_oid, e.source_ip) in (select * from unnest($1::uuid[], $2::uuid[], $3::text[]))`,
    [strange.map((row) => row.tenant ?? NO_TENANT), strange.map((row) => row.subject), strange.map((row) => row.ip)],
  )
}

/** Addresses of successful sign-ins, exchanges and API calls of each principal. Primary key of timeline. */
async function knownAddresses(client: Context['client'], uses: readonly Use[]): Promise<Map<string, Set<string>>> {
  const principals = [...new Map(uses.flatMap((use) => use.who.map((oid) => [`${use.tenant}/${oid}`, { tenant: use.tenant, oid }] as const))).values()]
  const { rows } = await client.query<{ tenant: string; oid: string; ip: string }>(
    `select l.tenant_id as tenant, l.oid, e.source_ip as ip from unnest($1::uuid[], $2::uuid[]) r(tenant, oid)
     join timeline l on l.tenant_id = r.tenant and l.oid = r.oid and l.role <> 'target' and l.kind in ('token.issued', 'token.exchanged', 'api.called')
     join events e on e.time_ns = l.time_ns and e.event_id = l.event_id where e.outcome = 'success' and e.source_ip is not null group by l.tenant_id, l.oid, e.source_ip`,
    [principals.map((one) => one.tenant ?? NO_TENANT), principals.map((one) => one.oid)],
  )
  const known = new Map<string, Set<string>>()
  for (const row of rows) {
    const key = `${row.tenant === NO_TENANT ? null : row.tenant}/${row.oid}`
    known.set(key, (known.get(key) ?? new Set()).add(row.ip))
  }
  return known
}
