import { itemTexts } from '#core/json-text.ts'
import { jsonFault, parseJson } from '#core/parse-json.ts'
import { KEPT_CHARS } from '#core/record.ts'
import type { Json, JsonObject } from '#core/record.ts'
import { Damage } from './damage.ts'
import { Noise, nextPlace } from './noise.ts'
import { MAX_DEPTH, beginValue, enterArray, newScan, resumeObject, scan, shiftScan } from './scan.ts'
import type { Scan } from './scan.ts'
import { Window, isBlank } from './window.ts'
import { WRAPPER_KEYS, asRow, isCell, mayWrap, namedRow, wrapper } from './wrappers.ts'

/** A larger record is refused: no cloud writes one (CloudTrail stops at 1 MiB, Event Hubs at 1 MiB), and memory stays bounded. */
const MAX_RECORD = 16 * 1024 * 1024
/** Lines up to here go straight to the parser; they cannot nest deeper than MAX_DEPTH. */
const FAST_LINE = 2 * MAX_DEPTH
/** Arrays in arrays and wrappers in wrappers that are taken apart. */
const MAX_FRAMES = 6
/** Bytes that are scanned in vain for where reading can go on behind a damage, before it is given up: input made to be slow stays cheap. */
const VAIN_SCANS = 1024 * 1024 * 1024

