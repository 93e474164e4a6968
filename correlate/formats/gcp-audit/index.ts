import type { FormatModule } from '#core/event.ts'
import type { JsonObject } from '#core/record.ts'
import { getAnyCase, isObj } from '../read.ts'
import { known } from './known.ts'
import { normalise } from './normalise.ts'

/** Google Cloud: entries of Cloud Logging, above all Cloud Audit Logs. */
export const format: FormatModule = { recognise, rank, normalise, known }

function recognise(value: JsonObject): boolean {
  if (isObj(getAnyCase(value, 'protoPayload'))) return true
  const payload = ['jsonPayload', 'textPayload'].some((name) => getAnyCase(value, name) !== undefined)
  // Request logs of Cloud Run and load balancers may have no payload beside it.
  return (payload || isObj(getAnyCase(value, 'httpRequest'))) && getAnyCase(value, 'logName') !== undefined
}

/** Google's own spelling first; copies with renamed keys (`insertid`, `at_sign_type`) second. */
function rank(value: JsonObject): number {
  const payload = value['protoPayload'] ?? value['jsonPayload'] ?? value['textPayload'] ?? value['httpRequest']
  const renamed = payload === undefined || !('insertId' in value) || !('logName' in value) || (isObj(payload) && 'at_sign_type' in payload)
  return renamed ? 1 : 0
}
