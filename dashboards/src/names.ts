import type { Agent } from './api-types.ts'

/** Names of oids as far as the list of agents tells them. A name is a label, not an identity: the oid is always shown beside it. */
export interface Names {
  readonly of: (oid: string) => string | null
  readonly isAgent: (oid: string) => boolean
  /** The name, else the first block of the oid. */
  readonly short: (oid: string) => string
}

/** Collects the names of agents and of their managed identities. */
export function collectNames(agents: readonly Agent[]): Names {
  const names = new Map<string, string>()
  const agentOids = new Set(agents.map((agent) => agent.oid))
  for (const agent of agents) {
    for (const uami of agent.uamis) if (uami.name) names.set(uami.oid, uami.name)
    if (agent.name) names.set(agent.oid, agent.name)
  }
  return {
    of: (oid) => names.get(oid) ?? null,
    isAgent: (oid) => agentOids.has(oid),
    short: (oid) => names.get(oid) ?? `${oid.slice(0, 8)}…`,
  }
}
