import type { TrailEvent } from '#core/event.ts'
import { canonicalIp } from '#core/ip.ts'
import type { Value } from '../read.ts'

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

/** The first that is an address; Entra writes '' for managed identities. */
export function ipOf(...values: readonly Value[]): string | null {
  for (const value of values) {
    const ip = canonicalIp(value)
    if (ip !== null) return ip
  }
  return null
}
