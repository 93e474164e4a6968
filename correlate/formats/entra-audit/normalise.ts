import type { FormatModule, Kind, Proof, TrailEvent } from '#core/event.ts'
import { appId, oid, type Oid } from '#core/keys.ts'
import { agentRole, kindOfRole } from '../entra/agent.ts'
import { NOT_IN_ENTRA, ipOf } from '../entra/event.ts'
import { classify, codeOf, firstTime, identityOf, viewOf, withoutTime, type EntraView } from '../entra/view.ts'
import { obj, str, type Value } from '../read.ts'
import { directoryFacts } from './directory.ts'
import { changedSubjects, ficsOf } from './fics.ts'
import { detail, property, targetsOf, type Target } from './target.ts'

/** One directory change as an event. Rejects a record without a time. A refused change says nothing about the directory, only that it was tried. */
export const normalise: FormatModule['normalise'] = ({ value, context }) => {
  const view = viewOf(value, classify(value)?.shape ?? 'graph', context)
  const sent = view.shape === 'diagnostic' ? view.outer('time') : null
  const happened = firstTime(view.get('activityDateTime'), view.get('timeGenerated'))
  const timeNs = happened ?? firstTime(sent)
  if (timeNs === null) return { reject: withoutTime(view, ['activityDateTime', 'timeGenerated']) }
  const activity = (str(view.get('activityDisplayName')) ?? str(view.outer('operationName')))?.trim()
  if (activity === undefined) return { reject: 'no activity (activityDisplayName, operationName)' }
  const targets = targetsOf(view.get('targetResources'))
  const initiator = initiatorOf(view.get('initiatedBy'))
  const { outcome, error } = outcomeOf(view)
  const details = view.get('additionalDetails')
  return {
    event: {
      ...NOT_IN_ENTRA,
      ...identityOf(value, 'audit', str(view.get('id'))),
      timeNs,
      deliveredNs: happened === null ? null : firstTime(sent),
      source: 'entra',
      kind: kindOf(activity, targets),
      action: `entra:${activity}`,
      outcome,
      error,
      tenantId: view.tenantId,
      proof: initiator.proof,
      onBehalfOf: initiator.onBehalfOf,
      targets: namedOids(targets),
      tokenId: null,
      cloud: { account: null, region: null, principal: initiator.name },
      resource: targets[0]?.id ?? null,
      sourceIp: ipOf(initiator.ip, view.outer('callerIpAddress')),
      userAgent: detail(details, 'User-Agent') ?? str(view.get('userAgent')),
      requestId: str(view.get('correlationId')) ?? str(view.outer('correlationId')),
      directory: outcome === 'success' ? directoryFacts(activity, targets, details) : [],
    },
  }
}

/** Everything that lets someone else sign in as the object: federated credentials, secrets and certificates. */
const TRUST_PROPERTIES = ['FederatedIdentityCredentials', 'KeyDescription']
const TRUST_ACTIVITY = /certificates and secrets management|service principal credentials/i

function kindOf(activity: string, targets: readonly Target[]): Kind {
  if (TRUST_ACTIVITY.test(activity) || targets.some((target) => TRUST_PROPERTIES.some((name) => property(target, name)))) return 'trust.changed'
  return targets.some((target) => target.type !== null) ? 'identity.changed' : 'other'
}

function outcomeOf(view: EntraView): Pick<TrailEvent, 'outcome' | 'error'> {
  const result = str(view.get('result'))
  if (result === null || /^succ?ess$/i.test(result)) return { outcome: 'success', error: null }
  const message = str(view.get('resultReason')) ?? str(view.outer('resultDescription'))
  return {
    outcome: 'failure',
    error: { code: codeOf(view.outer('resultType')) ?? result, message },
  }
}

interface Initiator {
  readonly proof: Proof
  readonly onBehalfOf: Oid | null
  readonly name: string | null
  readonly ip: Value
}

/** Who made the change; where an application did so for a user, the application is the actor. */
function initiatorOf(initiatedBy: Value): Initiator {
  const by = obj(initiatedBy)
  const app = obj(by['app'])
  const user = obj(by['user'])
  const userOid = oid(user['id'])
  const userName = str(user['userPrincipalName']) ?? str(user['displayName'])
  const appName = str(app['displayName']) ?? str(app['servicePrincipalName'])
  const principal = oid(app['servicePrincipalId'])
  const application = appId(app['appId'])
  const role = agentRole(app['agentType'])
  if (principal) {
    return {
      proof: { by: 'principal', oid: principal, appId: application, kind: kindOfRole(role) },
      onBehalfOf: userOid,
      name: appName ?? userName,
      ip: user['ipAddress'],
    }
  }
  if (application && role === 'agent')
    return {
      proof: { by: 'application', appId: application },
      onBehalfOf: userOid,
      name: appName ?? userName,
      ip: user['ipAddress'],
    }
  const proof: Proof = userOid ? { by: 'principal', oid: userOid, appId: null, kind: 'user' } : { by: 'nothing' }
  return { proof, onBehalfOf: null, name: userName ?? appName, ip: user['ipAddress'] }
}

/** The principals that the change names. An application object is none: its id proves nothing in any other log. */
function namedOids(targets: readonly Target[]): readonly Oid[] {
  const named = targets.flatMap((target) => {
    const fics = property(target, 'FederatedIdentityCredentials')
    const subjects = fics ? changedSubjects(ficsOf(fics.before) ?? [], ficsOf(fics.after) ?? []) : []
    const own = target.type === 'service principal' || target.type === 'user' ? oid(target.id) : null
    return own ? [own, ...subjects] : subjects
  })
  return [...new Set(named)].toSorted()
}
