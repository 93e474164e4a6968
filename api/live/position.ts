/** A place in the stream of changes: after which message to go on. Opaque to clients, like every cursor. */
import { NO_TENANT } from '#core/keys.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'

/**
 * Inside a round, items come first, in order of time, then departures. `phase`: 0 after this item, 1 after this departure, 2 after the whole round.
 * Rounds are numbered by the deriver, and nothing is ever committed behind one that was seen (`correlate/store/live.ts`).
 */
export interface Position {
  readonly round: bigint
  readonly phase: 0 | 1 | 2
  readonly timeNs: bigint
  readonly eventId: string
  readonly tenantId: string
}

/** After everything of this round. */
export const endOfRound = (round: bigint): Position => ({ round, phase: 2, timeNs: 0n, eventId: NO_TENANT, tenantId: NO_TENANT })

/** @returns base64url text */
export function encodePosition({ round, phase, timeNs, eventId, tenantId }: Position): string {
  return phase === 2 ? encodeCursor([String(round)]) : encodeCursor([String(round), String(phase), String(timeNs), eventId, tenantId])
}

const NUMBER = /^-?\d{1,19}$/
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** @returns the position, or null for what `encodePosition` did not give out */
export function decodePosition(text: string): Position | null {
  const [round, phase, timeNs, eventId, tenantId, ...rest] = decodeCursor(text) ?? []
  if (round === undefined || !NUMBER.test(round) || !fits(round)) return null
  if (phase === undefined) return endOfRound(BigInt(round))
  if ((phase !== '0' && phase !== '1') || rest.length > 0 || timeNs === undefined || !NUMBER.test(timeNs) || !fits(timeNs)) return null
  if (eventId === undefined || !UUID.test(eventId) || tenantId === undefined || !UUID.test(tenantId)) return null
  return { round: BigInt(round), phase: phase === '0' ? 0 : 1, timeNs: BigInt(timeNs), eventId, tenantId }
}

/** PostgreSQL's bigint holds it. */
const fits = (text: string): boolean => BigInt.asIntN(64, BigInt(text)) === BigInt(text)
