/**
 * What is known of one or more tenants' principals, their applications and the trust between them: a pure function over the
 * set of directory facts. Built new when facts change; never edited.
 */
import type { DirectoryFact, Fic, PrincipalKind } from '#core/event.ts'
import type { AppId, EventId, Oid, TenantId } from '#core/keys.ts'
import { oid as toOid, tenantId as toTenantId } from '#core/keys.ts'
import { ALWAYS, type Observation, type Span, spansOf } from './intervals.ts'

/** A fact with the tenant and the record that told it (the earliest one for `seen` facts). */
export interface StoredFact {
  readonly tenantId: TenantId
  readonly fact: DirectoryFact
  readonly time: bigint
  readonly eventId: EventId
}

export interface Principal {
  readonly tenantId: TenantId
  readonly oid: Oid
  readonly kind: PrincipalKind | null
  readonly appId: AppId | null
  /** Applications (Blueprints) an agent belongs to. */
  readonly blueprints: readonly Application[]
  readonly alive: readonly Span[]
  /** The audit records that its lifetime rests on. */
  readonly evidence: readonly EventId[]
}

export interface Application {
  readonly tenantId: TenantId
  /** `app:<appId>` or, where that is not known, `obj:<objectId>`. */
  readonly key: string
  readonly alive: readonly Span[]
  readonly fics: readonly TrustedSubject[]
  readonly agents: readonly Principal[]
  /** The service principals with its appId, agents left out. */
  readonly principals: readonly Principal[]
}

/** A subject that one of the application's federated credentials names, and when. */
export interface TrustedSubject {
  readonly application: Application
  /** Tenant of the credential's issuer; null when the issuer is not Entra. */
  readonly issuerTenant: TenantId | null
  readonly subject: string
  readonly valid: readonly Span[]
  readonly evidence: readonly EventId[]
}

export interface Directory {
  readonly principal: (tenantId: TenantId, oid: Oid) => Principal | null
  /** The only tenant that knows this oid; null when none or several do. */
  readonly onlyTenantOf: (oid: Oid) => TenantId | null
  /** Tenant of the issuer that the pool (or the provider in it) trusts. `foreign`: a known issuer that is not Entra. Null: not known. */
  readonly poolIssuer: (pool: { readonly project: string; readonly pool: string; readonly provider: string | null }) => TenantId | 'foreign' | null
  /** Agents with this appId, in the tenant or (null) in any. */
  readonly agentsByAppId: (tenantId: TenantId | null, appId: AppId) => readonly Principal[]
  /** Agents with this oid, in any tenant. */
  readonly agentsByOid: (oid: Oid) => readonly Principal[]
  /** Everyone that federates as this subject: the credentials that name it, in any tenant. */
  readonly trusting: (issuerTenant: TenantId, subject: Oid) => readonly TrustedSubject[]
  readonly application: (tenantId: TenantId, appId: AppId) => Application | null
  /** Every (tenant, oid) that an attribution may start from. */
  readonly subjects: () => Iterable<{ readonly tenantId: TenantId; readonly oid: Oid }>
}

const KIND_RANK: Record<PrincipalKind, number> = { agent: 0, blueprint: 1, 'managed-identity': 2, user: 3, 'service-principal': 4 }

/** Tenant of an Entra issuer URL (v1 `sts.windows.net/<tid>/`, v2 `login.microsoftonline.com/<tid>/v2.0`, sovereign clouds), else null. */
export function entraIssuerTenant(issuer: string): TenantId | null {
  const match = /^https:\/\/(?:sts\.windows\.net|sts\.chinacloudapi\.cn|login\.microsoftonline\.(?:com|us)|login\.partner\.microsoftonline\.cn)\/([0-9a-f-]{36})(?:\/|\/v2\.0\/?)?$/i.exec(issuer.trim())
  return match ? toTenantId(match[1]) : null
}

