import type { TrailEvent } from '#core/event.ts'
import { obj, str } from '../read.ts'
import { codeOf, type EntraView } from '../entra/view.ts'

/** Entra did not find the client (700016) or its service principal (7000229): what the row calls it is the caller's word alone. */
const NOT_FOUND = new Set(['700016', '7000229'])

export interface SigninOutcome extends Pick<TrailEvent, 'outcome' | 'error'> {
  /** The directory knows the principal that the row names. */
  readonly principalExists: boolean
}

/**
 * `resultType` decides where it is a number; otherwise `status.errorCode` does (Graph has nothing else, and some exports write a word).
 * The word is the last resort. "0", 0, '' and no code at all are success: Entra writes a code for every failure.
 */
export function outcomeOf(view: EntraView): SigninOutcome {
  const result = codeOf(view.outer('resultType'))
  const status = obj(view.get('status'))
  const statusCode = codeOf(status['errorCode'])
  const numeric = result !== null && /^-?\d+$/.test(result)
  const word = result === null || numeric || /^succ?ess$/i.test(result) ? null : result
  const code = numeric ? result : statusCode !== null && statusCode !== '0' ? statusCode : (word ?? statusCode ?? '0')
  if (code === '0') return { outcome: 'success', error: null, principalExists: true }
  const message = str(view.outer('resultDescription')) ?? str(view.get('resultDescription')) ?? str(status['failureReason'])
  return { outcome: 'failure', error: { code, message }, principalExists: !NOT_FOUND.has(code) }
}
