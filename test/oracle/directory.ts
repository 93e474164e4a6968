/** What the records say about principals, applications and trust. SPEC.md §1 "Directory". Nothing here is remembered: every question looks at all statements. */
import { PRINCIPAL_KINDS, type DirectoryFact, type Fic, type GcpPool, type PrincipalKind } from '#core/event.ts'
import { oid, tenantId, type AppId, type EventId, type Oid, type TenantId } from '#core/keys.ts'
import { distinct, samePrincipal, type Principal, type Statement } from './facts.ts'

/** One application in one tenant under all its names: `object <object id>` and `app <appId>`. */
export interface Application {
  readonly tenantId: TenantId | null
  readonly names: ReadonlySet<string>
}

const objectName = (id: Oid): string => `object ${id}`
const appName = (id: AppId): string => `app ${id}`

type StatementOf<Type extends DirectoryFact['type']> = Statement<Extract<DirectoryFact, { type: Type }>>

export type Directory = ReturnType<typeof directoryOf>

export function directoryOf(said: readonly Statement[]) {
  // A record without a tenant says nothing about a directory. Pools and projects of Google Cloud belong to none.
  const statements = said.filter(({ tenantId: tenant, fact }) => tenant !== null || fact.type === 'gcp-provider' || fact.type === 'gcp-project')
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

  /** What names an application, not a principal: `tenant object id`. */
  const applicationObjects = new Set([...all('application'), ...ficChanges].map(({ tenantId: tenant, fact }) => `${tenant} ${fact.objectId}`))
  const principals: Principal[] = []
  const know = (who: Principal): void => {
    if (!principals.some((one) => samePrincipal(one, who))) principals.push(who)
  }
  for (const { tenantId: tenant, fact } of seen) know({ tenantId: tenant, oid: fact.oid })
  const agents = principals.filter((who) => kindOf(who) === 'agent')
  for (const { tenantId: tenant, fact } of lifecycles) if (!applicationObjects.has(`${tenant} ${fact.id}`)) know({ tenantId: tenant, oid: fact.id })
  for (const { fact } of ficChanges) for (const fic of [...(fact.before ?? []), ...(fact.after ?? [])]) if (trusted(fic)) know(trusted(fic)!)

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
    links.push({ tenantId: tenant, names: namesOf(fact) })
  }
  for (const { tenantId: tenant, fact } of seen) {
    const kind = kindOf({ tenantId: tenant, oid: fact.oid })
    if (kind === 'agent') links.push({ tenantId: tenant, names: blueprintNames(fact) })
    if (kind === 'blueprint')
      links.push({
        tenantId: tenant,
        names: [...(fact.appId ? [appName(fact.appId)] : []), ...(fact.blueprintObjectId ? [objectName(fact.blueprintObjectId)] : [])],
      })
  }

  /** The application that has this name: everything that records tie together, directly or through others. */
  function applicationNamed(tenant: TenantId | null, name: string): Application {
    const names = new Set([name])
    for (let size = 0; size < names.size;) {
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
    return isAlive(application, timeNs) ? membersOf(application).filter((agent) => couldAct(agent, timeNs)) : []
  }

  /** All agents of an application, whenever they lived. */
  const membersOf = (application: Application): Principal[] =>
    agents.filter((agent) => agent.tenantId === application.tenantId && blueprintsOf(agent).some((one) => sameApplication(one, application)))

  const isAlive = (application: Application, timeNs: bigint): boolean => alive(application.tenantId, (id) => application.names.has(objectName(id)), timeNs)

  /** A Blueprint principal; also one that no record calls so, if its application has agents and no federated credential ever named it. */
  function isBlueprint(who: Principal): boolean {
    const kind = kindOf(who)
    if (kind === 'blueprint') return true
    if (kind !== 'service-principal' && kind !== null) return false
    return (
      applicationsOf(who).some((application) => membersOf(application).length > 0) &&
      !ficChanges.some(({ fact }) => [...(fact.before ?? []), ...(fact.after ?? [])].some((fic) => isFor(fic, who)))
    )
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
    if (!isAlive(application, timeNs)) return []
    const shown = ficChangesOf(application).flatMap(({ timeNs: at, fact }) => [
      ...(fact.before ? [{ at, fics: fact.before, side: 'before' }] : []),
      ...(fact.after ? [{ at, fics: fact.after, side: 'after' }] : []),
    ])
    const earlier = shown.findLast(({ at }) => at <= timeNs)
    const later = shown.find(({ at }) => at > timeNs)
    const valid = [...(earlier?.fics ?? []), ...(later?.side === 'before' ? later.fics : [])].flatMap((fic) => trusted(fic) ?? [])
    return valid.filter((one, index) => valid.findIndex((other) => samePrincipal(one, other)) === index)
  }

  /** The applications, in any tenant, that trust this principal then. */
  function applicationsTrusting(who: Principal, timeNs: bigint): Application[] {
    const named = distinct(ficChanges.flatMap(({ tenantId: tenant }) => tenant ?? [])).flatMap((tenant) =>
      applicationsNamed(
        tenant,
        ficChanges.filter((one) => one.tenantId === tenant).flatMap(({ fact }) => namesOf(fact)),
      ),
    )
    return named.filter((application) => trustedBy(application, timeNs).some((one) => samePrincipal(one, who)))
  }

  /** The instants after the first and until the second time at which anything was said of principals, applications or trust. */
  const changesBetween = (from: bigint, to: bigint): bigint[] => statements.map(({ timeNs }) => timeNs).filter((timeNs) => from < timeNs && timeNs <= to)

  // --- evidence

  const lifecycleEvents = (who: Principal): EventId[] =>
    lifecycles.filter(({ tenantId: tenant, fact }) => tenant === who.tenantId && fact.id === who.oid).map(({ eventId }) => eventId)

  /** The records that show, on either side, that the application trusts this principal. */
  const trustEvents = (application: Application, who: Principal): EventId[] =>
    ficChangesOf(application)
      .filter(({ fact }) => [...(fact.before ?? []), ...(fact.after ?? [])].some((fic) => isFor(fic, who)))
      .map(({ eventId }) => eventId)

  // --- Google Cloud

  /** What the providers of a pool (only the one that the pool names, if that is known) are known to trust: the one tenant, `foreign` if none is Entra, else null. */
  function poolTrusts(pool: GcpPool): TenantId | 'foreign' | null {
    const projects = new Set([pool.project])
    for (let size = 0; size < projects.size;) {
      size = projects.size
      for (const { fact } of all('gcp-project')) if (projects.has(fact.id) || projects.has(fact.number)) projects.add(fact.id).add(fact.number)
    }
    const providers = all('gcp-provider').filter(({ fact }) => projects.has(fact.project) && fact.pool === pool.pool)
    const named = providers.filter(({ fact }) => fact.provider === pool.provider)
    const issuers = (named.length > 0 ? named : providers).map(({ fact }) => entraIssuer(fact.issuer))
    if (issuers.length > 0 && issuers.every((issuer) => issuer === null)) return 'foreign'
    const tenants = new Set(issuers.map((issuer) => issuer?.tenantId ?? null))
    return tenants.size === 1 ? [...tenants][0]! : null
  }

  return {
    kindOf,
    isBlueprint,
    agents,
    appIdsOf,
    onlyTenantOf,
    applicationsOf,
    blueprintsOf,
    agentsOf,
    trustedBy,
    applicationsTrusting,
    changesBetween,
    lifecycleEvents,
    trustEvents,
    poolTrusts,
  }
}

