/**
 * Positions inside a JSON text that `JSON.parse` has already accepted. Records are evidence: what is taken out of an envelope, or
 * masked, is cut from the text itself and never written anew, so number spellings, key order and duplicate keys survive.
 */

/** End (exclusive) of the string whose opening quote is at `start`. */
export function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 92) at++
    else if (code === 34) return at + 1
  }
  return text.length
}

/** The first position from `at` on that is no white space. */
export function skipSpace(text: string, at: number): number {
  let next = at
  for (; next < text.length; next++) {
    const code = text.charCodeAt(next)
    if (code !== 32 && code !== 10 && code !== 13 && code !== 9) break
  }
  return next
}

/** End (exclusive) of the value that begins at `start`. */
export function valueEnd(text: string, start: number): number {
  const first = text.charCodeAt(start)
  if (first === 34) return stringEnd(text, start)
  if (first !== 123 && first !== 91) {
    for (let at = start; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code <= 32 || code === 44 || code === 93 || code === 125) return at
    }
    return text.length
  }
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 34) at = stringEnd(text, at) - 1
    else if (code === 123 || code === 91) depth++
    else if ((code === 125 || code === 93) && --depth === 0) return at + 1
  }
  return text.length
}

/** One member of an object, or one item of an array (then `key` is its index). `start` and `end` enclose the value's text. */
interface Member {
  readonly key: string
  readonly start: number
  readonly end: number
}

/** Members of the object, or items of the array, that begins at `start`; duplicate keys each appear. */
function* members(text: string, start: number): Generator<Member> {
  const array = text.charCodeAt(start) === 91
  let at = skipSpace(text, start + 1)
  for (let index = 0; at < text.length; index++) {
    const code = text.charCodeAt(at)
    if (code === 125 || code === 93) return
    let key = String(index)
    if (!array) {
      const end = stringEnd(text, at)
      key = JSON.parse(text.slice(at, end)) as string
      at = skipSpace(text, skipSpace(text, end) + 1)
    }
    const end = valueEnd(text, at)
    yield { key, start: at, end }
    at = skipSpace(text, end)
    if (text.charCodeAt(at) === 44) at = skipSpace(text, at + 1)
  }
}

/** The exact text of the member at `path` (of duplicate keys the last, as `JSON.parse` decides), or null when there is none. */
export function memberText(text: string, path: readonly string[]): string | null {
  let start = skipSpace(text, 0)
  let end = text.length
  for (const key of path) {
    if (text.charCodeAt(start) !== 123) return null
    let found: Member | null = null
    for (const member of members(text, start)) if (member.key === key) found = member
    if (!found) return null
    start = found.start
    end = found.end
  }
  return text.slice(start, end).trimEnd()
}

/** The exact texts of the items of the array that the text is, or null when it is none. */
export function itemTexts(text: string): string[] | null {
  const start = skipSpace(text, 0)
  return text.charCodeAt(start) === 91 ? Array.from(members(text, start), (item) => text.slice(item.start, item.end)) : null
}
