/** Who is who: what the directory facts say of principals and applications, folded for showing. Attribution has its own, dated view of the same facts. */
import { entraIssuerTenant } from '#core/entra-issuer.ts'
import type { DirectoryFact, Fic, PrincipalKind } from '#core/event.ts'
import { isGuid } from '#core/keys.ts'
import type { Blueprint, LinkedUami, Status } from '../contract.ts'
import { type Store, scopeOf, tenantInScope } from './store.ts'

export interface KnownPrincipal {
  readonly tenantId: string
  readonly oid: string
  kind: PrincipalKind | null
  appId: string | null
  /** The latest first. */
  readonly names: string[]
  blueprintAppId: string | null
  blueprintObjectId: string | null
  msiType: 'userAssigned' | 'systemAssigned' | null
  armId: string | null
  status: Status | null
}

interface KnownApplication {
  readonly tenantId: string
  objectId: string | null
  appId: string | null
  name: string | null
  blueprint: boolean
  /** Oids of the Entra principals that its federated credentials name or named; true while the latest change still names it. */
  readonly trusted: Map<string, boolean>
}

export interface KnownDirectory {
  readonly principals: readonly KnownPrincipal[]
  readonly applications: readonly KnownApplication[]
  readonly find: (tenantId: string, oid: string) => KnownPrincipal | undefined
  readonly blueprintOf: (principal: KnownPrincipal) => Blueprint | null
  /** Managed identities of the Blueprint that this agent belongs to, or that this principal is of. */
  readonly uamisOf: (principal: Pick<KnownPrincipal, 'tenantId' | 'blueprintAppId' | 'blueprintObjectId'>) => LinkedUami[]
  /** Agents of a Blueprint, or of every Blueprint that trusts this managed identity. */
  readonly agentsOf: (tenantId: string, id: string) => { readonly oid: string; readonly name: string | null }[]
}

interface FactRow {
  tenant_id: string
  body: DirectoryFact
}

/** Reads every directory fact (of one tenant, if given). They are few beside events: `seen` facts are folded over time by the store. */
export async function readDirectory(store: Store, tenant?: string): Promise<KnownDirectory> {
  const { rows } = await store.query<FactRow>(
    `select tenant_id, body from directory_facts where ($1::uuid is null or tenant_id = $1::uuid) and ${tenantInScope('tenant_id', '$2')} order by last_ns, last_event, id`,
    [tenant ?? null, scopeOf(store)],
  )
  return foldDirectory(rows)
}

// Of two kinds said of one principal, the more particular one holds (an agent is a service principal, too).
const KIND_RANK: Readonly<Record<PrincipalKind, number>> = { agent: 0, blueprint: 1, 'managed-identity': 2, user: 3, 'service-principal': 4 }

