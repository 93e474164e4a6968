import type { FormatModule } from '#core/event.ts'
import type { JsonObject } from '#core/record.ts'
import { isObj } from '../read.ts'
import { known, normalise } from './normalise.ts'
import { says } from './words.ts'

/** The access log of the operator's own API: one JSON line a request, with the claims of the token that the API validated. */
export const format: FormatModule = { recognise, rank: () => 0, normalise, known }

/** Keys that only other formats have: with one of them the record is theirs, whatever claims it carries beside. */
const FOREIGN = [
  'category',
  'properties',
  'createdDateTime',
  'eventSource',
  'protoPayload',
  'jsonPayload',
  'textPayload',
  'Type',
  'OperationName',
  'operationName',
  'TimeGenerated',
  'schemaType',
]
const IDENTITIES = ['oid', 'appid', 'azp']
const REQUEST = ['method', 'path', 'api', 'status', 'aud', 'uti']

/**
 * A line without a time or without a caller is recognised as well when the rest is a request: so that it is rejected for what
 * it lacks, not as an unknown format.
 */
function recognise(value: JsonObject): boolean {
  if (FOREIGN.some((key) => key in value)) return false
  const count = (keys: readonly string[]): number => keys.filter((key) => key in value).length
  const timed = 'time' in value
  if (count(IDENTITIES) > 0 && (timed ? count(REQUEST) > 0 : count(REQUEST) > 1)) return true
  if (typeof value['apiLog'] === 'string' && isObj(value['logged'])) return true
  // In other words: a caller, and a request with its method and path.
  if (says(value, 'claim') && says(value, 'time') && (says(value, 'path') || says(value, 'status'))) return true
  if (says(value, 'time') && says(value, 'method') && says(value, 'path') && says(value, 'status')) return true
  return timed && 'method' in value && 'path' in value && ('api' in value || 'status' in value)
}
