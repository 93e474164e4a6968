/**
 * Who lives in a simulated world: tenants with managed identities, Blueprints and agents, their trusts in AWS and GCP, and when each of
 * them begins and ends. Everything invented: domains end in `.example`, addresses come from the documentation ranges (RFC 5737).
 */

export interface ManagedIdentity {
  readonly oid: string
  readonly clientId: string
  readonly name: string
  readonly kind: 'userAssigned' | 'systemAssigned'
  readonly armId: string
  readonly createdAt: number
  readonly deletedAt: number | null
}

/** A federated identity credential and the time it was valid, ms; `to` null: still is. */
export interface FederatedCredential {
  readonly id: string
  readonly name: string
  readonly identity: ManagedIdentity
  readonly from: number
  readonly to: number | null
}

export interface Blueprint {
  readonly appId: string
  readonly objectId: string
  readonly servicePrincipalOid: string
  readonly name: string
  readonly createdAt: number
  readonly fics: FederatedCredential[]
  readonly agents: Agent[]
}

/** How an agent reaches the clouds. */
type Topology = 'option-1' | 'option-2' | 'bridge'

export interface Agent {
  /** Also its appId, as in every real token seen (facts of the Entra logs). */
  readonly oid: string
  readonly name: string
  readonly tenant: Tenant
  readonly blueprint: Blueprint
  readonly topology: Topology
  /** Managed identities that host it over time, in order; the last one that exists is in use. */
  readonly hosts: readonly ManagedIdentity[]
  readonly createdAt: number
  readonly deletedAt: number | null
  readonly disabled: readonly (readonly [from: number, to: number])[]
  /** While its managed identity is new and no trust knows it yet: every mint and exchange fails. */
  readonly staleTrust: readonly [from: number, to: number] | null
  readonly ip: string
  readonly aws: {
    readonly role: string
    readonly roleId: string
    readonly sessionName: string | null
    readonly chain: boolean
  } | null
  readonly gcp: {
    readonly serviceAccount: string
    readonly uniqueId: string
    readonly provider: string
    readonly mintShape: '2024' | '2026'
  } | null
  readonly bridge: BridgeApp | null
  readonly onBehalfOf: boolean
}

/** The ordinary application between a managed identity and AWS, as in the seed author's AWS deployment. */
interface BridgeApp {
  readonly appId: string
  readonly objectId: string
  readonly servicePrincipalOid: string
  readonly name: string
  readonly ficId: string
}

export interface Person {
  readonly oid: string
  readonly name: string
  readonly ip: string
  readonly accessKey: string
  readonly principalId: string
}

export interface Tenant {
  readonly index: number
  readonly id: string
  readonly domain: string
  readonly workspaceId: string
  readonly subscription: string
  readonly admin: Person
  readonly people: readonly Person[]
  readonly blueprints: Blueprint[]
  readonly agents: Agent[]
  readonly api: {
    readonly appId: string
    readonly servicePrincipalOid: string
    readonly name: string
  }
  /** Main account, data account, model account. */
  readonly accounts: readonly [string, string, string]
  readonly regions: readonly [string, string]
  readonly gcp: {
    readonly projectId: string
    readonly projectNumber: string
    readonly pool: string
  }
  /** Ids of roles that a chain goes through, one for each of the two other accounts. */
  readonly chainRoleIds: readonly [string, string]
}

export interface World {
  readonly start: number
  /** End of the planned span, ms; changes of the directory are spread over it. */
  readonly end: number
  readonly tenants: readonly Tenant[]
}

/** Moves a moment off the half second that directory changes keep for themselves. */
export function offBeat(at: number): number {
  const whole = Math.round(at)
  return whole % 1000 === 500 ? whole + 1 : whole
}

/** The managed identity that hosts an agent at a moment. */
export function hostAt(agent: Agent, at: number): ManagedIdentity {
  const host = agent.hosts.find((each) => each.createdAt <= at && (each.deletedAt === null || at < each.deletedAt)) ?? agent.hosts.at(-1)
  if (!host) throw new Error(`Agent ${agent.name} has no host`)
  return host
}
