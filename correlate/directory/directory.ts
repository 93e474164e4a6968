/**
 * What is known of principals, their applications and the trust between them: a pure function over the set of directory facts. Built anew
 * when facts change; never edited.
 */
import type { DirectoryFact, PrincipalKind } from '#core/event.ts'
import { type AppId, type EventId, type Oid, type TenantId, oid as toOid } from '#core/keys.ts'
import { ApplicationNames } from './application-names.ts'
import type { StoredFact } from './fact.ts'
import type { Span } from './intervals.ts'
import { type LifecycleFact, lifetimeOf } from './lifetime.ts'
import { Pools } from './pools.ts'
import { type TrustFact, type TrustedIdentity, isTrust, trustedIdentities } from './trust.ts'

export interface Principal {
  readonly tenantId: TenantId
  readonly oid: Oid
  readonly kind: PrincipalKind | null
  readonly appIds: readonly AppId[]
  /** Applications (Blueprints) an agent belongs to. */
  readonly blueprints: readonly Application[]
  readonly alive: readonly Span[]
  /** The audit records that its lifetime rests on. */
  readonly evidence: readonly EventId[]
}

export interface Application {
  readonly tenantId: TenantId
  /** The smallest of its names. */
  readonly key: string
  readonly alive: readonly Span[]
  readonly trusts: readonly TrustedIdentity[]
  readonly agents: readonly Principal[]
  /** The principals with its appId. */
  readonly principals: readonly Principal[]
}

/** An application with one of the identities that it trusts. */
export interface Trust {
  readonly application: Application
  readonly identity: TrustedIdentity
}

export interface Directory {
  readonly pools: Pools
  readonly principal: (tenantId: TenantId, oid: Oid) => Principal | null
  /** The only tenant that knows this oid; null when none or several do. */
  readonly onlyTenantOf: (oid: Oid) => TenantId | null
  /** Agents with this appId, in the tenant or (null) in any. */
  readonly agentsByAppId: (tenantId: TenantId | null, appId: AppId) => readonly Principal[]
  /** Agents with this oid, in any tenant. */
  readonly agentsByOid: (oid: Oid) => readonly Principal[]
  /** The applications, in any tenant, whose credentials name or named this subject. */
  readonly trusting: (issuerTenant: TenantId, subject: Oid) => readonly Trust[]
  /** The applications of a principal's appIds. */
  readonly applicationsOf: (principal: Principal | null) => readonly Application[]
  /** Every (tenant, oid) that an attribution may start from. */
  readonly subjects: () => Iterable<{ readonly tenantId: TenantId; readonly oid: Oid }>
}

const KIND_RANK: Record<PrincipalKind, number> = { agent: 0, blueprint: 1, 'managed-identity': 2, user: 3, 'service-principal': 4 }

/** An application while the directory is being built. */
interface Growing extends Application {
  readonly agents: Principal[]
  readonly principals: Principal[]
}

type Seen = Extract<DirectoryFact, { type: 'seen' }>

const pair = (tenantId: string, id: string): string => `${tenantId}/${id}`
const split = (key: string): { tenantId: TenantId; oid: Oid } => ({ tenantId: key.slice(0, 36) as TenantId, oid: key.slice(37) as Oid })

