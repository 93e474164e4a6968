/** What one piece of JSON holds: the records in its envelopes, masked, and what is none. */
import { KEPT_CHARS } from '#core/record.ts'
import type { JsonObject, RawRecord } from '#core/record.ts'
import type { Knows } from '#core/sink.ts'
import { storable } from '#core/text.ts'
import { openEnvelopes } from './envelopes/open.ts'
import { mask, maskText } from './mask/mask.ts'

/** A masked record, or why there is none together with the text that was meant to be it. */
export type Found = Pick<RawRecord, 'text' | 'value' | 'masked'> | { readonly reject: string; readonly text: string }

/** Takes the envelopes off and masks what comes out, in order. */
export function recordsIn(text: string, value: JsonObject, knows: Knows): readonly Found[] {
  return openEnvelopes(text, value, knows).map((opened) => ('reject' in opened ? opened : mask(opened.value, opened.text)))
}

/** A refused text as it may be kept: masked, cut, and such that PostgreSQL can hold it. */
export function keptText(text: string): string {
  return storable(maskText(text).slice(0, KEPT_CHARS))
}
