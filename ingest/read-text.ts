import { createReader } from './reader.ts'
import type { Findings, TextRead } from './reader.ts'
import { HEAD_BYTES } from './text-reader.ts'

/** What becomes of the records of one text. */
export interface Reading extends Findings {
  /** Awaited between chunks, so that the receiver can hold the reader back. */
  readonly turn: () => Promise<void>
}

/**
 * Reads one text into records (reader.ts). Throws when the text cannot be read to its end: `Damage` names line and byte, other errors
 * come from the bytes. What was complete before that has been handed over, and the broken end as a rejection.
 */
export async function readText(file: string, bytes: AsyncIterable<Buffer>, reading: Reading): Promise<TextRead> {
  const reader = createReader(file, reading)
  try {
    for await (const chunk of withHead(bytes)) {
      reader.write(chunk)
      await reading.turn()
      if (reader.done()) break
    }
  } catch (error) {
    try {
      reader.end()
    } catch {
      // That the text is cut is what the error says already.
    }
    throw error
  }
  reader.end()
  await reading.turn()
  return reader.read()
}

const BRACE = 123

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
