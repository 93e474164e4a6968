import type { Kind, Normalised, Proof, TrailEvent } from '#core/event.ts'
import type { EventId } from '#core/keys.ts'
import { canonicalJson, eventId } from '#core/record.ts'
import type { JsonObject } from '#core/record.ts'
import { formatTime, SECOND } from '#core/time.ts'
import { at, str } from '../read.ts'
import { noTime } from '../time.ts'
import { readEntry } from './entry.ts'
import type { AuditCall, LogEntry } from './entry.ts'
import { operationName } from './action.ts'
import { modelOf } from './model.ts'
import { isBatchJob, kindOf } from './kind.ts'
import { mintedAccount, nearKeyOf, proofOf } from './proof.ts'
import { directoryFacts, trustTargets } from './trust.ts'

type Common = Pick<
  TrailEvent,
  'id' | 'nativeId' | 'timeNs' | 'deliveredNs' | 'source' | 'tenantId' | 'onBehalfOf' | 'uses' | 'issues' | 'tokenId' | 'asserted' | 'usage' | 'requestId'
>

/**
 * One Cloud Logging entry as an event. Rejects an entry without a readable timestamp. Google names no tenant and no credential
 * in its audit logs, so `tenantId`, `uses` and `issues` are always null here, and so are token counts.
 */
export function normalise(record: { readonly value: JsonObject }): Normalised {
  const entry = readEntry(record.value)
  if (entry.timeNs === null) return { reject: noTime({ timestamp: record.value['timestamp'] }) }
  if (entry.call && entry.call.method === null) return { reject: 'no method name (protoPayload.methodName)' }
  const id = identity(record.value, entry, entry.timeNs)
  const common: Common = {
    id,
    nativeId: entry.insertId ?? id,
    timeNs: entry.timeNs,
    deliveredNs: entry.receivedNs,
    source: 'gcp',
    tenantId: null,
    onBehalfOf: null,
    uses: null,
    issues: null,
    tokenId: null,
    asserted: entry.labels,
    usage: null,
    requestId: null,
  }
  return { event: entry.call ? callEvent(common, entry, entry.call) : plainEvent(common, entry) }
}

/** Logging itself takes (log, nanosecond timestamp, insertId) for one entry; Panther's copies lack the log name, which then is empty. */
function identity(value: JsonObject, entry: LogEntry, timeNs: bigint): EventId {
  if (entry.insertId === null) return eventId('gcp', 'content', canonicalJson(value))
  return eventId('gcp', entry.logName ?? '', formatTime(timeNs), entry.insertId)
}

function callEvent(common: Common, entry: LogEntry, call: AuditCall): TrailEvent {
  const kind: Kind = kindOf(call)
  const proof: Proof = proofOf(call)
  const until = mintedUntil(call, kind, common.timeNs)
  return {
    ...common,
    kind,
    // What is known by one name whatever is before it keeps that name; all else says what kind of thing it was done to.
    action: `${call.service ?? 'gcp'}:${kind === 'other' && call.method !== null ? operationName(call.method, call.service) : call.operation}`,
    ...entry.ending,
    proof,
    requestKey: kind === 'llm.invoked' || isBatchJob(call) ? entry.part.requestKey : null,
    ...(entry.part.secondary ? { secondary: true } : {}),
    targets: kind === 'trust.changed' ? trustTargets(call) : [],
    nearKey: nearKeyOf(call, kind, proof),
    cloud: { account: entry.project, region: entry.region, principal: call.email ?? call.subject },
    ...(until === null ? {} : { issuedUntilNs: until }),
    ...(call.byKey ? { means: { credential: 'service-account-key', audience: null, invokedBy: null } } : {}),
    // A mint names its service account by number in resourceName and by address elsewhere; calls name it by address.
    resource: kind === 'credential.minted' ? (mintedAccount(call) ?? call.resourceName) : call.resourceName,
    model: kind === 'llm.invoked' ? modelOf(call.resourceName) : null,
    sourceIp: call.callerIp,
    userAgent: call.userAgent,
    directory: directoryFacts(call, entry),
  }
}

/** A minted access token lives as long as the request says (`lifetime: "3600s"`), an hour where it says nothing (facts/gcp.md g). Other mints are left open. */
function mintedUntil(call: AuditCall, kind: Kind, timeNs: bigint): bigint | null {
  if (kind !== 'credential.minted' || call.failure !== null || call.operation !== 'GenerateAccessToken') return null
  const [, seconds] = /^(\d{1,6})(?:\.\d+)?s?$/.exec(str(at(call.request, 'lifetime')) ?? '3600s') ?? []
  return seconds === undefined ? null : timeNs + BigInt(seconds) * SECOND
}

/** Entries with a text or JSON payload are an application's own words: kept in time order, proving nothing. */
function plainEvent(common: Common, entry: LogEntry): TrailEvent {
  return {
    ...common,
    kind: 'other',
    action: 'gcp:LogEntry',
    ...entry.ending,
    proof: { by: 'nothing' },
    targets: [],
    requestKey: null,
    nearKey: null,
    cloud: { account: entry.project, region: entry.region, principal: null },
    resource: entry.logName,
    model: null,
    sourceIp: entry.remoteIp,
    userAgent: entry.userAgent,
    directory: [],
  }
}
