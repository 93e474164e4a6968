import type pg from 'pg'
import { RULES } from '#core/finding.ts'
import { type Context, signInLogOf } from './engine/context.ts'
import { covers } from './engine/log-span.ts'
import type { Group } from './engine/digest/read.ts'
import { totalOf } from './engine/digest/sum.ts'
import { type AddressProfile, HOMES, USES, type UseProfile } from './engine/digest/use-topics.ts'
import type { Draft, FindingRule } from './engine/rule.ts'
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
    const firsts = await context.firstsIn(USES, uses)
    const drafts: Draft[] = []
    for (const group of Map.groupBy(uses, ({ profile }) => [profile.eventTenantId, profile.subjectOid, profile.source].join('\n')).values()) {
      const { eventTenantId: tenantId, subjectOid, source } = group[0]!.profile
      const total = totalOf(group)
      // Sign-ins of managed identities have no address (facts/entra.md b.2): that log could say nothing.
      const log = tenantId === null || subjectOid === null ? null : signInLogOf(context.directory, tenantId, subjectOid)
      const span = log === 'entra:ServicePrincipalSignIn' ? await context.signInLog(tenantId!, log) : null
      const sure = log === 'entra:ManagedIdentitySignIn' || covers(span, total.firstNs, total.lastNs)
      const sessions = await sessionsOf(context.client, group)
      drafts.push({
        key: [tenantId, subjectOid, source],
        confidence: sure ? 'exact' : 'probable',
        tenantId,
        oids: group.flatMap(({ profile }) => [profile.subjectOid, profile.agentOid]),
        evidence: group.flatMap(({ key }) => (firsts.get(key) ?? []).map((ref) => ({ ...ref, tenantId }))),
        total,
        explanation: `${counted(sessions, 'session')} of ${subjectOid} on ${cloudName(source)} ${sessions === 1 ? 'was' : 'were'} used from ${list(sorted(group.map(({ profile }) => profile.ip)))} ${during([total.firstNs, total.lastNs])} (${counted(total.events, 'event')}). Neither the identity nor its agent ever signed in, exchanged a token or called an API from there${sure ? '.' : ', as far as is known: its sign-in log does not cover that time.'}`,
      })
    }
    return drafts
  },
}

/** Sessions with a proven subject that are used from an address that is not known of it, its agent or a candidate. */
async function usesElsewhere(context: Context): Promise<readonly Group<UseProfile>[]> {
  const known = await knownAddresses(context)
  const uses = [...Map.groupBy(await context.groups(USES), ({ profile: { tenantId, subjectOid, ip } }) => [tenantId, subjectOid, ip].join('\n')).values()]
  const strange = uses.filter((group) => {
    const addresses = group.flatMap(({ profile }) => principalsOf(context, profile).flatMap((principal) => known.get(principal) ?? []))
    // Where no address of the agent is known at all, none can be new.
    return addresses.length > 0 && !addresses.some((ips) => ips.has(group[0]!.profile.ip))
  })
  return strange.flat()
}

/** How many sessions these uses are of. Counted by the database: behind a new NAT all calls of an agent are such uses. Primary key of conclusions. */
async function sessionsOf(client: pg.ClientBase, groups: readonly Group<UseProfile>[]): Promise<number> {
  const { rows } = await client.query<{ sessions: number }>(
    `select count(distinct c.session_id)::integer as sessions from digests d, unnest(d.times, d.ids) r(t, i) join conclusions c on c.time_ns = r.t and c.event_id = r.i
     where d.topic = $1 and d.key = any($2::uuid[])`,
    [USES.name, groups.map(({ key }) => key)],
  )
  return rows[0]!.sessions
}

/** The principals that may have made an event, each with its tenant. An agent may belong to another tenant than the identity that it runs on. */
function principalsOf({ directory }: Context, { tenantId, subjectOid, agentOid, candidates }: AddressProfile): readonly string[] {
  const agents = [...(agentOid === null ? [] : [agentOid]), ...candidates]
  const own = agents.flatMap((oid) => directory.agentsByOid(oid).map((agent) => `${agent.tenantId}/${oid}`))
  return [...new Set([...(subjectOid === null ? [] : [subjectOid]), ...agents].map((oid) => `${tenantId}/${oid}`).concat(own))]
}

/** Addresses of successful sign-ins, exchanges and API calls of each principal. */
async function knownAddresses(context: Context): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const known = new Map<string, Set<string>>()
  for (const { profile } of await context.groups(HOMES)) {
    for (const principal of principalsOf(context, profile)) {
      const ips = known.get(principal)
      if (ips) ips.add(profile.ip)
      else known.set(principal, new Set([profile.ip]))
    }
  }
  return known
}
