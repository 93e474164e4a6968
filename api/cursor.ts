/** Keyset cursors: opaque to clients, the sort key of the last item inside. Never an offset, so late records shift nothing. */
import { isGuid } from '#core/keys.ts'

/** The place of a row in a timeline's total order. */
export interface TimelinePosition {
  readonly timeNs: bigint
  readonly eventId: string
  readonly tenantId: string
}

/** @returns the position as base64url text. */
export function encodeTimelineCursor(position: TimelinePosition): string {
  return encodeCursor([position.timeNs.toString(), position.eventId, position.tenantId])
}

/** @returns the position, or null when the text is no cursor that `encodeTimelineCursor` gave out. */
export function decodeTimelineCursor(text: string): TimelinePosition | null {
  const [timeNs, eventId, tenantId, ...rest] = decodeCursor(text) ?? []
  if (
    rest.length > 0 ||
    timeNs === undefined ||
    !/^-?\d{1,19}$/.test(timeNs) ||
    !isGuid(eventId) ||
    tenantId === undefined ||
    !/^[0-9a-f-]{36}$/.test(tenantId)
  )
    return null
  const nanos = BigInt(timeNs)
  return BigInt.asIntN(64, nanos) === nanos ? { timeNs: nanos, eventId, tenantId } : null
}

/** The place of a trace in the list of traces. */
export interface TracePosition {
  readonly startNs: bigint
  readonly id: string
}

/** @returns the position as base64url text. */
export function encodeTraceCursor(position: TracePosition): string {
  return encodeCursor([position.startNs.toString(), position.id])
}

/** @returns the position, or null when the text is no cursor that `encodeTraceCursor` gave out. */
export function decodeTraceCursor(text: string): TracePosition | null {
  const [startNs, id, ...rest] = decodeCursor(text) ?? []
  if (rest.length > 0 || startNs === undefined || !/^-?\d{1,19}$/.test(startNs) || !isGuid(id)) return null
  const nanos = BigInt(startNs)
  return BigInt.asIntN(64, nanos) === nanos ? { startNs: nanos, id } : null
}

/** Any sort key as base64url text. */
export function encodeCursor(key: readonly string[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url')
}

/** @returns the sort key, or null when the text is no cursor. */
export function decodeCursor(text: string): readonly string[] | null {
  if (!/^[\w-]{1,2000}$/.test(text)) return null
  try {
    const key: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    return Array.isArray(key) && key.every((part) => typeof part === 'string') ? key : null
  } catch {
    return null
  }
}
