import { hash } from 'node:crypto'

/** What stands in the place of a masked credential. */
export const MASKED = '***masked***'

const CONTENT = /^\*\*\*masked:len=\d+,sha256=[0-9a-f]{1,12}\*\*\*$/

/**
 * What stands in the place of a prompt, a completion, or other text that is nobody's business: its length in UTF-16 units and the
 * beginning of the SHA-256 of its UTF-8, so that one can tell that the same text came twice, and check a text that somebody shows.
 *
 * The hash has one hexadecimal digit for every eight characters, twelve at most. That is half a bit a character, less than English text
 * holds (about one, Shannon 1951), so whoever guesses at "yes" or at a name finds hundreds of texts that fit as well. A keyed hash would
 * not do: collectors and correlators would all have to know the key, or one record would be stored in two texts (ADR 28).
 */
export function maskedContent(text: string): string {
  if (isMasked(text)) return text
  const digits = Math.min(12, Math.max(1, Math.floor(text.length / 8)))
  return `***masked:len=${text.length},sha256=${hash('sha256', text.toWellFormed()).slice(0, digits)}***`
}

/** True for what masking has put there: masking twice changes nothing. */
export function isMasked(text: string): boolean {
  return text === MASKED || (text.startsWith('***masked:') && CONTENT.test(text))
}

/** Values that hide nothing: empty, words for "none" and "yes", what AWS and others write where they masked it themselves. */
export function isHarmless(value: string): boolean {
  if (value.length === 0 || isMasked(value)) return true
  if (value.length > 64) return false
  return HARMLESS.test(value)
}

const HARMLESS =
  /^(?:true|false|null|none|undefined|n\/a|yes|no|on|off|enabled|disabled|required|optional|[*x.\-_\s]+|value hidden due to security reasons\.?|HIDDEN_(?:DUE_TO_SECURITY_REASONS|FOR_SECURITY\w{0,20})|<sensitiveDataRemoved>|\$\{[\w.]{1,40}\}|[\w.-]{0,20}\*\*\*masked\*\*\*)$/i
