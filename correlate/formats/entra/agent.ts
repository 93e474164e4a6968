import type { PrincipalKind } from '#core/event.ts'
import { appId, type AppId } from '#core/keys.ts'
import { obj, str, type Value } from '../read.ts'

/**
 * Documentation knows `agenticAppInstance`, its own sample filter `AgentIdentity` (facts/entra.md b.3): both vocabularies count, in any
 * case. `agent-user` is the agent's own user account: the agent acts, as that user.
 */
const ROLES: Readonly<Record<string, 'agent' | 'blueprint' | 'agent-user'>> = {
  agenticappinstance: 'agent',
  agentidentity: 'agent',
  agenticapp: 'blueprint',
  agentblueprint: 'blueprint',
  agentidentityblueprint: 'blueprint',
  agentidentityblueprintprincipal: 'blueprint',
  agentiduser: 'agent-user',
  agentuser: 'agent-user',
}

/** What an `agentType` says; null for `notAgentic`, for an empty value and for one that nobody knows yet. */
export function agentRole(agentType: Value): 'agent' | 'blueprint' | 'agent-user' | null {
  const name = str(agentType)?.toLowerCase()
  return name !== undefined && Object.hasOwn(ROLES, name) ? ROLES[name]! : null
}

/** The kind of principal that a role names. */
export function kindOfRole(role: ReturnType<typeof agentRole>): PrincipalKind | null {
  return role === 'agent-user' ? 'user' : role
}

/** The `agent` part of a sign-in: who called, for whom, and the caller's Blueprint. */
export function agentOf(value: Value): {
  readonly role: ReturnType<typeof agentRole>
  readonly asAgentUser: boolean
  readonly parentAppId: AppId | null
} {
  const agent = obj(value)
  return {
    role: agentRole(agent['agentType']),
    asAgentUser: agentRole(agent['agentSubjectType']) === 'agent-user',
    parentAppId: appId(agent['parentAppId']),
  }
}
