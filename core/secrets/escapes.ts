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

/** Letters of Cyrillic and Greek that look like Latin ones. */
const ALIKE: Readonly<Record<string, string>> = {
  а: 'a',
  е: 'e',
  о: 'o',
  р: 'p',
  с: 'c',
  у: 'y',
  х: 'x',
  і: 'i',
  ѕ: 's',
  ј: 'j',
  к: 'k',
  ԁ: 'd',
  ο: 'o',
  α: 'a',
  ρ: 'p',
}

/** True for characters that a reader does not see, or takes for others: zero width, full width, spaces of all kinds, letters that look alike. */
export function isDisguise(code: number): boolean {
  return (
    code === 0xa0 ||
    code === 0xad ||
    (code >= 0x3b1 && code <= 0x501) ||
    code === 0x180e ||
    (code >= 0x2000 && code <= 0x206f) ||
    code === 0x3000 ||
    code === 0xfeff ||
    (code >= 0xff01 && code <= 0xff5e) ||
    code === 0xd835
  )
}

/** The text as a reader sees it: full-width and mathematical letters as plain ones, nothing of zero width. */
export function undisguised(text: string): string {
  for (let at = 0; at < text.length; at++) {
    if (text.charCodeAt(at) < 128 || !isDisguise(text.charCodeAt(at))) continue
    return text
      .normalize('NFKC')
      .replace(/[\u00ad\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, '')
      .replace(/[\u03b1-\u0501]/g, (letter) => ALIKE[letter] ?? letter)
  }
  return text
}
