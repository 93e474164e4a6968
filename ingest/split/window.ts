/** The part of a stream of bytes that is still needed: from the start of what is being read to the last byte that has come. */
export class Window {
  bytes: Buffer
  /** Bytes before it are no longer needed. */
  start = 0
  end = 0
  /** Bytes of the stream before `bytes[0]`. */
  base = 0

  /** @param room the first size; it grows as values need. */
  constructor(room: number) {
    this.bytes = Buffer.allocUnsafe(room)
  }

  /** Takes the next bytes; gives by how much those that were there have moved towards the beginning. */
  add(chunk: Uint8Array): number {
    const moved = this.#makeRoom(chunk.length)
    this.bytes.set(chunk, this.end)
    this.end += chunk.length
    return moved
  }

  #makeRoom(length: number): number {
    if (this.end + length <= this.bytes.length) return 0
    const moved = this.start
    const kept = this.end - moved
    const target = kept + length <= this.bytes.length ? this.bytes : Buffer.allocUnsafe(Math.max(2 * this.bytes.length, kept + length))
    this.bytes.copy(target, 0, moved, this.end)
    this.bytes = target
    this.base += moved
    this.end = kept
    this.start = 0
    return moved
  }

  text(from: number, to: number): string {
    return this.bytes.toString('utf8', from, to)
  }

  /** Position of the byte from `from` on and before `to`, or -1. */
  find(byte: number, from: number, to = this.end): number {
    const found = this.bytes.subarray(0, to).indexOf(byte, from)
    return found
  }
}

/** White space of JSON. */
export function isBlank(byte: number | undefined): boolean {
  return byte === 32 || byte === 10 || byte === 13 || byte === 9
}
