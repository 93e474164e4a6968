/** Bytes that decide about the encoding of a text. */
const SAMPLE = 64

type Decoder = InstanceType<typeof TextDecoder>

/**
 * Bytes as UTF-8 without a byte-order mark. Windows tools write UTF-16 (PowerShell's `>`), with a mark or without one; it is converted,
 * and byte offsets in error messages then count the converted text. Files that were put together have marks in their middle: one that
 * turns the order of bytes round is followed, and the others are left to whoever reads the text. Invalid UTF-8 becomes U+FFFD, as
 * everywhere in JavaScript.
 */
export async function* asUtf8(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let head: Buffer | null = Buffer.alloc(0)
  let wide: Utf16 | null = null
  for await (const chunk of source) {
    let bytes = chunk
    if (head) {
      bytes = head.length > 0 ? Buffer.concat([head, chunk]) : chunk
      head = bytes.length < SAMPLE ? bytes : null
      if (head) continue
      wide = utf16(bytes)
      if (!wide) bytes = withoutMark(bytes)
    }
    yield wide ? wide.decode(bytes) : bytes
  }
  if (head && head.length > 0) {
    wide = utf16(head)
    yield wide ? wide.decode(head) : withoutMark(head)
  }
  if (wide) yield wide.end()
}

function withoutMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes
}

/** UTF-16 by its mark, or by every second byte of the beginning being zero (text that begins with ASCII, as all logs do). */
function utf16(head: Buffer): Utf16 | null {
  if (head[0] === 0xff && head[1] === 0xfe) return new Utf16('utf-16le')
  if (head[0] === 0xfe && head[1] === 0xff) return new Utf16('utf-16be')
  const pairs = Math.min(head.length, SAMPLE) >> 1
  if (pairs < 2) return null
  let [low, high] = [true, true]
  for (let at = 0; at < 2 * Math.min(pairs, 8); at += 2) {
    low &&= head[at] !== 0 && head[at + 1] === 0
    high &&= head[at] === 0 && head[at + 1] !== 0
  }
  return low ? new Utf16('utf-16le') : high ? new Utf16('utf-16be') : null
}

class Utf16 {
  #decoder: Decoder
  #encoding: 'utf-16le' | 'utf-16be'
  /** A byte whose other half has not come. */
  #half: Buffer = Buffer.alloc(0)

  constructor(encoding: 'utf-16le' | 'utf-16be') {
    this.#encoding = encoding
    this.#decoder = new TextDecoder(encoding)
  }

  decode(chunk: Buffer): Buffer {
    const bytes = this.#half.length > 0 ? Buffer.concat([this.#half, chunk]) : chunk
    const whole = bytes.length & ~1
    this.#half = Buffer.from(bytes.subarray(whole))
    let text = ''
    let from = 0
    for (let at = this.#turn(bytes, 0, whole); at >= 0; at = this.#turn(bytes, from, whole)) {
      text += this.#decoder.decode(bytes.subarray(from, at))
      this.#encoding = this.#encoding === 'utf-16le' ? 'utf-16be' : 'utf-16le'
      this.#decoder = new TextDecoder(this.#encoding)
      from = at
    }
    return Buffer.from(text + this.#decoder.decode(bytes.subarray(from, whole), { stream: true }))
  }

  end(): Buffer {
    return Buffer.from(this.#decoder.decode(this.#half))
  }

  /** Where the mark of the other order stands, which is no character of this one (U+FFFE); -1: nowhere. */
  #turn(bytes: Buffer, from: number, to: number): number {
    const mark = this.#encoding === 'utf-16le' ? '\u{FE}\u{FF}' : '\u{FF}\u{FE}'
    for (let at = bytes.indexOf(mark, from, 'latin1'); at >= 0 && at + 1 < to; at = bytes.indexOf(mark, at + 1, 'latin1')) if (at % 2 === 0) return at
    return -1
  }
}
