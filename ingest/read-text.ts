import type { RawRecord, RecordContext, Rejection } from '#core/record.ts'
import { keptText, recordsIn } from './records-in.ts'
import { NotJson } from './split/damage.ts'
import { createSplitter } from './split/splitter.ts'
import type { Pieces, Splitter } from './split/splitter.ts'
import { tableReaders } from './tables/index.ts'
import { HEAD_BYTES } from './text-reader.ts'

/** What becomes of the records of one text. */
export interface Reading {
  readonly record: (record: RawRecord) => void
  readonly reject: (rejection: Rejection) => void
  /** Awaited between chunks, so that the receiver can hold the reader back. */
  readonly turn: () => Promise<void>
  readonly context: RecordContext
}

/**
 * Reads one text into records: split, taken out of their envelopes, masked. A foreign text (an image, a table, a script) is one
 * rejection and is not read further; an empty one is nothing. Throws when the text cannot be read to its end: `Damage` names line and
 * byte, other errors come from the bytes. What was complete before that has been handed over.
 */
export async function readText(file: string, bytes: AsyncIterable<Buffer>, reading: Reading): Promise<void> {
  let index = 0
  const reject = (reason: string, text: string, line: number | null): void => {
    reading.reject({
      origin: { file, line, index: index++ },
      reason,
      text: keptText(text),
    })
  }
  const pieces: Pieces = {
    record(text, value, line) {
      for (const found of recordsIn(text, value)) {
        if ('reject' in found) reject(found.reject, found.text, line)
        else reading.record({ ...found, origin: { file, line, index: index++ }, context: reading.context })
      }
    },
    rejected: reject,
  }
  let head: Buffer | null = null
  try {
    let splitter: Splitter | null = null
    for await (const chunk of withHead(bytes)) {
      head ??= Buffer.from(chunk.subarray(0, 512))
      splitter ??= chooseReader(chunk, pieces)
      splitter.write(chunk)
      await reading.turn()
    }
    splitter?.end()
  } catch (error) {
    if (!(error instanceof NotJson)) throw error
    const foreign = describe(head ?? Buffer.alloc(0))
    reject(foreign.kind ? `not JSON: ${foreign.kind}` : error.message, foreign.text, foreign.kind ? null : 1)
  }
  await reading.turn()
}

/** The same bytes, the first chunk not shorter than what decides about the reader. */
async function* withHead(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let head: Buffer[] | null = []
  let length = 0
  for await (const chunk of bytes) {
    if (head === null) {
      yield chunk
      continue
    }
    head.push(chunk)
    length += chunk.length
    if (length < HEAD_BYTES && head[0]![0] !== BRACE) continue
    yield head.length === 1 ? head[0]! : Buffer.concat(head)
    head = null
  }
  if (head !== null && length > 0) yield Buffer.concat(head)
}

const BRACE = 123

/** Most texts are JSON; for the others the readers of `tables/` are asked. */
function chooseReader(first: Buffer, pieces: Pieces): Splitter {
  if (first[0] !== BRACE) {
    const head = first.toString('utf8', 0, HEAD_BYTES)
    const reader = tableReaders.find((one) => one.fits(head, first.length < HEAD_BYTES))
    if (reader) return reader.open(pieces)
  }
  return createSplitter(pieces)
}

const MAGIC: readonly (readonly [string, string])[] = [
  ['89504e47', 'a PNG image'],
  ['ffd8ff', 'a JPEG image'],
  ['47494638', 'a GIF image'],
  ['25504446', 'a PDF document'],
  ['7f454c46', 'a program'],
  ['53514c69746520666f726d6174', 'an SQLite database'],
  ['50415231', 'a Parquet file'],
  ['4f626a01', 'an Avro file'],
  ['28b52ffd', 'zstd-compressed data, which is not supported'],
  ['425a68', 'bzip2-compressed data, which is not supported'],
  ['fd377a58', 'xz-compressed data, which is not supported'],
]

/** What a foreign text is. Of a foreign file only the first line is kept, shortened: what else is in it is none of our business. */
function describe(head: Buffer): { readonly kind: string | null; readonly text: string } {
  const hex = head.toString('hex')
  const magic = MAGIC.find(([start]) => hex.startsWith(start))
  if (magic) return { kind: magic[1], text: `hex ${hex.slice(0, 32)}` }
  if (head.includes(0)) return { kind: 'binary data', text: `hex ${hex.slice(0, 32)}` }
  return {
    kind: null,
    text: (head.toString('utf8').trimStart().split('\n')[0] ?? '').slice(0, 200),
  }
}
