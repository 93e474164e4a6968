import { createHash } from 'node:crypto'
import { StringDecoder } from 'node:string_decoder'

/** Length and SHA-256 of what comes. */
export async function hashed(parts: AsyncIterable<Buffer>): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const part of parts) {
    hash.update(part)
    bytes += part.length
  }
  return { bytes, sha256: hash.digest('hex') }
}

/** The lines of a text in UTF-8, each ended by LF alone (readline would also end them at other characters that records may hold). */
export async function* lines(parts: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  for await (const part of parts) {
    const pieces = (rest + decoder.write(part)).split('\n')
    rest = pieces.pop()!
    yield* pieces
  }
  rest += decoder.end()
  if (rest !== '') yield rest
}
