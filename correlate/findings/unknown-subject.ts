import { RULES } from '#core/finding.ts'
import { NO_TENANT, type Oid, type TenantId } from '#core/keys.ts'
import { MANAGED_IDENTITY_TOKEN_NS } from '../link/parents.ts'
import type { Context } from './engine/context.ts'
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
    const strangers = (await context.entraExchanges()).filter(
      (event) =>
        event.proofOid !== null &&
        event.tenantId !== null &&
        !isSentinelTenant(event.tenantId) &&
        !event.asserted.some((name) => name.startsWith('MicrosoftSentinel_')) &&
        directory.principal(event.tenantId, event.proofOid) === null &&
        directory.trusting(event.tenantId, event.proofOid).length === 0,
    )
    const known = await namedByEntra(
      context,
      strangers.map((event) => ({ tenantId: event.tenantId!, oid: event.proofOid! })),
    )
    const drafts: Draft[] = []
    for (const [key, group] of Map.groupBy(strangers, (event) => `${event.tenantId}/${event.proofOid}`)) {
      const { tenantId, proofOid, timeNs } = group[0]!
      if (known.has(key) || !(await context.hasEntraRecords(tenantId!))) continue
      const logs = [await context.signInLog(tenantId!, 'entra:ManagedIdentitySignIn'), await context.signInLog(tenantId!, 'entra:ServicePrincipalSignIn')]
      const last = group.at(-1)!.timeNs
      const reach = logs.every((log) => log !== null && log.firstNs <= last - MANAGED_IDENTITY_TOKEN_NS && log.lastNs >= last)
      const doubt = reach ? '' : ` The sign-in logs of this tenant do not cover a token's life before ${moment(last)} to its end, so a sign-in may be missing.`
      drafts.push({
        key: [tenantId, proofOid],
        confidence: reach ? 'derived' : 'probable',
        tenantId,
        oids: [proofOid],
        evidence: group,
        explanation: `${proofOid} made ${counted(group.length, 'exchange')} with ${list(sorted(group.map((event) => event.source)).map(cloudName))} ${during([timeNs, last])}, but no audit record, sign-in or federated credential of tenant ${tenantId} names it.${doubt}`,
      })
    }
    return drafts
  },
}

/** Principals that sign-ins or audit records name without describing them: users, and whoever changed the directory. */
async function namedByEntra({ client }: Context, principals: readonly { readonly tenantId: TenantId; readonly oid: Oid }[]): Promise<Set<string>> {
  if (principals.length === 0) return new Set()
  // Primary key of timeline first; initiators of changes stand on no timeline, so for the few that are left the Entra events are read through.
  const { rows } = await client.query<{ tenant: string; oid: string }>(
    `with asked as (select distinct * from unnest($1::uuid[], $2::uuid[]) r(tenant, oid)),
       listed as materialized (select r.* from asked r where exists (select from timeline l where l.tenant_id in (r.tenant, '${NO_TENANT}') and l.oid = r.oid and l.source = 'entra'))
     select tenant, oid from listed
     union select r.tenant, r.oid from (select * from asked except select * from listed) r join events e on e.proof_oid = r.oid and e.source = 'entra' and coalesce(e.tenant_id, r.tenant) = r.tenant`,
    [principals.map((one) => one.tenantId), principals.map((one) => one.oid)],
  )
  return new Set(rows.map((row) => `${row.tenant}/${row.oid}`))
}