export function sameApplication(a: Application, b: Application): boolean {
  return a.tenantId === b.tenantId && [...a.names].some((name) => b.names.has(name))
}

function namesOf(fact: { readonly objectId: Oid | null; readonly appId: AppId | null }): string[] {
  return [...(fact.objectId ? [objectName(fact.objectId)] : []), ...(fact.appId ? [appName(fact.appId)] : [])]
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

function isFor(fic: Fic, who: Principal): boolean {
  const named = trusted(fic)
  return named !== null && samePrincipal(named, who)
}

const ENTRA_HOSTS = /^(sts\.windows\.net|login\.microsoftonline\.(com|us)|login\.partner\.microsoftonline\.cn|sts\.chinacloudapi\.cn|[\w-]+\.ciamlogin\.com)$/

/** Null for an issuer that is not Entra; its tenant where it names one by GUID. */
function entraIssuer(issuer: string): { readonly tenantId: TenantId | null } | null {
  const [host = '', tenant = ''] = issuer
    .toLowerCase()
    .replace(/^https:\/\//, '')
    .split('/')
  return ENTRA_HOSTS.test(host) ? { tenantId: tenantId(tenant) } : null
}

/** An appId taken as an oid: of an agent they are one. */
export const appIdAsOid = (id: AppId): Oid => oid(id)!