/** Folds facts that are sorted by time: later ones win. */
export function foldDirectory(rows: readonly FactRow[]): KnownDirectory {
  const principals = new Map<string, KnownPrincipal>()
  const applications = new Applications()
  const principal = (tenantId: string, oid: string): KnownPrincipal => {
    const key = `${tenantId}/${oid}`
    let known = principals.get(key)
    if (!known) {
      known = { tenantId, oid, kind: null, appId: null, names: [], blueprintAppId: null, blueprintObjectId: null, msiType: null, armId: null, status: null }
      principals.set(key, known)
    }
    return known
  }
  // Applications first: they tie object ids and appIds together, whatever the order of the facts.
  for (const { tenant_id: tenantId, body } of rows) {
    if (body.type === 'application') applications.add(tenantId, body.objectId, body.appId, body.name, body.blueprint)
    if (body.type === 'fics' || body.type === 'fic-declared') applications.add(tenantId, body.objectId, body.appId, null, false)
    if (body.type === 'seen') {
      const known = principal(tenantId, body.oid)
      if (body.kind && (known.kind === null || KIND_RANK[body.kind] < KIND_RANK[known.kind])) known.kind = body.kind
      known.appId = body.appId ?? known.appId
      known.blueprintAppId = body.blueprintAppId ?? known.blueprintAppId
      known.blueprintObjectId = body.blueprintObjectId ?? known.blueprintObjectId
      known.msiType = body.msiType ?? known.msiType
      known.armId = body.armId ?? known.armId
      if (body.name !== null) known.names.splice(0, known.names.length, body.name, ...known.names.filter((name) => name !== body.name))
      if (body.kind === 'blueprint') applications.add(tenantId, body.blueprintObjectId, body.appId, body.name, true)
      else if (body.blueprintAppId ?? body.blueprintObjectId) applications.add(tenantId, body.blueprintObjectId, body.blueprintAppId, null, true)
    }
  }
  const objectIds = new Set(applications.all.map((application) => application.objectId))
  for (const { tenant_id: tenantId, body } of rows) {
    if (body.type === 'lifecycle' && !objectIds.has(body.id)) principal(tenantId, body.id).status = STATUS_AFTER[body.change]
    if (body.type === 'fic-declared') {
      const { trusted } = applications.add(tenantId, body.objectId, body.appId, null, false)
      for (const oid of trustedOids(tenantId, [body.fic])) trusted.set(oid, body.change !== 'removed')
    }
    if (body.type === 'fics') {
      const { trusted } = applications.add(tenantId, body.objectId, body.appId, null, false)
      if (body.after) for (const oid of trusted.keys()) trusted.set(oid, false)
      for (const oid of trustedOids(tenantId, body.before ?? [])) if (!trusted.has(oid)) trusted.set(oid, body.after === null)
      for (const oid of trustedOids(tenantId, body.after ?? [])) trusted.set(oid, true)
    }
  }

  const all = [...principals.values()]
  const find = (tenantId: string, oid: string): KnownPrincipal | undefined => principals.get(`${tenantId}/${oid}`)
  const nameOf = (tenantId: string, oid: string): string | null => find(tenantId, oid)?.names[0] ?? null
  const applicationOf = (known: Pick<KnownPrincipal, 'tenantId' | 'blueprintAppId' | 'blueprintObjectId'>): KnownApplication | undefined =>
    applications.find(known.tenantId, known.blueprintObjectId, known.blueprintAppId)
  const ofBlueprint = (application: KnownApplication): KnownPrincipal[] => all.filter((known) => known.kind === 'agent' && applicationOf(known) === application)

  return {
    principals: all,
    applications: applications.all,
    find,
    blueprintOf: (known) => {
      const application = applicationOf(known)
      if (!application) return null
      const own = all.find(
        (other) => other.kind === 'blueprint' && other.tenantId === known.tenantId && other.appId !== null && other.appId === application.appId,
      )
      return { appId: application.appId, objectId: application.objectId, principalOid: own?.oid ?? null, name: application.name ?? own?.names[0] ?? null }
    },
    uamisOf: (known) =>
      [...(applicationOf(known)?.trusted ?? [])]
        .map(([oid, current]) => ({ oid, name: nameOf(known.tenantId, oid), current }))
        .toSorted((a, b) => (a.oid < b.oid ? -1 : 1)),
    agentsOf: (tenantId, id) =>
      applications.all
        .filter((application) => application.tenantId === tenantId && (application.appId === id || application.objectId === id || application.trusted.has(id)))
        .flatMap(ofBlueprint)
        .map((known) => ({ oid: known.oid, name: known.names[0] ?? null }))
        .toSorted((a, b) => (a.oid < b.oid ? -1 : 1)),
  }
}

const STATUS_AFTER: Readonly<Record<Extract<DirectoryFact, { type: 'lifecycle' }>['change'], Status>> = {
  created: 'active',
  restored: 'active',
  enabled: 'active',
  disabled: 'disabled',
  deleted: 'deleted',
}

function trustedOids(tenantId: string, fics: readonly Fic[]): string[] {
  return fics.filter((fic) => entraIssuerTenant(fic.issuer) === tenantId && isGuid(fic.subject)).map((fic) => fic.subject.toLowerCase())
}

/** Applications under either of their two ids; learning that both mean one application joins what was known of each. */
class Applications {
  readonly #byId = new Map<string, KnownApplication>()

  get all(): readonly KnownApplication[] {
    return [...new Set(this.#byId.values())]
  }

  find(tenantId: string, objectId: string | null, appId: string | null): KnownApplication | undefined {
    return (
      (objectId === null ? undefined : this.#byId.get(`${tenantId}/object/${objectId}`)) ??
      (appId === null ? undefined : this.#byId.get(`${tenantId}/app/${appId}`))
    )
  }

  add(tenantId: string, objectId: string | null, appId: string | null, name: string | null, blueprint: boolean): KnownApplication {
    const byObject = this.find(tenantId, objectId, null)
    const byApp = this.find(tenantId, null, appId)
    const known = byObject ?? byApp ?? { tenantId, objectId, appId, name, blueprint, trusted: new Map<string, boolean>() }
    known.objectId ??= objectId ?? byApp?.objectId ?? null
    known.appId ??= appId
    known.name = name ?? known.name ?? byApp?.name ?? null
    known.blueprint ||= blueprint || (byApp?.blueprint ?? false)
    if (known.objectId !== null) this.#byId.set(`${tenantId}/object/${known.objectId}`, known)
    if (known.appId !== null) this.#byId.set(`${tenantId}/app/${known.appId}`, known)
    return known
  }
}
