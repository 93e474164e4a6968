import type { DirectoryFact, FormatModule } from '#core/event.ts'
import { NOT_IN_ENTRA, ipOf } from '../entra/event.ts'
import { type EntraView, classify, firstTime, identityOf, resourceOf, viewOf, withoutTime } from '../entra/view.ts'
import { type Value, obj, str } from '../read.ts'
import { outcomeOf } from './outcome.ts'
import { signinOf } from './principal.ts'

const ACTION = {
  ManagedIdentity: 'ManagedIdentitySignIn',
  ServicePrincipal: 'ServicePrincipalSignIn',
  NonInteractiveUser: 'NonInteractiveUserSignIn',
  User: 'SignIn',
} as const

/**
 * One sign-in as an event: Entra issued (or refused) a token. Rejects a record without a time.
 * `time` of a diagnostic record is its delivery, 48 to 110 s behind the sign-in (facts/entra.md b.2): the event's time only as a last resort.
 */
export const normalise: FormatModule['normalise'] = ({ value, context }) => {
  const view = viewOf(value, classify(value)?.shape ?? 'graph', context)
  const sent = view.shape === 'diagnostic' ? view.outer('time') : null
  const created = firstTime(view.get('createdDateTime'), view.get('timeGenerated'))
  const timeNs = created ?? firstTime(sent)
  if (timeNs === null) return { reject: withoutTime(view, ['createdDateTime', 'timeGenerated']) }
  const missing = missingOf(view)
  if (missing !== null) return { reject: missing }
  const signin = signinOf(view)
  const { outcome, error, principalExists } = outcomeOf(view)
  const credential = str(view.get('clientCredentialType'))?.toLowerCase() ?? null
  const ficId = str(view.get('federatedCredentialId'))
  const directory: DirectoryFact[] = []
  if (signin.seen && principalExists) directory.push(signin.seen)
  if (signin.seen && ficId && outcome === 'success') directory.push({ type: 'fic-used', oid: signin.seen.oid, appId: signin.seen.appId, ficId })
  return {
    event: {
      ...NOT_IN_ENTRA,
      ...identityOf(value, 'signin', str(view.get('id'))),
      timeNs,
      deliveredNs: created === null ? null : firstTime(sent),
      source: 'entra',
      kind: 'token.issued',
      action: `entra:${ACTION[signin.variety]}`,
      outcome,
      error,
      tenantId: view.tenantId,
      proof: signin.proof,
      onBehalfOf: signin.onBehalfOf,
      targets: [],
      tokenId: str(view.get('uniqueTokenIdentifier')),
      cloud: {
        account: null,
        region: null,
        principal: str(view.get('servicePrincipalName')) ?? str(view.get('userPrincipalName')),
      },
      ...(credential === null ? {} : { means: { credential, audience: null, invokedBy: null } }),
      resource: resourceOf(view.get('resourceId')),
      sourceIp: ipOf(view.get('ipAddress'), view.outer('callerIpAddress')),
      userAgent: str(view.get('userAgent')),
      requestId: str(view.get('correlationId')) ?? str(view.outer('correlationId')),
      directory,
    },
  }
}

/** What every sign-in has in one of these members, however little else an export holds. Empty ones count: the row says that there is nothing. */
function missingOf(view: EntraView): string | null {
  const lacks = (...values: readonly Value[]): boolean => values.every((value) => value === undefined || value === null)
  if (lacks(view.get('servicePrincipalId'), view.get('userId'), view.get('appId'))) return 'no principal (servicePrincipalId, userId, appId)'
  return lacks(view.outer('resultType'), obj(view.get('status'))['errorCode']) ? 'no outcome (resultType, status.errorCode)' : null
}
