import { RULES } from '#core/finding.ts'
import type { TenantId } from '#core/keys.ts'
import { entraIssuerTenant } from '#core/entra-issuer.ts'
import { mapsPinningClaim, pinsSubject } from './engine/cel.ts'
import type { Context } from './engine/context.ts'
import type { ExchangeProfile } from './engine/digest/identity-topics.ts'
import type { Draft, FindingRule } from './engine/rule.ts'
import { poolOf, type StoredEvent } from './engine/stored-event.ts'
import { isSentinelTenant } from './engine/sentinel.ts'
import { during, list, sorted } from './engine/text.ts'
import type { GcpProvider, TrustChange } from './engine/trust-change.ts'

/** A cloud trust lets in everybody of a tenant. */
export const finding: FindingRule = {
  ...RULES['tenant-wide-trust'],
  why: 'A trust that looks at the tenant, the issuer or the audience only accepts every service principal and managed identity of the tenant that can get a token for that audience, also those created tomorrow. One compromised workload then has the cloud rights of all agents.',
  remediation:
    'Restrict the trust to the object ids that need it: ":sub" in the AWS role\'s condition; "assertion.sub == \'<oid>\'" (or "in [...]") in the Google provider\'s attribute condition; "principal://…/subject/<oid>" in place of "principalSet://…/*" or "…/attribute.tid/…" as member.',
  falsePositives: ['A pool or tenant that holds nothing but the one workload. It is still open to whatever is added later.'],
  async evaluate(context) {
    const changes = await context.trustChanges()
    const hits = [...openRoles(changes), ...openProviders(context, changes), ...openMembers(context, changes)]
    const exchanges = await context.exchanges()
    return [...Map.groupBy(hits, (hit) => `${hit.cloud}\n${hit.place}`).values()].map((group): Draft => {
      const [hit] = group
      const users = exchanges.filter(
        ({ profile, lastNs }) => profile.source === hit!.cloud && group.some((one) => lastNs >= one.event.timeNs && one.usedBy(profile)),
      )
      const who = sorted(users.map(({ profile }) => profile.subjectOid))
      return {
        key: [hit!.cloud, hit!.place],
        confidence: group.some((one) => one.sure) ? 'exact' : 'probable',
        tenantId: group.find((one) => one.tenantId !== null)?.tenantId ?? null,
        oids: [...who, ...group.flatMap((one) => one.event.targets)],
        evidence: group.map((one) => one.event),
        explanation: `${hit!.place} ${sorted(group.map((one) => one.how)).join('; ')} (changed ${during(group.map((one) => one.event.timeNs))}).${who.length > 0 ? ` Since then it was used by ${list(who)}.` : ''}`,
      }
    })
  },
}

interface Open {
  readonly cloud: 'aws' | 'gcp'
  readonly place: string
  readonly event: StoredEvent
  readonly tenantId: string | null
  readonly how: string
  /** False when no record says whose tokens the pool accepts. */
  readonly sure: boolean
  readonly usedBy: (exchange: ExchangeProfile) => boolean
}

function openRoles(changes: readonly TrustChange[]): Open[] {
  return changes.flatMap((change): Open[] => {
    if (change.cloud !== 'aws') return []
    const open = change.alternatives.find((one) => !one.pinned && !isSentinelTenant(one.tenantId))
    if (!open) return []
    const { event, place } = change
    return [
      {
        cloud: 'aws',
        place,
        event,
        tenantId: open.tenantId,
        how: 'lets tokens of an Entra tenant in without a condition on their subject',
        sure: true,
        usedBy: (exchange) => isRole(exchange, place),
      },
    ]
  })
}

/** Trust updates name a role without its path, exchanges with it. */
function isRole({ account, resource }: ExchangeProfile, place: string): boolean {
  const nameOf = (arn: string | null): string | undefined => arn?.split('/').at(-1)
  return resource === place || (nameOf(resource) === nameOf(place) && place.includes(`:${account}:`))
}

