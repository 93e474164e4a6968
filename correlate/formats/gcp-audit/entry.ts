import { isIP } from 'node:net'
import type { JsonObject } from '#core/record.ts'
import { parseTime } from '#core/time.ts'
import { atAnyCase, arr, getAnyCase, obj, str } from '../read.ts'
import type { Value } from '../read.ts'
import { endingOfCall, endingOfEntry, type Ending } from './outcome.ts'
import { partOf, type Part } from './parts.ts'
import { regionOf } from './place.ts'

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
  readonly ending: Ending
  readonly region: string | null
  readonly part: Part
  /** Address and program of a plain entry's `httpRequest`. */
  readonly remoteIp: string | null
  readonly userAgent: string | null
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
  readonly failure: Ending['error']
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
  const ending = payload === undefined || payload === null ? endingOfEntry(value) : endingOfCall(value, obj(payload))
  const call = payload === undefined || payload === null ? null : readCall(obj(payload), resourceLabels, ending)
  return {
    timeNs: parseTime(getAnyCase(value, 'timestamp')),
    receivedNs: parseTime(getAnyCase(value, 'receiveTimestamp')),
    logName,
    insertId: str(getAnyCase(value, 'insertId')),
    project: /^projects\/([^/]+)\/logs\//.exec(logName ?? '')?.[1] ?? str(getAnyCase(resourceLabels, 'project_id')),
    ending,
    region: regionOf(call?.resourceName ?? null, getAnyCase(payload, 'resourceLocation'), resourceLabels),
    part: partOf(value),
    remoteIp: address(atAnyCase(value, 'httpRequest.remoteIp')),
    userAgent: str(atAnyCase(value, 'httpRequest.userAgent')),
    labels: writtenByCaller(getAnyCase(value, 'labels'), call),
    call,
  }
}

/** `private` and `gce-internal-ip` are what Google writes for its own networks: no address, so not one. */
function address(value: Value): string | null {
  const ip = str(value)
  return ip !== null && isIP(ip) > 0 ? ip : null
}

function readCall(payload: JsonObject, resourceLabels: JsonObject, ending: Ending): AuditCall {
  const authentication = getAnyCase(payload, 'authenticationInfo')
  const method = str(getAnyCase(payload, 'methodName'))
  return {
    service: str(getAnyCase(payload, 'serviceName')) ?? str(getAnyCase(resourceLabels, 'service')),
    method,
    operation: method?.split(/[./]/).findLast((part) => part !== '') ?? 'unknown',
    resourceName: str(getAnyCase(payload, 'resourceName')),
    failure: ending.error,
    email: str(getAnyCase(authentication, 'principalEmail')),
    subject: str(getAnyCase(authentication, 'principalSubject')),
    delegates: arr(getAnyCase(authentication, 'serviceAccountDelegationInfo'))
      .map((step) => str(getAnyCase(step, 'principalSubject')))
      .filter((subject) => subject !== null),
    byKey: str(getAnyCase(authentication, 'serviceAccountKeyName')) !== null,
    callerIp: address(atAnyCase(payload, 'requestMetadata.callerIp')),
    userAgent: str(atAnyCase(payload, 'requestMetadata.callerSuppliedUserAgent')),
    request: obj(getAnyCase(payload, 'request')),
    metadata: obj(getAnyCase(payload, 'metadata')),
    serviceData: obj(getAnyCase(payload, 'serviceData')),
    resourceLabels,
  }
}

/** Request labels are wholly the caller's; of the entry's own labels only `agent_oid` is, the others are Google's. */
function writtenByCaller(entryLabels: Value, call: AuditCall | null): string[] {
  const requestLabels = Object.values(obj(getAnyCase(call?.request, 'labels'))).map(str)
  const all = [str(getAnyCase(entryLabels, 'agent_oid')), ...requestLabels].filter((label) => label !== null)
  return [...new Set(all)].toSorted()
}
