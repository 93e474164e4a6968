import { RULES } from '#core/finding.ts'
import type { StoredFact } from '../directory/fact.ts'
import type { Abandoned } from '../moments.ts'
import type { Exchange, LeftBehind } from './engine/left-behind.ts'
import type { Draft, Evidence, FindingRule } from './engine/rule.ts'
import { cloudName, counted, during, list, moment, sorted } from './engine/text.ts'

/** The last agent of a managed identity is gone, and a cloud still lets the identity in. */
export const finding: FindingRule = {
  ...RULES['revocation-incomplete'],
  why: 'With Option 1 the cloud trusts the managed identity, not the agent: whatever runs with that identity still gets cloud credentials when its agents are gone, and no agent stands behind what it does with them. The article: "Deleting the Agent Identity stops Entra-side calls only. The cloud-side federation still trusts the UAMI, so a separate cloud cleanup step is required".',
  remediation:
    "Take the managed identity's object id out of the AWS role's trust policy and of the Google provider's condition and members, revoke the role's active sessions (AWSRevokeOlderSessions), and detach the managed identity from the compute that still runs with it, or delete it. Find out what runs there.",
  falsePositives: [
    'A managed identity that another workload shares on purpose, which is no agent. Give that workload an identity of its own.',
    'An agent that was created, restored or given its federated credential again without a record here: a part of the audit log is missing.',
  ],
  async evaluate(context) {
    const drafts: Draft[] = []
    for (const identity of await context.leftBehind()) {
      const exchanges = identity.exchanges.flatMap((one) => (one.abandoned ? [{ ...one, abandoned: one.abandoned }] : []))
      if (exchanges.length > 0) drafts.push(draft(identity, exchanges, context.facts))
    }
    return drafts
  },
}

type Orphan = Exchange & { readonly abandoned: Abandoned }

function draft({ tenantId, oid }: LeftBehind, exchanges: readonly Orphan[], facts: readonly StoredFact[]): Draft {
  const endings = [...new Map(exchanges.map(({ abandoned }) => [abandoned.since, abandoned])).values()].map((abandoned) => endingOf(abandoned, facts))
  const clouds = sorted(exchanges.map(({ source }) => source)).map((source) => {
    const count = exchanges.filter((one) => one.source === source).length
    return `${counted(count, 'exchange')} with ${cloudName(source)}`
  })
  const last = exchanges.at(-1)!.timeNs
  const audited = facts.some((one) => one.time >= last && isAudited(one) && endings.some(({ tenants }) => tenants.has(one.tenantId)))
  const doubt = audited
    ? ''
    : ' No later change of the directory is stored: if an agent was created or restored meanwhile, or got its federated credential again, that record is missing.'
  return {
    key: [tenantId, oid],
    confidence: 'derived',
    tenantId,
    oids: [oid, ...endings.flatMap(({ agents }) => agents)],
    evidence: [...endings.flatMap(({ by }) => by), ...exchanges.map(({ id, timeNs }) => ({ id, timeNs, tenantId }))],
    explanation: `${endings.map(({ words }) => words).join(' ')} After that the identity ${oid} made ${list(clouds)} ${during([exchanges[0]!.timeNs, last])}: each was let in while no agent was left that could use it.${doubt}`,
  }
}

const isAudited = ({ fact }: StoredFact): boolean => fact.type === 'lifecycle' || fact.type === 'fics' || fact.type === 'application'

interface Ending {
  readonly words: string
  readonly agents: readonly string[]
  readonly tenants: ReadonlySet<string>
  readonly by: readonly Evidence[]
}

/** How the last agents lost the identity: by records of that very instant, since a directory turns at nothing else. */
function endingOf({ since, last }: Abandoned, facts: readonly StoredFact[]): Ending {
  const agents = sorted(last.agents.map((agent) => agent.oid))
  const tenants = new Set<string>(last.agents.map((agent) => agent.tenantId))
  const turned = facts.filter(({ time, tenantId }) => time === since && tenants.has(tenantId))
  const lost = turned.filter(({ fact }) => fact.type === 'lifecycle' && (fact.change === 'deleted' || fact.change === 'disabled'))
  const own = lost.filter(({ fact }) => fact.type === 'lifecycle' && agents.includes(fact.id))
  const trust = turned.filter(({ fact }) => fact.type === 'fics' || fact.type === 'fic-declared')
  const changes = sorted(own.flatMap(({ fact }) => (fact.type === 'lifecycle' ? [fact.change] : [])))
  const one = agents.length === 1
  const how =
    own.length > 0
      ? `${one ? 'was' : 'were'} ${list(changes)}`
      : trust.length > 0
        ? `lost ${one ? 'its' : 'their'} federated credential`
        : `lost ${one ? 'its' : 'their'} Blueprint`
  const by = own.length > 0 ? own : trust.length > 0 ? trust : lost
  return {
    words: `The last ${one ? 'agent' : `${agents.length} agents`} that could use it, ${list(agents)}, ${how} at ${moment(since)}.`,
    agents,
    tenants,
    by: by.map(({ eventId: id, time: timeNs, tenantId }) => ({ id, timeNs, tenantId })),
  }
}
