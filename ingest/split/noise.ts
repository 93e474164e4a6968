import { KEPT_CHARS } from '#core/record.ts'
import { isBlank } from './window.ts'
import type { Window } from './window.ts'

const NEWLINE = 10
const QUOTE = 34
const COMMA = 44
const COLON = 58
const BRACKET = 91
const BACKSLASH = 92
const BRACE = 123

/** White space and the like before a brace is held back up to here, because what a brace means is told by what stands before it. */
const HELD_BACK = 64 * 1024

/** A place that is no record, while reading looks for where it can go on. Keeps the beginning of its text, its size and its last bytes. */
export class Noise {
  readonly reason: string
  readonly line: number
  /** A record that is spread over lines: the end of its first line is not its end. */
  readonly spread: boolean
  size = 0
  /** The last two bytes of it that are no white space; 0: there is none. */
  last = 0
  lastButOne = 0
  /** The last byte, white space or not. */
  final = 0
  /** Bytes, not text: a chunk may end inside a character. */
  readonly #kept: Buffer[] = []
  #keptSize = 0

  constructor(reason: string, line: number, spread: boolean) {
    this.reason = reason
    this.line = line
    this.spread = spread
  }

  get text(): string {
    return Buffer.concat(this.#kept).toString('utf8').trimEnd()
  }

  /** Nothing but what separates records. */
  get isSeparator(): boolean {
    return this.size < 1024 && /^[\s,\uFEFF]*$/.test(this.text)
  }

  /** Nothing but what closes something: the end of a value whose beginning was a damage, too. */
  get isCloser(): boolean {
    return this.size < 1024 && /^[\s,\]}\uFEFF]*$/.test(this.text)
  }

  /** Takes bytes in that belong to no record; gives the number of lines that end in them. */
  take(window: Window, from: number, to: number): number {
    if (to <= from) return 0
    const kept = Math.min(to - from, KEPT_CHARS - this.#keptSize)
    if (kept > 0) {
      this.#kept.push(Buffer.from(window.bytes.subarray(from, from + kept)))
      this.#keptSize += kept
    }
    this.size += to - from
    this.final = window.bytes[to - 1]!
    let seen = 0
    for (let at = to - 1; at >= from && seen < 2; at--) {
      const byte = window.bytes[at]!
      if (isBlank(byte)) continue
      if (seen++ === 0) {
        this.lastButOne = this.last
        this.last = byte
      } else this.lastButOne = byte
    }
    let lines = 0
    for (let at = window.find(NEWLINE, from, to); at >= 0; at = window.find(NEWLINE, at + 1, to)) lines++
    return lines
  }
}

/**
 * What comes next in a place that is no record, from `from` on:
 * - `line`: the end of the line `at`, and reading goes on there;
 * - `text`: another text begins `at` (files that were put together), whatever was open;
 * - `value`: something begins `at` that may be a record, if it parses and is a known one;
 * - `skip`: nothing up to `at`;
 * - `more`: nothing up to `at`, and what follows cannot be judged before there are more bytes.
 */
export interface Next {
  readonly kind: 'line' | 'text' | 'value' | 'skip' | 'more'
  readonly at: number
}

/** @param within what is open: nothing (`top`: lines stand for themselves), an array of records, or one of rows (arrays) */
export function nextPlace(noise: Noise, window: Window, from: number, within: 'top' | 'records' | 'rows', last: boolean): Next {
  if (within === 'rows') return nextRow(noise, window, from, last)
  const top = within === 'top'
  const newline = top ? window.find(NEWLINE, from) : -1
  const limit = newline < 0 ? window.end : newline
  const brace = window.find(BRACE, from, limit)
  if (brace >= 0) return atBrace(noise, window, from, brace, top, last)
  if (newline > from) return { kind: 'skip', at: newline }
  if (newline === from) return atLineEnd(noise, window, newline, last)
  return last ? { kind: 'skip', at: window.end } : { kind: 'more', at: heldBack(window, from) }
}

function nextRow(noise: Noise, window: Window, from: number, last: boolean): Next {
  const at = window.find(BRACKET, from)
  if (at < 0) return last ? { kind: 'skip', at: window.end } : { kind: 'more', at: heldBack(window, from) }
  let before = at - 1
  while (before >= from && isBlank(window.bytes[before])) before--
  return (before >= from ? window.bytes[before] : noise.last) === COMMA ? { kind: 'value', at } : { kind: 'skip', at: at + 1 }
}

function atLineEnd(noise: Noise, window: Window, newline: number, last: boolean): Next {
  // A line that ends like this goes on in the next one, unless that begins anew: the remains of a record that was pretty-printed.
  if (!noise.spread && noise.last !== COMMA && noise.last !== BRACE && noise.last !== BRACKET) return { kind: 'line', at: newline }
  if (newline + 1 >= window.end) return last ? { kind: 'skip', at: window.end } : { kind: 'more', at: newline }
  const next = window.bytes[newline + 1]!
  return next === BRACE || next === BRACKET || next === 0xef ? { kind: 'line', at: newline } : { kind: 'skip', at: newline + 1 }
}

function atBrace(noise: Noise, window: Window, from: number, brace: number, top: boolean, last: boolean): Next {
  const { bytes } = window
  if (brace + 1 >= window.end && !last) return { kind: 'more', at: heldBack(window, from) }
  // A record as a JSON string: "{\"…
  const at = brace > from && bytes[brace - 1] === QUOTE && bytes[brace + 1] === BACKSLASH ? brace - 1 : brace
  let before = at - 1
  while (before >= from && isBlank(bytes[before])) before--
  const previous = before >= from ? bytes[before]! : noise.last
  if (previous === COLON) {
    let key = before - 1
    while (key >= from && isBlank(bytes[key])) key--
    const owner = before < from ? noise.lastButOne : key >= from ? bytes[key]! : noise.last
    // The value of a member: a part of the damaged record.
    if (owner === QUOTE) return { kind: 'skip', at: brace + 1 }
  }
  if (!top) {
    const atLineStart = (place: number): boolean => (place > from ? bytes[place - 1] : noise.final) === NEWLINE
    if (previous === BRACKET && before >= from && beginsText(noise, window, from, before)) return { kind: 'text', at: before }
    if (atLineStart(at) && previous !== COMMA && previous !== BRACKET) return { kind: 'text', at }
  }
  return { kind: 'value', at }
}

/** Whether the bracket stands first in a line, and not as an item of the array that is open. */
function beginsText(noise: Noise, window: Window, from: number, bracket: number): boolean {
  if ((bracket > from ? window.bytes[bracket - 1] : noise.final) !== NEWLINE && !isMark(window, from, bracket)) return false
  let before = bracket - 1
  while (before >= from && isBlank(window.bytes[before])) before--
  const previous = before >= from ? window.bytes[before] : noise.last
  return previous !== COMMA && previous !== BRACKET && previous !== COLON
}

/** A byte-order mark before `at`: a file began here. */
function isMark({ bytes }: Window, from: number, at: number): boolean {
  return at - 3 >= from && bytes[at - 3] === 0xef && bytes[at - 2] === 0xbb && bytes[at - 1] === 0xbf
}

/** Where the bytes begin that say something about a brace that may follow. */
function heldBack(window: Window, from: number): number {
  const { bytes, end } = window
  let at = end
  while (at > from && end - at < HELD_BACK) {
    const byte = bytes[at - 1]!
    if (!isBlank(byte) && byte !== BRACKET && byte !== QUOTE && byte !== BRACE && byte !== 0xef && byte !== 0xbb && byte !== 0xbf) break
    at--
  }
  return at
}
