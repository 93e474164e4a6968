import { skipSpace } from '#core/json-text.ts'
import { parseJson } from '#core/parse-json.ts'
import type { JsonObject } from '#core/record.ts'
import type { Knows } from '#core/sink.ts'
import { suspects } from './suspect.ts'
import { Walk, apply, placeOf } from './walk.ts'

export { maskText } from './text.ts'

/** A record with its credentials, prompts and completions taken out. `masked` are JSON pointers in document order. */
export interface MaskedRecord {
  readonly value: JsonObject
  readonly text: string
  readonly masked: readonly string[]
}

/**
 * Masks a record before it leaves ingest: what is not handed over cannot be stored, logged or exported. Exactly the value that is
 * masked is replaced in the text, so the rest stays as its cloud wrote it, duplicate keys included (JSON.parse would hide all but
 * the last of them). A record without anything to mask is given back as it is.
 * @param knows whether a format reads the record; what none does keeps structure and identifiers only
 */
export function mask(value: JsonObject, text: string, knows: Knows | null = null): MaskedRecord {
  const place = placeOf(value, knows)
  const suspicious = place.unknown ? 'all' : suspects(value, text, place)
  if (suspicious === null) return { value, text, masked: [] }
  const walk = new Walk(text, suspicious === 'all' ? null : suspicious)
  walk.container(skipSpace(text, 0), value, place)
  const { edits } = walk
  if (edits.length === 0) return { value, text, masked: [] }
  const result = apply(text, edits)
  return { value: parseJson(result) as JsonObject, text: result, masked: pointersOf(edits.map((edit) => edit.pointer)) }
}

/** A conversation has hundreds of texts: then the members that hold them are named, not each text. */
const MOST_POINTERS = 200

function pointersOf(pointers: readonly string[]): readonly string[] {
  const each = [...new Set(pointers)]
  if (each.length <= MOST_POINTERS) return each
  return [...new Set(each.map((pointer) => pointer.split('/').slice(0, 4).join('/')))].slice(0, MOST_POINTERS)
}