/** An application while the directory is being built. */
type Growing = Application & { agents: Principal[]; fics: TrustedSubject[]; principals: Principal[] }

const pair = (tenantId: string, id: string): string => `${tenantId}/${id}`

class Groups<Value> {
  readonly map = new Map<string, Value[]>()
  add(key: string, value: Value): void {
    const list = this.map.get(key)
    if (list) list.push(value)
    else this.map.set(key, [value])
  }
  get(key: string): readonly Value[] {
    return this.map.get(key) ?? []
  }
}

/** Builds the directory. The order of the facts does not matter. */
export function buildDirectory(facts: Iterable<StoredFact>): Directory {
  const seen = new Groups<StoredFact & { fact: { type: 'seen' } }>()
  const lifecycle = new Groups<StoredFact & { fact: { type: 'lifecycle' } }>()
  const fics = new Groups<TrustFact>()
  const appIdOfObject = new Map<string, AppId>()
  const blueprintKeys = new Set<string>()
  const providers: { project: string; pool: string; provider: string; issuer: string }[] = []
  const projectNames = new Groups<string>()
  const all = [...facts]

  for (const { tenantId, fact } of all) {
    if (fact.type === 'application' && fact.appId) setSmaller(appIdOfObject, pair(tenantId, fact.objectId), fact.appId)
    if (isTrust(fact) && fact.objectId && fact.appId) setSmaller(appIdOfObject, pair(tenantId, fact.objectId), fact.appId)
    // An agent's row names its Blueprint, a Blueprint principal's its own application, by both ids.
    if (fact.type === 'seen' && fact.blueprintObjectId) {
      const appId = fact.kind === 'blueprint' ? fact.appId : fact.blueprintAppId
      if (appId) setSmaller(appIdOfObject, pair(tenantId, fact.blueprintObjectId), appId)
    }
    if (fact.type === 'gcp-provider') providers.push(fact)
    if (fact.type === 'gcp-project') {
      projectNames.add(fact.id, fact.number)
      projectNames.add(fact.number, fact.id)
    }
  }
  const applicationKey = (tenantId: TenantId, objectId: Oid | null, appId: AppId | null): string | null => {
    const known = appId ?? (objectId ? (appIdOfObject.get(pair(tenantId, objectId)) ?? null) : null)
    return known ? pair(tenantId, `app:${known}`) : objectId ? pair(tenantId, `obj:${objectId}`) : null
  }

  const applicationLifecycle = new Groups<StoredFact & { fact: { type: 'lifecycle' } }>()
  const objectIds = new Set<string>()
  for (const stored of all) {
    const { tenantId, fact } = stored
    if (fact.type === 'application') {
      objectIds.add(pair(tenantId, fact.objectId))
      const key = applicationKey(tenantId, fact.objectId, fact.appId)
      if (key && fact.blueprint) blueprintKeys.add(key)
    }
    if (isTrust(fact) && fact.objectId) objectIds.add(pair(tenantId, fact.objectId))
  }
  for (const stored of all) {
    const { tenantId, fact } = stored
    if (fact.type === 'seen') seen.add(pair(tenantId, fact.oid), stored as never)
    else if (fact.type === 'lifecycle') {
      if (objectIds.has(pair(tenantId, fact.id))) applicationLifecycle.add(applicationKey(tenantId, fact.id, null)!, stored as never)
      else lifecycle.add(pair(tenantId, fact.id), stored as never)
    } else if (isTrust(fact)) {
      const key = applicationKey(tenantId, fact.objectId, fact.appId)
      if (key) fics.add(key, stored as never)
    }
  }

  const principals = new Map<string, Principal & { blueprints: Application[] }>()
  const applications = new Map<string, Growing>()
  const applicationOf = (key: string): Growing => {
    let application = applications.get(key)
    if (!application) {
      const slash = key.indexOf('/')
      const { alive } = lifetime(applicationLifecycle.get(key))
      application = { tenantId: key.slice(0, slash) as TenantId, key: key.slice(slash + 1), alive, fics: [], agents: [], principals: [] }
      applications.set(key, application)
    }
    return application
  }

  const tenantsOfOid = new Groups<TenantId>()
  const agentsByAppId = new Groups<Principal>()
  const agentsByOid = new Groups<Principal>()
  const oids = new Set([...seen.map.keys(), ...lifecycle.map.keys()])
  for (const key of [...oids].toSorted()) {
    const facts = seen.get(key)
    const tenantId = key.slice(0, 36) as TenantId
    const id = key.slice(37) as Oid
    let kind: PrincipalKind | null = null
    let appId: AppId | null = null
    const memberOf = new Set<string>()
    for (const { fact } of facts) {
      if (fact.kind && (kind === null || KIND_RANK[fact.kind] < KIND_RANK[kind])) kind = fact.kind
      if (fact.appId && (appId === null || fact.appId < appId)) appId = fact.appId
      const blueprint = applicationKey(tenantId, fact.blueprintObjectId, fact.blueprintAppId)
      if (blueprint && fact.kind !== 'blueprint') memberOf.add(blueprint)
    }
    const { alive, evidence } = lifetime(lifecycle.get(key))
    const principal = { tenantId, oid: id, kind, appId, blueprints: [] as Application[], alive, evidence }
    principals.set(key, principal)
    tenantsOfOid.add(id, tenantId)
    if (kind !== 'agent') {
      if (appId) applicationOf(pair(tenantId, `app:${appId}`)).principals.push(principal)
      continue
    }
    agentsByOid.add(id, principal)
    if (appId) {
      agentsByAppId.add(pair(tenantId, appId), principal)
      agentsByAppId.add(pair('', appId), principal)
    }
    for (const member of memberOf) {
      const application = applicationOf(member)
      principal.blueprints.push(application)
      application.agents.push(principal)
    }
  }

  const trusting = new Groups<TrustedSubject>()
  for (const [key, observed] of fics.map) {
    const application = applicationOf(key)
    for (const trusted of trustedSubjects(application, observed)) {
      application.fics.push(trusted)
      const subject = toOid(trusted.subject)
      if (!trusted.issuerTenant || !subject) continue
      trusting.add(pair(trusted.issuerTenant, subject), trusted)
      tenantsOfOid.add(subject, trusted.issuerTenant)
    }
  }
  for (const key of blueprintKeys) applicationOf(key)

  return {
    principal: (tenantId, oid) => principals.get(pair(tenantId, oid)) ?? null,
    onlyTenantOf(oid) {
      const tenants = new Set(tenantsOfOid.get(oid))
      return tenants.size === 1 ? [...tenants][0]! : null
    },
    poolIssuer: ({ project, pool, provider }) => {
      const names = new Set([project, ...projectNames.get(project)])
      const matching = providers.filter((known) => names.has(known.project) && known.pool === pool)
      const exact = provider ? matching.filter((known) => known.provider === provider) : []
      const issuers = new Set((exact.length > 0 ? exact : matching).map((known) => entraIssuerTenant(known.issuer) ?? 'foreign'))
      return issuers.size === 1 ? [...issuers][0]! : null
    },
    agentsByAppId: (tenantId, appId) => agentsByAppId.get(pair(tenantId ?? '', appId)),
    agentsByOid: (oid) => agentsByOid.get(oid),
    trusting: (issuerTenant, subject) => trusting.get(pair(issuerTenant, subject)),
    application: (tenantId, appId) => applications.get(pair(tenantId, `app:${appId}`)) ?? null,
    *subjects() {
      for (const { tenantId, oid } of principals.values()) yield { tenantId, oid }
      for (const key of trusting.map.keys()) if (!principals.has(key)) yield { tenantId: key.slice(0, 36) as TenantId, oid: key.slice(37) as Oid }
    },
  }
}

