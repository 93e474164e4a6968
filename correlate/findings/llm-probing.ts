import { RULES } from '#core/finding.ts'
import { HOUR } from '#core/time.ts'
import { PROBES, type ProbeProfile } from './engine/digest/use-topics.ts'
import type { Draft, FindingRule } from './engine/rule.ts'
import type { StoredEvent } from './engine/stored-event.ts'
import { cloudName, counted, during, list, sorted } from './engine/text.ts'

/** Refusals that tell what a credential may do: access, validation, not found. Throttling tells nothing. */
const AWS_REFUSED = /^(?:AccessDenied|UnauthorizedOperation|Validation|ResourceNotFound|ModelNotFound|NotFound)/i
/** google.rpc.Code: invalid argument, not found, permission denied, resource exhausted (no quota for that model). */
const GCP_REFUSED = new Set(['3', '5', '7', '8'])
/** Calls that list models or ask what may be used (Sysdig's and Permiso's LLM-jacking cases; facts/aws.md h). */
const DISCOVERY =
  /^bedrock:(?:ListFoundationModels|GetFoundationModel|GetFoundationModelAvailability|ListFoundationModelAgreementOffers|ListInferenceProfiles|GetInferenceProfile|ListCustomModels|ListImportedModels|ListProvisionedModelThroughputs|GetUseCaseForModelAccess|GetModelInvocationLoggingConfiguration)$|^bedrock-mantle:(?:ListModels|GetModel)$|^aiplatform\.googleapis\.com:(?:List|Get)(?:Publisher)?Models?$/i
const MANY = 3

/** Somebody tries out which models a credential opens. */
export const finding: FindingRule = {
  ...RULES['llm-probing'],
  why: 'LLM-jacking begins with a test of the stolen credential: list the models, call some with bad parameters, and read from the errors which ones would work (Sysdig, May 2024; Permiso, October 2024: keys were tried within minutes of a leak). A working agent knows its model.',
  remediation:
    'Find out who holds the credential. End its sessions, restrict the role to the models that the agent needs (bedrock:InvokeModel on their ARNs, an organization policy on Vertex models), and deny other regions.',
  falsePositives: ['A developer who sets up an agent and tries several models.', 'An evaluation job over a list of models that are not all enabled.'],
  async evaluate(context) {
    const tried = (await context.groups(PROBES)).filter(({ profile }) => (profile.kind === 'llm.invoked' ? isRefusal(profile) : DISCOVERY.test(profile.action)))
    // What does not look like probing over its whole time looks so in no hour of it.
    const suspects = [...Map.groupBy(tried, ({ profile }) => credentialOf(profile)).values()].filter((all) => isProbing(all.map(({ profile }) => profile)))
    const byCredential = Map.groupBy(await context.eventsIn(PROBES, suspects.flat()), credentialOf)
    return [...byCredential].flatMap(([credential, events]): Draft[] => {
      const inOrder = events.toSorted((a, b) => (a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : a.id < b.id ? -1 : 1))
      const hits = probing(inOrder)
      if (hits.length === 0) return []
      const { source, account, principal } = hits[0]!
      const denied = hits.filter((event) => event.kind === 'llm.invoked')
      const discovered = sorted(hits.filter((event) => event.kind !== 'llm.invoked').map((event) => event.action.replace(/^.*:/, '')))
      const regions = sorted(denied.map((event) => event.region))
      return [
        {
          key: [source, credential],
          confidence: 'exact',
          tenantId: hits.find((event) => event.tenantId !== null)?.tenantId ?? null,
          oids: hits.flatMap((event) => [event.subjectOid, event.agentOid]),
          evidence: hits,
          explanation: `${principal ?? 'A credential'} was refused ${counted(hits.filter((event) => event.outcome === 'failure').length, 'time')} on ${cloudName(source)}${account === null ? '' : ` (${account})`} ${during(hits.map((event) => event.timeNs))}${denied.length > 0 ? `: ${list(sorted(denied.map(modelOf)))} in ${list(regions)}` : ''}.${discovered.length > 0 ? ` It also asked ${list(discovered)}.` : ''}`,
        },
      ]
    })
  },
}

function isRefusal({ source, errorCode }: ProbeProfile): boolean {
  return source === 'gcp' ? GCP_REFUSED.has(errorCode ?? '') : AWS_REFUSED.test(errorCode ?? '')
}

/** The key that signed the call; of Google, which shows none, whoever it was used for. */
function credentialOf({ source, uses, subjectOid, account, principal, sessionId }: ProbeProfile): string {
  return uses ?? (source === 'gcp' && sessionId !== null ? `session:${sessionId}` : [account, principal, subjectOid].join('/'))
}

const modelOf = (event: ProbeProfile): string => event.modelName ?? event.modelId ?? event.resource ?? 'a model'

/** The events of every hour that looks like probing. */
function probing(events: readonly StoredEvent[]): StoredEvent[] {
  const hits = new Set<StoredEvent>()
  let start = 0
  for (let end = 0; end < events.length; end++) {
    while (events[end]!.timeNs - events[start]!.timeNs > HOUR) start++
    const window = events.slice(start, end + 1)
    if (isProbing(window)) for (const event of window) hits.add(event)
  }
  return [...hits]
}

function isProbing(window: readonly ProbeProfile[]): boolean {
  const calls = window.filter((event) => event.kind === 'llm.invoked')
  const distinct = (of: (event: ProbeProfile) => string | null): number => new Set(calls.map(of).filter((value) => value !== null)).size
  if (distinct(modelOf) >= MANY || distinct((event) => event.modelProvider) >= MANY || distinct((event) => event.region) >= MANY) return true
  const kinds = new Set(window.filter((event) => event.kind !== 'llm.invoked').map((event) => event.action))
  return kinds.size >= 2 && window.some((event) => event.outcome === 'failure' && isRefusal(event))
}
