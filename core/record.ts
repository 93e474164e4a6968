import { hash } from 'node:crypto'
import type { EventId } from './keys.ts'

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json | undefined
}

/** Where a record was read, for error messages and as evidence. `line` counts from 1; `index` counts records in the file from 0. */
export interface Origin {
  readonly file: string
  readonly line: number | null
  readonly index: number
}

/**
 * One raw log entry, envelope removed, credentials masked: what travels from ingest to the correlator.
 * `text` is the record exactly as its cloud wrote it (except for what `masked` names); `value` is its parsed form.
 */
export interface RawRecord {
  readonly text: string
  readonly value: JsonObject
  /** JSON pointers of the values that were masked, in document order. */
  readonly masked: readonly string[]
  readonly origin: Origin
  /** Facts that only the envelope or the operator knows, used when the record itself is silent. */
  readonly context: RecordContext
}

export interface RecordContext {
  /** Tenant that an operator declared for an export that does not name its own (Graph, portal). */
  readonly tenantId?: string
}

/** How much of a refused text is kept, in characters. */
export const KEPT_CHARS = 64 * 1024

/** Something that is no usable record: kept with the reason, countable and replayable, never fatal to its neighbours. */
export interface Rejection {
  readonly origin: Origin
  readonly reason: string
  /** The masked text, cut to `KEPT_CHARS`. */
  readonly text: string
}

/** A refused text as far as it is kept, and a reason that tells how much was cut. `size` is that of the whole text in bytes, where `text` is only its beginning. */
export function cutRefused(reason: string, text: string, size?: number): { readonly reason: string; readonly text: string } {
  if (size === undefined && text.length <= KEPT_CHARS) return { reason, text }
  return { reason: `${reason} (the beginning of ${size ?? Buffer.byteLength(text)} bytes is kept)`, text: text.slice(0, KEPT_CHARS) }
}

/** SHA-256 of the stored text, lower-case hex. */
export function sha256(text: string | Uint8Array): string {
  return hash('sha256', text)
}

/**
 * A UUID from the record's own identity: the same record always gives the same event, however often and by whichever road
 * it arrives (DESIGN §3). Version 8 of RFC 9562 ("custom"), filled from SHA-256 over the length-prefixed parts.
 */
export function eventId(...identity: readonly string[]): EventId {
  let text = ''
  for (const part of identity) text += `${part.length}:${part}`
  // In one call and as text, not by a Hash object and a Buffer: several are made a record.
  const hex = hash('sha256', text)
  const variant = ((Number.parseInt(hex[16]!, 16) & 0x3) | 0x8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}` as EventId
}

/** The text of a value with its object keys sorted: what identity is computed from when a record has no id of its own. */
export function canonicalJson(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item as Json)).join(',')}]`
  if (value !== null && typeof value === 'object') {
    const object = value as JsonObject
    return `{${Object.keys(object)
      .toSorted()
      .map((key) => `${JSON.stringify(key)}:${canonicalJson(object[key])}`)
      .join(',')}}`
  }
  return JSON.stringify(value ?? null)
}