function openProviders(context: Context, changes: readonly TrustChange[]): Open[] {
  // Updates say only what they change: the rest is what earlier records of the provider say.
  const states = new Map<string, GcpProvider>()
  return changes.flatMap((change): Open[] => {
    if (change.cloud !== 'gcp' || !change.provider) return []
    const { provider, event } = change
    const place = providerName(provider)
    const earlier = states.get(place)
    const mapping = provider.mapping ?? earlier?.mapping
    states.set(place, { ...provider, mapping, condition: provider.condition ?? earlier?.condition })
    const tenantId = context.directory.pools.issuerOf(provider)
    // Only a change of the condition, or of the attributes it speaks of, opens a provider.
    const condition = provider.condition ?? (provider.mapping ? earlier?.condition : undefined)
    if (tenantId === null || tenantId === 'foreign' || isSentinelTenant(tenantId) || condition === undefined) return []
    if (pinsSubject(condition, (name) => isPinning(name, mapping))) return []
    const how =
      condition.trim() === ''
        ? 'accepts every token of its issuer: it has no attribute condition'
        : 'has an alternative in its attribute condition that restricts neither subject, object id, application nor group'
    return [
      {
        cloud: 'gcp',
        place,
        event,
        tenantId,
        how,
        sure: true,
        usedBy: (exchange) => {
          const pool = poolOf(exchange.pool)
          return pool?.pool === provider.pool && (pool.provider ?? provider.provider) === provider.provider
        },
      },
    ]
  })
}

const providerName = ({ project, pool, provider }: GcpProvider): string =>
  `projects/${project}/locations/global/workloadIdentityPools/${pool}/providers/${provider}`

/** An attribute whose mapping nobody has seen may be a restriction: then nothing is claimed. */
function isPinning(name: string, mapping: GcpProvider['mapping']): boolean {
  const from = mapping?.[name]
  return from === undefined ? mapping === undefined || name.startsWith('google.') : mapsPinningClaim(from)
}

const POOL_WIDE =
  /^principalSet:\/\/iam\.googleapis\.com\/projects\/([^/]+)\/locations\/[^/]+\/workloadIdentityPools\/([^/]+)\/(\*|attribute\.(?:tid|tenant|tenant_?id|iss|issuer|aud|audience)\/.+)$/i

function openMembers(context: Context, changes: readonly TrustChange[]): Open[] {
  return changes.flatMap((change) => {
    if (change.cloud !== 'gcp') return []
    return change.members.flatMap(({ role, member }): Open[] => {
      const [, project, pool, rest] = POOL_WIDE.exec(member) ?? []
      if (!project || !pool || !rest) return []
      const issuer = poolTenant(context, project, pool)
      if (issuer === 'foreign' || isSentinelTenant(issuer)) return []
      const how = `gives ${role ?? 'a role'} on ${change.event.resource ?? 'a resource'} to ${rest === '*' ? 'everybody in the pool' : `everybody with ${rest}`}`
      return [
        {
          cloud: 'gcp',
          place: member,
          event: change.event,
          tenantId: issuer,
          how,
          sure: issuer !== null,
          usedBy: (exchange) => poolOf(exchange.pool)?.pool === pool,
        },
      ]
    })
  })
}

/** The tenant whose tokens a pool accepts: one Entra provider among several is enough. `foreign`: all its known issuers are others. */
function poolTenant({ facts, directory }: Context, project: string, pool: string): TenantId | 'foreign' | null {
  const names = directory.pools.namesOf(project)
  const issuers = facts.flatMap(({ fact }) =>
    fact.type === 'gcp-provider' && fact.pool === pool && names.has(fact.project) ? [entraIssuerTenant(fact.issuer)] : [],
  )
  return issuers.filter((issuer) => issuer !== null).toSorted()[0] ?? (issuers.length > 0 ? 'foreign' : null)
}
