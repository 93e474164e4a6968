/** What one piece of JSON holds: the records in its envelopes, masked, and what is none. */
import { KEPT_CHARS } from '#core/record.ts'
import type { JsonObject, RawRecord } from '#core/record.ts'
import { maskLooks } from '#core/secrets/looks.ts'
import { maskMessage } from '#core/secrets/message.ts'
import type { Knows } from '#core/sink.ts'
import { storable } from '#core/text.ts'
import { openEnvelopes } from './envelopes/open.ts'
import { mask, maskText } from './mask/mask.ts'

/** A masked record, or why there is none together with the text that was meant to be it. */
export type Found = Pick<RawRecord, 'text' | 'value' | 'masked'> | { readonly reject: string; readonly text: string }

/** Takes the envelopes off and masks what comes out, in order. A record that breaks a step is refused alone. */
export function recordsIn(text: string, value: JsonObject, knows: Knows): readonly Found[] {
  try {
    return openEnvelopes(text, value, knows).map((opened) => ('reject' in opened ? opened : masked(opened.value, opened.text, knows)))
  } catch (error) {
    return [{ reject: broken('its envelopes cannot be taken off', error), text }]
  }
}

function masked(value: JsonObject, text: string, knows: Knows): Found {
  try {
    return mask(value, text, knows)
  } catch (error) {
    return { reject: broken('it cannot be masked', error), text }
  }
}

function broken(what: string, error: unknown): string {
  return `${what} (${error instanceof Error ? error.message : String(error)})`
}

/** Texts beyond this are cut before they are masked: what is kept is far less. */
const MOST_MASKED = 4 * KEPT_CHARS

/** A refused text as it may be kept: masked, cut, and such that PostgreSQL can hold it. */
export function keptText(text: string): string {
  return storable(maskText(text.length > MOST_MASKED ? text.slice(0, MOST_MASKED) : text).slice(0, KEPT_CHARS))
}

/** The reason of a refusal, and the name of a file, as they may be kept. */
export const keptReason = (reason: string): string => storable(maskMessage(reason))
export const keptName = (name: string): string => maskLooks(name)
