/** How an agent's process gets its Entra tokens, and what Entra logs of it: one row for each cache miss, up to three rows a mint. */
import type { Agent, ManagedIdentity } from '../cast.ts'
import { hostAt, offBeat } from '../cast.ts'
import type { Draft, Meaning } from '../draft.ts'
import { signInDraft } from '../draft.ts'
import { entraTime, seconds } from '../moments.ts'
import type { Random } from '../random.ts'
import type { SignIn } from '../records/entra-signin.ts'
import { TOKEN_EXCHANGE, TOKEN_EXCHANGE_NAME } from '../records/entra-signin.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

export interface Token {
  readonly signInId: string
  readonly until: number
}

/** A process and its caches. `now` moves forward as the process works. */
export interface Process {
  readonly agent: Agent
  readonly random: Random
  now: number
  identity: (Token & { readonly identity: ManagedIdentity }) | null
  blueprint: Token | null
  bridge: Token | null
  /** Agent tokens by resource application id. */
  readonly tokens: Map<string, Token>
}

/** Lets time pass and says what time it is then. */
export function pass(process: Process, least: number, most: number): number {
  process.now = offBeat(process.now + process.random.int(least, most))
  return process.now
}

/** Forgets everything cached, as a new deployment does. */
export function restart(process: Process): void {
  process.identity = null
  process.blueprint = null
  process.bridge = null
  process.tokens.clear()
}

export function* ensureIdentity(process: Process): Generator<Draft, ManagedIdentity> {
  const { agent, random } = process
  if (process.identity && process.identity.until > process.now) return process.identity.identity
  const at = pass(process, 200, 400)
  const identity = hostAt(agent, at)
  const signIn = newSignIn(process, at, {
    category: 'ManagedIdentitySignInLogs',
    appId: identity.clientId,
    appName: identity.name,
    servicePrincipalId: identity.oid,
    credential: 'managedIdentity',
    ip: '',
    identity: { msiType: identity.kind, armId: identity.armId },
  })
  yield signInDraft(at, signIn, issuance(agent, { by: 'managed-identity', identity }))
  // The platform keeps a managed-identity token for about a day.
  process.identity = { identity, signInId: signIn.id, until: at + 24 * HOUR - random.int(0, HOUR) }
  return identity
}

/** The Blueprint's exchange token (often called T1). Returns false when Entra refuses the managed identity's assertion. */
function* ensureBlueprint(process: Process): Generator<Draft, boolean> {
  const { agent } = process
  const identity = yield* ensureIdentity(process)
  if (process.blueprint && process.blueprint.until > process.now) return true
  const at = pass(process, 200, 400)
  const { blueprint } = agent
  const fic = blueprint.fics.find((each) => each.identity === identity && each.from <= at && (each.to === null || at < each.to))
  const signIn = newSignIn(process, at, {
    appId: blueprint.appId,
    appName: blueprint.name,
    servicePrincipalId: blueprint.servicePrincipalOid,
    ficId: fic?.id ?? null,
    agent: { type: 'agentIdentityBlueprintPrincipal', parentAppId: null },
    error: fic
      ? null
      : {
          code: 700213,
          message: `AADSTS700213: No matching federated identity record found for presented assertion subject '${identity.oid}'.`,
        },
  })
  yield signInDraft(at, signIn, issuance(agent, { by: 'blueprint', blueprint }))
  if (!fic) return false
  process.blueprint = { signInId: signIn.id, until: at + 65 * MINUTE }
  return true
}

/** A token of the agent itself for a resource, or null when there is none to be had. */
export function* ensureAgentToken(process: Process, resource: SignIn['resource']): Generator<Draft, Token | null> {
  const cached = process.tokens.get(resource.id)
  if (cached && cached.until > process.now) return cached
  if (!(yield* ensureBlueprint(process))) return null
  const at = pass(process, 200, 400)
  const signIn = agentSignIn(process, at, resource, null)
  yield signInDraft(at, signIn, issuance(process.agent, { by: 'agent', agent: process.agent }))
  const token = { signInId: signIn.id, until: at + process.random.int(60, 90) * MINUTE }
  process.tokens.set(resource.id, token)
  return token
}

