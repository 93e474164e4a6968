import { isIP } from 'node:net'
import type { JsonObject } from '#core/record.ts'
import { parseTime } from '#core/time.ts'
import { atAnyCase, arr, getAnyCase, num, obj, str } from '../read.ts'
import type { Value } from '../read.ts'

/**
 * A Cloud Logging LogEntry with the words the rest of this folder uses. Re-exports of audit logs alter the spelling of keys
 * (`insertid`, `protopayload`, `callerIP`: Panther's fixtures), so every look-up accepts any case; it happens here and nowhere else.
 */
export interface LogEntry {
  readonly timeNs: bigint | null
  readonly receivedNs: bigint | null
  readonly logName: string | null
  readonly insertId: string | null
  /** Project id from the log name, else from the resource labels; null for organization, folder and billing logs. */
  readonly project: string | null
  /** Identities that the caller wrote into labels. */
  readonly labels: readonly string[]
  /** Null for entries with a text or JSON payload. */
  readonly call: AuditCall | null
}

/** The `protoPayload` (google.cloud.audit.AuditLog) of an entry: one call of a Google API. */
export interface AuditCall {
  readonly service: string | null
  /** As written: long (`google.iam.admin.v1.SetIAMPolicy`) or short (`GenerateAccessToken`). */
  readonly method: string | null
  /** The method's last dot segment; services differ in how they spell the rest. */
  readonly operation: string
  readonly resourceName: string | null
  readonly failure: { readonly code: string; readonly message: string | null } | null
  readonly email: string | null
  readonly subject: string | null
  /** `principalSubject` of each delegation step. The order differs between sources, so it is a set. */
  readonly delegates: readonly string[]
  /** True when a downloaded service-account key signed the caller in. */
  readonly byKey: boolean
  readonly callerIp: string | null
  readonly userAgent: string | null
  readonly request: JsonObject
  readonly metadata: JsonObject
  readonly serviceData: JsonObject
  readonly resourceLabels: JsonObject
}

/** Reads an entry; never throws, absent parts are null or empty. */
export function readEntry(value: JsonObject): LogEntry {
  const resourceLabels = obj(atAnyCase(value, 'resource.labels'))
  const payload = getAnyCase(value, 'protoPayload')
  const logName = str(getAnyCase(value, 'logName'))
  const call = payload === undefined || payload === null ? null : readCall(obj(payload), resourceLabels)
  return {
    timeNs: parseTime(getAnyCase(value, 'timestamp')),
    receivedNs: parseTime(getAnyCase(value, 'receiveTimestamp')),
    logName,
    insertId: str(getAnyCase(value, 'insertId')),
    project: /^projects\/([^/]+)\/logs\//.exec(logName ?? '')?.[1] ?? str(getAnyCase(resourceLabels, 'project_id')),
    labels: writtenByCaller(getAnyCase(value, 'labels'), call),
    call,
  }
}

function readCall(payload: JsonObject, resourceLabels: JsonObject): AuditCall {
  const authentication = getAnyCase(payload, 'authenticationInfo')
  const method = str(getAnyCase(payload, 'methodName'))
  const ip = str(atAnyCase(payload, 'requestMetadata.callerIp'))
  return {
    service: str(getAnyCase(payload, 'serviceName')) ?? str(getAnyCase(resourceLabels, 'service')),
    method,
    operation: method?.split('.').findLast((part) => part !== '') ?? 'unknown',
    resourceName: str(getAnyCase(payload, 'resourceName')),
    failure: failureOf(getAnyCase(payload, 'status')),
    email: str(getAnyCase(authentication, 'principalEmail')),
    subject: str(getAnyCase(authentication, 'principalSubject')),
    delegates: arr(getAnyCase(authentication, 'serviceAccountDelegationInfo'))
      .map((step) => str(getAnyCase(step, 'principalSubject')))
      .filter((subject) => subject !== null),
    byKey: str(getAnyCase(authentication, 'serviceAccountKeyName')) !== null,
    // `private` and `gce-internal-ip` are what Google writes for its own networks: no address, so not one.
    callerIp: ip !== null && isIP(ip) > 0 ? ip : null,
    userAgent: str(atAnyCase(payload, 'requestMetadata.callerSuppliedUserAgent')),
    request: obj(getAnyCase(payload, 'request')),
    metadata: obj(getAnyCase(payload, 'metadata')),
    serviceData: obj(getAnyCase(payload, 'serviceData')),
    resourceLabels,
  }
}

/** Only `status.code` (google.rpc.Code) tells success: `authorizationInfo.granted` is false on successful token exchanges. */
function failureOf(status: Value): AuditCall['failure'] {
  const code = num(getAnyCase(status, 'code'))
  return code === null || code === 0 ? null : { code: String(code), message: str(getAnyCase(status, 'message')) }
}

/** Request labels are wholly the caller's; of the entry's own labels only `agent_oid` is, the others are Google's. */
function writtenByCaller(entryLabels: Value, call: AuditCall | null): string[] {
  const requestLabels = Object.values(obj(getAnyCase(call?.request, 'labels'))).map(str)
  const all = [str(getAnyCase(entryLabels, 'agent_oid')), ...requestLabels].filter((label) => label !== null)
  return [...new Set(all)].toSorted()
}