/** An array that is empty or has an object, an array or a JSON text as its first item, or behind a few that are nothing. As latin1, with byte-order marks. */
const ARRAY_OF_RECORDS =
  /^\[(?:[\s,]|\xef\xbb\xbf)*(?:(?:null|true|false|NaN|-?\d[\d.eE+-]*|"[^"\\{[]*")\s*,\s*)*(?:\xef\xbb\xbf)?(?:[[{\]]|"(?:\\[nrt]|\s)*(?:[{[]|\\"))/

const BRACE = 123
const BRACKET = 91
const QUOTE = 34

export interface Pieces {
  /** One record: its exact text, its value, the line it begins on (from 1). */
  readonly record: (text: string, value: JsonObject, line: number) => void
  /** Something in the place of a record that is none. `size` is that of its whole text in bytes, where `text` is only the beginning. */
  readonly rejected: (reason: string, text: string, line: number, size?: number) => void
}

export interface Splitter {
  /** Takes the next bytes; everything that is complete is handed over before it returns. The chunk may be reused afterwards. */
  write(chunk: Uint8Array): void
  /** There are no more bytes: what is left is complete, or handed over as rejected. Throws `Damage` when the text is cut off. */
  end(): void
}

export interface SplitterOptions {
  /** Whether a value is a known record, or has one inside: what tells where records go on behind a damage, and which arrays hold them. */
  readonly holds?: (text: string, value: Json) => boolean
  /** In bytes. */
  readonly maxRecord?: number
  /** First size of the buffer in bytes; it grows as records need. */
  readonly room?: number
  /** False inside of a damage. */
  readonly salvages?: boolean
}

/** An array of records that is being read, or the rest of the object around one. */
interface Frame {
  readonly kind: 'items' | 'tail'
  readonly columns: readonly string[] | null
  /** The line it begins on. */
  readonly line: number
  /** Objects that it stands in and whose tails follow: none, or those of its wrapper. */
  readonly objects: number
}

/**
 * Splits a stream of bytes into JSON records, with memory for one record. It understands, in any mixture and with any white space and
 * byte-order marks between: single values, one value a line, arrays (also in arrays), the wrappers of wrappers.ts (also inside arrays),
 * any other wrapper whose array begins with a known record, and JSON strings that hold any of these.
 *
 * One bad place costs that place:
 * - a record that is well-formed in its brackets and quotes but no JSON (`NaN`, `01`, `\x`) or is no object is rejected alone;
 * - between top-level values what is no record is rejected up to the end of its line, or, when it is a record that was spread over
 *   lines, up to the next line that begins with a bracket;
 * - inside an array, and inside a line, reading goes on at the next thing that parses and that `holds` calls a known record;
 * - a value that is larger than `maxRecord` or nests deeper than MAX_DEPTH is such a bad place as well.
 */
export function createSplitter(
  pieces: Pieces,
  { holds = () => false, maxRecord = MAX_RECORD, room = 64 * 1024, salvages = true }: SplitterOptions = {},
): Splitter {
  const window = new Window(room)
  const state: Scan = newScan()
  const frames: Frame[] = []
  let inValue = false
  let noise: Noise | null = null
  /** An item larger than what is kept of one. */
  let oversize: Noise | null = null
  /** In a noise: something that begins at `window.start` is being tried, which began on `startLine`. */
  let trying = false
  let vain = 0
  /** A damage has been handed over as rejected. */
  let damaged = false
  let startLine = 1
  /** True until a top-level record is spread over lines: then a line that does not parse is a corrupt line. */
  let lines = true
  let records = 0
  let cut: Damage | null = null
  /** The text ends in the middle of something, which is handed over as rejected. */
  let remains = false
  /** The end of the array that is open has been seen as a part of a damage. */
  let hidden = false
  let probe: Scan | null = null

  const found = (): string => (state.at < window.end ? JSON.stringify(window.text(state.at, Math.min(window.end, state.at + 4))[0] ?? '') : 'the end')
  const place = (): string => `on line ${state.line}, byte ${window.base + state.at}`

  // ---- What was found is handed over.

  function reject(reason: string, text: string, line: number): void {
    if (text.length <= KEPT_CHARS) pieces.rejected(reason, text, line)
    else pieces.rejected(reason, text.slice(0, KEPT_CHARS), line, Buffer.byteLength(text))
  }

  /** Hands one value over, from its text. */
  function give(text: string, line: number, columns: readonly string[] | null): void {
    let value: Json
    try {
      value = parseJson(text)
    } catch (error) {
      if (!salvage(text, line)) reject(`not JSON: ${jsonFault(error)}`, text, line)
      return
    }
    records++
    if (columns !== null) giveRow(text, value, line, columns)
    else giveValue(text, value, line, MAX_FRAMES)
  }

  /** A damage may have made one value of several: hands over the known records in it, and the rest as rejected; false when there are none. */
  function salvage(text: string, line: number): boolean {
    if (!salvages) return false
    const found: (() => void)[] = []
    let any = false
    const inner = createSplitter(
      {
        record: (one, value, at) => {
          any ||= holds(one, value)
          found.push(() => pieces.record(one, value, line + at - 1))
        },
        rejected: (reason, one, at, size) =>
          found.push(() => pieces.rejected(reason, at === 1 && one.length < KEPT_CHARS ? text[0]! + one : one, line + at - 1, size)),
      },
      { holds, maxRecord, room: Buffer.byteLength(text), salvages: false },
    )
    try {
      // Without its first character it is no value any more, and what is in it is looked for.
      inner.write(Buffer.from(text.slice(1)))
      inner.end()
    } catch {
      // What it is cut off in is among what was rejected.
    }
    if (any) for (const one of found) one()
    return any
  }

  function giveValue(text: string, value: Json, line: number, layers: number): void {
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return pieces.record(text, value as JsonObject, line)
    const row = Array.isArray(value) ? asRow(value) : null
    if (row !== null) return pieces.record(JSON.stringify(row), row, line)
    const inner = layers === 0 ? null : innerTexts(text, value)
    if (inner === null) {
      const kind = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`
      reject(`no record: ${kind} where an object belongs`, text, line)
    } else
      for (const one of inner) {
        const parsed = tryParse(one)
        if (parsed === undefined) reject(`not JSON, in ${Array.isArray(value) ? 'an array' : 'a string'}`, one, line)
        else giveValue(one, parsed, line, layers - 1)
      }
  }

  /** A row of a table. Its cells have no names, so this is the one place where a record's text is put together here. */
  function giveRow(text: string, row: Json, line: number, columns: readonly string[]): void {
    const value = namedRow(row, columns)
    if (value === null) reject(`no record: a row that does not have the table's ${columns.length} columns`, text, line)
    else pieces.record(value === row ? text : JSON.stringify(value), value, line)
  }

  // ---- Between values.

  /** Skips white space, byte-order marks and the record separators of RFC 7464; false when the buffer is used up. */
  function skipBlank(last: boolean): boolean {
    const { bytes, end } = window
    for (; state.at < end; state.at++) {
      const byte = bytes[state.at]!
      if (byte === 10) state.line++
      else if (byte === 0xef) {
        if (state.at + 2 >= end && !last) break
        if (bytes[state.at + 1] !== 0xbb || bytes[state.at + 2] !== 0xbf) break
        state.at += 2
      } else if (byte !== 32 && byte !== 13 && byte !== 9 && byte !== 30) break
    }
    window.start = Math.min(state.at, end)
    return state.at < end && (bytes[state.at] !== 0xef || state.at + 2 < end || last)
  }

  function beginAt(): void {
    inValue = true
    window.start = state.at
    startLine = state.line
    beginValue(state)
  }

  function stepTop(last: boolean): boolean {
    if (!skipBlank(last)) return false
    const byte = window.bytes[state.at]!
    if (byte === BRACE) {
      if (!fastLine(last)) beginAt()
      return true
    }
    if (byte === BRACKET || byte === QUOTE) {
      const begins = byte === BRACKET ? beginsArray(last) : beginsString(last)
      if (begins === null) return false
      if (begins && byte === BRACKET) openArray(null, 0)
      else if (begins) beginAt()
      if (begins) return true
    }
    startLine = state.line
    beginNoise(`no record: ${found()} where an object belongs`, state.at, false)
    return true
  }

  /** Whether an array of records begins here, and no text in brackets (`[INFO] started`); null when that cannot be told yet. */
  function beginsArray(last: boolean): boolean | null {
    const head = window.bytes.toString('latin1', state.at, Math.min(window.end, state.at + 256))
    if (ARRAY_OF_RECORDS.test(head)) return true
    return head.length < 256 && !last ? null : false
  }

  /** Whether a string that holds JSON begins here. */
  function beginsString(last: boolean): boolean | null {
    const next = window.bytes.toString('latin1', state.at + 1, Math.min(window.end, state.at + 8))
    if (next === '' && !last) return null
    return /^(?:\\[nrt]|\s)*(?:[{[]|\\")/.test(next) ? true : !last && /^(?:\\[nrt]|\\|\s)*$/.test(next) && next.length < 7 ? null : false
  }

  /** A whole line that is one record, the commonest case by far; false when it takes the scanner to tell. */
  function fastLine(last: boolean): boolean {
    const newline = window.find(10, state.at, Math.min(window.end, state.at + FAST_LINE))
    if (newline < 0 && !last) return false
    let stop = newline < 0 ? window.end : newline
    if (stop - state.at > FAST_LINE) return false
    while (stop > state.at && window.bytes[stop - 1]! <= 32) stop--
    if (window.bytes[stop - 1] !== 125) return false
    const text = window.text(state.at, stop)
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
    window.start = stop
    return true
  }

  // ---- Arrays of records, and what is around them.

  function openArray(columns: readonly string[] | null, objects: number): void {
    frames.push({ kind: 'items', columns, line: state.line, objects })
    inValue = false
    state.at++
    window.start = state.at
  }

  /** One item, comma or bracket of an array of records; false when the buffer is used up. A comma too many or too few loses nothing. */
  function stepItems(frame: Frame, last: boolean): boolean {
    if (!skipBlank(last)) return false
    const byte = window.bytes[state.at]!
    if (byte === 93) {
      state.at++
      frames.pop()
      if (frame.objects > 0) {
        frames.push({ ...frame, kind: 'tail' })
        resumeObject(state, frame.objects)
      }
    } else if (byte === 44) state.at++
    else if (byte === BRACKET && frame.columns === null && frames.length < MAX_FRAMES) {
      const begins = beginsArray(last)
      const first = firstItem(last)
      if (begins === null || first === null) return false
      if (begins && !(first && isCell(first.value))) openArray(null, 0)
      else beginAt()
    } else beginAt()
    return true
  }

  /** The rest of a wrapper, behind its array: kept by nobody, but another array of records in it is read. */
  function stepTail(frame: Frame, last: boolean): boolean {
    for (;;) {
      const step = scan(state, window.bytes, window.end, false)
      window.start = Math.min(state.at, window.end)
      if (step === 'array') {
        const holding = firstItemHolds(last)
        if (holding === null) return false
        if (holding) {
          const objects = state.depth
          frames.pop()
          openArray(null, objects)
          return true
        }
        enterArray(state)
      } else if (step === 'more') return false
      else if (step === 'damage') {
        frames.pop()
        startLine = state.line
        beginNoise(`not JSON: unexpected ${found()} ${place()}, behind the array that begins on line ${frame.line}`, state.at, false)
        return true
      } else break
    }
    frames.pop()
    return true
  }

  /** An array begins as a member of the value being read: is the value a wrapper? False when that cannot be told yet. */
  function maybeWrapper(last: boolean): boolean {
    const key = state.keyStart < window.start ? '' : window.text(state.keyStart, state.keyEnd)
    const listed = WRAPPER_KEYS.has(key)
    if (frames.length < MAX_FRAMES && (listed || frames.length === 0)) {
      const objects = state.depth
      const before = listed ? membersBefore() : null
      const wrap = before && wrapper(key, before)
      if (wrap) {
        openArray(wrap.columns, objects)
        return true
      }
      const holding = firstItemHolds(last)
      if (holding === null) return false
      if (holding && !holds(closedSoFar(), membersSoFar())) {
        openArray(null, objects)
        return true
      }
    }
    enterArray(state)
    return true
  }

  const closedSoFar = (): string => `${window.text(window.start, state.at)}[]${'}'.repeat(state.depth)}`
  const membersSoFar = (): Json => tryParse(closedSoFar()) ?? null

  /** What the object around the array has before it; null when that is no JSON, which the scan meets or the parser at the end. */
  function membersBefore(): JsonObject | null {
    const outer = membersSoFar() as JsonObject | null
    if (outer === null || state.depth === 1) return outer
    return (outer['hits'] as JsonObject | undefined) ?? null
  }

  /** Whether the array that the scan stands at begins with a known record, or with something around one; null when its first item is not there yet. */
  function firstItemHolds(last: boolean): boolean | null {
    const first = firstItem(last)
    return first && holds(first.text, first.value)
  }

  /** The first item of the array that the scan stands at, where it is no number or word; null when it is not there yet. */
  function firstItem(last: boolean): { readonly text: string; readonly value: Json } | false | null {
    probe ??= newScan()
    probe.at = state.at + 1
    while (probe.at < window.end && isBlank(window.bytes[probe.at])) probe.at++
    if (probe.at >= window.end) return last ? false : null
    const from = probe.at
    if (window.bytes[from] !== BRACE && window.bytes[from] !== BRACKET && window.bytes[from] !== QUOTE) return false
    beginValue(probe)
    for (;;) {
      const step = scan(probe, window.bytes, window.end, false)
      if (step === 'array') enterArray(probe)
      else if (step === 'more') return last || window.end - window.start > maxRecord ? false : null
      else if (step === 'damage') return false
      else {
        const text = window.text(from, probe.at)
        const value = tryParse(text)
        return value !== undefined && { text, value }
      }
    }
  }

  // ---- Values.

  /** Goes on with the value being read; false when the buffer is used up. */
  function stepValue(last: boolean): boolean {
    const top = frames.length === 0
    const step = scan(state, window.bytes, window.end, top && lines && records > 0)
    const tooLarge = oversize !== null || Math.min(state.at, window.end) - window.start > maxRecord
    if (tooLarge && !top) skip()
    if (step === 'array') return oversize === null ? maybeWrapper(last) : enterArray(state)
    if (step === 'damage') confine(state.depth >= MAX_DEPTH ? `nested deeper than ${MAX_DEPTH} levels` : `not JSON: unexpected ${found()} ${place()}`)
    else if (tooLarge && top) confine(`larger than ${maxRecord} bytes`)
    else if (step === 'done') finishValue()
    else return false
    return true
  }

  /** An item that is too large is read on to its end, but not kept. */
  function skip(): void {
    oversize ??= new Noise(`larger than ${maxRecord} bytes`, startLine, false)
    const stop = Math.min(state.at, window.end)
    oversize.take(window, window.start, stop)
    window.start = stop
  }

  function finishValue(): void {
    inValue = false
    if (oversize !== null) pieces.rejected(oversize.reason, oversize.text, oversize.line, oversize.size)
    else give(window.text(window.start, state.at), startLine, frames.at(-1)?.columns ?? null)
    oversize = null
    if (frames.length === 0 && state.line !== startLine) lines = false
    window.start = state.at
  }

  // ---- Damage.

  /** The value that is being read is none: how far does the damage reach? */
  function confine(reason: string): void {
    const { start } = window
    if (frames.length > 0) return beginNoise(`${reason}, in the array that begins on line ${frames.at(-1)!.line}`, start, false)
    const newline = window.find(10, start, Math.min(state.at, window.end))
    // Pretty-printed: the first line opens something, and the next one is indented or closes it.
    const spread =
      newline >= 0 &&
      /[{[,:]\s*$/.test(window.text(Math.max(start, newline - 64), newline)) &&
      /^[ \t\r\n}\]]/.test(window.text(newline + 1, Math.min(newline + 2, window.end)))
    beginNoise(reason, start, spread)
  }

  function beginNoise(reason: string, from: number, spread: boolean): void {
    inValue = false
    noise = new Noise(reason, startLine, spread)
    trying = false
    if (oversize !== null) {
      // Its bytes are gone.
      noise = oversize
      oversize = null
    } else {
      state.at = from
      state.line = startLine
    }
    window.start = Math.min(state.at, window.end)
    // What has failed is not tried again.
    if (state.at < window.end && (window.bytes[state.at] === BRACE || window.bytes[state.at] === QUOTE)) take(noise, state.at + 1)
  }

  function take(into: Noise, to: number): void {
    state.line += into.take(window, state.at, to)
    state.at = to
    window.start = to
  }

  /** Goes on in a place that is no record; false when the buffer is used up. */
  function stepNoise(now: Noise, last: boolean): boolean {
    if (trying) return stepTrial(now, last)
    const columns = frames.at(-1)?.columns
    const next = nextPlace(now, window, state.at, columns === undefined ? 'top' : columns === null ? 'records' : 'rows', last)
    take(now, next.at)
    if (next.kind === 'line' || next.kind === 'text') {
      frames.length = next.kind === 'text' ? 0 : frames.length
      endNoise(now)
    } else if (next.kind === 'more') return false
    else if (next.kind === 'value') {
      if (vain > VAIN_SCANS) take(now, next.at + 1)
      else {
        trying = true
        startLine = state.line
        beginValue(state)
      }
    } else if (next.at >= window.end && last) {
      // A damaged last item hides the end of its array; a text that is cut ends otherwise.
      hidden = now.last === (frames[0]?.objects ? 125 : 93)
      endNoise(now)
    }
    return true
  }

  function stepTrial(now: Noise, last: boolean): boolean {
    let step = scan(state, window.bytes, window.end, true)
    while (step === 'array') {
      enterArray(state)
      step = scan(state, window.bytes, window.end, true)
    }
    const { start } = window
    const tooLarge = Math.min(state.at, window.end) - start > maxRecord
    if (step === 'more' && !last && !tooLarge) return false
    trying = false
    if (step === 'done' && !tooLarge) {
      const text = window.text(start, state.at)
      const value = tryParse(text)
      const columns = frames.at(-1)?.columns ?? null
      if (value !== undefined && (columns === null ? holds(text, value) : namedRow(value, columns) !== null)) {
        const stop = state.at
        endNoise(now)
        give(text, startLine, columns)
        window.start = stop
        return true
      }
    }
    vain += state.at - start
    // Not across lines: the next line stands for itself.
    const stop = step === 'done' && (frames.length > 0 || state.line === startLine) ? state.at : start + 1
    state.at = start
    state.line = startLine
    take(now, Math.min(stop, window.end))
    return true
  }

  function endNoise(now: Noise): void {
    noise = null
    if (now.isSeparator || (damaged && now.isCloser)) return
    damaged = true
    pieces.rejected(now.reason, now.text, now.line, ...(now.size > KEPT_CHARS ? [now.size] : []))
  }

  function advance(last: boolean): void {
    for (;;) {
      const frame = frames.at(-1)
      const goesOn =
        noise !== null
          ? stepNoise(noise, last)
          : inValue
            ? stepValue(last)
            : frame === undefined
              ? stepTop(last)
              : frame.kind === 'items'
                ? stepItems(frame, last)
                : stepTail(frame, last)
      if (!goesOn) return
    }
  }

  return {
    write(chunk) {
      shiftScan(state, window.add(chunk))
      advance(false)
    },
    end() {
      advance(true)
      while (inValue) {
        remains = true
        state.at = Math.min(state.at, window.end)
        const where = `the text ends inside the record that begins on line ${startLine}`
        const at = [state.line, window.base + state.at] as const
        confine('not JSON: the text ends inside the record')
        // Cut inside a record that is spread over lines: the file is cut. Cut inside a line: that line is corrupt.
        if (noise?.spread) cut = new Damage(where, ...at, true)
        advance(true)
      }
      const open = frames.at(-1)
      if (open !== undefined && !hidden)
        throw new Damage(`the text ends inside the array that begins on line ${open.line}`, state.line, window.base + Math.min(state.at, window.end), remains)
      if (cut !== null) throw cut
    },
  }
}

/** The texts inside a string that holds JSON, or of the items of an array; null when there is nothing in it that could be a record. */
function innerTexts(text: string, value: Json): readonly string[] | null {
  if (typeof value === 'string') {
    const inner = value.replace(/^\uFEFF/, '').trim()
    return /^[{["]/.test(inner) && tryParse(inner) !== undefined ? [inner] : null
  }
  if (!Array.isArray(value) || !value.some((item) => (typeof item === 'string' ? /^\s*[{["]/.test(item) : item !== null && typeof item === 'object')))
    return null
  return itemTexts(text)
}

/** The value of a JSON text, or undefined. */
function tryParse(text: string): Json | undefined {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}