/** Builds the directory. The order of the facts does not matter. */
export function buildDirectory(facts: Iterable<StoredFact>): Directory {
  const all = [...facts]
  const names = new ApplicationNames(all)
  const applications = buildApplications(all, names)
  const applicationAt = (key: string): Growing => {
    const known = applications.get(key)
    if (known) return known
    const fresh = { tenantId: key.slice(0, 36) as TenantId, key, alive: lifetimeOf([]).alive, trusts: [], agents: [], principals: [] }
    applications.set(key, fresh)
    return fresh
  }
  const principals = new Map<string, Principal>()
  const tenantsOfOid = new Map<Oid, Set<TenantId>>()
  const agentsByAppId = new Map<string, Principal[]>()
  const agentsByOid = new Map<string, Principal[]>()
  const knows = (tenantId: TenantId, oid: Oid): void => void tenantsOfOid.set(oid, (tenantsOfOid.get(oid) ?? new Set()).add(tenantId))

  for (const [key, { seen, lifecycle }] of gatherPrincipals(all)) {
    const { tenantId, oid } = split(key)
    const memberOf = [...new Set(seen.flatMap((fact) => names.key(tenantId, fact.blueprintObjectId, fact.blueprintAppId) ?? []))].toSorted()
    const kind = strongestKind(seen)
    const appIds = [...new Set(seen.flatMap((fact) => fact.appId ?? []))].toSorted()
    const principal: Principal = { tenantId, oid, kind, appIds, blueprints: kind === 'agent' ? memberOf.map(applicationAt) : [], ...lifetimeOf(lifecycle) }
    principals.set(key, principal)
    knows(tenantId, oid)
    if (kind === 'agent') {
      push(agentsByOid, oid, principal)
      for (const appId of appIds) for (const tenant of [tenantId, '']) push(agentsByAppId, pair(tenant, appId), principal)
      for (const member of memberOf) applicationAt(member).agents.push(principal)
    }
    for (const application of new Set(appIds.map((appId) => names.key(tenantId, null, appId)!))) applicationAt(application).principals.push(principal)
  }

  const trusting = new Map<string, Trust[]>()
  for (const application of applications.values()) {
    for (const identity of application.trusts) {
      const subject = toOid(identity.subject)
      if (!identity.issuerTenant || !subject) continue
      push(trusting, pair(identity.issuerTenant, subject), { application, identity })
      knows(identity.issuerTenant, subject)
    }
  }

  return {
    pools: new Pools(all),
    principal: (tenantId, oid) => principals.get(pair(tenantId, oid)) ?? null,
    onlyTenantOf: (oid) => {
      const tenants = tenantsOfOid.get(oid)
      return tenants?.size === 1 ? [...tenants][0]! : null
    },
    agentsByAppId: (tenantId, appId) => agentsByAppId.get(pair(tenantId ?? '', appId)) ?? [],
    agentsByOid: (oid) => agentsByOid.get(oid) ?? [],
    trusting: (issuerTenant, subject) => trusting.get(pair(issuerTenant, subject)) ?? [],
    applicationsOf: (principal) =>
      principal === null
        ? []
        : [...new Set(principal.appIds.map((appId) => names.key(principal.tenantId, null, appId)!))].flatMap((key) => applications.get(key) ?? []),
    *subjects() {
      for (const key of principals.keys()) yield split(key)
      for (const key of trusting.keys()) if (!principals.has(key)) yield split(key)
    },
  }
}

function push<Key, Value>(map: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}

function strongestKind(seen: readonly Seen[]): PrincipalKind | null {
  return seen.reduce<PrincipalKind | null>((best, { kind }) => (kind && (best === null || KIND_RANK[kind] < KIND_RANK[best]) ? kind : best), null)
}

/** Object ids of applications: lifecycle facts about them are not about a principal. */
function objectIdsOf(facts: readonly StoredFact[]): ReadonlySet<string> {
  return new Set(
    facts.flatMap((stored) =>
      (stored.fact.type === 'application' || isTrust(stored)) && 'objectId' in stored.fact && stored.fact.objectId
        ? [pair(stored.tenantId, stored.fact.objectId)]
        : [],
    ),
  )
}

function isLifecycle(stored: StoredFact): stored is LifecycleFact {
  return stored.fact.type === 'lifecycle'
}

/** What was said of each principal, in order of their keys. */
function gatherPrincipals(facts: readonly StoredFact[]): readonly (readonly [string, { seen: Seen[]; lifecycle: LifecycleFact[] }])[] {
  const objectIds = objectIdsOf(facts)
  const found = new Map<string, { seen: Seen[]; lifecycle: LifecycleFact[] }>()
  const at = (key: string): { seen: Seen[]; lifecycle: LifecycleFact[] } => {
    let known = found.get(key)
    if (!known) found.set(key, (known = { seen: [], lifecycle: [] }))
    return known
  }
  for (const stored of facts) if (stored.fact.type === 'seen') at(pair(stored.tenantId, stored.fact.oid)).seen.push(stored.fact)
  for (const stored of facts) {
    if (!isLifecycle(stored)) continue
    const key = pair(stored.tenantId, stored.fact.id)
    // What is known as an application only is no principal; broken sources give both one id.
    if (found.has(key) || !objectIds.has(key)) at(key).lifecycle.push(stored)
  }
  return [...found.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1))
}

function buildApplications(facts: readonly StoredFact[], names: ApplicationNames): Map<string, Growing> {
  const objectIds = objectIdsOf(facts)
  const lifecycle = new Map<string, LifecycleFact[]>()
  const trust = new Map<string, TrustFact[]>()
  const keys = new Set<string>()
  for (const stored of facts) {
    const { tenantId, fact } = stored
    if (isLifecycle(stored) && objectIds.has(pair(tenantId, stored.fact.id))) push(lifecycle, names.key(tenantId, stored.fact.id, null)!, stored)
    if (fact.type === 'application') keys.add(names.key(tenantId, fact.objectId, fact.appId)!)
    const key = isTrust(stored) ? names.key(tenantId, stored.fact.objectId, stored.fact.appId) : null
    if (key !== null) push(trust, key, stored as TrustFact)
  }
  return new Map(
    [...new Set([...keys, ...lifecycle.keys(), ...trust.keys()])].toSorted().map((key) => [
      key,
      {
        tenantId: key.slice(0, 36) as TenantId,
        key,
        alive: lifetimeOf(lifecycle.get(key) ?? []).alive,
        trusts: trustedIdentities(trust.get(key) ?? []),
        agents: [],
        principals: [],
      },
    ]),
  )
}
