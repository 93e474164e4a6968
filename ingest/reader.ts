import { cutRefused } from '#core/record.ts'
import type { JsonObject, RawRecord, RecordContext, Rejection } from '#core/record.ts'
import type { Knows } from '#core/sink.ts'
import { foreignKind, firstLine } from './foreign.ts'
import { holdsRecord } from './envelopes/open.ts'
import { keptName, keptReason, keptText, recordsIn } from './records-in.ts'
import { createSplitter } from './split/splitter.ts'
import type { Pieces, Splitter } from './split/splitter.ts'
import { tableReaders } from './tables/index.ts'
import { HEAD_BYTES } from './text-reader.ts'

/** What becomes of the records of one text. */
export interface Findings {
  readonly record: (record: RawRecord) => void
  readonly reject: (rejection: Rejection) => void
  readonly context: RecordContext
  readonly knows: Knows
}

/** What a text turned out to be. */
export interface TextRead {
  /** JSON objects, known or not. */
  readonly objects: number
  /** Places that are none, of a text (not of an image). */
  readonly places: number
}

export interface Reader extends Splitter {
  /** The text is a foreign file: nothing that follows can matter. */
  readonly done: () => boolean
  readonly read: () => TextRead
}

/** Of places that are no records so many are kept one by one, and more only where there are records between them. */
const MAX_PLACES = 1000
/** A text with NUL bytes and without a record up to here is no text. */
const MAX_BINARY = 1024 * 1024

/** Something found whose fate waits until it is known what kind of text this is. */
interface Held {
  readonly text: string
  readonly isPlace: boolean
  readonly keep: () => void
}

/**
 * Reads one text into records, whatever it is: chosen by its beginning a reader of tables/ or the splitter of JSON; then taken out of
 * envelopes, masked, numbered. Every place that is no record is a rejection. A text without anything like a record in it (an image, a
 * script, a table of no known kind) is foreign: one rejection.
 * @param lines the text is what somebody has pushed: every place is told, and nothing is a foreign file
 */
export function createReader(
  file: string,
  { record, reject, context, knows }: Findings,
  { lines = false, room }: { readonly lines?: boolean; readonly room?: number } = {},
): Reader {
  const name = keptName(file)
  let index = 0
  let objects = 0
  let places = 0
  let left = 0
  let lastLine = 0
  let bytes = 0
  /** What was found before it is known that the text is one of records; null afterwards. */
  let held: Held[] | null = lines ? null : []
  let head: Buffer = Buffer.alloc(0)
  let splitter: Splitter | null = null
  let foreign: string | null = null

  const keep = (reason: string, text: string, line: number | null, size?: number): void => {
    const cut = cutRefused(reason, text, size)
    reject({ origin: { file: name, line, index: index++ }, reason: keptReason(cut.reason), text: keptText(cut.text) })
  }
  const release = (): void => {
    const waiting = held ?? []
    held = null
    for (const one of waiting) one.keep()
  }
  const pieces: Pieces = {
    record(text, value, line) {
      objects++
      if (held === null) return handOver(text, value, line)
      // One JSON object among lines of prose makes no log; more objects than other places do, or one known record.
      if (objects > places || holdsRecord(text, value, knows)) {
        release()
        handOver(text, value, line)
      } else hold({ text, isPlace: false, keep: () => handOver(text, value, line) }, line)
    },
    rejected(reason, text, line, size) {
      places++
      if (!lines && places > MAX_PLACES && places > objects) leave(line)
      else if (held === null) keep(reason, text, line, size)
      else hold({ text, isPlace: true, keep: () => keep(reason, text, line, size) }, line)
    },
  }

  function handOver(text: string, value: JsonObject, line: number): void {
    for (const found of recordsIn(text, value, knows)) {
      if ('reject' in found) keep(found.reject, found.text, line)
      else record({ ...found, origin: { file: name, line, index: index++ }, context })
    }
  }

  function hold(one: Held, line: number): void {
    if (held!.length < 2 * MAX_PLACES) held!.push(one)
    else leave(line)
  }

  function leave(line: number): void {
    left++
    lastLine = line
  }

  function choose(first: Buffer): Splitter {
    const reader =
      first[0] === BRACE || lines || head.includes(0)
        ? undefined
        : tableReaders.find((one) => one.fits(first.toString('utf8', 0, HEAD_BYTES), first.length < HEAD_BYTES))
    return reader?.open(pieces) ?? createSplitter(pieces, { holds: (text, value) => holdsRecord(text, value, knows), ...(room === undefined ? {} : { room }) })
  }

  /** Nothing in the text is a record, or the remains of one. */
  function giveUp(kind: string | null): void {
    foreign = kind ?? 'text'
    const begin = firstLine(head)
    held = null
    if (kind === null) keep(`not JSON: it begins with ${JSON.stringify(String.fromCodePoint(begin.codePointAt(0) ?? 32))}`, begin, 1)
    else keep(`not JSON: ${kind}`, `hex ${head.toString('hex', 0, 16)}`, null)
  }

  return {
    write(chunk) {
      if (foreign !== null) return
      if (splitter === null) {
        head = Buffer.from(chunk.subarray(0, 512))
        const kind = lines ? null : foreignKind(head)
        if (kind !== null) return giveUp(kind)
        splitter = choose(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
      }
      bytes += chunk.length
      splitter.write(chunk)
      if (bytes > MAX_BINARY && held !== null && head.includes(0) && isForeign(held)) giveUp('binary data')
    },
    end() {
      if (foreign !== null || splitter === null) return
      let failure: unknown = null
      try {
        splitter.end()
      } catch (error) {
        failure = error
      }
      if (held !== null && held.length > 0 && isForeign(held)) giveUp(head.includes(0) ? 'binary data' : null)
      else release()
      if (left > 0 && foreign === null) keep(`${left} further places that are no records are not kept one by one (up to line ${lastLine})`, '', lastLine)
      if (failure !== null && foreign === null) throw failure
    },
    done: () => foreign !== null,
    read: () => ({ objects: foreign === null ? objects : 0, places: foreign !== null && foreign !== 'text' ? 0 : places }),
  }
}

const BRACE = 123

/** Most places are a text of another kind rather than the remains of a record. */
function isForeign(held: readonly Held[]): boolean {
  const places = held.filter(({ isPlace }) => isPlace)
  return 2 * places.filter(({ text }) => isBroken(text)).length < places.length
}

function isBroken(text: string): boolean {
  return /^\s*(?:\{\s*(?:"|\}|$)|\[\s*[{["])./.test(text) || /^"?(?:\{\\?"|\[\{)/.test(text) || /[}\]"],\s*"\w+"\s*:/.test(text)
}
