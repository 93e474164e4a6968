/** What the records say about principals, applications and trust. SPEC.md §1 "Directory". Nothing here is remembered: every question looks at all statements. */
import { PRINCIPAL_KINDS, type DirectoryFact, type Fic, type GcpPool, type PrincipalKind } from '#core/event.ts'
import { oid, tenantId, type AppId, type EventId, type Oid, type TenantId } from '#core/keys.ts'
import { distinct, type Principal, type Statement } from './facts.ts'

/** One application in one tenant under all its names: `object <object id>` and `app <appId>`. */
export interface Application {
  readonly tenantId: TenantId | null
  readonly names: ReadonlySet<string>
}

const objectName = (id: Oid): string => `object ${id}`
const appName = (id: AppId): string => `app ${id}`

type StatementOf<Type extends DirectoryFact['type']> = Statement<Extract<DirectoryFact, { type: Type }>>

export type Directory = ReturnType<typeof directoryOf>

export function directoryOf(statements: readonly Statement[]) {
  const all = <Type extends DirectoryFact['type']>(type: Type): StatementOf<Type>[] =>
    statements.filter((statement): statement is StatementOf<Type> => statement.fact.type === type)
  // What is seen holds without a date, so saying it again says nothing.
  const seen = [...new Map(all('seen').map((statement) => [JSON.stringify([statement.tenantId, statement.fact]), statement])).values()]
  const lifecycles = all('lifecycle')
  const ficChanges = all('fics')

  const seenOf = (who: Principal) => seen.filter(({ tenantId: tenant, fact }) => tenant === who.tenantId && fact.oid === who.oid).map(({ fact }) => fact)

  /** The strongest kind that any record gives; null where none does. */
  function kindOf(who: Principal): PrincipalKind | null {
    const kinds = seenOf(who).map(({ kind }) => kind)
    return PRINCIPAL_KINDS.find((kind) => kinds.includes(kind)) ?? null
  }

  const principals: Principal[] = []
  for (const { tenantId: tenant, fact } of seen) {
    if (!principals.some((one) => one.tenantId === tenant && one.oid === fact.oid)) principals.push({ tenantId: tenant, oid: fact.oid })
  }
  const agents = principals.filter((who) => kindOf(who) === 'agent')

  /** The tenant that knows an oid, if it is the only one. */
  function onlyTenantOf(id: Oid): TenantId | null {
    const tenants = distinct(principals.filter((who) => who.oid === id).flatMap((who) => who.tenantId ?? []))
    return tenants.length === 1 ? tenants[0]! : null
  }

  const appIdsOf = (who: Principal): AppId[] => distinct(seenOf(who).flatMap((fact) => fact.appId ?? []))

  // --- applications

  /** Pairs of names that a record gives to one application. */
  const links: { readonly tenantId: TenantId | null; readonly names: readonly string[] }[] = []
  for (const { tenantId: tenant, fact } of [...all('application'), ...ficChanges]) {
    links.push({ tenantId: tenant, names: [...(fact.objectId ? [objectName(fact.objectId)] : []), ...(fact.appId ? [appName(fact.appId)] : [])] })
  }
  for (const { tenantId: tenant, fact } of seen) {
    const kind = kindOf({ tenantId: tenant, oid: fact.oid })
    if (kind === 'agent') links.push({ tenantId: tenant, names: blueprintNames(fact) })
    if (kind === 'blueprint') links.push({ tenantId: tenant, names: [...(fact.appId ? [appName(fact.appId)] : []), ...(fact.blueprintObjectId ? [objectName(fact.blueprintObjectId)] : [])] })
  }

  /** The application that has this name: everything that records tie together, directly or through others. */
  function applicationNamed(tenant: TenantId | null, name: string): Application {
    const names = new Set([name])
    for (let size = 0; size < names.size; ) {
      size = names.size
      for (const link of links) if (link.tenantId === tenant && link.names.some((one) => names.has(one))) link.names.forEach((one) => names.add(one))
    }
    return { tenantId: tenant, names }
  }

  /** Distinct applications with these names. */
  function applicationsNamed(tenant: TenantId | null, names: readonly string[]): Application[] {
    const found: Application[] = []
    for (const name of names) if (!found.some((one) => one.names.has(name))) found.push(applicationNamed(tenant, name))
    return found
  }

  /** The applications that a principal is the principal of. */
  const applicationsOf = (who: Principal): Application[] => applicationsNamed(who.tenantId, appIdsOf(who).map(appName))

  /** The Blueprints that an agent belongs to: all that any record names for it. */
  const blueprintsOf = (agent: Principal): Application[] => applicationsNamed(agent.tenantId, seenOf(agent).flatMap(blueprintNames))

  // --- over time

  /**
   * Created (or never seen created) and not switched off: what the last change at or before this time left. A change at this very time counts.
   * @param ids a principal's oid, or the object ids of an application
   */
  function alive(tenant: TenantId | null, ids: (id: Oid) => boolean, timeNs: bigint): boolean {
    const changes = lifecycles.filter(({ tenantId: its, fact }) => its === tenant && ids(fact.id))
    const past = changes.filter((change) => change.timeNs <= timeNs)
    const wasCreated = changes.some(({ fact }) => fact.change === 'created')
    if (wasCreated && !past.some(({ fact }) => fact.change === 'created')) return false
    const last = past.at(-1)?.fact.change
    return last !== 'deleted' && last !== 'disabled'
  }

  const couldAct = (who: Principal, timeNs: bigint): boolean => alive(who.tenantId, (id) => id === who.oid, timeNs)

  /** The agents of an application that could act then. */
  function agentsOf(application: Application, timeNs: bigint): Principal[] {
    const its = agents.filter((agent) => agent.tenantId === application.tenantId && blueprintsOf(agent).some((one) => sameApplication(one, application)))
    return its.filter((agent) => couldAct(agent, timeNs))
  }

  const ficChangesOf = (application: Application): StatementOf<'fics'>[] =>
    ficChanges.filter(
      ({ tenantId: tenant, fact }) =>
        tenant === application.tenantId &&
        ((fact.objectId !== null && application.names.has(objectName(fact.objectId))) || (fact.appId !== null && application.names.has(appName(fact.appId)))),
    )

  /**
   * The principals that a federated credential of the application names at this time. What is valid between two records is what the earlier
   * one shows last and what the later one shows as before: where they disagree, it may have been. A side that is null says nothing.
   */
  function trustedBy(application: Application, timeNs: bigint): Principal[] {
    if (!alive(application.tenantId, (id) => application.names.has(objectName(id)), timeNs)) return []
    const shown = ficChangesOf(application).flatMap(({ timeNs: at, fact }) => [
      ...(fact.before ? [{ at, fics: fact.before, side: 'before' }] : []),
      ...(fact.after ? [{ at, fics: fact.after, side: 'after' }] : []),
    ])
    const earlier = shown.findLast(({ at }) => at <= timeNs)
    const later = shown.find(({ at }) => at > timeNs)
    const valid = [...(earlier?.fics ?? []), ...(later?.side === 'before' ? later.fics : [])].flatMap((fic) => trusted(fic) ?? [])
    return valid.filter((one, index) => valid.findIndex((other) => other.oid === one.oid && other.tenantId === one.tenantId) === index)
  }

  /** The applications of the subject's tenant that trust it then. */
  function applicationsTrusting(who: Principal, timeNs: bigint): Application[] {
    const names = ficChanges.filter(({ tenantId: tenant }) => tenant === who.tenantId).flatMap(({ fact }) => (fact.appId ? appName(fact.appId) : fact.objectId ? objectName(fact.objectId) : []))
    return applicationsNamed(who.tenantId, names).filter((application) => trustedBy(application, timeNs).some((one) => one.tenantId === who.tenantId && one.oid === who.oid))
  }

  // --- evidence

  const lifecycleEvents = (who: Principal): EventId[] => lifecycles.filter(({ tenantId: tenant, fact }) => tenant === who.tenantId && fact.id === who.oid).map(({ eventId }) => eventId)

  /** The records that show, on either side, that the application trusts this principal. */
  const trustEvents = (application: Application, who: Principal): EventId[] =>
    ficChangesOf(application)
      .filter(({ fact }) => [...(fact.before ?? []), ...(fact.after ?? [])].some((fic) => trusted(fic)?.oid === who.oid && trusted(fic)?.tenantId === who.tenantId))
      .map(({ eventId }) => eventId)

  // --- Google Cloud

  /** What the providers of a pool (of one of them where the pool names it) are known to trust: the one tenant, `foreign` if none is Entra, else null. */
  function poolTrusts(pool: GcpPool): TenantId | 'foreign' | null {
    const projects = new Set([pool.project])
    for (let size = 0; size < projects.size; ) {
      size = projects.size
      for (const { fact } of all('gcp-project')) if (projects.has(fact.id) || projects.has(fact.number)) projects.add(fact.id).add(fact.number)
    }
    const issuers = all('gcp-provider')
      .map(({ fact }) => fact)
      .filter((fact) => projects.has(fact.project) && fact.pool === pool.pool && (pool.provider === null || fact.provider === pool.provider))
      .map(({ issuer }) => entraIssuer(issuer))
    if (issuers.length > 0 && issuers.every((issuer) => issuer === null)) return 'foreign'
    const tenants = new Set(issuers.map((issuer) => issuer?.tenantId ?? null))
    return tenants.size === 1 ? [...tenants][0]! : null
  }

  return { kindOf, agents, appIdsOf, onlyTenantOf, applicationsOf, blueprintsOf, agentsOf, trustedBy, applicationsTrusting, lifecycleEvents, trustEvents, poolTrusts }
}

