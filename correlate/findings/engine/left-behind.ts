/**
 * Managed identities (and what else stands in their place) that agents act through, and what they exchanged with clouds: deleting an agent stops Entra's side only, the cloud
 * goes on trusting the identity. Who could use it when is asked of the directory; which exchanges there were stands in the sums of the days.
 */
import type { Source } from '#core/event.ts'
import type { EventId, Oid, TenantId } from '#core/keys.ts'
import { type Abandoned, abandonedAt, candidatesEver } from '../../moments.ts'
import type { Context } from './context.ts'
import { EXCHANGES } from './digest/identity-topics.ts'

export interface Exchange {
  readonly id: EventId
  readonly timeNs: bigint
  readonly source: Source
  /** Null while somebody could use the identity. */
  readonly abandoned: Abandoned | null
}

export interface LeftBehind {
  readonly tenantId: TenantId
  readonly oid: Oid
  /** Everybody who could ever use it: `tenant/oid`. */
  readonly agents: ReadonlySet<string>
  /** Successful ones, in order of time. */
  readonly exchanges: readonly Exchange[]
}

/** Every identity that exchanged and that ever led to agents without being one, sorted by tenant and oid. Rejects when the database fails. */
export async function identitiesOfAgents(context: Context): Promise<readonly LeftBehind[]> {
  const { directory } = context
  const groups = Map.groupBy(await context.exchanges(), ({ profile }) => `${profile.tenantId}/${profile.subjectOid}`)
  const found = [...groups].flatMap(([key, its]) => {
    const { tenantId, subjectOid: oid } = its[0]!.profile
    if (tenantId === null || oid === null) return []
    const ever = candidatesEver(directory, { tenantId, oid })
    // A Blueprint that exchanges for itself is another matter (blueprint-token-misuse).
    if (ever.self || ever.agents.length === 0 || ever.basis.includes('blueprint')) return []
    return [{ key, tenantId, oid, groups: its, agents: new Set(ever.agents.map((agent) => `${agent.tenantId}/${agent.oid}`)) }]
  })
  const places = await context.placesIn(
    EXCHANGES,
    found.flatMap((one) => one.groups),
  )
  const byIdentity = Map.groupBy(places, ({ profile }) => `${profile.tenantId}/${profile.subjectOid}`)
  return found
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ key, tenantId, oid, agents }) => ({
      tenantId,
      oid,
      agents,
      exchanges: (byIdentity.get(key) ?? []).map(({ id, timeNs, profile }) => ({
        id,
        timeNs,
        source: profile.source,
        abandoned: profile.agentOid === null && profile.candidates.length === 0 ? abandonedAt(directory, { tenantId, oid }, timeNs) : null,
      })),
    }))
}
