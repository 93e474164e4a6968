import { knownPaths } from '../entra/known.ts'
import { entraSpelling } from '../entra/vocabulary.ts'

const FIELDS = [
  // read
  'timeGenerated',
  'requestId',
  'operationId',
  'requestMethod',
  'requestUri',
  'responseStatusCode',
  'servicePrincipalId',
  'appId',
  'userId',
  'signInActivityId',
  'ipAddress',
  'userAgent',
  'tenantId',
  '__UDI_RequiredFields_TenantId',
  // left: what the token holds and how the call ran
  'apiVersion',
  'clientAuthMethod',
  'clientRequestId',
  'deviceId',
  'C_DeviceId',
  'c_DeviceId',
  'C_Sid',
  'c_Sid',
  'C_Iat',
  'c_Iat',
  'C_Idtyp',
  'durationMs',
  'identityProvider',
  'location',
  'responseSizeBytes',
  'roles',
  'scopes',
  'sessionId',
  'tokenIssuedAt',
  'uniqueTokenId',
  'wids',
  'aTContent',
  'aTContentH',
  'aTContentP',
]

export const known: readonly string[] = knownPaths(FIELDS, [
  'IPAddress',
  'ATContent',
  'ATContentH',
  'ATContentP',
  'properties.__UDI_RequiredFields_UniqueId',
  'properties.__UDI_RequiredFields_EventTime',
  'properties.__UDI_RequiredFields_RegionScope',
])

/** `GraphApiAuditEvents`. */
export const spelling = entraSpelling(FIELDS, {
  requires: ['Timestamp', 'ApplicationId', 'RequestUri', 'RequestMethod'],
  columns: {
    Timestamp: 'timeGenerated',
    ApplicationId: 'appId',
    AccountObjectId: 'userId',
    UniqueTokenIdentifier: 'signInActivityId',
    RequestDuration: 'durationMs',
  },
})
