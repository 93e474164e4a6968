import type { JsonObject } from '#core/record.ts'
import type { Format } from '../index.ts'
import { has, isObj } from '../read.ts'
import { known } from './known.ts'
import { normalise } from './normalise.ts'
import { spelling } from './vocabulary.ts'

/** Google Cloud: entries of Cloud Logging, above all Cloud Audit Logs. */
export const format: Format = { recognise, rank, normalise, known, spelling }

function recognise(value: JsonObject): boolean {
  if (isObj(value['protoPayload'])) return true
  // Request logs of Cloud Run and load balancers may have no payload beside it.
  return has(value, 'logName') && (has(value, 'jsonPayload') || has(value, 'textPayload') || isObj(value['httpRequest']))
}

/** Google's own text first; copies with renamed or lost keys (`insertid`, `at_sign_type`) second. */
function rank(value: JsonObject, respelled = false): number {
  return respelled || !has(value, 'insertId') || !has(value, 'logName') ? 1 : 0
}
