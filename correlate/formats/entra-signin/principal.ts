/** Who signed in: the principal behind the row, and what the row says about it. */
import type { DirectoryFact, PrincipalKind, Proof } from '#core/event.ts'
import { appId, oid, type AppId, type Oid } from '#core/keys.ts'
import { agentOf, kindOfRole } from '../entra/agent.ts'
import type { EntraView } from '../entra/view.ts'
import { arr, bool, obj, str } from '../read.ts'

type Variety = 'ManagedIdentity' | 'ServicePrincipal' | 'NonInteractiveUser' | 'User'

export interface Signin {
  readonly variety: Variety
  readonly proof: Proof
  readonly onBehalfOf: Oid | null
  /** The row's `seen` fact, if it names a service principal. */
  readonly seen: Extract<DirectoryFact, { type: 'seen' }> | null
}

const BY_NAME: readonly (readonly [RegExp, Variety])[] = [
  [/managedidentity/i, 'ManagedIdentity'],
  [/serviceprincipal/i, 'ServicePrincipal'],
  [/noninteractive/i, 'NonInteractiveUser'],
  [/^(interactiveuser|signinlogs|adfssigninlogs)$/i, 'User'],
]

function varietyNamed(name: string | null): Variety | null {
  return name === null ? null : (BY_NAME.find(([pattern]) => pattern.test(name))?.[1] ?? null)
}

function msiTypeOf(view: EntraView): 'userAssigned' | 'systemAssigned' | null {
  const written = (str(obj(view.get('managedServiceIdentity'))['msiType']) ?? str(view.get('managedIdentityType')))?.toLowerCase()
  return written === 'userassigned' ? 'userAssigned' : written === 'systemassigned' ? 'systemAssigned' : null
}

/** The log that the row belongs to; without a category and event type, from what the row holds. */
function varietyOf(view: EntraView): Variety {
  const named =
    varietyNamed(view.category) ??
    arr(view.get('signInEventTypes'))
      .map((type) => varietyNamed(str(type)))
      .find((variety) => variety !== null)
  if (named) return named
  // Defender's tables say it in a column of its own.
  if (bool(view.get('isManagedIdentity')) === true) return 'ManagedIdentity'
  if (msiTypeOf(view) !== null || view.get('clientCredentialType') === 'managedIdentity') return 'ManagedIdentity'
  if (!str(view.get('userId')) && str(view.get('servicePrincipalId'))) return 'ServicePrincipal'
  return bool(view.get('isInteractive')) === false ? 'NonInteractiveUser' : 'User'
}

/** Who acted in this sign-in. Nothing is proven where the row names no principal. */
export function signinOf(view: EntraView): Signin {
  const variety = varietyOf(view)
  const principal = oid(view.get('servicePrincipalId'))
  const app = appId(view.get('appId'))
  const agent = agentOf(view.get('agent'))
  if (variety === 'NonInteractiveUser' || variety === 'User') return userSignin(view, variety, principal, app, agent)
  const kind = kindOfRole(agent.role) ?? (variety === 'ManagedIdentity' || msiTypeOf(view) !== null ? 'managed-identity' : 'service-principal')
  if (principal)
    return {
      variety,
      proof: { by: 'principal', oid: principal, appId: app, kind },
      onBehalfOf: null,
      seen: seenFact(view, principal, app, kind, agent.parentAppId),
    }
  return {
    variety,
    proof: agent.role === 'agent' && app ? { by: 'application', appId: app } : { by: 'nothing' },
    onBehalfOf: null,
    seen: null,
  }
}

/**
 * A user's row. Where it says that an agent called (on-behalf-of, or the agent's own user account), the agent is the actor: it stands in
 * AppId, seldom in ServicePrincipalId (facts/entra.md a.1, c). A row without an agent proves the user; who its client is, other records may know.
 */
function userSignin(view: EntraView, variety: Variety, principal: Oid | null, app: AppId | null, agent: ReturnType<typeof agentOf>): Signin {
  const user = oid(view.get('userId'))
  if (agent.role === 'agent' || agent.role === 'agent-user' || agent.asAgentUser) {
    if (principal)
      return {
        variety,
        proof: { by: 'principal', oid: principal, appId: app, kind: 'agent' },
        onBehalfOf: user,
        seen: seenFact(view, principal, app, 'agent', agent.parentAppId),
      }
    if (app) return { variety, proof: { by: 'application', appId: app }, onBehalfOf: user, seen: null }
  }
  if (agent.role === 'blueprint' && principal) {
    return {
      variety,
      proof: { by: 'principal', oid: principal, appId: app, kind: 'blueprint' },
      onBehalfOf: user,
      seen: seenFact(view, principal, app, 'blueprint', null),
    }
  }
  return {
    variety,
    // The client stays with the proof: if it becomes known as an agent, this was an on-behalf-of sign-in.
    proof: user ? { by: 'principal', oid: user, appId: app, kind: 'user' } : { by: 'nothing' },
    onBehalfOf: null,
    seen: null,
  }
}

function seenFact(view: EntraView, principal: Oid, app: AppId | null, kind: PrincipalKind, parentAppId: AppId | null): Signin['seen'] {
  return {
    type: 'seen',
    oid: principal,
    kind,
    appId: app,
    name: str(view.get('servicePrincipalName')),
    blueprintAppId: kind === 'agent' ? parentAppId : null,
    blueprintObjectId: null,
    msiType: msiTypeOf(view),
    armId: kind === 'managed-identity' ? str(obj(view.get('managedServiceIdentity'))['associatedResourceId']) : null,
  }
}
