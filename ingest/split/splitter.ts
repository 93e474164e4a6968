import { parseJson } from '#core/parse-json.ts'
import { KEPT_CHARS } from '#core/record.ts'
import type { Json, JsonObject } from '#core/record.ts'
import { Damage, NotJson } from './damage.ts'
import { MAX_DEPTH, beginValue, enterArray, newScan, resumeObject, scan } from './scan.ts'
import type { Scan } from './scan.ts'
import { WRAPPER_KEYS, mayWrap, wrapper } from './wrappers.ts'
import type { Wrapper } from './wrappers.ts'

/** A larger record is refused: no cloud writes one (CloudTrail stops at 1 MiB, Event Hubs at 1 MiB), and memory stays bounded. */
const MAX_RECORD = 16 * 1024 * 1024
/** Lines up to here go straight to the parser; they cannot nest deeper than MAX_DEPTH. */
const FAST_LINE = 2 * MAX_DEPTH

export interface Pieces {
  /** One record: its exact text, its value, the line it begins on (from 1). */
  readonly record: (text: string, value: JsonObject, line: number) => void
  /** Something in the place of a record that is none. */
  readonly rejected: (reason: string, text: string, line: number) => void
}

export interface Splitter {
  /** Takes the next bytes; everything that is complete is handed over before it returns. The chunk may be reused afterwards. */
  write(chunk: Uint8Array): void
  /** There are no more bytes: what is left is complete, or damaged. */
  end(): void
}

interface Frame {
  /** `items` of an array of records; `tail`: the rest of a wrapper, behind its array. */
  kind: 'items' | 'tail'
  key: string
  wrapper: Wrapper
  expect: 'first' | 'next' | 'item'
  line: number
  /** Whether the array stands in an object, whose tail follows. */
  inObject: boolean
}

/**
 * Splits a stream of bytes into JSON records, with memory for one record. It understands, in any mixture and with any white space
 * between: single values, one value a line, arrays, and the wrappers of wrappers.ts (also inside arrays).
 *
 * What happens with damage:
 * - a record that is well-formed in its brackets and quotes but no JSON (`nul`, `01`, `\x`), nests deeper than MAX_DEPTH, is larger
 *   than MAX_RECORD or is no object is rejected alone;
 * - between top-level values the damage is confined: to its line, or, when the record was spread over lines, to everything before the
 *   next line that begins with a bracket;
 * - inside an array nothing behind the damage can be trusted: the records before it are handed over, then `write` throws `Damage`.
 * - A file that does not begin with an object, or an array of objects or arrays, throws `NotJson`.
 *
 * `maxRecord` and `room` (the buffer's first size; it grows as records need) are in bytes.
 */
