/** What is this oid, and what is it linked with? */
import { CONFIDENCES, KINDS, ROLES, SOURCES } from '#core/event.ts'
import { NO_TENANT } from '#core/keys.ts'
import { formatTime } from '#core/time.ts'
import type { OidAnswer, OidInfo } from '../contract.ts'
import type { Count, Topologies } from './activity.ts'
import { countsOf, readTopologies, spanOf, sumBy } from './activity.ts'
import type { KnownDirectory, KnownPrincipal } from './directory.ts'
import { readDirectory } from './directory.ts'
import { revocationOf } from '../findings/revocation.ts'
import { shownTenant } from './store.ts'
import { topologyOverTime } from './topology.ts'
import type { Store } from './store.ts'

interface Place {
  readonly tenantId: string
  readonly oid: string
}

/**
 * What is known of an id, one item a tenant. An appId or an application's object id, given in the oid's place, is resolved to the oid, and the answer says so.
 * @returns null when nothing at all is known of it
 */
export async function oidAnswer(store: Store, id: string, tenant?: string): Promise<OidAnswer | null> {
  const directory = await readDirectory(store, tenant)
  const counts = (await countsOf(store, [id])).filter((count) => tenant === undefined || count.tenantId === tenant)
  const topologies = await readTopologies(store)
  const direct = distinct([...directory.principals.filter((principal) => principal.oid === id), ...declaredSubjects(directory, id), ...counts])
  const { resolvedFrom, places } = resolve(directory, id, direct)
  if (places.length === 0) return null
  const resolvedCounts =
    resolvedFrom === null
      ? counts
      : await countsOf(
          store,
          places.map((place) => place.oid),
        )
  const items = places.map((place) =>
    describe(
      place,
      directory,
      topologies,
      resolvedCounts.filter((count) => count.tenantId === place.tenantId && count.oid === place.oid),
    ),
  )
  const whole = items.map(async (item, index): Promise<OidInfo> => {
    const { tenantId, oid } = places[index]!
    const [overTime, revocation] = await Promise.all([topologyOverTime(store, tenantId, oid), revocationOf(store, tenantId, oid)])
    return { ...item, topologyOverTime: overTime, revocation }
  })
  return { id, resolvedFrom, items: await Promise.all(whole) }
}

/**
 * Why an oid has no timeline at all, or null when it is a known oid (whose timeline may still be empty under some filter).
 * Of two look-alike GUIDs given one for the other, the commonest mistake of the domain, it names the right one and corrects nothing silently.
 */
export async function explainUnknown(store: Store, id: string, tenant?: string): Promise<string | null> {
  const answer = await oidAnswer(store, id, tenant)
  if (!answer) return unknownOid(id, tenant)
  if (answer.resolvedFrom === null) return null
  const meant = answer.items.map((item) => `${item.oid}${item.name === null ? '' : ` (${item.name})`}`)
  return `${id} is an application's ${answer.resolvedFrom === 'appId' ? 'appId' : 'object id'}, no oid. Ask for ${meant.join(' or ')}.`
}

/** What to say of an id that no record names. */
export function unknownOid(id: string, tenant: string | undefined): string {
  const where = tenant === undefined ? '' : ` of tenant ${tenant}`
  return `No record${where} names the oid ${id}. Check that it is an object id and that the logs of the time in question were imported.`
}

/** A principal of which nothing is known but that a federated credential names it. */
function declaredSubjects(directory: KnownDirectory, id: string): Place[] {
  return directory.applications.filter((application) => application.trusted.has(id)).map(({ tenantId }) => ({ tenantId, oid: id }))
}

