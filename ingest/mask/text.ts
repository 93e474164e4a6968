/**
 * Texts that are no record (any more): lines that do not parse, cut ends, foreign files, what an envelope held. They are kept so that
 * somebody sees what was refused, so structure and identifiers stay; what anybody wrote does not, and rather too much goes than too little.
 */
import { parseJson } from '#core/parse-json.ts'
import type { JsonObject } from '#core/record.ts'
import { unescaped } from '#core/secrets/escapes.ts'
import { maskLooks } from '#core/secrets/looks.ts'
import { MASKED, isHarmless, isMasked, maskedContent } from '#core/secrets/masked.ts'
import { isIdentifier } from '#core/secrets/shapes.ts'
import { UNKNOWN } from './kinds.ts'
import { isSecret, mayStay, memberOf } from './members.ts'
import type { Member } from './members.ts'
import { COMMON_MEMBERS } from './services.ts'
import { Walk, apply, placeOf, tooDeep } from './walk.ts'

/** Masks a text that is no record. Never throws: a text that breaks the rules themselves becomes its length and hash. */
export function maskText(text: string): string {
  try {
    return maskJson(text) ?? maskLooks(lenient(unescaped(maskLooks(text))))
  } catch {
    return maskedContent(text)
  }
}

/** What is JSON all the same: a list or a text where a record belongs, an object that an envelope's rules refused. */
function maskJson(text: string): string | null {
  const start = text.search(/\S/)
  const first = text.charCodeAt(start)
  if (first !== 123 && first !== 91 && first !== 34) return null
  let value
  try {
    value = parseJson(text)
  } catch {
    return null
  }
  if (tooDeep(text)) return null
  const outer = `{"value":${text}}`
  const inner = value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as JsonObject) : null
  const walk = new Walk(inner ? text : outer)
  if (inner) walk.container(start, inner, placeOf(inner))
  else walk.container(0, { value }, { kind: UNKNOWN, mode: 'listed', unknown: true, depth: 0, texts: 0 })
  return inner ? apply(text, walk.edits) : apply(outer, walk.edits).slice(9, -1)
}

/** A piece of a text between quotes. */
interface Piece {
  readonly text: string
  /** The quotes behind it, with their backslashes. */
  readonly quotes: string
}

/**
 * Goes from quote to quote without asking which of them opens: in a cut text nobody knows. A piece is structure (signs, numbers, `true`),
 * a key (a colon or an equals sign follows), or something written, which stays as `mayStay` says. Behind the first key that holds content
 * nothing written stays: where a prompt ends cannot be told in a damaged text.
 */
function lenient(text: string): string {
  const pieces = piecesOf(text)
  const result: string[] = []
  let member: Member = memberOf('')
  let sealed = false
  for (let index = 0; index < pieces.length; index++) {
    const { text: piece, quotes } = pieces[index]!
    const next = pieces[index + 1]?.text ?? ''
    if (isStructure(piece)) {
      result.push(member.secret === 'secret' && /^\s*[:=]\s*\d/.test(piece.slice(0, 40)) ? piece.replace(/\d{2,40}/g, MASKED) : piece)
    } else if (quotes !== '' && /^\s{0,8}(?::|=)/.test(next.slice(0, 10)) && /^[\w@$:/. -]{1,80}$/.test(piece.trim())) {
      member = memberOf(piece.trim())
      sealed ||= (member.content || member.body) && !member.wraps
      result.push(piece)
    } else if (sealed) result.push(written(piece))
    else if (member.secret !== null && isSecret(member.secret, piece)) result.push(MASKED)
    else if (pieces.length > 1 && !/[\s,;=|]/.test(piece.trim()) && mayStay(member, piece, COMMON_MEMBERS)) result.push(piece)
    else result.push(plain(piece))
    result.push(quotes)
  }
  return result.join('')
}

/** Kept are the signs around what was written. */
function written(piece: string): string {
  let start = 0
  let end = piece.length
  while (start < end && isSign(piece.charCodeAt(start))) start++
  while (end > start && isSign(piece.charCodeAt(end - 1))) end--
  const inner = piece.slice(start, end)
  return isHarmless(inner) ? piece : piece.slice(0, start) + maskedContent(inner) + piece.slice(end)
}

