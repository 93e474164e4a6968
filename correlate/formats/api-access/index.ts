import type { JsonObject } from '#core/record.ts'
import type { Format } from '../index.ts'
import { has, isObj } from '../read.ts'
import { known, normalise } from './normalise.ts'
import { spelling } from './vocabulary.ts'
import { says } from './words.ts'

/** The access log of the operator's own API: one JSON line a request, with the claims of the token that the API validated. */
export const format: Format = { recognise, rank: (_, respelled = false) => (respelled ? 1 : 0), normalise, known, spelling }

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
  if (FOREIGN.some((key) => has(value, key))) return false
  const count = (keys: readonly string[]): number => keys.filter((key) => has(value, key)).length
  const timed = has(value, 'time')
  if (count(IDENTITIES) > 0 && (timed ? count(REQUEST) > 0 : count(REQUEST) > 1)) return true
  if (typeof value['apiLog'] === 'string' && isObj(value['logged'])) return true
  if (!says(value, 'time')) return false
  // In other words: a caller and something of a request, or a whole request.
  const path = says(value, 'path')
  return says(value, 'claim') ? path || says(value, 'status') : path && says(value, 'method') && (says(value, 'status') || says(value, 'api'))
}
