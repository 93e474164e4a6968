/** Texts that are packed into strings: JSON in JSON, base64 of it, gzip in base64. */
import { gunzipSync } from 'node:zlib'

/** More is no log record (the splitter's bound), and a small string can unpack to any size. */
const MAX_UNPACKED = 16 * 1024 * 1024

/** How base64 of a brace or bracket (with white space before or behind it) and of gzip begins. */
const BASE64_START = /^(?:e[wy]|W[w3y]|Cn|IH|DQp|H4sI)/
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}\s*$/

/** The JSON text that a string is or that is packed into it, or null when it is none. Whether it parses is not looked at. */
export function unpack(text: string): string | null {
  const first = firstCode(text)
  if (first === 123 || first === 91 || first === 34) return text.replace(/^\uFEFF/, '').trim()
  if (text.length < 8 || !BASE64_START.test(text) || !BASE64.test(text)) return null
  const bytes = Buffer.from(text, 'base64')
  if (bytes[0] !== 0x1f) return bytes.toString('utf8').trim()
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED }).toString('utf8').trim()
  } catch {
    return null
  }
}

/** The first character that is neither white space nor a byte-order mark. */
function firstCode(text: string): number {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code !== 32 && code !== 10 && code !== 13 && code !== 9 && code !== 0xfeff) return code
  }
  return 0
}
