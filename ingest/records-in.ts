/** What one piece of JSON holds: the records in its envelopes, masked, and what is none. */
import type { JsonObject, RawRecord } from '#core/record.ts'
import { openEnvelopes } from './envelopes/open.ts'
import { mask, maskText } from './mask/mask.ts'

/** How much of what is refused is kept (core/record.ts, `Rejection`). */
const KEPT = 64 * 1024

/** A masked record, or why there is none together with the text that was meant to be it. */
export type Found = Pick<RawRecord, 'text' | 'value' | 'masked'> | { readonly reject: string; readonly text: string }

/** Takes the envelopes off and masks what comes out, in order. */
export function recordsIn(text: string, value: JsonObject): readonly Found[] {
  return openEnvelopes(text, value).map((opened) => ('reject' in opened ? opened : mask(opened.value, opened.text)))
}

/** A refused text as it may be kept: masked, cut, and such that PostgreSQL can hold it (its text has no NUL; only texts that are no JSON can contain one). */
export function keptText(text: string): string {
  return maskText(text).slice(0, KEPT).replaceAll('\0', '\uFFFD')
}
