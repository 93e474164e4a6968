/** What a successful audit record says about principals, applications and their federated credentials. */
import type { DirectoryFact, PrincipalKind } from '#core/event.ts'
import { appId, oid, type AppId, type Oid } from '#core/keys.ts'
import { agentRole, kindOfRole } from '../entra/agent.ts'
import { str, type Value } from '../read.ts'
import { ficsOf } from './fics.ts'
import { detail, property, valuesOf, type Target } from './target.ts'

type Lifecycle = Extract<DirectoryFact, { type: 'lifecycle' }>['change']

/** `Add service principal`, `Hard Delete application`, `Update application – Certificates and secrets management`: the verb and what it applies to. */
const ACTIVITY = /^(add|create|update|delete|remove|hard delete|restore) (application|service principal)\b/i
const WHOLE = /^(add|create|delete|remove|hard delete|restore) (application|service principal)$/i
const CHANGE: Readonly<Record<string, Lifecycle>> = {
  add: 'created',
  create: 'created',
  delete: 'deleted',
  remove: 'deleted',
  'hard delete': 'deleted',
  restore: 'restored',
}

/**
 * The facts of one record.
 * @param activity the activity's name, trimmed
 * @param additionalDetails as in the record; its AppId and AgentIdentityBlueprintId are the target's only where the activity is about
 *   that one object (a consent or a role assignment writes the other side's appId there)
 */
export function directoryFacts(activity: string, targets: readonly Target[], additionalDetails: Value): readonly DirectoryFact[] {
  const about = ACTIVITY.exec(activity)?.[2]?.toLowerCase() ?? null
  const whole = WHOLE.exec(activity)
  const change = whole ? CHANGE[whole[1]!.toLowerCase()]! : null
  const single = targets.filter((target) => target.type === about).length === 1
  return targets.flatMap((target): DirectoryFact[] => {
    const id = oid(target.id)
    if (!id) return []
    const own = single && target.type === about
    const details = own ? additionalDetails : null
    const app = appIdOf(target) ?? appId(detail(details, 'AppId'))
    const lifecycle: DirectoryFact[] = own && change ? [{ type: 'lifecycle', id, change }] : []
    if (target.type === 'application') return [applicationFact(target, id, app), ...lifecycle, ...ficsFact(target, id, app)]
    if (target.type !== 'service principal') return []
    return [
      seenFact(target, id, app, appId(detail(details, 'AgentIdentityBlueprintId'))),
      ...lifecycle,
      ...enabledFact(target, id, change),
      ...ficsFact(target, null, app),
    ]
  })
}

function appIdOf(target: Target): AppId | null {
  for (const name of target.type === 'application' ? ['AppId'] : ['AppPrincipalId', 'AppId']) {
    const found = appId(valuesOf(target, name)[0])
    if (found) return found
  }
  return null
}

function nameOf(target: Target): string | null {
  return target.name ?? str(valuesOf(target, 'DisplayName')[0])
}

function applicationFact(target: Target, objectId: Oid, app: AppId | null): DirectoryFact {
  return {
    type: 'application',
    objectId,
    appId: app,
    name: nameOf(target),
    blueprint: agentRole(target.agentType) === 'blueprint',
  }
}

function seenFact(target: Target, id: Oid, app: AppId | null, blueprintAppId: AppId | null): DirectoryFact {
  const kind = kindOf(target, blueprintAppId)
  // "isExplicit=True" marks an identity that exists for itself (user-assigned), "=False" one that hangs on a resource.
  const names = kind === 'managed-identity' ? valuesOf(target, 'AlternativeNames').map(str) : []
  const explicit = names.find((name) => name?.toLowerCase().startsWith('isexplicit='))?.toLowerCase()
  return {
    type: 'seen',
    oid: id,
    kind,
    appId: app,
    name: nameOf(target),
    blueprintAppId: kind === 'agent' ? blueprintAppId : null,
    blueprintObjectId: oid(target.blueprintId),
    msiType: explicit === 'isexplicit=true' ? 'userAssigned' : explicit === 'isexplicit=false' ? 'systemAssigned' : null,
    armId: names.find((name) => name?.startsWith('/')) ?? null,
  }
}

/**
 * agentType is documented, but was not found on the targets of a live tenant (facts/entra.md a.1, c.1): the object's own
 * ServicePrincipalType ("ServiceIdentity" for agent identities) and the Blueprint in the details tell, too. An application's service
 * principal stays without a kind: a Blueprint's looks the same.
 */
function kindOf(target: Target, blueprintAppId: AppId | null): PrincipalKind | null {
  const kind = kindOfRole(agentRole(target.agentType))
  if (kind) return kind
  const type = str(valuesOf(target, 'ServicePrincipalType')[0])?.toLowerCase()
  if (type === 'managedidentity') return 'managed-identity'
  return type === 'serviceidentity' || blueprintAppId !== null ? 'agent' : null
}

/** A new principal is enabled unless the record says otherwise: only a change is one. */
function enabledFact(target: Target, id: Oid, change: Lifecycle | null): readonly DirectoryFact[] {
  const found = property(target, 'AccountEnabled')
  const after = Array.isArray(found?.after) ? found.after[0] : found?.after
  if (after === false && change !== 'deleted') return [{ type: 'lifecycle', id, change: 'disabled' }]
  return after === true && change === null ? [{ type: 'lifecycle', id, change: 'enabled' }] : []
}

function ficsFact(target: Target, objectId: Oid | null, app: AppId | null): readonly DirectoryFact[] {
  const found = property(target, 'FederatedIdentityCredentials')
  if (!found || (objectId === null && app === null)) return []
  return [
    {
      type: 'fics',
      objectId,
      appId: app,
      before: ficsOf(found.before),
      after: ficsOf(found.after),
    },
  ]
}
