/** What is this oid, and what is it linked with? */
import { CONFIDENCES, KINDS, ROLES, SOURCES } from '#core/event.ts'
import { NO_TENANT } from '#core/keys.ts'
import { formatTime } from '#core/time.ts'
import type { OidAnswer, OidInfo } from '../contract.ts'
import type { Count } from './activity.ts'
import { countsOf, spanOf, sumBy } from './activity.ts'
import type { KnownDirectory, KnownPrincipal } from './directory.ts'
import { readDirectory } from './directory.ts'
import { revocationOf } from '../findings/revocation.ts'
import { scopeOf, shownTenant, tenantInScope } from './store.ts'
import type { Store } from './store.ts'
import { tenantsWith } from './timeline-query.ts'
import { readTopologies } from './topology.ts'
import type { Topologies } from './topology.ts'

interface Place {
  readonly tenantId: string
  readonly oid: string
}

/** Which principals an id means: itself, or those of an application whose id it is. No place means that nothing at all is known of it. */
interface Meant {
  readonly resolvedFrom: OidAnswer['resolvedFrom']
  readonly places: readonly Place[]
}

/**
 * What is known of an id, one item a tenant. An appId or an application's object id, given in the oid's place, is resolved to the oid, and the answer says so.
 * @returns null when nothing at all is known of it
 */
export async function oidAnswer(store: Store, id: string, tenant?: string): Promise<OidAnswer | null> {
  const directory = await readDirectory(store, tenant)
  const { resolvedFrom, places } = await meantBy(store, directory, id, tenant)
  if (places.length === 0) return null
  const tenants = [...new Set(places.map((place) => place.tenantId))]
  const oids = [...new Set(places.map((place) => place.oid))]
  const [counts, topologies] = await Promise.all([countsOf(store, tenants, oids), readTopologies(store, tenants, oids)])
  const items = places.map(async (place): Promise<OidInfo> => {
    const own = counts.filter((count) => count.tenantId === place.tenantId && count.oid === place.oid)
    return { ...describe(place, directory, topologies, own), revocation: await revocationOf(store, place.tenantId, place.oid) }
  })
  return { id, resolvedFrom, items: await Promise.all(items) }
}

/** What a list says of a principal. */
export type Brief = Pick<OidInfo, 'tenantId' | 'oid' | 'kind' | 'name' | 'appId' | 'firstSeen' | 'lastSeen'>

/** The principals that each of these ids means, in the order of the ids, those of which nothing is known left out: without counts, which take reading whole timelines. */
export async function oidBriefs(
  store: Store,
  ids: readonly string[],
): Promise<readonly { readonly id: string; readonly resolvedFrom: OidAnswer['resolvedFrom']; readonly items: readonly Brief[] }[]> {
  const directory = await readDirectory(store)
  const meant = await Promise.all(ids.map(async (id) => ({ id, ...(await meantBy(store, directory, id)) })))
  const spans = await spansOf(
    store,
    meant.flatMap(({ places }) => places),
  )
  const brief = ({ tenantId, oid }: Place): Brief => {
    const { kind, name, appId } = whoIs({ tenantId, oid }, directory)
    const span = spans.get(`${tenantId}/${oid}`)
    return {
      tenantId: shownTenant(tenantId),
      oid,
      kind,
      name,
      appId,
      firstSeen: span ? formatTime(span.firstNs) : null,
      lastSeen: span ? formatTime(span.lastNs) : null,
    }
  }
  return meant.map(({ id, resolvedFrom, places }) => ({ id, resolvedFrom, items: places.map(brief) })).filter(({ items }) => items.length > 0)
}

/**
 * Why an oid has no timeline at all, or null when it is a known oid (whose timeline may still be empty under some filter).
 * Of two look-alike GUIDs given one for the other, the commonest mistake of the domain, it names the right one and corrects nothing silently.
 */
export async function explainUnknown(store: Store, id: string, tenant?: string): Promise<string | null> {
  const directory = await readDirectory(store, tenant)
  const { resolvedFrom, places } = await meantBy(store, directory, id, tenant)
  if (places.length === 0) return unknownOid(id, tenant)
  if (resolvedFrom === null) return null
  const meant = places.map((place) => {
    const { name } = whoIs(place, directory)
    return `${place.oid}${name === null ? '' : ` (${name})`}`
  })
  return `${id} is an application's ${resolvedFrom === 'appId' ? 'appId' : 'object id'}, no oid. Ask for ${meant.join(' or ')}.`
}

