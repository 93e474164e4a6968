/**
 * The byte-level grammar of JSON: finds where a value ends without building it, at a chunk's pace and with constant memory. Only
 * the structure is checked here; `JSON.parse` of the slice judges numbers, literals and escapes. So a value with a bare word that
 * JSON does not know (`NaN`, `None`) has an end all the same, and costs itself alone.
 */
const VALUE = 0
const VALUE_OR_END = 1
const KEY_OR_END = 2
const KEY = 3
const COLON = 4
const COMMA_OR_END = 5

const OBJECT = 1
const ARRAY = 2

/** Deeper values are refused: walkers further on recurse, and no log nests like this. */
export const MAX_DEPTH = 2048

/** Where a scan stands. Positions are indexes into the buffer that `scan` was given. */
export interface Scan {
  at: number
  line: number
  depth: number
  expect: number
  inString: boolean
  inScalar: boolean
  /** Key of depth 1 or 2 that was read last, as positions inside its quotes. */
  keyStart: number
  keyEnd: number
  readonly stack: Uint8Array
}

export type Step = 'more' | 'done' | 'array' | 'damage'

export function newScan(): Scan {
  return {
    at: 0,
    line: 1,
    depth: 0,
    expect: VALUE,
    inString: false,
    inScalar: false,
    keyStart: -1,
    keyEnd: -1,
    stack: new Uint8Array(MAX_DEPTH + 1),
  }
}

/** Makes the scan expect a new value at its present position. */
export function beginValue(scan: Scan): void {
  scan.depth = 0
  scan.expect = VALUE
  scan.inString = false
  scan.inScalar = false
  scan.keyStart = -1
  scan.keyEnd = -1
}

/** Makes the scan continue inside an object (in an object, with depth 2) right after one of its members. */
export function resumeObject(scan: Scan, depth: number): void {
  beginValue(scan)
  scan.depth = depth
  scan.stack[1] = OBJECT
  scan.stack[2] = OBJECT
  scan.expect = COMMA_OR_END
}

/** Moves all positions, because the bytes have moved. */
export function shiftScan(scan: Scan, by: number): void {
  scan.at -= by
  scan.keyStart -= by
  scan.keyEnd -= by
}

/**
 * Goes on until the value is complete (`done`: `at` is behind it), the buffer is used up (`more`), an array begins as a member of
 * the outermost object, or as `hits` of an object in it (`array`: `at` is on its bracket; call `enterArray` to go on), or the grammar
 * is broken (`damage`: `at` is on the culprit). With `lineBound` an opening brace in a line's first column is damage, too.
 */
export function scan(state: Scan, bytes: Buffer, end: number, lineBound: boolean): Step {
  const { stack } = state
  let { at, line, depth, expect, inString, inScalar } = state
  let step: Step = 'more'

  loop: while (at < end) {
    if (inString) {
      while (at < end) {
        const byte = bytes[at]!
        if (byte === 34) break
        if (byte === 92) at += 2
        else if (byte < 32) {
          step = 'damage'
          break loop
        } else at++
      }
      if (at >= end) break
      inString = false
      if (expect === KEY) {
        if (depth <= 2) state.keyEnd = at
        expect = COLON
      } else expect = COMMA_OR_END
      at++
      if (depth === 0) {
        step = 'done'
        break
      }
      continue
    }
    const byte = bytes[at]!
    if (inScalar) {
      if ((byte >= 48 && byte <= 57) || (byte >= 97 && byte <= 122) || (byte >= 65 && byte <= 90) || byte === 43 || byte === 45 || byte === 46) {
        at++
        continue
      }
      inScalar = false
      expect = COMMA_OR_END
      if (depth === 0) {
        step = 'done'
        break
      }
    }
    switch (byte) {
      case 10:
        line++
        at++
        continue
      case 32:
      case 9:
      case 13:
        at++
        continue
      case 34:
        if (expect === KEY_OR_END || expect === KEY) {
          if (depth <= 2) state.keyStart = at + 1
          expect = KEY
        } else if (expect > VALUE_OR_END) {
          step = 'damage'
          break loop
        }
        inString = true
        at++
        continue
      case 58:
        if (expect !== COLON) {
          step = 'damage'
          break loop
        }
        expect = VALUE
        at++
        continue
      case 44:
        if (expect !== COMMA_OR_END) {
          step = 'damage'
          break loop
        }
        expect = stack[depth] === OBJECT ? KEY : VALUE
        at++
        continue
      case 123:
      case 91:
        if (expect > VALUE_OR_END || depth >= MAX_DEPTH || (lineBound && byte === 123 && depth > 0 && bytes[at - 1] === 10)) {
          step = 'damage'
          break loop
        }
        if (byte === 91 && stack[depth] === OBJECT && (depth === 1 || (depth === 2 && stack[1] === OBJECT && isHits(state, bytes)))) {
          step = 'array'
          break loop
        }
        depth++
        stack[depth] = byte === 123 ? OBJECT : ARRAY
        expect = byte === 123 ? KEY_OR_END : VALUE_OR_END
        at++
        continue
      case 125:
      case 93: {
        const open = byte === 125 ? OBJECT : ARRAY
        const mayEnd = expect === COMMA_OR_END || expect === (open === OBJECT ? KEY_OR_END : VALUE_OR_END)
        if (depth === 0 || stack[depth] !== open || !mayEnd) {
          step = 'damage'
          break loop
        }
        depth--
        expect = COMMA_OR_END
        at++
        if (depth === 0) {
          step = 'done'
          break loop
        }
        continue
      }
      default:
        if (expect > VALUE_OR_END || !((byte >= 48 && byte <= 57) || (byte >= 97 && byte <= 122) || (byte >= 65 && byte <= 90) || byte === 45 || byte === 43)) {
          step = 'damage'
          break loop
        }
        inScalar = true
        at++
    }
  }
  state.at = at
  state.line = line
  state.depth = depth
  state.expect = expect
  state.inString = inString
  state.inScalar = inScalar
  return step
}

/** Elasticsearch and OpenSearch answer with `{"hits":{"hits":[…]}}`: the one wrapper in a wrapper that grows without bound. */
function isHits(state: Scan, bytes: Buffer): boolean {
  return state.keyEnd - state.keyStart === 4 && bytes.readUInt32BE(state.keyStart) === 0x68697473
}

/** Takes the array that `scan` stopped at as a part of the value. */
export function enterArray(state: Scan): true {
  state.depth++
  state.stack[state.depth] = ARRAY
  state.expect = VALUE_OR_END
  state.at++
  return true
}
