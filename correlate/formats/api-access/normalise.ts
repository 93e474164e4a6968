import type { Normalised, TrailEvent } from '#core/event.ts'
import { canonicalIp } from '#core/ip.ts'
import { tenantId } from '#core/keys.ts'
import type { EventId } from '#core/keys.ts'
import { canonicalJson, eventId } from '#core/record.ts'
import type { JsonObject, RecordContext } from '#core/record.ts'
import { num, str } from '../read.ts'
import { noTime, readTime } from '../time.ts'
import { readCaller } from './caller.ts'
import { ownWords, placed } from './words.ts'

/** Fields in this format's own words that the normaliser reads or knowingly leaves. */
export const own: readonly string[] = [
  'time',
  'api',
  'requestId',
  'method',
  'path',
  'status',
  'tid',
  'oid',
  'appid',
  'azp',
  'aud',
  'idtyp',
  'scp',
  'uti',
  'xms_par_app_azp',
  'sourceIp',
  'clientIp',
  'userAgent',
  // left: how long it took and what the caller was allowed to do say nothing about who it was
  'durationMs',
  'roles',
]

/** The same in the words of others, with what loggers put beside a request. */
export const known: readonly string[] = [...own, ...placed, ...'apiLog logged level severity pid hostname msg message logger responseTime'.split(' ')]

/**
 * One request to the operator's own API. The API validated the token, so its claims are proof. Rejects a line without a
 * readable time, and one that names no caller.
 */
export function normalise(record: { readonly value: JsonObject; readonly context: RecordContext }): Normalised {
  const { context } = record
  const value = ownWords(record.value)
  const timeNs = readTime(value['time'])
  if (timeNs === null) return { reject: noTime({ time: value['time'] }) }
  const caller = readCaller(value)
  if (!caller) return { reject: 'no caller: neither oid nor appid is a GUID' }
  const id = identity(value, record.value)
  const requestId = str(value['requestId'])
  const status = num(value['status'])
  const failed = status !== null && status >= 400
  const event: TrailEvent = {
    id,
    nativeId: requestId ?? id,
    timeNs,
    deliveredNs: null,
    source: 'app',
    kind: 'api.called',
    action: actionOf(value),
    outcome: failed ? 'failure' : 'success',
    error: failed ? { code: String(status), message: null } : null,
    tenantId: tenantId(value['tid']) ?? tenantId(context.tenantId),
    proof: caller.proof,
    onBehalfOf: caller.onBehalfOf,
    targets: [],
    uses: null,
    issues: null,
    requestKey: null,
    nearKey: null,
    tokenId: str(value['uti']),
    asserted: [],
    cloud: { account: null, region: null, principal: null },
    resource: str(value['aud']),
    model: null,
    usage: null,
    sourceIp: canonicalIp(str(value['sourceIp']) ?? str(value['clientIp'])),
    userAgent: str(value['userAgent']),
    requestId,
    directory: caller.seen,
  }
  return { event }
}

/** A number is no id of a request: frameworks count from 1 again with every start. */
function identity(value: JsonObject, line: JsonObject): EventId {
  const requestId = str(value['requestId'])
  return requestId === null ? eventId('app', 'content', canonicalJson(line)) : eventId('app', str(value['api']) ?? '', requestId)
}

/** `<api>:<METHOD> <path>`, as far as known. The query is cut off: it is the user's data, and sometimes a credential. */
function actionOf(value: JsonObject): string {
  const path = str(value['path'])?.replace(/[?#].*$/s, '') ?? null
  const request = [str(value['method'])?.toUpperCase() ?? null, path].filter((part) => part !== null && part !== '')
  return `${str(value['api']) ?? 'api'}:${request.length > 0 ? request.join(' ') : 'call'}`
}