export function sameApplication(a: Application, b: Application): boolean {
  return a.tenantId === b.tenantId && [...a.names].some((name) => b.names.has(name))
}

function blueprintNames(fact: Extract<DirectoryFact, { type: 'seen' }>): string[] {
  return [...(fact.blueprintAppId ? [appName(fact.blueprintAppId)] : []), ...(fact.blueprintObjectId ? [objectName(fact.blueprintObjectId)] : [])]
}

export const hasAppId = (application: Application, id: AppId): boolean => application.names.has(appName(id))

/** The principal that a credential names; null for another issuer's (Kubernetes, a certificate) and for a subject that is no oid. */
function trusted(fic: Fic): Principal | null {
  const tenant = entraIssuer(fic.issuer)?.tenantId
  const subject = oid(fic.subject)
  return tenant && subject ? { tenantId: tenant, oid: subject } : null
}

const ENTRA_HOSTS = /^(sts\.windows\.net|login\.microsoftonline\.(com|us)|login\.partner\.microsoftonline\.cn|sts\.chinacloudapi\.cn|[\w-]+\.ciamlogin\.com)$/

/** Null for an issuer that is not Entra; its tenant where it names one by GUID. */
function entraIssuer(issuer: string): { readonly tenantId: TenantId | null } | null {
  const [host = '', tenant = ''] = issuer.toLowerCase().replace(/^https:\/\//, '').split('/')
  return ENTRA_HOSTS.test(host) ? { tenantId: tenantId(tenant) } : null
}

/** An appId taken as an oid: of an agent they are one. */
export const appIdAsOid = (id: AppId): Oid => oid(id)!