const isSign = (code: number): boolean =>
  code <= 32 ||
  code === 44 ||
  code === 58 ||
  code === 59 ||
  code === 61 ||
  code === 91 ||
  code === 93 ||
  code === 123 ||
  code === 125 ||
  code === 40 ||
  code === 41

function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = []
  let start = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code !== 34 && code !== 39) continue
    // An apostrophe is no quote.
    if (code === 39 && isLetter(text.charCodeAt(at - 1)) && isLetter(text.charCodeAt(at + 1))) continue
    let from = at
    while (from > start && text.charCodeAt(from - 1) === 92) from--
    let to = at + 1
    while (to < text.length && text.charCodeAt(to) === code) to++
    pieces.push({ text: text.slice(start, from), quotes: text.slice(from, to) })
    start = to
    at = to - 1
  }
  pieces.push({ text: text.slice(start), quotes: '' })
  return pieces
}

const isLetter = (code: number): boolean => (code >= 65 && code <= 90) || (code >= 97 && code <= 122)

/** Signs, numbers and the three words of JSON. */
function isStructure(piece: string): boolean {
  let word = ''
  for (let at = 0; at <= piece.length; at++) {
    const code = at < piece.length ? piece.charCodeAt(at) : 32
    if (isLetter(code) || code > 127) {
      word += piece[at]!
      if (word.length > 9) return false
    } else {
      if (word !== '' && !/^(?:true|false|null|NaN|Infinity|[eE])$/.test(word)) return false
      word = ''
      if (code !== 32 && !isSign(code) && !(code >= 48 && code <= 57) && code !== 46 && code !== 45 && code !== 43 && code !== 92) return false
    }
  }
  return true
}

/**
 * Text without quotes: a line of a log, a row of a table, a shell's output. Words that stand alone and identifiers stay, with the names in
 * front of `=` and `:`; what reads like a sentence goes, and what is neither.
 */
function plain(text: string): string {
  const result: string[] = []
  /** Words that wait for a decision: beside others they are a sentence. */
  let waiting = ''
  let words = 0
  let strange = false
  let member: Member = memberOf('')
  const settle = (): void => {
    const end = waiting.trimEnd()
    if (end !== '') result.push(strange || words > 2 ? maskedContent(end) : end, waiting.slice(end.length))
    else result.push(waiting)
    waiting = ''
    words = 0
    strange = false
  }
  for (let at = 0; at < text.length;) {
    let end = at
    while (end < text.length && end - at < 2048 && !isBreak(text.charCodeAt(end))) end++
    if (end === at) {
      const sign = text[at]!
      if (waiting !== '' && sign === ' ') waiting += sign
      else {
        settle()
        result.push(sign)
      }
      at++
      continue
    }
    const token = text.slice(at, end)
    const sign = text[end] ?? ''
    at = end
    const name = /^([\w.$@-]{1,64}):?$/.exec(token)?.[1]
    if (name !== undefined && (token.endsWith(':') || sign === '=' || sign === ':') && !isIdentifier(name)) {
      settle()
      member = memberOf(name)
      result.push(token)
    } else if (isMasked(token) || token.includes(MASKED) || (!(member.content && !member.wraps) && (isNumber(token) || isIdentifier(token) || isHost(token)))) {
      settle()
      result.push(token)
    } else {
      waiting += token
      if (/[A-Za-z]/.test(token)) words++
      strange ||= !/^[A-Za-z#$:.!?()]{1,24}$/.test(token) || (member.content && !member.wraps)
    }
  }
  settle()
  return result.join('')
}

const isBreak = (code: number): boolean =>
  code <= 32 ||
  code === 44 ||
  code === 59 ||
  code === 61 ||
  code === 124 ||
  code === 91 ||
  code === 93 ||
  code === 123 ||
  code === 125 ||
  code === 60 ||
  code === 62
const isNumber = (token: string): boolean => /^[-+]?[\d.:/T+Z-]{1,40}$/.test(token) || /^[\da-f]{6,64}$/i.test(token)
/** `bedrock.amazonaws.com`, `us-east-1`, `weather-agent`. */
const isHost = (token: string): boolean => token.length <= 80 && /^[a-z][a-z\d]{0,40}(?:[-._/][a-z\d]{1,40}){1,4}$/.test(token)
