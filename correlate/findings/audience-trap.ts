import { RULES } from '#core/finding.ts'
import type { EventId } from '#core/keys.ts'
import { HOUR } from '#core/time.ts'
import { TOKEN_NS } from '../link/parents.ts'
import { type ApiAudiences, apiAudiences, audienceKey } from './engine/audience.ts'
import type { Context } from './engine/context.ts'
import { covers } from './engine/log-span.ts'
import { evidenceOf, totalOf } from './engine/digest/sum.ts'
import { EXCHANGES } from './engine/digest/identity-topics.ts'
import type { Draft, FindingRule } from './engine/rule.ts'
import type { StoredEvent } from './engine/stored-event.ts'
import { counted, during, list, moment, sorted } from './engine/text.ts'
import type { TrustChange } from './engine/trust-change.ts'

/** A token for another API opens a cloud: what a trust allows, what AWS shows, and for Google, which shows no audience, what the agent's sign-ins say. */
export const finding: FindingRule = {
  ...RULES['audience-trap'],
  why: 'The audience of a token names its recipient. A cloud that accepts tokens for the Weather API, Graph or Azure Resource Manager trusts everybody who ever sees such a token (a log, a proxy, a trace span): the confused deputy of the article on managed identity and Entra objects, "the audience trap inside Option 2".',
  remediation:
    'Define a scope of its own for cloud federation on the Blueprint (for example api://agent-cloud-federation), let the sidecar ask for that, allow only that audience in the AWS identity provider, in the role\'s ":aud" condition and in the "allowedAudiences" of the Google provider, and take the other audience away.',
  falsePositives: [
    'An API access log whose audience is the federation audience itself.',
    'A dedicated token that was issued before the sign-in log begins (the finding is then "probable" and says so).',
  ],
  async evaluate(context) {
    const apis = await apiAudiences(context)
    return [...(await allowed(context, apis)), ...(await awsExchanges(context, apis)), ...(await gcpExchanges(context, apis))]
  },
}

interface Allowed {
  readonly change: TrustChange
  readonly place: string
  readonly audience: string
  readonly api: string
  readonly tenantId: string | null
}

/** Trusts that allow the audience. */
async function allowed(context: Context, apis: ApiAudiences): Promise<Draft[]> {
  const hits = (await context.trustChanges()).flatMap((change): Allowed[] => {
    if (change.cloud === 'aws') {
      return change.audiences.flatMap(({ audience, tenantId }) => {
        const api = apis.nameOf(audience, tenantId)
        return api ? [{ change, place: change.place, audience, api, tenantId: tenantId ?? change.event.tenantId }] : []
      })
    }
    const { provider } = change
    if (!provider) return []
    const issuer = context.directory.pools.issuerOf(provider)
    if (issuer === 'foreign') return []
    return (provider.audiences ?? []).flatMap((audience) => {
      const api = apis.nameOf(audience, issuer)
      return api
        ? [
            {
              change,
              place: `projects/${provider.project}/locations/global/workloadIdentityPools/${provider.pool}/providers/${provider.provider}`,
              audience,
              api,
              tenantId: issuer,
            },
          ]
        : []
    })
  })
  return [...Map.groupBy(hits, (hit) => `${hit.change.cloud}\n${hit.place}\n${audienceKey(hit.audience)}`).values()].map((group): Draft => {
    const { change, place, audience, api } = group[0]!
    return {
      key: ['trust', change.cloud, place, audienceKey(audience)],
      confidence: 'exact',
      tenantId: group.find((hit) => hit.tenantId !== null)?.tenantId ?? null,
      oids: group.flatMap((hit) => hit.change.targets),
      evidence: group.map((hit) => hit.change.event),
      explanation: `${place} was made to accept tokens for ${api} (audience ${audience}) ${during(group.map((hit) => hit.change.event.timeNs))}. Whoever gets hold of such a token can exchange it for cloud credentials.`,
    }
  })
}