/** A refused sign-in of a disabled or deleted agent. */
export function refusedSignIn(process: Process, error: SignIn['error']): Draft {
  const at = pass(process, 200, 400)
  return signInDraft(at, agentSignIn(process, at, apiResource(process.agent), error), issuance(process.agent, { by: 'agent', agent: process.agent }))
}

/** The token of the ordinary application between managed identity and AWS; asked for again every 50 minutes. */
export function* ensureBridge(process: Process): Generator<Draft, void> {
  const { agent } = process
  const { bridge } = agent
  if (!bridge) throw new Error(`${agent.name} has no bridge`)
  const identity = yield* ensureIdentity(process)
  if (process.bridge && process.bridge.until > process.now) return
  const at = pass(process, 200, 400)
  const signIn = newSignIn(process, at, {
    appId: bridge.appId,
    appName: bridge.name,
    servicePrincipalId: bridge.servicePrincipalOid,
    resource: {
      id: bridge.appId,
      name: bridge.name,
      servicePrincipalId: bridge.servicePrincipalOid,
    },
    ficId: bridge.ficId,
  })
  yield signInDraft(at, signIn, issuance(agent, { by: 'bridge', bridgeOid: bridge.servicePrincipalOid, identity }))
  process.bridge = { signInId: signIn.id, until: at + 50 * MINUTE }
}

/** The agent gets a token on behalf of a person; not cached. */
export function* onBehalfToken(process: Process, person: { readonly oid: string; readonly name: string; readonly ip: string }): Generator<Draft, Token | null> {
  const { agent, random } = process
  if (!(yield* ensureBlueprint(process))) return null
  const at = pass(process, 200, 400)
  const signIn: SignIn = {
    ...agentSignIn(process, at, apiResource(agent), null),
    category: 'NonInteractiveUserSignInLogs',
    servicePrincipalId: '',
    user: { id: person.oid, principalName: `${person.name}@${agent.tenant.domain}` },
    ip: person.ip,
    sessionId: random.guid(),
  }
  yield signInDraft(at, signIn, {
    ...issuance(agent, { by: 'agent', agent }),
    onBehalfOf: person.oid,
    skip: ['subject', 'parent'],
  })
  return { signInId: signIn.id, until: at }
}

export const apiResource = ({ tenant }: Agent): SignIn['resource'] => ({
  id: tenant.api.appId,
  name: tenant.api.name,
  servicePrincipalId: tenant.api.servicePrincipalOid,
})
/** The companion deployment uses the Blueprint's own audience for the cloud. */
export const cloudResource = ({ blueprint }: Agent): SignIn['resource'] => ({
  id: blueprint.appId,
  name: blueprint.name,
  servicePrincipalId: blueprint.servicePrincipalOid,
})

function issuance(agent: Agent, claim: Meaning['claim']): Meaning {
  return { tenant: agent.tenant, claim, kinds: ['token.issued'], actor: agent, skip: ['parent'] }
}

function agentSignIn(process: Process, at: number, resource: SignIn['resource'], error: SignIn['error']): SignIn {
  const { agent } = process
  return newSignIn(process, at, {
    appId: agent.oid,
    appName: agent.name,
    servicePrincipalId: agent.oid,
    resource,
    agent: { type: 'agenticAppInstance', parentAppId: agent.blueprint.appId },
    error,
  })
}

function newSignIn({ agent, random }: Process, at: number, given: Partial<SignIn> & Pick<SignIn, 'appId' | 'appName' | 'servicePrincipalId'>): SignIn {
  return {
    id: `${random.guid().slice(0, 34)}00`,
    time: entraTime(at, random),
    stamped: `${seconds(at + random.int(48, 110) * 1000).slice(0, -1)}.${random.int(1_000_000, 9_999_999)}Z`,
    category: 'ServicePrincipalSignInLogs',
    tenantId: agent.tenant.id,
    workspaceId: agent.tenant.workspaceId,
    correlationId: random.guid(),
    user: null,
    resource: { id: TOKEN_EXCHANGE, name: TOKEN_EXCHANGE_NAME, servicePrincipalId: '' },
    error: null,
    ip: agent.ip,
    credential: 'federatedIdentityCredential',
    ficId: null,
    identity: null,
    agent: null,
    sessionId: null,
    ...given,
  }
}