/** Two records may disagree about an id; the smaller one wins, so that no order of arrival decides. */
function setSmaller(map: Map<string, AppId>, key: string, value: AppId): void {
  const known = map.get(key)
  if (!known || value < known) map.set(key, value)
}

/**
 * When a principal or application could act: from its creation on, not while deleted or disabled. What was never seen created may have
 * existed always; a restore says nothing about how long it had been gone.
 */
function lifetime(facts: readonly (StoredFact & { fact: { type: 'lifecycle' } })[]): { alive: readonly Span[]; evidence: readonly EventId[] } {
  const existence: Observation[] = []
  const enabled: Observation[] = []
  for (const { time, eventId: id, fact } of facts) {
    if (fact.change === 'created') existence.push({ time, id, before: null, after: true })
    if (fact.change === 'deleted') existence.push({ time, id, before: null, after: false })
    if (fact.change === 'restored') existence.push({ time, id, before: null, after: true })
    if (fact.change === 'disabled') enabled.push({ time, id, before: null, after: false })
    if (fact.change === 'enabled') enabled.push({ time, id, before: null, after: true })
  }
  const created = facts.filter(({ fact }) => fact.change === 'created').map(({ time }) => time)
  const sinceCreation: readonly Span[] = created.length === 0 ? ALWAYS : [{ from: created.reduce((first, time) => (time < first ? time : first)), to: null }]
  const alive = intersect(sinceCreation, intersect(spansOf(existence, true), spansOf(enabled, true)))
  return { alive, evidence: facts.map((stored) => stored.eventId).toSorted() }
}

