import { RULES } from '#core/finding.ts'
import type { Oid, TenantId } from '#core/keys.ts'
import { guidsIn } from '#core/keys.ts'
import type { Directory, Principal } from '../directory/directory.ts'
import { CLAIMS, type ClaimProfile } from './engine/digest/use-topics.ts'
import type { Draft, FindingRule } from './engine/rule.ts'
import { cloudName, counted, during, list } from './engine/text.ts'

/** A caller wrote another known identity's object id where it could choose the name. */
export const finding: FindingRule = {
  ...RULES['identity-claim-mismatch'],
  why: "Role session names, source identities, session tags and request labels are chosen by the caller. Reports that believe them attribute one agent's work to another. An object id that is known, and is not the proven one, is either a mix-up in configuration or an attempt to blame somebody else.",
  remediation:
    "Fix the configuration that writes the name. On AWS require sts:RoleSessionName (or sts:SourceIdentity) to equal the subject in the role's trust policy. Never attribute by these values.",
  falsePositives: ['An orchestrator that writes the id of the agent it works for.'],
  async evaluate({ groups, firstsIn, directory }) {
    const hits = (await groups(CLAIMS)).flatMap((row) =>
      [...new Set(row.profile.asserted.flatMap(guidsIn))].filter((guid) => isOther(directory, row.profile, guid as Oid)).map((claimed) => ({ row, claimed })),
    )
    const firsts = await firstsIn(CLAIMS, [...new Set(hits.map((hit) => hit.row))])
    return [...Map.groupBy(hits, ({ row: { profile }, claimed }) => [profile.tenantId, profile.subjectOid, claimed, profile.source].join('\n')).values()].map(
      (group): Draft => {
        const { row, claimed } = group[0]!
        const { tenantId, subjectOid, agentOid, source } = row.profile
        const times = group.flatMap((hit) => [hit.row.firstNs, hit.row.lastNs]).toSorted((a, b) => (a < b ? -1 : 1))
        const events = group.reduce((sum, hit) => sum + hit.row.events, 0)
        const proven = [subjectOid, ...(agentOid && agentOid !== subjectOid ? [agentOid] : [])]
        return {
          key: [tenantId, subjectOid, claimed, source],
          confidence: 'exact',
          tenantId,
          oids: [...proven, claimed],
          evidence: group.flatMap((hit) => firsts.get(hit.row.key) ?? []),
          total: { events, firstNs: times[0]!, lastNs: times.at(-1)! },
          explanation: `${counted(events, 'event')} on ${cloudName(source)} ${during(times)} ${events === 1 ? 'names' : 'name'} ${claimed} in a session name, source identity, tag or label, but ${list(proven)} ${proven.length === 1 ? 'is' : 'are'} what the credential proves.`,
        }
      },
    )
  },
}

/** A known oid that is neither the proven subject, its agents, nor their Blueprint or managed identity. */
function isOther(directory: Directory, { tenantId, subjectOid, agentOid, candidates }: ClaimProfile, claimed: Oid): boolean {
  if (!tenantId) return false
  if (directory.principal(tenantId, claimed) === null && directory.onlyTenantOf(claimed) === null) return false
  return !familyOf(directory, tenantId, [subjectOid, ...(agentOid ? [agentOid] : []), ...candidates]).has(claimed)
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
