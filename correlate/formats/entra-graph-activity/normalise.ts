import type { FormatModule, Proof } from '#core/event.ts'
import { appId, oid, type Oid } from '#core/keys.ts'
import { NOT_IN_ENTRA, ipOf } from '../entra/event.ts'
import { classify, codeOf, firstTime, identityOf, viewOf, withoutTime, type EntraView } from '../entra/view.ts'
import { num, str, type Value } from '../read.ts'

/**
 * One call to Microsoft Graph as an event. Rejects a record without a time. Here the `time` of a diagnostic record is the call's own
 * (the log has no other), and the token id is the same `uti` as in the sign-in that issued it (facts/entra.md g).
 */
export const normalise: FormatModule['normalise'] = ({ value, context }) => {
  const view = viewOf(value, classify(value)?.shape ?? 'graph', context)
  const timeNs = firstTime(view.get('timeGenerated'), view.shape === 'diagnostic' ? view.outer('time') : null)
  if (timeNs === null) return { reject: withoutTime(view, ['timeGenerated']) }
  const status = num(view.get('responseStatusCode')) ?? num(view.outer('resultSignature'))
  const failed = status !== null && status >= 400
  return {
    event: {
      ...NOT_IN_ENTRA,
      ...identityOf(value, 'graph-activity', str(view.get('requestId')), str(view.get('operationId'))),
      timeNs,
      deliveredNs: null,
      source: 'entra',
      kind: 'api.called',
      action: `graph:${(str(view.get('requestMethod')) ?? 'UNKNOWN').toUpperCase()} ${pathOf(view.get('requestUri'))}`,
      outcome: failed ? 'failure' : 'success',
      error: failed ? { code: String(status), message: null } : null,
      tenantId: view.tenantId,
      ...actorOf(view),
      targets: [],
      tokenId: str(view.get('signInActivityId')),
      cloud: {
        account: null,
        region: null,
        principal: codeOf(view.get('servicePrincipalId')) ?? codeOf(view.get('userId')),
      },
      resource: 'https://graph.microsoft.com',
      sourceIp: ipOf(view.get('ipAddress'), view.outer('callerIpAddress')),
      userAgent: str(view.get('userAgent')),
      requestId: str(view.get('requestId')),
      directory: [],
    },
  }
}

/** App-only calls name the service principal; a delegated call names the user and the client that acts for them. */
function actorOf(view: EntraView): { readonly proof: Proof; readonly onBehalfOf: Oid | null } {
  const principal = oid(view.get('servicePrincipalId'))
  const app = appId(view.get('appId'))
  const user = oid(view.get('userId'))
  if (principal) return { proof: { by: 'principal', oid: principal, appId: app, kind: null }, onBehalfOf: user }
  if (app) return { proof: { by: 'application', appId: app }, onBehalfOf: user }
  return {
    proof: user ? { by: 'principal', oid: user, appId: null, kind: 'user' } : { by: 'nothing' },
    onBehalfOf: null,
  }
}

/** Host and query dropped: query strings hold search terms and people's names. */
function pathOf(uri: Value): string {
  const text = (str(uri) ?? '').replace(/^https?:\/\/[^/?#]+/i, '').replace(/[?#].*$/s, '')
  return text === '' ? '/' : text
}
