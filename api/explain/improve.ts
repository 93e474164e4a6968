/** What would make records like this one exact: which mapping, condition, log or Option. */
import { hasNoActor } from '#core/event.ts'
import type { Improvement } from './contract.ts'
import { ownDoing } from './own-service.ts'
import { provingHop } from './seen.ts'
import type { Story, Told } from './story.ts'
import { naming, quoted } from './words.ts'

/** Empty where it is exact, and where nothing can (a person, an IAM user). */
export function improvementsOf(story: Story): Improvement[] {
  const { event } = story
  const { item } = event
  if (!event.concluded || hasNoActor(item)) return []
  const { confidence, basis } = item.attribution
  if (confidence === 'exact') return []
  const proving = provingHop(story)
  if (item.source === 'entra') return entra(story)
  if (item.source === 'app') return ownApi(event)
  if (confidence === 'probable' || basis.includes('proximity')) return proximity(story)
  if (confidence === 'derived' || confidence === 'ambiguous') return [...option2(story, proving), ...own(story)]
  if (confidence === 'asserted')
    return [
      issuingRecord(event),
      { change: 'topology', words: 'Let the agent federate as itself (Option 2) instead of writing its oid into a session name or label.' },
    ]
  // What a cloud does for itself no log and no topology ties to an agent.
  return ownDoing(story) ? [] : unproven(story, proving)
}

function ownApi({ item }: Told): Improvement[] {
  if (item.subjectOid !== null && item.attribution.confidence === 'none') {
    return [
      {
        change: 'log',
        words:
          'The record names the oid already. What says that it is an agent is missing: Entra sign-in and audit logs of that time, or a declared inventory.',
      },
    ]
  }
  return [
    {
      change: 'log',
      words:
        'Let the API log tid, oid, appid and uti of the token that it validated: then the call itself names the agent, and the sign-in that issued the token.',
    },
  ]
}

/** Option 2, as the two clouds spell it. */
function option2({ event, directory }: Pick<Story, 'event' | 'directory'>, proving: Told | null): Improvement[] {
  const { item } = event
  const name = naming(directory)
  const agents = item.agentOid === null ? item.attribution.candidates : [item.agentOid]
  const oid = agents.length === 1 ? agents[0]! : '<oid of the agent>'
  const whose = agents.length === 1 ? name(item.tenantId, agents[0]!) : 'each agent'
  const topology: Improvement = {
    change: 'topology',
    words: `Option 2: let ${whose} exchange a token of its own (audience: one made for this federation, not that of another API), instead of the token of ${item.subjectOid === null ? 'the shared identity' : name(item.tenantId, item.subjectOid)}.`,
  }
  if (item.source === 'gcp') {
    return [
      topology,
      { change: 'mapping', words: 'In the pool provider: google.subject=assertion.oid. Another mapping may keep the oid out of the logs.' },
      {
        change: 'condition',
        words: `In the pool provider: the condition assertion.oid == '${oid}'; and let principal://…/subject/${oid} use the service account.`,
      },
    ]
  }
  const issuer = /oidc-provider\/([^:]+)/.exec(proving?.item.cloud.principal ?? '')?.[1] ?? '<issuer>'
  const role = proving?.resource ? ` of ${quoted(proving.resource)}` : ''
  return [
    topology,
    {
      change: 'condition',
      words: `In the trust policy${role}, or of a role of its own: StringEquals "${issuer}:sub" = "${oid}", and "${issuer}:aud" = that audience. (AWS sees no claim oid; for these tokens sub has the same value.)`,
    },
  ]
}

/** Sure by the directory at least. */
function own({ event, directory }: Story): Improvement[] {
  const { item } = event
  if (item.attribution.confidence !== 'ambiguous') return []
  const shared = item.subjectOid === null ? 'the shared identity' : naming(directory)(item.tenantId, item.subjectOid)
  return [
    { change: 'identity', words: `Or give each agent a Blueprint and a user-assigned managed identity of its own instead of ${shared}: then it is derived.` },
    {
      change: 'log',
      words: 'If some of these agents did not exist then, or were disabled, the Entra audit logs of that change (or a declared inventory) narrow the list.',
    },
  ]
}

function entra(story: Story): Improvement[] {
  const { confidence, candidates } = story.event.item.attribution
  if (confidence !== 'ambiguous' || candidates.length < 2) return []
  return [
    {
      change: 'identity',
      words:
        "Nothing makes this sign-in exact: it is the identity's own, before any agent is named. A Blueprint and a managed identity for each agent would make it derived; each agent's own sign-ins are exact already.",
    },
  ]
}

function proximity({ event }: Story): Improvement[] {
  const mint: Improvement = {
    change: 'log',
    words:
      "Google's newer records of GenerateAccessToken do not say who asked, whatever is switched on. The calls made with the token do, in their delegation info: switch on Data Access logs (DATA_READ, DATA_WRITE) of the services that are called.",
  }
  const direct: Improvement = {
    change: 'topology',
    words: 'Let the federated principal call the service directly, without a service account: then every record names its subject.',
  }
  return event.item.kind === 'credential.minted' ? [mint, direct] : [direct]
}

function issuingRecord({ item, uses }: Told): Improvement {
  return {
    change: 'log',
    words:
      uses !== null || item.source === 'aws'
        ? 'The record that issued the key: CloudTrail management events of every account that it may come from, in every region (the global STS endpoint logs in us-east-1).'
        : 'The record of the exchange: Data Access logs of sts.googleapis.com and iam.googleapis.com.',
  }
}

function unproven({ event, directory }: Story, proving: Told | null): Improvement[] {
  const { item, proof } = event
  if (item.subjectOid !== null) {
    const kind = item.tenantId === null ? undefined : directory.find(item.tenantId, item.subjectOid)?.kind
    if (kind === 'user') return []
    const hadAgents = item.tenantId !== null && directory.agentsOf(item.tenantId, item.subjectOid).length > 0
    return [
      {
        change: 'log',
        words: hadAgents
          ? 'Its agents are known, but none of them could use it then (created later, gone before, or without a federated credential that was valid). If one could, the Entra audit record of that change is not in the store. An identity that a cloud still lets in when its agents are gone is a finding of its own (revocation-incomplete).'
          : 'Entra audit logs from before the federated credential for it was made, or a declared inventory: then its agents are known, and it is derived or ambiguous.',
      },
      ...option2({ event, directory }, proving),
    ]
  }
  if (proof.by === 'credential' && event.uses?.startsWith('aws:AKIA')) {
    return [
      { change: 'topology', words: 'Where an agent uses such a key: replace it by federation (Option 2). A long-term key never says which agent used it.' },
    ]
  }
  if (proof.by === 'credential' || proof.by === 'issued') return [issuingRecord(event)]
  if (proof.by === 'request') return [{ change: 'log', words: 'CloudTrail of the same account and region: it has the call with this request id.' }]
  if (proof.by === 'proximity') return [issuingRecord(event)]
  if (proof.by === 'federation' && event.entra !== false && item.source === 'gcp')
    return [{ change: 'mapping', words: 'In the pool provider: google.subject=assertion.oid, so that the logs hold the oid.' }]
  return []
}
