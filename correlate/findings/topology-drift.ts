import { RULES } from '#core/finding.ts'
import type { Oid } from '#core/keys.ts'
import type { Draft, FindingRule } from './engine/rule.ts'
import type { StoredEvent } from './engine/stored-event.ts'
import { cloudName, counted, during, list, sorted } from './engine/text.ts'

/** An agent reached one cloud in both ways. */
export const finding: FindingRule = {
  ...RULES['topology-drift'],
  why: 'Option 1 and Option 2 are attributed, authorised and revoked differently. An agent that does both has two ways in: deleting the Agent Identity closes one of them, and reports built on either see half of it. Usually a migration was left unfinished.',
  remediation: "Finish the migration: take the managed identity out of the cloud's trust once the agent federates itself (or the other way round).",
  falsePositives: ['A shared managed identity that another agent goes on using under a new name.', 'A migration that is under way.'],
  async evaluate(context) {
    const asItself = new Map<string, StoredEvent[]>()
    const through = new Map<string, { sole: StoredEvent[]; shared: StoredEvent[] }>()
    for (const event of await context.entraExchanges()) {
      const { tenantId, subjectOid, agentOid, basis, source } = event
      if (tenantId === null || subjectOid === null) continue
      const key = (agent: Oid): string => [tenantId, agent, source].join('\n')
      if (agentOid === subjectOid) push(asItself, key(agentOid), event)
      // A bridge is neither option: its application signs in between the managed identity and the cloud.
      else if (basis.includes('federated-credential') && !basis.includes('bridge')) {
        for (const agent of agentOid ? [agentOid] : event.candidates) {
          const ways = through.get(key(agent)) ?? { sole: [], shared: [] }
          through.set(key(agent), ways)
          ways[agentOid ? 'sole' : 'shared'].push(event)
        }
      }
    }
    return [...asItself].flatMap(([key, own]): Draft[] => {
      const ways = through.get(key)
      if (!ways) return []
      // Of a shared identity's exchanges nobody knows whose they are, unless all of them came before or after the agent's own.
      const shared = ways.shared.length > 0 && !overlap(own, ways.shared) ? ways.shared : []
      const other = [...ways.sole, ...shared]
      if (other.length === 0) return []
      const [tenantId, agent, source] = key.split('\n') as [string, string, string]
      const identities = sorted(other.map((event) => event.subjectOid))
      return [
        {
          key: [tenantId, agent, source],
          confidence: ways.sole.length > 0 ? 'derived' : 'probable',
          tenantId,
          oids: [agent, ...identities],
          evidence: [...own, ...other],
          explanation: `On ${cloudName(source)} the agent ${agent} made ${counted(own.length, 'exchange')} as itself ${during(own.map((event) => event.timeNs))} and ${counted(other.length, 'exchange')} through the managed identity ${list(identities)} ${during(other.map((event) => event.timeNs))}.`,
        },
      ]
    })
  },
}

function push(groups: Map<string, StoredEvent[]>, key: string, event: StoredEvent): void {
  const group = groups.get(key)
  if (group) group.push(event)
  else groups.set(key, [event])
}

/** Both lists are in order of time. */
function overlap(a: readonly StoredEvent[], b: readonly StoredEvent[]): boolean {
  return a[0]!.timeNs <= b.at(-1)!.timeNs && b[0]!.timeNs <= a.at(-1)!.timeNs
}
