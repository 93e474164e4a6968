import { isIP } from 'node:net'
import type { TrailEvent } from '#core/event.ts'
import { str, type Value } from '../read.ts'

/** What no Entra record says: fields of the other clouds. */
export const NOT_IN_ENTRA = {
  uses: null,
  issues: null,
  requestKey: null,
  nearKey: null,
  asserted: [],
  model: null,
  usage: null,
} as const satisfies Partial<TrailEvent>

/** The text where it is an IP address; Entra writes '' for managed identities. */
export function ipOf(...values: readonly Value[]): string | null {
  for (const value of values) {
    const text = str(value)
    if (text !== null && isIP(text) !== 0) return text
  }
  return null
}
