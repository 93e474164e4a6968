/**
 * Bytes as UTF-8 without a byte order mark. Windows tools write UTF-16 (PowerShell's `>`), which is converted; its byte offsets in error
 * messages then count the converted text. Invalid UTF-8 becomes U+FFFD, as everywhere in JavaScript.
 */
export async function* asUtf8(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let decoder: InstanceType<typeof TextDecoder> | null = null
  let head: Buffer | null = Buffer.from([])
  for await (const chunk of source) {
    let bytes = chunk
    if (head) {
      bytes = head.length > 0 ? Buffer.concat([head, chunk]) : chunk
      if (bytes.length < 3) {
        head = bytes
        continue
      }
      head = null
      if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) bytes = bytes.subarray(3)
      else if (bytes[0] === 0xff && bytes[1] === 0xfe) decoder = new TextDecoder('utf-16le')
      else if (bytes[0] === 0xfe && bytes[1] === 0xff) decoder = new TextDecoder('utf-16be')
    }
    yield decoder ? Buffer.from(decoder.decode(bytes, { stream: true })) : bytes
  }
  if (head && head.length > 0) yield head
  if (decoder) yield Buffer.from(decoder.decode())
}