function intersect(a: readonly Span[], b: readonly Span[]): readonly Span[] {
  const result: Span[] = []
  for (const left of a) {
    for (const right of b) {
      const from = left.from === null ? right.from : right.from === null ? left.from : left.from > right.from ? left.from : right.from
      const to = left.to === null ? right.to : right.to === null ? left.to : left.to < right.to ? left.to : right.to
      if (from === null || to === null || from < to) result.push({ from, to })
    }
  }
  return result
}

type TrustFact = StoredFact & { fact: { type: 'fics' } | { type: 'fic-declared' } }

function isTrust(fact: DirectoryFact): fact is TrustFact['fact'] & DirectoryFact {
  return fact.type === 'fics' || fact.type === 'fic-declared'
}

const keyOf = (fic: Fic): string => `${entraIssuerTenant(fic.issuer) ?? fic.issuer}\n${fic.subject}`

/** What one record says about a credential; null when it does not speak of it. An audit record lists all credentials, a declaration only its own. */
function observationOf({ time, eventId: id, fact }: TrustFact, key: string): Observation | null {
  if (fact.type === 'fics') {
    const has = (fics: readonly Fic[] | null): boolean | null => (fics === null ? null : fics.some((one) => keyOf(one) === key))
    return { time, id, before: has(fact.before), after: has(fact.after) }
  }
  if (keyOf(fact.fic) !== key) return null
  return { time, id, before: fact.change !== 'added', after: fact.change !== 'removed' }
}

function trustedSubjects(application: Application, observed: readonly TrustFact[]): TrustedSubject[] {
  const known = new Map<string, Fic>()
  for (const { fact } of observed) {
    for (const fic of fact.type === 'fics' ? [...(fact.before ?? []), ...(fact.after ?? [])] : [fact.fic]) known.set(keyOf(fic), fic)
  }
  return [...known.entries()]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, fic]) => {
      const observations = observed.map((stored) => observationOf(stored, key)).filter((one) => one !== null)
      return {
        application,
        issuerTenant: entraIssuerTenant(fic.issuer),
        subject: fic.subject,
        valid: spansOf(observations, false),
        evidence: observations.filter((one) => one.before === true || one.after === true).map((one) => one.id as EventId).toSorted(),
      }
    })
}
