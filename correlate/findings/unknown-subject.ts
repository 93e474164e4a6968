import { RULES } from '#core/finding.ts'
import { NO_TENANT, type Oid, type TenantId } from '#core/keys.ts'
import { MANAGED_IDENTITY_TOKEN_NS } from '../link/parents.ts'
import type { Context } from './engine/context.ts'
import { covers } from './engine/log-span.ts'
import { evidenceOf, totalOf } from './engine/digest/sum.ts'
import { ENTRA_NAMES, EXCHANGES } from './engine/digest/identity-topics.ts'
import type { Draft, FindingRule } from './engine/rule.ts'
import { isSentinelTenant } from './engine/sentinel.ts'
import { cloudName, counted, during, list, moment, sorted } from './engine/text.ts'

/** A cloud let an object id in that nothing in its tenant's logs has ever named. */
export const finding: FindingRule = {
  ...RULES['unknown-subject'],
  why: 'A trust that checks the tenant only ("no condition", "tid only") shows itself by object ids that no inventory knows. It may be a forgotten workload, or somebody who made an application of his own in the tenant.',
  remediation:
    'Look the object id up in Entra. If it is unwanted, restrict the trust to known subjects and end its sessions; if it is wanted, let its sign-in and audit logs be collected.',
  falsePositives: [
    'A managed identity whose token was cached since before the logs begin (then the finding is "probable" and says so).',
    'Sign-in logs of one kind that are not collected.',
  ],
  async evaluate(context) {
    const { directory } = context
    const strangers = (await context.exchanges()).filter(
      ({ profile: { tenantId, proofOid, sentinel } }) =>
        proofOid !== null &&
        tenantId !== null &&
        !isSentinelTenant(tenantId) &&
        !sentinel &&
        directory.principal(tenantId, proofOid) === null &&
        directory.trusting(tenantId, proofOid).length === 0,
    )
    const known = await namedByEntra(
      context,
      strangers.map(({ profile }) => ({ tenantId: profile.tenantId!, oid: profile.proofOid! })),
    )
    const unknown = strangers.filter(({ profile }) => !known.has(`${profile.tenantId}/${profile.proofOid}`))
    const firsts = await context.firstsIn(EXCHANGES, unknown)
    const drafts: Draft[] = []
    for (const group of Map.groupBy(unknown, ({ profile }) => `${profile.tenantId}/${profile.proofOid}`).values()) {
      const { tenantId, proofOid } = group[0]!.profile
      if (!(await context.hasEntraRecords(tenantId!))) continue
      const logs = [await context.signInLog(tenantId!, 'entra:ManagedIdentitySignIn'), await context.signInLog(tenantId!, 'entra:ServicePrincipalSignIn')]
      const total = totalOf(group)
      const last = total.lastNs
      const reach = logs.every((log) => covers(log, last - MANAGED_IDENTITY_TOKEN_NS, last))
      const doubt = reach ? '' : ` The sign-in logs of this tenant do not cover a token's life before ${moment(last)} to its end, so a sign-in may be missing.`
      drafts.push({
        key: [tenantId, proofOid],
        confidence: reach ? 'derived' : 'probable',
        tenantId,
        oids: [proofOid],
        evidence: evidenceOf(group, firsts),
        total,
        explanation: `${proofOid} made ${counted(total.events, 'exchange')} with ${list(sorted(group.map(({ profile }) => profile.source)).map(cloudName))} ${during([total.firstNs, last])}, but no audit record, sign-in or federated credential of tenant ${tenantId} names it.${doubt}`,
      })
    }
    return drafts
  },
}

/** Principals that sign-ins or audit records name without describing them: users, and whoever changed the directory. */
async function namedByEntra({ client, groups }: Context, principals: readonly { readonly tenantId: TenantId; readonly oid: Oid }[]): Promise<Set<string>> {
  if (principals.length === 0) return new Set()
  // Initiators of changes stand on no timeline; primary key of timeline for the rest.
  const initiators = new Set((await groups(ENTRA_NAMES)).map(({ profile }) => `${profile.tenantId}/${profile.oid}`))
  const { rows } = await client.query<{ tenant: string; oid: string }>(
    `select tenant, oid from (select distinct * from unnest($1::uuid[], $2::uuid[]) r(tenant, oid)) r
     where exists (select from timeline l where l.tenant_id in (r.tenant, '${NO_TENANT}') and l.oid = r.oid and l.source = 'entra')`,
    [principals.map((one) => one.tenantId), principals.map((one) => one.oid)],
  )
  const named = principals.filter(({ tenantId, oid }) => initiators.has(`${tenantId}/${oid}`) || initiators.has(`null/${oid}`))
  return new Set([...rows.map((row) => `${row.tenant}/${row.oid}`), ...named.map(({ tenantId, oid }) => `${tenantId}/${oid}`)])
}
