/** A place in the stream of changes: after which message to go on. Opaque to clients, like every cursor. */
import { NO_TENANT } from '#core/keys.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'

/**
 * Inside a round, items come first, in order of time, then departures. `phase`: 0 after this item, 1 after this departure, 2 after the whole round.
 * Rounds are numbered by the deriver, and nothing is ever committed behind one that was seen (`correlate/store/live.ts`). The numbers of two stores are alike, and those of a
 * store that was restored come again: so a position bears the mark of its round, which no other store has.
 */
export interface Position {
  readonly round: bigint
  readonly phase: 0 | 1 | 2
  readonly timeNs: bigint
  readonly eventId: string
  readonly tenantId: string
  /** Random, drawn with the round; null of a round before the first, and of positions that were given out before rounds had marks. */
  readonly mark: string | null
}

/** After everything of this round. */
export const endOfRound = (round: bigint, mark: string | null): Position => ({ round, phase: 2, timeNs: 0n, eventId: NO_TENANT, tenantId: NO_TENANT, mark })

/** @returns base64url text */
export function encodePosition({ round, phase, timeNs, eventId, tenantId, mark }: Position): string {
  const place = phase === 2 ? [] : [String(phase), String(timeNs), eventId, tenantId]
  return encodeCursor([String(round), ...(mark === null ? [] : [mark]), ...place])
}

const NUMBER = /^-?\d{1,19}$/
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** @returns the position, or null for what `encodePosition` did not give out */
export function decodePosition(text: string): Position | null {
  const [round, ...parts] = decodeCursor(text) ?? []
  if (round === undefined || !NUMBER.test(round) || !fits(round)) return null
  const mark = parts[0] !== undefined && UUID.test(parts[0]) ? parts[0] : null
  const [phase, timeNs, eventId, tenantId, ...rest] = mark === null ? parts : parts.slice(1)
  if (phase === undefined) return endOfRound(BigInt(round), mark)
  if ((phase !== '0' && phase !== '1') || rest.length > 0 || timeNs === undefined || !NUMBER.test(timeNs) || !fits(timeNs)) return null
  if (eventId === undefined || !UUID.test(eventId) || tenantId === undefined || !UUID.test(tenantId)) return null
  return { round: BigInt(round), phase: phase === '0' ? 0 : 1, timeNs: BigInt(timeNs), eventId, tenantId, mark }
}

/** PostgreSQL's bigint holds it. */
const fits = (text: string): boolean => BigInt.asIntN(64, BigInt(text)) === BigInt(text)
