/**
 * Sigma's text patterns: `*` any text, `?` one character, a backslash before them or before a backslash takes their meaning. Each part between stars is looked for
 * once, from where the part before it ended, so that no pattern and no text make it slow (an expression with as many `.*` could take for ever).
 */
type Part = readonly (string | null)[]

/** Where it must stand: the whole text, anywhere in it, at its beginning, at its end. */
export type Position = 'whole' | 'contains' | 'startswith' | 'endswith'

/** A test of texts; not case-sensitive unless `cased`. */
export function textPattern(pattern: string, position: Position, cased: boolean): (text: string) => boolean {
  const fold = cased ? (text: string): string => text : folded
  const parts = partsOf(fold(pattern))
  // A star at an end that may be anything is the same as none.
  const fromStart = position === 'whole' || position === 'startswith'
  const toEnd = position === 'whole' || position === 'endswith'
  const plain = parts.length === 1 && parts[0]!.every((one) => one !== null) ? parts[0].join('') : null
  if (plain !== null) {
    if (position === 'contains') return (text) => fold(text).includes(plain)
    if (position === 'startswith') return (text) => fold(text).startsWith(plain)
    if (position === 'endswith') return (text) => fold(text).endsWith(plain)
    return (text) => fold(text) === plain
  }
  return (text) => fits(parts, Array.from(fold(text)), fromStart, toEnd)
}

function fits(parts: readonly Part[], text: readonly string[], fromStart: boolean, toEnd: boolean): boolean {
  let at = 0
  let end = text.length
  let [first, last] = [0, parts.length]
  if (fromStart) {
    if (!standsAt(parts[0]!, text, 0, end)) return false
    at = parts[0]!.length
    first = 1
    if (parts.length === 1) return !toEnd || at === end
  }
  if (toEnd) {
    const tail = parts.at(-1)!
    if (end - tail.length < at || !standsAt(tail, text, end - tail.length, end)) return false
    end -= tail.length
    last--
  }
  for (let index = first; index < last; index++) {
    const found = find(parts[index]!, text, at, end)
    if (found < 0) return false
    at = found + parts[index]!.length
  }
  return true
}

function find(part: Part, text: readonly string[], from: number, end: number): number {
  for (let at = from; at + part.length <= end; at++) if (standsAt(part, text, at, end)) return at
  return -1
}

function standsAt(part: Part, text: readonly string[], at: number, end: number): boolean {
  if (at + part.length > end) return false
  for (let index = 0; index < part.length; index++) if (part[index] !== null && part[index] !== text[at + index]) return false
  return true
}

/** The texts between the stars, character by character; null is any one. */
function partsOf(pattern: string): readonly Part[] {
  const parts: (string | null)[][] = [[]]
  for (const [token] of pattern.matchAll(/\\[\\*?]|[^]/gu)) {
    if (token === '*') parts.push([])
    else parts.at(-1)!.push(token === '?' ? null : token.length > 1 && token.startsWith('\\') ? token.slice(1) : token)
  }
  return parts
}

/** Without case, character by character, so that a part of a text folds as the text does. */
export function folded(text: string): string {
  // oxlint-disable-next-line no-control-regex -- plain ASCII is what logs are made of
  if (/^[\x00-\x7f]*$/.test(text)) return text.toLowerCase()
  return Array.from(text, (one) => {
    const upper = one.toUpperCase()
    const lower = (upper.length === one.length ? upper : one).toLowerCase()
    return lower.length === one.length ? lower : one
  }).join('')
}
