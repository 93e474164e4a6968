import { RULES } from '#core/finding.ts'
import type { Oid } from '#core/keys.ts'
import type { Group } from './engine/digest/read.ts'
import { evidenceOf, spanOf, totalOf } from './engine/digest/sum.ts'
import { EXCHANGES, type ExchangeProfile } from './engine/digest/identity-topics.ts'
import type { Draft, FindingRule } from './engine/rule.ts'
import { cloudName, counted, during, list, sorted } from './engine/text.ts'

/** An agent reached one cloud in both ways. */
export const finding: FindingRule = {
  ...RULES['topology-drift'],
  why: 'Option 1 and Option 2 are attributed, authorised and revoked differently. An agent that does both has two ways in: deleting the Agent Identity closes one of them, and reports built on either see half of it. Usually a migration was left unfinished.',
  remediation: "Finish the migration: take the managed identity out of the cloud's trust once the agent federates itself (or the other way round).",
  falsePositives: ['A shared managed identity that another agent goes on using under a new name.', 'A migration that is under way.'],
  async evaluate(context) {
    const asItself = new Map<string, Exchanges[]>()
    const through = new Map<string, { sole: Exchanges[]; shared: Exchanges[] }>()
    for (const exchanges of await context.exchanges()) {
      const { tenantId, subjectOid, agentOid, basis, candidates, source } = exchanges.profile
      if (tenantId === null || subjectOid === null) continue
      const key = (agent: Oid): string => [tenantId, agent, source].join('\n')
      if (agentOid === subjectOid) push(asItself, key(agentOid), exchanges)
      // A bridge is neither option: its application signs in between the managed identity and the cloud.
      else if (basis.includes('federated-credential') && !basis.includes('bridge')) {
        for (const agent of agentOid ? [agentOid] : candidates) {
          const ways = through.get(key(agent)) ?? { sole: [], shared: [] }
          through.set(key(agent), ways)
          ways[agentOid ? 'sole' : 'shared'].push(exchanges)
        }
      }
    }
    const drafts: Draft[] = []
    for (const [key, itself] of asItself) {
      const ways = through.get(key)
      if (!ways) continue
      // Of a shared identity's exchanges nobody knows whose they are, unless all of them came before or after the agent's own.
      const shared = ways.shared.length > 0 && !overlap(itself, ways.shared) ? ways.shared : []
      if (ways.sole.length === 0 && shared.length === 0) continue
      const other = [...ways.sole, ...shared]
      const [tenantId, agent, source] = key.split('\n') as [string, string, string]
      const identities = sorted(other.map(({ profile }) => profile.subjectOid))
      const said = (groups: readonly Exchanges[]): string => counted(totalOf(groups).events, 'exchange')
      drafts.push({
        key: [tenantId, agent, source],
        confidence: ways.sole.length > 0 ? 'derived' : 'probable',
        tenantId,
        oids: [agent, ...identities],
        evidence: evidenceOf([...itself, ...other], await context.firstsIn(EXCHANGES, [...itself, ...other])),
        total: totalOf([...itself, ...other]),
        explanation: `On ${cloudName(source)} the agent ${agent} made ${said(itself)} as itself ${during(spanOf(itself))} and ${said(other)} through the managed identity ${list(identities)} ${during(spanOf(other))}.`,
      })
    }
    return drafts
  },
}

type Exchanges = Group<ExchangeProfile>

function push(groups: Map<string, Exchanges[]>, key: string, one: Exchanges): void {
  const group = groups.get(key)
  if (group) group.push(one)
  else groups.set(key, [one])
}

function overlap(a: readonly Exchanges[], b: readonly Exchanges[]): boolean {
  const [one, other] = [totalOf(a), totalOf(b)]
  return one.firstNs <= other.lastNs && other.firstNs <= one.lastNs
}