/** AWS shows the audience of every exchange. */
async function awsExchanges(context: Context, apis: ApiAudiences): Promise<Draft[]> {
  const hits = (await context.exchanges()).flatMap((group) => {
    const { source, audience, tenantId, subjectOid, proofSubject } = group.profile
    const api = source !== 'aws' || audience === null ? null : apis.nameOf(audience, tenantId)
    return audience !== null && api !== null ? [{ group, audience, api, key: [tenantId, subjectOid ?? proofSubject, audienceKey(audience)] }] : []
  })
  const firsts = await context.firstsIn(
    EXCHANGES,
    hits.map((hit) => hit.group),
  )
  return [...Map.groupBy(hits, ({ key }) => key.join('\n')).values()].map((some): Draft => {
    const { audience, api, key } = some[0]!
    const groups = some.map((hit) => hit.group)
    const { tenantId, subjectOid } = groups[0]!.profile
    const total = totalOf(groups)
    return {
      key: ['exchange', 'aws', ...key],
      confidence: 'exact',
      tenantId,
      oids: groups.flatMap(({ profile }) => [profile.subjectOid, profile.agentOid]),
      evidence: evidenceOf(groups, firsts),
      total,
      explanation: `${subjectOid ?? 'A subject without an oid'} exchanged ${counted(total.events, 'token')} meant for ${api} (audience ${audience}) for AWS credentials ${during([total.firstNs, total.lastNs])}, as ${list(sorted(groups.map(({ profile }) => profile.resource)))}.`,
    }
  })
}

interface TokenRow {
  readonly exchange: string
  readonly id: EventId
  readonly timeNs: bigint
  readonly resource: string | null
}

/** Google logs no audience: but an agent that had tokens for other APIs only can have exchanged no other. */
async function gcpExchanges(context: Context, apis: ApiAudiences): Promise<Draft[]> {
  const groups = (await context.exchanges()).filter(
    ({ profile: { source, tenantId, subjectOid, agentOid, held } }) =>
      source === 'gcp' &&
      tenantId !== null &&
      subjectOid !== null &&
      subjectOid === agentOid &&
      held !== null &&
      held.every((resource) => apis.nameOf(resource, tenantId) !== null),
  )
  if (groups.length === 0) return []
  const exchanges = await context.eventsIn(EXCHANGES, groups)
  // Primary key of timeline.
  const { rows } = await context.client.query<TokenRow>(
    `select r.exchange, e.event_id as id, e.time_ns as "timeNs", e.resource from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[]) r(exchange, tenant, oid, at)
     join timeline l on l.tenant_id = r.tenant and l.oid = r.oid and l.time_ns between r.at - $5::bigint and r.at and l.kind = 'token.issued' and l.is_subject
     join events e on e.time_ns = l.time_ns and e.event_id = l.event_id where e.outcome = 'success' order by e.time_ns, e.event_id`,
    [
      exchanges.map((one) => one.id),
      exchanges.map((one) => one.tenantId),
      exchanges.map((one) => one.subjectOid),
      exchanges.map((one) => one.timeNs),
      TOKEN_NS,
    ],
  )
  const tokensOf = Map.groupBy(rows, (row) => row.exchange)
  const hits: { event: StoredEvent; tokens: readonly TokenRow[]; reaches: boolean }[] = []
  for (const event of exchanges) {
    const tokens = tokensOf.get(event.id) ?? []
    if (tokens.length === 0 || !tokens.every((token) => token.resource !== null && apis.nameOf(token.resource, event.tenantId) !== null)) continue
    const log = await context.signInLog(event.tenantId!, 'entra:ServicePrincipalSignIn')
    hits.push({ event, tokens, reaches: covers(log, event.timeNs - TOKEN_NS, event.timeNs) })
  }
  return [...Map.groupBy(hits, ({ event }) => `${event.tenantId}/${event.subjectOid}`).values()].map((group): Draft => {
    const { event } = group[0]!
    const names = sorted(group.flatMap((hit) => hit.tokens.map((token) => apis.nameOf(token.resource!, event.tenantId))))
    const sure = group.some((hit) => hit.reaches)
    const doubt = sure
      ? ''
      : ` The sign-in log of this tenant does not cover the ${TOKEN_NS / HOUR} hours before ${moment(event.timeNs)} to their end: a dedicated token would not be seen.`
    return {
      key: ['exchange', 'gcp', event.tenantId, event.subjectOid],
      confidence: sure ? 'derived' : 'probable',
      tenantId: event.tenantId,
      oids: [event.subjectOid],
      evidence: group.flatMap((hit) => [hit.event, ...hit.tokens]),
      explanation: `${event.subjectOid} made ${counted(group.length, 'exchange')} on Google Cloud ${during(group.map((hit) => hit.event.timeNs))}, and in the ${TOKEN_NS / HOUR} hours before it was issued tokens for ${list(names)} only. So one of those was what Google accepted.${doubt}`,
    }
  })
}