export function createSplitter(pieces: Pieces, maxRecord: number = MAX_RECORD, room = 64 * 1024): Splitter {
  let bytes = Buffer.allocUnsafe(room)
  let end = 0
  /** Start of the present value: bytes before it are gone. */
  let start = 0
  /** Bytes of the stream before `bytes[0]`. */
  let base = 0
  let startLine = 1
  let inValue = false
  let oversize: string | null = null
  let begun = false
  /** True until a top-level record is spread over lines: then a line that does not parse is a corrupt line. */
  let lines = true
  let records = 0
  let resync: { reason: string; text: string; line: number; spread: boolean } | null = null
  const state: Scan = newScan()
  const frames: Frame[] = []

  const damage = (reason: string): Damage => new Damage(reason, state.line, base + state.at)
  const slice = (from: number, to: number): string => bytes.toString('utf8', from, to)
  const found = (): string => (state.at < end ? JSON.stringify(slice(state.at, Math.min(end, state.at + 4))[0] ?? '') : 'the end')

  function makeRoom(length: number): void {
    if (end + length <= bytes.length) return
    const kept = end - start
    const target = kept + length <= bytes.length ? bytes : Buffer.allocUnsafe(Math.max(2 * bytes.length, kept + length))
    bytes.copy(target, 0, start, end)
    bytes = target
    base += start
    state.at -= start
    state.keyStart -= start
    state.keyEnd -= start
    end = kept
    start = 0
  }

  /** Skips white space (and the record separators of RFC 7464); false when the buffer is used up. */
  function skipBlank(): boolean {
    for (; state.at < end; state.at++) {
      const byte = bytes[state.at]!
      if (byte === 10) state.line++
      else if (byte !== 32 && byte !== 13 && byte !== 9 && byte !== 30) break
    }
    start = state.at
    return state.at < end
  }

  /** The byte after the present one that is no white space: -1 when it is not there yet. */
  function lookAhead(): number {
    for (let at = state.at + 1; at < end; at++) {
      const byte = bytes[at]!
      if (byte !== 32 && byte !== 13 && byte !== 9 && byte !== 10) return byte
    }
    return -1
  }

  function mustBeginLikeRecords(byte: number, last: boolean): boolean {
    const next = lookAhead()
    if (next < 0 && !last && (byte === 123 || byte === 91)) return false
    const fits = byte === 123 ? next === 34 || next === 125 : byte === 91 && (next === 123 || next === 91 || next === 93)
    if (!fits) throw new NotJson(byte === 123 || byte === 91 ? `no record follows the ${String.fromCharCode(byte)}` : `it begins with ${found()}`)
    begun = true
    return true
  }

  /** Hands one value over, from its text. `parsed` saves parsing where it has been done. */
  function give(text: string, line: number, columns: readonly string[] | null): void {
    let value: Json
    try {
      value = parseJson(text)
    } catch (error) {
      pieces.rejected(`not JSON: ${(error as Error).message}`, text.slice(0, KEPT_CHARS), line)
      return
    }
    records++
    if (columns) return giveRow(text, value, line, columns)
    if (value === null || typeof value !== 'object' || Array.isArray(value)) {
      pieces.rejected(
        `no record: ${value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`} where an object belongs`,
        text.slice(0, KEPT_CHARS),
        line,
      )
    } else pieces.record(text, value as JsonObject, line)
  }

  /** A row of a Log Analytics table. Its cells have no names, so this is the one place where a record's text is put together here. */
  function giveRow(text: string, row: Json, line: number, columns: readonly string[]): void {
    if (!Array.isArray(row) || row.length !== columns.length) {
      pieces.rejected(`no record: a row that does not have the table's ${columns.length} columns`, text.slice(0, KEPT_CHARS), line)
      return
    }
    const value: Record<string, Json> = {}
    columns.forEach((column, index) => (value[column] = row[index] as Json))
    pieces.record(JSON.stringify(value), value, line)
  }

  function beginAt(): void {
    inValue = true
    oversize = null
    start = state.at
    startLine = state.line
    beginValue(state)
  }

  /** Confines damage between top-level values. The scan stands on the culprit. */
  function confine(reason: string): void {
    inValue = false
    const newline = oversize === null ? bytes.subarray(start, state.at).indexOf(10) : -1
    const head = newline < 0 ? '' : slice(Math.max(start, start + newline - 64), start + newline).trimEnd()
    const spread = newline >= 0 && /[{[,:]$/.test(head)
    if (!spread && newline >= 0) {
      // The record's own line ends before the culprit: the next line gets its own chance.
      pieces.rejected(reason, slice(start, Math.min(start + newline, start + KEPT_CHARS)), startLine)
      state.at = start + newline
      state.line = startLine
      start = state.at
      return
    }
    resync = {
      reason,
      text: oversize ?? slice(start, Math.min(state.at, start + KEPT_CHARS)),
      line: startLine,
      spread,
    }
    if (spread && state.at < end && bytes[state.at - 1] === 10 && isOpening(bytes[state.at]!)) {
      pieces.rejected(reason, resync.text, startLine)
      resync = null
    }
    start = Math.min(state.at, end)
  }

  const isOpening = (byte: number): boolean => byte === 123 || byte === 91

  /** Drops bytes up to where reading can go on; false when that place is not in the buffer yet. */
  function resynchronise(last: boolean): boolean {
    const { reason, line, spread } = resync!
    for (;;) {
      const newline = bytes.subarray(0, end).indexOf(10, state.at)
      const stop = newline < 0 ? end : newline
      if (resync!.text.length < KEPT_CHARS) resync!.text += slice(state.at, Math.min(stop, state.at + KEPT_CHARS - resync!.text.length))
      const goesOn = newline >= 0 && (!spread || (newline + 1 < end && isOpening(bytes[newline + 1]!)))
      if (newline >= 0 && spread && !goesOn && newline + 1 >= end && !last) {
        state.at = newline
        start = newline
        return false
      }
      state.at = newline < 0 ? end : goesOn ? newline : newline + 1
      start = state.at
      if (newline < 0 && !last) return false
      if (goesOn || newline < 0) {
        pieces.rejected(reason, resync!.text, line)
        resync = null
        return true
      }
      if (resync!.text.length < KEPT_CHARS) resync!.text += '\n'
      state.line++
    }
  }

  /** A whole line that is one record, the commonest case by far; false when it takes the scanner to tell. */
  function fastLine(last: boolean): boolean {
    const newline = bytes.subarray(0, Math.min(end, state.at + FAST_LINE)).indexOf(10, state.at)
    if (newline < 0 && !last) return false
    let stop = newline < 0 ? end : newline
    if (stop - state.at > FAST_LINE) return false
    while (stop > state.at && bytes[stop - 1]! <= 32) stop--
    if (bytes[stop - 1] !== 125) return false
    const text = slice(state.at, stop)
    let value: JsonObject
    try {
      value = parseJson(text) as JsonObject
    } catch {
      return false
    }
    if (mayWrap(value)) return false
    records++
    pieces.record(text, value, state.line)
    state.at = stop
    start = stop
    return true
  }

  function openArray(key: string, wrap: Wrapper, inObject: boolean): void {
    frames.push({ kind: 'items', key, wrapper: wrap, expect: 'first', line: state.line, inObject })
    inValue = false
    state.at++
    start = state.at
  }

  /** An array begins as a member of the value being read: is the value a wrapper? */
  function maybeWrapper(): void {
    const key = state.keyStart < start || oversize !== null ? '' : slice(state.keyStart, state.keyEnd)
    if (WRAPPER_KEYS.has(key)) {
      const inTables = frames.at(-1)?.key === 'tables'
      let before: JsonObject | null = null
      try {
        before = parseJson(`${slice(start, state.at)}[]}`) as JsonObject
      } catch {
        // The scan will meet a structural fault itself; a lesser one rejects the value when it is complete.
      }
      const wrap = before && frames.length < 4 ? wrapper(key, before, inTables) : null
      if (wrap) return openArray(key, wrap, true)
    }
    enterArray(state)
  }

  /** One item, comma or bracket of an array of records; false when the buffer is used up. */
  function stepItems(frame: Frame): boolean {
    if (!skipBlank()) return false
    const byte = bytes[state.at]!
    if (byte === 93 && frame.expect !== 'item') {
      state.at++
      frames.pop()
      if (frame.inObject) {
        frames.push({ ...frame, kind: 'tail' })
        resumeObject(state)
      }
    } else if (byte === 44 && frame.expect === 'next') {
      frame.expect = 'item'
      state.at++
    } else if (frame.expect === 'next') throw damage(`${found()} where a comma or ] belongs, in the array that begins on line ${frame.line}`)
    else {
      frame.expect = 'next'
      beginAt()
    }
    return true
  }

  function stepTop(last: boolean): boolean {
    if (resync) return resynchronise(last)
    if (!skipBlank()) return false
    const byte = bytes[state.at]!
    if (!begun && !mustBeginLikeRecords(byte, last)) return false
    if (byte === 91) openArray('', { columns: null }, false)
    else if (byte !== 123) {
      startLine = state.line
      oversize = null
      confine(`no record: ${found()} where an object belongs`)
    } else if (!fastLine(last)) beginAt()
    return true
  }

  /** Goes on with the value being read; false when the buffer is used up. */
  function stepValue(): boolean {
    const top = frames.length === 0
    const step = scan(state, bytes, end, top && lines && records > 0)
    if (step === 'array') maybeWrapper()
    else if (step === 'damage') {
      const reason = state.depth >= MAX_DEPTH ? `nested deeper than ${MAX_DEPTH} levels` : `not JSON: unexpected ${found()}`
      if (!top) throw damage(`${reason}, in the array that begins on line ${frames.at(-1)!.line}`)
      confine(`${reason} on line ${state.line}`)
    } else if (step === 'done') finishValue()
    else {
      if (state.at - start > maxRecord) dropOversize()
      return false
    }
    return true
  }

  function dropOversize(): void {
    oversize ??= slice(start, start + KEPT_CHARS)
    start = Math.min(state.at, end)
  }

  function finishValue(): void {
    inValue = false
    if (state.at - start > maxRecord) dropOversize()
    if (oversize !== null) pieces.rejected(`larger than ${maxRecord} bytes`, oversize, startLine)
    else give(slice(start, state.at), startLine, frames.at(-1)?.wrapper.columns ?? null)
    if (frames.length === 0 && state.line !== startLine) lines = false
    start = state.at
  }

  /** The rest of a wrapper, behind its array: read for its structure, kept by nobody. */
  function stepTail(): boolean {
    for (;;) {
      const step = scan(state, bytes, end, false)
      start = Math.min(state.at, end)
      if (step === 'array') enterArray(state)
      else if (step === 'more') return false
      else if (step === 'damage') throw damage(`not JSON: unexpected ${found()} behind the array ${frames.at(-1)!.key}`)
      else break
    }
    frames.pop()
    return true
  }

  function advance(last: boolean): void {
    for (;;) {
      const frame = frames.at(-1)
      const goesOn = inValue ? stepValue() : frame === undefined ? stepTop(last) : frame.kind === 'items' ? stepItems(frame) : stepTail()
      if (!goesOn) return
    }
  }

  return {
    write(chunk) {
      makeRoom(chunk.length)
      bytes.set(chunk, end)
      end += chunk.length
      advance(false)
    },
    end() {
      advance(true)
      while (inValue || resync) {
        state.at = Math.min(state.at, end)
        const first = frames.length === 0 ? bytes.subarray(start, end).indexOf(10) : -1
        if (frames.length > 0) break
        // Cut inside a record that is spread over lines: the file is cut. Cut inside a line: that line is corrupt.
        if (inValue && oversize === null && first >= 0 && /[{[,:]$/.test(slice(start, start + first).trimEnd()))
          throw damage(`the text ends inside the record that begins on line ${startLine}`)
        if (inValue) confine('not JSON: the text ends inside the record')
        advance(true)
      }
      if (frames.length > 0) throw damage(`the text ends inside the array that begins on line ${frames.at(-1)!.line}`)
    },
  }
}
