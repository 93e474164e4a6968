import { canonicalIp } from '#core/ip.ts'
import type { JsonObject } from '#core/record.ts'
import { arr, at, obj, str } from '../read.ts'
import type { Value } from '../read.ts'
import { readTime } from '../time.ts'
import { endingOfCall, endingOfEntry, type Ending } from './outcome.ts'
import { partOf, type Part } from './parts.ts'
import { regionOf } from './place.ts'

/** A Cloud Logging LogEntry with the words the rest of this folder uses. */
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
  const resourceLabels = obj(at(value, 'resource.labels'))
  const payload = at(value, 'protoPayload')
  const logName = str(at(value, 'logName'))
  const ending = payload === undefined || payload === null ? endingOfEntry(value) : endingOfCall(value, obj(payload))
  const call = payload === undefined || payload === null ? null : readCall(obj(payload), resourceLabels, ending)
  return {
    timeNs: readTime(at(value, 'timestamp')),
    receivedNs: readTime(at(value, 'receiveTimestamp')),
    logName,
    insertId: str(at(value, 'insertId')),
    project: /^projects\/([^/]+)\/logs\//.exec(logName ?? '')?.[1] ?? str(at(resourceLabels, 'project_id')),
    ending,
    region: regionOf(call?.resourceName ?? null, at(payload, 'resourceLocation'), resourceLabels),
    part: partOf(value),
    remoteIp: canonicalIp(at(value, 'httpRequest.remoteIp')),
    userAgent: str(at(value, 'httpRequest.userAgent')),
    labels: writtenByCaller(at(value, 'labels'), call),
    call,
  }
}

function readCall(payload: JsonObject, resourceLabels: JsonObject, ending: Ending): AuditCall {
  const authentication = at(payload, 'authenticationInfo')
  const method = str(at(payload, 'methodName'))
  return {
    service: str(at(payload, 'serviceName')) ?? str(at(resourceLabels, 'service')),
    method,
    operation: method?.split(/[./]/).findLast((part) => part !== '') ?? 'unknown',
    resourceName: str(at(payload, 'resourceName')),
    failure: ending.error,
    email: str(at(authentication, 'principalEmail')),
    subject: str(at(authentication, 'principalSubject')),
    delegates: arr(at(authentication, 'serviceAccountDelegationInfo'))
      .map((step) => str(at(step, 'principalSubject')))
      .filter((subject) => subject !== null),
    byKey: str(at(authentication, 'serviceAccountKeyName')) !== null,
    // `private` and `gce-internal-ip` are what Google writes for its own networks: no address, so not one.
    callerIp: canonicalIp(at(payload, 'requestMetadata.callerIp')),
    userAgent: str(at(payload, 'requestMetadata.callerSuppliedUserAgent')),
    request: obj(at(payload, 'request')),
    metadata: obj(at(payload, 'metadata')),
    serviceData: obj(at(payload, 'serviceData')),
    resourceLabels,
  }
}

/** Request labels are wholly the caller's; of the entry's own labels only `agent_oid` is, the others are Google's. */
function writtenByCaller(entryLabels: Value, call: AuditCall | null): string[] {
  const requestLabels = Object.values(obj(at(call?.request, 'labels'))).map(str)
  const all = [str(at(entryLabels, 'agent_oid')), ...requestLabels].filter((label) => label !== null)
  return [...new Set(all)].toSorted()
}