function resolve(directory: KnownDirectory, id: string, direct: readonly Place[]): { resolvedFrom: OidAnswer['resolvedFrom']; places: readonly Place[] } {
  // Changes of a Blueprint stand in the timeline of its application's object id, so that is an answer of its own.
  if (direct.length > 0) return { resolvedFrom: null, places: direct }
  const byAppId = directory.principals.filter((principal) => principal.appId === id)
  if (byAppId.length > 0) return { resolvedFrom: 'appId', places: distinct(byAppId) }
  const applications = directory.applications.filter((application) => application.appId === id || application.objectId === id)
  const principals = applications.flatMap((application) =>
    directory.principals.filter(
      (principal) => principal.tenantId === application.tenantId && principal.appId !== null && principal.appId === application.appId,
    ),
  )
  if (principals.length > 0) return { resolvedFrom: 'objectId', places: distinct(principals) }
  // An application whose service principal no record names: shown under the id asked for.
  return { resolvedFrom: null, places: distinct(applications.map(({ tenantId }) => ({ tenantId, oid: id }))) }
}

function distinct(places: readonly Place[]): Place[] {
  const unique = [...new Map(places.map(({ tenantId, oid }) => [`${tenantId}/${oid}`, { tenantId, oid }])).values()]
  // Events that prove no tenant are listed after those that do.
  return unique.toSorted(
    (a, b) => Number(a.tenantId === NO_TENANT) - Number(b.tenantId === NO_TENANT) || (`${a.tenantId}/${a.oid}` < `${b.tenantId}/${b.oid}` ? -1 : 1),
  )
}

function describe(
  { tenantId, oid }: Place,
  directory: KnownDirectory,
  topologies: Topologies,
  counts: readonly Count[],
): Omit<OidInfo, 'topologyOverTime' | 'revocation'> {
  const known = directory.find(tenantId, oid)
  const application = directory.applications.find((other) => other.tenantId === tenantId && (other.objectId === oid || other.appId === oid))
  const kind = known?.kind ?? (application ? (application.blueprint ? 'blueprint' : 'application') : 'unknown')
  const { firstNs, lastNs } = spanOf(counts)
  const kinds = sumBy(counts, KINDS, (count) => count.kind)
  const names = known?.names ?? (application?.name ? [application.name] : [])
  return {
    tenantId: shownTenant(tenantId),
    oid,
    kind,
    name: names[0] ?? null,
    names: [...names],
    appId: known?.appId ?? application?.appId ?? null,
    status: known?.status ?? null,
    msiType: known?.msiType ?? null,
    armId: known?.armId ?? null,
    blueprint: known && kind === 'agent' ? directory.blueprintOf(known) : null,
    uamis: kind === 'agent' || kind === 'blueprint' ? directory.uamisOf(blueprintIds(tenantId, kind, known, application)) : [],
    agents: kind === 'agent' ? [] : directory.agentsOf(tenantId, kind === 'blueprint' ? (known?.appId ?? oid) : oid),
    topology: topologies(tenantId, oid),
    firstSeen: firstNs === null ? null : formatTime(firstNs),
    lastSeen: lastNs === null ? null : formatTime(lastNs),
    counts: {
      bySource: sumBy(counts, SOURCES, (count) => count.source),
      byKind: Object.fromEntries(Object.entries(kinds).filter(([, events]) => events > 0)),
      byRole: sumBy(counts, ROLES, (count) => count.role),
      byConfidence: sumBy(counts, CONFIDENCES, (count) => count.confidence),
    },
  }
}

function blueprintIds(
  tenantId: string,
  kind: 'agent' | 'blueprint',
  known: KnownPrincipal | undefined,
  application: KnownDirectory['applications'][number] | undefined,
): Pick<KnownPrincipal, 'tenantId' | 'blueprintAppId' | 'blueprintObjectId'> {
  if (kind === 'agent') return { tenantId, blueprintAppId: known?.blueprintAppId ?? null, blueprintObjectId: known?.blueprintObjectId ?? null }
  return { tenantId, blueprintAppId: known?.appId ?? application?.appId ?? null, blueprintObjectId: known?.blueprintObjectId ?? application?.objectId ?? null }
}
