import { RULES } from '#core/finding.ts'
import { oid as toOid, tenantId as toTenantId, type Oid, type TenantId } from '#core/keys.ts'
import type { Context } from './engine/context.ts'
import { API_CALLERS } from './engine/digest/use-topics.ts'
import { EXCHANGES } from './engine/digest/identity-topics.ts'
import type { Draft, FindingRule } from './engine/rule.ts'
import type { StoredEvent } from './engine/stored-event.ts'
import { cloudName, counted, during, list, sorted } from './engine/text.ts'

/** The Blueprint's own token, which is for nobody but Entra, was shown to a cloud or an API. */
export const finding: FindingRule = {
  ...RULES['blueprint-token-misuse'],
  why: "The exchange token of a Blueprint (T1) proves the Blueprint, and whoever holds it can become any of its agents. It is meant for Entra's token endpoint only. A cloud or an API that sees it is either wired wrongly or in the hands of somebody who took the token; nothing done with it can be attributed to an agent.",
  remediation:
    'Let the client exchange T1 for the agent\'s own token first (client_id = agent, client_assertion = T1) and give that to the cloud. Do not trust "/eid1/" subjects or the Blueprint\'s object id in any cloud trust.',
  falsePositives: ['A Blueprint that calls its own API for administration.'],
  async evaluate(context) {
    const { blueprints } = context
    // Also refused ones, and those of other issuers: the subject says what it is.
    const shown = (await context.groups(EXCHANGES)).filter(({ profile }) => subjectOf(context, profile) !== null)
    const exchanges = (await context.eventsIn(EXCHANGES, shown)).flatMap((event): Misuse[] => {
      const subject = subjectOf(context, event)
      return subject ? [{ event, ...subject }] : []
    })
    return [...Map.groupBy([...exchanges, ...(await apiCalls(context))], (hit) => `${hit.tenantId}/${hit.blueprint}`).values()].map((group): Draft => {
      const { tenantId, blueprint } = group[0]!
      const places = [...Map.groupBy(group, (hit) => hit.event.source)]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([source, hits]) => {
          const refused = hits.filter((hit) => hit.event.outcome === 'failure').length
          return `${cloudName(source)} saw it ${counted(hits.length, 'time')}${refused > 0 ? ` (${refused} refused)` : ''}`
        })
      const agents = sorted(group.map((hit) => hit.agent))
      return {
        key: [tenantId, blueprint],
        confidence: 'exact',
        tenantId,
        oids: [...blueprints.principalsOf(tenantId, blueprint), ...group.map((hit) => hit.event.proofOid), ...agents],
        evidence: group.map((hit) => hit.event),
        explanation: `The token of Blueprint ${blueprint} was used ${during(group.map((hit) => hit.event.timeNs))}: ${places.join('; ')}.${agents.length > 0 ? ` It was made for ${list(agents)}.` : ''}`,
      }
    })
  },
}

interface Misuse {
  readonly event: StoredEvent
  readonly tenantId: TenantId | null
  /** Application id where it is known. */
  readonly blueprint: string
  readonly agent: Oid | null
}

/** The Blueprint that an exchange shows as its subject, or null. */
function subjectOf(
  { blueprints }: Context,
  { proofSubject, proofOid, proofEntra, tenantId }: Pick<StoredEvent, 'proofSubject' | 'proofOid' | 'proofEntra' | 'tenantId'>,
): Omit<Misuse, 'event'> | null {
  const decoded = decodeEid1(proofSubject)
  if (decoded) return { tenantId: tenantId ?? decoded.tenantId, blueprint: decoded.appId, agent: decoded.agent }
  return proofOid && proofEntra !== false && blueprints.hasPrincipal(tenantId, proofOid)
    ? { tenantId, blueprint: blueprints.appIdOf(tenantId, proofOid) ?? proofOid, agent: null }
    : null
}

/** Only the operator's own APIs: at Graph a Blueprint acts as itself by design (it creates its agents there). */
async function apiCalls(context: Context): Promise<Misuse[]> {
  const { blueprints } = context
  const callers = (await context.groups(API_CALLERS)).filter(
    ({ profile: { tenantId, proofAppId, principal } }) =>
      (principal !== null && blueprints.hasPrincipal(tenantId, principal)) || (proofAppId !== null && blueprints.hasAppId(proofAppId)),
  )
  return (await context.eventsIn(API_CALLERS, callers)).map((event): Misuse => {
    const { tenantId, proofAppId, proofOid } = event
    return { event, tenantId, blueprint: proofAppId ?? blueprints.appIdOf(tenantId, proofOid!) ?? proofOid!, agent: null }
  })
}

/**
 * `/eid1/c/pub/t/<tenant>/a/<Blueprint appId>/<agent>`: the first two are base64url of the GUID in .NET byte order, the last is in clear
 * (facts/entra.md a.3).
 */
function decodeEid1(subject: string | null): { tenantId: TenantId | null; appId: string; agent: Oid | null } | null {
  if (!subject?.includes('/eid1/')) return null
  const match = /\/eid1\/c\/[^/]+\/t\/([\w-]+)\/a\/([\w-]+)(?:\/(.+))?$/.exec(subject)
  return { tenantId: toTenantId(dotNetGuid(match?.[1] ?? '')), appId: dotNetGuid(match?.[2] ?? '') ?? subject, agent: toOid(match?.[3]) }
}

function dotNetGuid(base64url: string): string | null {
  const bytes = Buffer.from(base64url, 'base64url')
  if (bytes.length !== 16) return null
  bytes.subarray(0, 4).reverse()
  bytes.subarray(4, 6).reverse()
  bytes.subarray(6, 8).reverse()
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