async function meantBy(store: Store, directory: KnownDirectory, id: string, tenant?: string): Promise<Meant> {
  const named = directory.principals.filter((principal) => principal.oid === id)
  const standing = await tenantsOfTimeline(store, id, tenant)
  return resolve(directory, id, distinct([...named, ...declaredSubjects(directory, id), ...standing.map((tenantId) => ({ tenantId, oid: id }))]))
}

/** Tenants (the nil UUID for "none proven") in which the oid has a timeline. */
async function tenantsOfTimeline(store: Store, oid: string, tenant: string | undefined): Promise<readonly string[]> {
  const scope = scopeOf(store)
  const { text, values } = tenantsWith(oid, tenant === undefined ? scope : [tenant].filter((one) => scope === null || scope.includes(one)))
  const { rows } = await store.query<{ tenant_id: string }>(text, values)
  return rows.map((row) => row.tenant_id)
}

/** First and last event of each of these timelines that has any, by `tenant/oid`. Primary key of timeline, both ends. */
async function spansOf(store: Store, places: readonly Place[]): Promise<ReadonlyMap<string, { readonly firstNs: bigint; readonly lastNs: bigint }>> {
  if (places.length === 0) return new Map()
  const end = (order: 'asc' | 'desc'): string =>
    `lateral (select l.time_ns from timeline l where l.tenant_id = n.tenant_id and l.oid = n.oid and ${tenantInScope('l.tenant_id', '$3')} order by l.time_ns ${order} limit 1)`
  const { rows } = await store.query<{ tenant_id: string; oid: string; first_ns: bigint; last_ns: bigint }>(
    `select n.tenant_id, n.oid, a.time_ns as first_ns, z.time_ns as last_ns
     from unnest($1::uuid[], $2::uuid[]) n(tenant_id, oid) cross join ${end('asc')} a cross join ${end('desc')} z`,
    [places.map((place) => place.tenantId), places.map((place) => place.oid), scopeOf(store)],
  )
  return new Map(rows.map((row) => [`${row.tenant_id}/${row.oid}`, { firstNs: row.first_ns, lastNs: row.last_ns }]))
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

function resolve(directory: KnownDirectory, id: string, direct: readonly Place[]): Meant {
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

/** What the directory says of a principal. */
function whoIs({ tenantId, oid }: Place, directory: KnownDirectory) {
  const known = directory.find(tenantId, oid)
  const application = directory.applications.find((other) => other.tenantId === tenantId && (other.objectId === oid || other.appId === oid))
  const kind: OidInfo['kind'] = known?.kind ?? (application ? (application.blueprint ? 'blueprint' : 'application') : 'unknown')
  const names = known?.names ?? (application?.name ? [application.name] : [])
  return { known, application, kind, names, name: names[0] ?? null, appId: known?.appId ?? application?.appId ?? null }
}

function describe(place: Place, directory: KnownDirectory, topologies: Topologies, counts: readonly Count[]): Omit<OidInfo, 'revocation'> {
  const { tenantId, oid } = place
  const { known, application, kind, names, name, appId } = whoIs(place, directory)
  const { firstNs, lastNs } = spanOf(counts)
  const kinds = sumBy(counts, KINDS, (count) => count.kind)
  return {
    tenantId: shownTenant(tenantId),
    oid,
    kind,
    name,
    names: [...names],
    appId,
    status: known?.status ?? null,
    msiType: known?.msiType ?? null,
    armId: known?.armId ?? null,
    blueprint: known && kind === 'agent' ? directory.blueprintOf(known) : null,
    uamis: kind === 'agent' || kind === 'blueprint' ? directory.uamisOf(blueprintIds(tenantId, kind, known, application)) : [],
    agents: kind === 'agent' ? [] : directory.agentsOf(tenantId, kind === 'blueprint' ? (known?.appId ?? oid) : oid),
    topology: topologies.topology(tenantId, oid),
    topologyOverTime: topologies.overTime(tenantId, oid),
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
