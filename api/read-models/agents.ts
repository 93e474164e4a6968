/** Which agents are there, how do they federate, and how much have they done? */
import { CONFIDENCES, SOURCES } from '#core/event.ts'
import { formatTime } from '#core/time.ts'
import type { Agent, Page } from '../contract.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import { ProblemError } from '../problem.ts'
import type { Count } from './activity.ts'
import { countsOf, spanOf, sumBy } from './activity.ts'
import type { KnownDirectory } from './directory.ts'
import { readDirectory } from './directory.ts'
import { type Store, scopeOf, shownTenant, tenantInScope } from './store.ts'
import { readTopologies } from './topology.ts'
import type { Topologies } from './topology.ts'

export interface AgentsRequest {
  readonly tenant?: string | undefined
  /** Part of the name, oid, appId or Blueprint, in any case. */
  readonly text?: string | undefined
  readonly limit: number
  readonly cursor?: string | undefined
}

/** Agents by name, then tenant and oid: those the directory facts name and those that events were attributed to. */
export async function agentsPage(store: Store, request: AgentsRequest): Promise<Page<Agent>> {
  const after = request.cursor === undefined ? null : decodeCursor(request.cursor)
  if (request.cursor !== undefined && after?.length !== 1)
    throw new ProblemError(400, 'cursor is no cursor that this route gave out', [{ field: 'cursor', message: 'is no cursor that this route gave out' }])
  const directory = await readDirectory(store, request.tenant)
  const agents = await knownAgents(store, directory, request.tenant)
  const tenants = [...new Set(agents.map((agent) => agent.tenantId))]
  const oids = [...new Set(agents.map((agent) => agent.oid))]
  const [counts, topologies] = await Promise.all([countsOf(store, tenants, oids), readTopologies(store, tenants, oids)])
  const countsByAgent = Map.groupBy(counts, (count) => `${count.tenantId}/${count.oid}`)
  const needle = request.text?.toLowerCase()
  const sorted = agents
    .map(({ tenantId, oid }) => describe({ tenantId, oid, directory, topologies, counts: countsByAgent.get(`${tenantId}/${oid}`) ?? [] }))
    .filter((agent) => needle === undefined || searchable(agent).includes(needle))
    .map((agent) => ({ agent, key: sortKey(agent) }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
    .filter(({ key }) => after === null || key > after[0]!)
  const shown = sorted.slice(0, request.limit)
  return { items: shown.map(({ agent }) => agent), next: sorted.length > shown.length ? encodeCursor([shown.at(-1)!.key]) : null }
}

async function knownAgents(store: Store, directory: KnownDirectory, tenant: string | undefined): Promise<{ tenantId: string; oid: string }[]> {
  const named = directory.principals.filter((principal) => principal.kind === 'agent').map(({ tenantId, oid }) => ({ tenantId, oid }))
  const { rows } = await store.query<{ tenantId: string; oid: string }>(
    `select distinct coalesce(owner_tenant, tenant_id) as "tenantId", agent_oid as oid from conclusions
     where agent_oid is not null and tenant_id is not null and ($1::uuid is null or coalesce(owner_tenant, tenant_id) = $1::uuid)
       and ${tenantInScope('coalesce(owner_tenant, tenant_id)', '$2')}`,
    [tenant ?? null, scopeOf(store)],
  )
  return [...new Map([...named, ...rows].map((agent) => [`${agent.tenantId}/${agent.oid}`, agent])).values()]
}

interface Described {
  readonly tenantId: string
  readonly oid: string
  readonly directory: KnownDirectory
  readonly topologies: Topologies
  readonly counts: readonly Count[]
}

function describe({ tenantId, oid, directory, topologies, counts }: Described): Agent {
  const known = directory.find(tenantId, oid)
  const own = counts.filter((count) => count.role !== 'target')
  const { firstNs, lastNs } = spanOf(counts)
  const events = (chosen: readonly Count[]): number => chosen.reduce((sum, count) => sum + count.events, 0)
  return {
    tenantId: shownTenant(tenantId),
    oid,
    name: known?.names[0] ?? null,
    appId: known?.appId ?? null,
    status: known?.status ?? null,
    blueprint: known ? directory.blueprintOf(known) : null,
    uamis: known ? directory.uamisOf(known) : [],
    topology: topologies.topology(tenantId, oid),
    firstSeen: firstNs === null ? null : formatTime(firstNs),
    lastSeen: lastNs === null ? null : formatTime(lastNs),
    counts: { bySource: sumBy(own, SOURCES, (count) => count.source), byConfidence: sumBy(own, CONFIDENCES, (count) => count.confidence) },
    exactEvents: events(own.filter((count) => count.role === 'actor' && count.confidence === 'exact')),
    candidateEvents: events(own.filter((count) => count.role === 'candidate')),
    targetEvents: events(counts.filter((count) => count.role === 'target')),
  }
}

function searchable(agent: Agent): string {
  return [agent.name, agent.oid, agent.appId, agent.blueprint?.name, agent.blueprint?.appId]
    .filter((part) => part !== null && part !== undefined)
    .join('\u001f')
    .toLowerCase()
}

// Agents without a name come last.
function sortKey(agent: Agent): string {
  return `${agent.name === null ? '\uffff' : agent.name.toLowerCase()}\u0000${agent.tenantId ?? ''}\u0000${agent.oid}`
}
