/**
 * Lines with something before the record: CloudWatch Logs as its export to S3 writes them (time), `aws logs tail` (time and stream; with `--format json` the record is
 * spread over the lines below), `--output text` of the AWS CLI (cells before and behind), logs of containers and of syslog.
 */
import { stringEnd } from '#core/json-text.ts'
import { parseJson } from '#core/parse-json.ts'
import { KEPT_CHARS } from '#core/record.ts'
import type { JsonObject } from '#core/record.ts'
import type { Pieces, Splitter } from '../split/splitter.ts'
import type { TextReader } from '../text-reader.ts'

/** A larger record is refused, as everywhere (split/splitter.ts). */
const MAX_RECORD = 16 * 1024 * 1024
/** What stands before a record, in characters: a time, the names of a host, a group and a stream. */
const MAX_PREFIX = 1_024
/** A line that begins anew whatever came before it. */
const TIME = /^\[?(?:\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}|<\d{1,3}>\d? ?|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d{2}:\d{2}:\d{2} )/

export const prefixedReader: TextReader = {
  fits(head, whole) {
    const lines = head.split('\n')
    // The last line may be cut.
    const complete = whole ? lines : lines.slice(0, -1)
    if (/^[[{]/.test(head.trimStart())) return false
    const first = complete.filter((line) => line.trim() !== '').slice(0, 20)
    if (first.some((line) => line.length < 60_000 && /^[^{}]{1,1024}\{\s*"/.test(line) && !isCut(line) && recordsIn(line) !== null)) return true
    // One line larger than the head, or `--format json`.
    return TIME.test(head) && /^[^\n{}]{1,1024}\n?\{\s*"/.test(head.replaceAll('\r', ''))
  },
  open,
}

/** The rest of a record whose beginning is in another file, rather than something before one. */
function isCut(line: string): boolean {
  return /"\s*[:,]/.test(line.slice(0, line.indexOf('{')))
}

interface Found {
  readonly text: string
  readonly value: JsonObject
}

/** The object in a line, with at most a short text before it and no second one behind; null where there is none. */
function recordsIn(line: string): readonly Found[] | null {
  const start = line.indexOf('{')
  if (start < 0 || start > MAX_PREFIX) return null
  const end = objectEnd(line, start)
  if (end === null) return null
  const text = line.slice(start, end)
  try {
    const found = { text, value: parseJson(text) as JsonObject }
    if (!line.includes('{', end)) return [found]
    const more = recordsIn(line.slice(end))
    return more === null ? null : [found, ...more]
  } catch {
    return null
  }
}

/** Where the object ends that begins at `start`; null when it does not end in the text. */
function objectEnd(text: string, start: number): number | null {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 34) at = stringEnd(text, at) - 1
    else if (code === 123) depth++
    else if (code === 125 && --depth === 0) return at + 1
  }
  return null
}

/** How many objects a line leaves open; strings do not span lines. */
function openedIn(line: string): number {
  let depth = 0
  for (let at = 0; at < line.length; at++) {
    const code = line.charCodeAt(at)
    if (code === 34) at = stringEnd(line, at) - 1
    else if (code === 123) depth++
    else if (code === 125) depth--
  }
  return depth
}

function open(pieces: Pieces): Splitter {
  let bytes: Buffer = Buffer.alloc(0)
  let line = 0
  /** A line that the record may follow, or the lines of a record so far, with how many objects are open. */
  let held: { readonly lines: string[]; readonly from: number; size: number; depth: number } | null = null
  let skipping = false

  const refuse = (text: string, from: number, reason: string): void => pieces.rejected(reason, text.slice(0, KEPT_CHARS), from)

  function letGo(): void {
    if (held !== null) refuse(held.lines.join('\n'), held.from, held.depth > 0 ? 'no record: the object does not end' : 'no record in this line')
    held = null
  }

  /** Hands over what a text holds; false when that is nothing. */
  function give(text: string, from: number): boolean {
    const found = recordsIn(text)
    for (const one of found ?? []) pieces.record(one.text, one.value, from)
    return found !== null
  }

  function take(text: string): void {
    line++
    if (text.trim() === '') return
    const begins = text.trimStart().startsWith('{')
    if (held !== null && (TIME.test(text) || held.size + text.length > MAX_RECORD || (held.depth === 0 && !begins))) letGo()
    if (held !== null) {
      held.lines.push(text)
      held.size += text.length
      held.depth += openedIn(text)
      if (held.depth > 0) return
      const { lines, from } = held
      held = null
      if (!give(lines.join('\n'), from)) refuse(lines.join('\n'), from, 'no record: what follows the { is no JSON')
      return
    }
    if (give(text, line)) return
    const start = text.indexOf('{')
    const depth = start < 0 ? 0 : openedIn(text.slice(start))
    // The record may begin on the next line, or end on a later one.
    if ((TIME.test(text) && start < 0) || (depth > 0 && (TIME.test(text) || begins))) held = { lines: [text], from: line, size: text.length, depth }
    else refuse(text, line, start < 0 ? 'no record in this line' : 'no record: what follows the { is no JSON')
  }

  return {
    write(chunk) {
      const before = bytes.length
      bytes = before === 0 ? Buffer.from(chunk) : Buffer.concat([bytes, chunk])
      let start = 0
      for (let end = bytes.indexOf(10, before); end >= 0; end = bytes.indexOf(10, start)) {
        if (skipping) line++
        else take(textOf(bytes.subarray(start, end)))
        skipping = false
        start = end + 1
      }
      bytes = bytes.subarray(start)
      if (bytes.length <= MAX_RECORD) return
      if (!skipping) refuse(bytes.toString('utf8', 0, KEPT_CHARS), line + 1, `larger than ${MAX_RECORD} bytes`)
      skipping = true
      bytes = Buffer.alloc(0)
    },
    end() {
      if (bytes.length > 0 && !skipping) take(textOf(bytes))
      letGo()
    },
  }
}

function textOf(bytes: Buffer): string {
  return bytes
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .replace(/\r$/, '')
}
