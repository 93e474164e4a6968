/** The same text in other writing: percent signs of addresses, `\u0054` of JSON in JSON, character references of XML. */

const ESCAPE = /%[0-9a-f]{2}|\\u[0-9a-f]{4}|\\x[0-9a-f]{2}|&(?:amp|quot|apos|lt|gt|#\d{1,6}|#x[0-9a-f]{1,5});/gi
const NAMED: Readonly<Record<string, string>> = { amp: '&', quot: '"', apos: "'", lt: '<', gt: '>' }
/** Writing within writing beyond this is no accident, and nobody reads it. */
const ROUNDS = 4

/** The text with its escapes taken off, as often as there are some. */
export function unescaped(text: string): string {
  let plain = text
  for (let round = 0; round < ROUNDS; round++) {
    const next = plain.replace(ESCAPE, one)
    if (next === plain) break
    plain = next
  }
  return plain
}

function one(escape: string): string {
  const first = escape[0]
  if (first === '%' || first === '\\') return String.fromCharCode(Number.parseInt(escape.slice(first === '%' ? 1 : 2), 16))
  const name = escape.slice(1, -1).toLowerCase()
  if (name[0] !== '#') return NAMED[name]!
  const code = name[1] === 'x' ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
  return code <= 0x10ffff ? String.fromCodePoint(code) : escape
}
