/**
 * Credentials that are known by their looks, wherever they stand: in records, in texts that are none, in what callers of the API write.
 * One pass from left to right. No expression runs over a whole text, because a run of some million letters takes an expression's whole
 * stack; what is looked for begins at a pair of characters, and most pairs begin nothing.
 */
import { gunzipSync } from 'node:zlib'
import { isDisguise, undisguised, unescaped } from './escapes.ts'
import { kindOfKey } from './keys.ts'
import type { SecretKey } from './keys.ts'
import { MASKED, isHarmless, isMasked } from './masked.ts'
import { looksRandom, namesSecret } from './shapes.ts'
import { SPOKEN } from './spoken.ts'
import type { Find, Hit } from './spoken.ts'
import { VENDOR_TOKENS } from './vendor-tokens.ts'

const isLetterOrDigit = (code: number): boolean => (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122)

/** What is found, by the pair of ASCII characters that it begins with. */
const FINDERS: Find[][] = Array.from({ length: 128 * 128 }, () => [])
/** Per pair: 1 when something begins so at the beginning of a word, 2 when something does anywhere. */
const BEGINS = new Uint8Array(128 * 128)
const WORD = 1
const ANYWHERE = 2

function on(pair: string, where: typeof WORD | typeof ANYWHERE, find: Find): void {
  const code = (pair.charCodeAt(0) << 7) | pair.charCodeAt(1)
  BEGINS[code]! |= where
  FINDERS[code]!.push(where === ANYWHERE ? find : (text, at) => (at > 0 && isLetterOrDigit(text.charCodeAt(at - 1)) ? null : find(text, at)))
}

/** Characters of tokens: letters, digits and `+ - . / = _ ~`. */
const IN_TOKEN = new Uint8Array(128)
for (let code = 0; code < 128; code++) if (isLetterOrDigit(code) || '+-./=_~'.includes(String.fromCharCode(code))) IN_TOKEN[code] = 1

function tokenEnd(text: string, at: number): number {
  let end = at
  while (end < text.length && IN_TOKEN[text.charCodeAt(end)] === 1) end++
  return end
}

/** Where a token ends, `stop` at the latest. A full stop ends a sentence, and no token. */
function runEnd(text: string, from: number, stop: number, plain: boolean): number {
  let end = from
  const last = Math.min(stop, text.length)
  while (end < last && (plain ? isLetterOrDigit(text.charCodeAt(end)) : IN_TOKEN[text.charCodeAt(end)] === 1)) end++
  while (end > from && text.charCodeAt(end - 1) === 46) end--
  return end
}

for (const [begin, least, alphabet] of VENDOR_TOKENS) {
  on(begin.slice(0, 2), WORD, (text, at) => {
    if (!text.startsWith(begin, at)) return null
    const from = at + begin.length
    const plain = alphabet === 'alphanumeric'
    // What is refused is refused by its beginning, so that no run is walked again and again.
    const near = runEnd(text, from, from + 256, plain)
    if (near - from < least) return null
    if (least >= 10 && !/\d|[a-z][A-Z]|[A-Z][a-z]/.test(text.slice(from, near))) return null
    return { start: from, end: runEnd(text, near, text.length, plain), text: MASKED }
  })
}

/** A JSON Web Token: header and payload are base64url of `{"…`; the signature may be missing, and a token id may hold `eyJ` by chance. */
function token(text: string, at: number): Hit | null {
  // A long run of beginnings is walked once.
  if (at < run.end && text === run.text) return null
  let dot = at
  while (dot < text.length && isBase64Url(text.charCodeAt(dot))) dot++
  run.text = dot - at > 1024 ? text : ''
  run.end = dot
  if (text.charCodeAt(dot) === 46 && dot - at >= 11) {
    let next = dot + 1
    while (next < text.length && isBase64Url(text.charCodeAt(next))) next++
    if (next - dot > 8) return { start: at, end: tokenEnd(text, next), text: MASKED }
  }
  return null
}
const run = { text: '', end: 0 }
const isBase64Url = (code: number): boolean => isLetterOrDigit(code) || code === 45 || code === 95

/** Base64 whose text holds a secret. Only what begins as JSON, PEM or a token does in base64 is worth decoding. */
function encoded(begin: string): Find {
  return (text, at) => {
    if (!text.startsWith(begin, at)) return null
    if (at < decoded.end && text === decoded.text) return null
    let end = at
    while (end < text.length && end - at < MAX_ENCODED && (isBase64Url(text.charCodeAt(end)) || text.charCodeAt(end) === 43 || text.charCodeAt(end) === 47))
      end++
    if (end - at < 16) return null
    const plain = decodedText(text.slice(at, end), begin)
    if (!hasSecret(plain)) {
      if (end - at > 1024) Object.assign(decoded, { text, end })
      return null
    }
    while (end < text.length && IN_TOKEN[text.charCodeAt(end)] === 1) end++
    return { start: at, end, text: MASKED }
  }
}
/** What base64 holds, unpacked where it is gzip's (`H4sI`). */
function decodedText(base64: string, begin: string): string {
  const bytes = Buffer.from(base64, 'base64')
  if (begin !== 'H4sI') return bytes.toString('utf8')
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_ENCODED }).toString('utf8')
  } catch {
    return ''
  }
}
const decoded = { text: '', end: 0 }
const MAX_ENCODED = 256 * 1024
let depth = 0

/** JSON of a request to a model. */
const ASKED = /^\s*\{[^]{0,4000}"(?:\w{0,20}[pP]rompt|inputText|messages|contents)"\s*:\s*[["]/

function hasSecret(plain: string): boolean {
  if (depth > 2) return false
  depth++
  try {
    return ASKED.test(plain) || maskLooks(plain) !== plain
  } finally {
    depth--
  }
}

for (const begin of ['eyJ', 'eyA', 'ewo', 'ew0']) {
  on(begin.slice(0, 2), ANYWHERE, (text, at) => (text.startsWith(begin, at) ? token(text, at) : null))
  on(begin.slice(0, 2), WORD, encoded(begin))
}
/** `#!/`, `#cloud`, `export `, `Content-Type`, `<powershell>`, `<script>`, `<?xml`, `password`, `[default]`: what starts a machine is passed in base64. */
const SCRIPTS = ['dXNlc', 'H4sI', 'IyEv', 'I2Nsb3Vk', 'ZXhwb3J0', 'Q29udGVudC1UeXBl', 'PHBvd2Vyc2hlbGw', 'PHNjcmlwdD', 'PD94bW', 'cGFzc3dvcm', 'W2RlZmF1bHRd']
for (const begin of ['W3s', 'WyJ', 'W3si', 'ZXlK', 'LS0tLS1CRUdJTi', 'UHVUVFktVXNlci', ...SCRIPTS]) on(begin.slice(0, 2), WORD, encoded(begin))

/** Private keys: PEM of every kind, PGP, SSH2, PuTTY; bare ones by the first bytes of their encoding. Without an end they reach to the end of the text. */
on('--', ANYWHERE, (text, at) => {
  if (text.charCodeAt(at + 4) === 45 ? !text.startsWith('-----BEGIN ', at) : !text.startsWith('---- BEGIN ', at)) return null
  const title = text.indexOf('----', at + 10)
  if (title < 0 || title - at > 100 || !text.slice(at, title).toUpperCase().includes('PRIVATE KEY')) return null
  let from = title
  while (text.charCodeAt(from) === 45) from++
  const end = text.indexOf('END ', from)
  let close = end < 0 ? -1 : text.indexOf('----', end)
  while (close >= 0 && text.charCodeAt(close) === 45) close++
  return { start: from, end: close < 0 ? text.length : close, text: MASKED }
})
on('Pu', ANYWHERE, (text, at) => {
  if (!text.startsWith('PuTTY-User-Key-File', at)) return null
  const mac = text.indexOf('Private-MAC:', at)
  return { start: at + 19, end: mac < 0 ? text.length : tokenEnd(text, mac + 13), text: MASKED }
})
for (const begin of [
  'b3BlbnNzaC1rZXktdjE',
  'MIIEvQIBADAN',
  'MIIEvgIBADAN',
  'MIIEvAIBADAN',
  'MIIJQgIBADAN',
  'MIIJQwIBADAN',
  'MIIJRAIBADAN',
  'MIGHAgEAMBMG',
  'MC4CAQAwBQYDK2Vw',
  'MHcCAQEEI',
])
  on(begin.slice(0, 2), ANYWHERE, (text, at) => (text.startsWith(begin, at) ? { start: at, end: tokenEnd(text, at), text: MASKED } : null))
// PKCS#1: the length differs, and RSA's version and modulus follow.
on('MI', ANYWHERE, (text, at) => {
  const found = /^MII[A-Za-z\d+/]{2,4}IBAAKC/.exec(text.slice(at, at + 16))
  return found ? { start: at, end: tokenEnd(text, at), text: MASKED } : null
})

/** Client secrets of Entra, API keys of Azure AI: known by what stands in their middle. */
on('Q~', ANYWHERE, (text, at) => {
  const start = at - 4
  if (start < 0 || !/^[\w~.]{3}\d$/.test(text.slice(start, at))) return null
  const end = tokenEnd(text, at + 2)
  return end - at > 28 ? { start, end, text: MASKED } : null
})
on('JQ', ANYWHERE, (text, at) => {
  if (!text.startsWith('JQQJ99', at)) return null
  let start = at
  while (start > 0 && at - start < 80 && isLetterOrDigit(text.charCodeAt(start - 1))) start--
  return at - start >= 20 ? { start, end: tokenEnd(text, at), text: MASKED } : null
})
on('SK', WORD, (text, at) => (/^SK[\da-f]{32}(?![\w-])/.test(text.slice(at, at + 36)) ? { start: at + 2, end: at + 34, text: MASKED } : null))

/** What an HTTP header shows after the name of its scheme. */
for (const scheme of ['Bearer', 'Basic', 'Negotiate', 'NTLM', 'DPoP', 'SharedKey', 'SharedKeyLite', 'ApiKey', 'Api-Key', 'SSWS', 'Token', 'GoogleLogin'])
  for (const written of new Set([scheme, scheme.toLowerCase(), scheme.toUpperCase()]))
    on(written.slice(0, 2), WORD, (text, at) => {
      if (!text.startsWith(written, at)) return null
      let from = at + written.length
      while (isBlank(text.charCodeAt(from))) from++
      if (from === at + written.length) return null
      let end = from
      while (end < text.length && (IN_TOKEN[text.charCodeAt(end)] === 1 || text.charCodeAt(end) === 58)) end++
      while (end > from && text.charCodeAt(end - 1) === 46) end--
      const value = text.slice(from, Math.min(end, from + 400))
      return shown(scheme, value) ? { start: from, end, text: MASKED } : null
    })

const isBlank = (code: number): boolean => code === 32 || code === 43 || code === 9 || code === 10 || code === 13

function shown(scheme: string, value: string): boolean {
  if (value.length < 8 || isMasked(value)) return false
  if (scheme === 'Basic')
    return /^[A-Za-z\d+/_-]{8,400}={0,2}$/.test(value) && /^[ -~\u0080-\u00ff]{0,200}:[ -~\u0080-\u00ff]/.test(Buffer.from(value, 'base64').toString('latin1'))
  if (scheme === 'Token' || scheme === 'GoogleLogin') return value.length >= 16 && /\d/.test(value) && /[A-Za-z]/.test(value)
  return /[\dA-Z_~+/=-]/.test(value) || value.length >= 20
}

/** `scheme://user:password@host`, and a token alone in the user's place. */
on('//', ANYWHERE, (text, at) => {
  if (text.charCodeAt(at - 1) !== 58) return null
  const from = at + 2
  const farthest = Math.min(text.length, from + 512)
  let colon = -1
  let last = -1
  let slash = -1
  for (let next = from; next < farthest; next++) {
    const code = text.charCodeAt(next)
    if (code <= 32 || code === 34 || code === 39 || code === 60 || code === 62 || code === 92 || code === 44) break
    if (code === 58 && colon < 0) colon = next
    else if (code === 64) last = next
    else if ((code === 47 || code === 63 || code === 35) && slash < 0) {
      slash = next
      // A password with a slash in it is known only by the @ behind it, and by the colon before that begins no port.
      if (colon < 0 || /^:\d{0,5}$/.test(text.slice(colon, slash))) break
    }
  }
  if (last < 0) return null
  if (colon >= 0 && colon < last) return { start: colon + 1, end: last, text: MASKED }
  const user = text.slice(from, last)
  return user.length >= 20 && /\d/.test(user) && /[A-Za-z]/.test(user) && !user.includes('.') ? { start: from, end: last, text: MASKED } : null
})

/** AWS's answer to a refused call: says who may what, to whoever may decode it. */
for (const begin of ['re message: ', 'RE MESSAGE: '])
  on(begin.slice(0, 2), ANYWHERE, (text, at) => {
    if (!text.startsWith(begin, at) || !/encoded authorization failu$/i.test(text.slice(Math.max(0, at - 40), at))) return null
    const from = at + begin.length
    const end = runEnd(text, from, text.length, false)
    return end === from ? null : { start: from, end, text: MASKED }
  })

/** Where a name of a secret may end: a name and a sign together are looked at, others cost nothing. */
const ENDS = [
  'rd',
  'et',
  'en',
  'ey',
  'wd',
  'se',
  'ie',
  'on',
  're',
  'ig',
  'th',
  'de',
  'lt',
  'ed',
  'ac',
  'as',
  'it',
  'am',
  'rf',
  'nt',
  'al',
  'wt',
  'ss',
  'rt',
  'tp',
  'sk',
  'ng',
  'tr',
  'sn',
  'em',
  'fx',
  'er',
  'ue',
  'ta',
  'sh',
  'or',
  'ws',
  'we',
  'id',
  'ds',
  'ts',
  'ns',
  'ys',
  'es',
  'ls',
  'ic',
]
const LAST_TWO = new Uint8Array(128 * 128)
for (const end of ENDS) for (const written of [end, end.toUpperCase()]) LAST_TWO[(written.charCodeAt(0) << 7) | written.charCodeAt(1)] = 1
for (const end of new Set(ENDS.flatMap((two) => [two[1]!, two[1]!.toUpperCase()])))
  for (const sign of '=:>')
    on(end + sign, ANYWHERE, (text, at) => (LAST_TWO[(text.charCodeAt(at - 1) << 7) | text.charCodeAt(at)] === 1 ? assigned(text, at + 1) : null))
for (const end of `0123456789"'\\ ]\``)
  for (const sign of end >= '0' && end <= '9' ? '=' : '=:>') on(end + sign, ANYWHERE, (text, at) => assigned(text, at + 1))

const isNameCode = (code: number): boolean => isLetterOrDigit(code) || code === 95 || code === 45 || code === 46 || code === 36

/** `name=value`, `"name": "value"`, `name => value`, `<name>value</name>`, at whatever depth of quoting. */
function assigned(text: string, sign: number): Hit | null {
  let end = sign
  const sort = text.charCodeAt(sign)
  while (end > 0 && sign - end < 12 && isAround(text.charCodeAt(end - 1))) end--
  let start = end
  while (start > 0 && end - start < 128 && isNameCode(text.charCodeAt(start - 1))) start--
  if (end - start < 3) return privateMember(text, start, end, sign)
  const before = text.charCodeAt(start - 1)
  const tag = sort === 62
  // `<name>`, also with attributes: `<setting name="password">`; not `</name>`.
  if (tag && before !== 60 && before !== 58 && text.charCodeAt(end) === 62) return null
  // `arn:aws:secretsmanager:…:secret:name`, `iam:token`.
  if (sort === 58 && (before === 58 || before === 47)) return null
  const name = text.slice(start, end)
  const kind = kindOfKey(name)
  return named(text, start, end, sign) ?? (kind === null ? null : valueOf(text, sign, kind, name, before, tag))
}

/** Private members of a JSON Web Key (RFC 7518 §6) in a text around it. */
function privateMember(text: string, start: number, end: number, sign: number): Hit | null {
  if (end === start || !/^(?:d|p|q|dp|dq|qi|k)$/.test(text.slice(start, end)) || !text.slice(Math.max(0, start - 4096), start + 4096).includes('kty'))
    return null
  return valueOf(text, sign, 'secret', '', 0, false)
}

const isAround = (code: number): boolean => code === 32 || code === 34 || code === 39 || code === 92 || code === 93 || code === 96

/** `"name": "password", "value": "…"` and `<add key="password" value="…"/>`: the name of the secret is a value itself. */
function named(text: string, start: number, end: number, sign: number): Hit | null {
  if (!/^(?:name|key|field|parameter_?name|parameter_?key|display_?name)$/i.test(text.slice(start, end))) return null
  const around =
    /^[=:>\s"'\\]{1,12}([\w.$-]{2,80})(?:["'\\\s,;>]{1,12}|<[^>]{0,40}>){1,3}(?:(?:value|new_?value|old_?value|string_?value|parameter_?value|content)["'\\\s]{0,8}[=:])?/i.exec(
      text.slice(sign, sign + 300),
    )
  const kind = around ? kindOfKey(around[1]!) : null
  if (!around || kind === null) return null
  return valueOf(text, sign + around[0].length - 1, kind, around[1]!, 0, around[0].endsWith('>'))
}

function valueOf(text: string, sign: number, kind: Exclude<SecretKey, null>, name: string, before: number, tag: boolean): Hit | null {
  let start = sign
  let quote = 0
  let slashes = 0
  for (let run = 0; start < text.length && start - sign < 24; start++) {
    const code = text.charCodeAt(start)
    if (code === 34 || code === 39 || code === 96) {
      // Of an empty value both quotes stand here.
      if (quote === code && run > 0) return null
      quote = code
      let back = start
      while (text.charCodeAt(back - 1) === 92) back--
      slashes = start - back
      run++
    } else if (code !== 61 && code !== 58 && code !== 62 && code !== 32 && code !== 92 && code !== 10 && code !== 13 && code !== 9) break
    else if (quote !== 0 && code !== 92) break
  }
  if (text.startsWith('<![CDATA[', start)) start += 9
  // `N'…'` of SQL, `b"…"` of Python.
  const prefixed = text.charCodeAt(start + 1)
  if (quote === 0 && (prefixed === 39 || prefixed === 34) && isLetterOrDigit(text.charCodeAt(start))) {
    quote = prefixed
    start += 2
  }
  if (kind === 'looks' && start < refused.end && text === refused.text) return null
  const first = text.charCodeAt(start)
  // A block of YAML: `password: >-`, `password: |`.
  const block = first === 45 || first === 43 || first === 124 ? /^\|?[+-]?\d? {0,8}\r?\n\s*/.exec(text.slice(start, start + 40)) : null
  if (block !== null) start += block[0].length
  // `PWD={…}` of a connection string.
  if (first === 123 && kind === 'secret' && text.charCodeAt(start - 1) === 61 && before === 59) {
    const close = text.indexOf('}', start)
    return close < 0 || text.charCodeAt(start + 1) === 34 ? null : { start: start + 1, end: close, text: MASKED }
  }
  // Its members are looked at by their own keys; what is no JSON any more is looked at by others.
  if (first === 123 || first === 91 || Number.isNaN(first)) return null
  const surroundings = { before, tag, header: /^(?:proxy-?)?authorization$|cookie$/i.test(name) && quote === 0 && !tag }
  // What is refused is refused by its beginning, so that a long value under a harmless name is not walked again and again.
  const most = start + MOST_LOOKED_AT
  const near = valueEnd(text, start, quote, slashes, surroundings, most)
  if (near <= start) return null
  const value = text.slice(start, near)
  if (isHarmless(value) || value.includes(MASKED) || namesSecret(value)) return null
  // In the query of an address `code`, `key` and `auth` are grants.
  const query = before === 63 || before === 38 || before === 35
  if (kind === 'looks' && !query && !looksRandom(value)) {
    if (near - start > 256) Object.assign(refused, { text, end: near })
    return null
  }
  // Prose: `invalid token: expired`, `token = none`.
  if (kind === 'object' && quote === 0 && text.charCodeAt(start - 1) !== 61 && !tag && !/[\d+/=_.~-]/.test(value) && value.length < 20) return null
  return { start, end: near < most ? near : valueEnd(text, start, quote, slashes, surroundings, text.length), text: MASKED }
}

const MOST_LOOKED_AT = 4096
const refused = { text: '', end: 0 }

interface Surroundings {
  readonly before: number
  readonly tag: boolean
  readonly header: boolean
}

function valueEnd(text: string, start: number, quote: number, slashes: number, { before, tag, header }: Surroundings, most: number): number {
  const stop = Math.min(most, text.length)
  // `Digest username="x", response="…"` has quotes of its own.
  const parameters = header && /^\s*(?:Digest|OAuth|Hawk|AWS4-HMAC-SHA256|Signature) /i.test(text.slice(start, start + 24))
  for (let at = start; at < stop; at++) {
    const code = text.charCodeAt(at)
    if (tag) {
      if (code === 60 || (code === 93 && text.startsWith(']]>', at))) return at
    } else if (quote !== 0) {
      if (code === quote) {
        let back = at
        while (back > start && text.charCodeAt(back - 1) === 92) back--
        // `\"` inside of `"…"` belongs to the value.
        if (at - back <= slashes) return back
      }
    } else if (header) {
      if (code === 10 || code === 13 || ((code === 34 || code === 39) && !parameters)) return at
    } else if (code <= 32 || code === 34 || code === 39 || code === 60 || code === 62 || code === 92 || code === 96) return at
    // Connection strings go to the semicolon, queries to the ampersand.
    else if (before === 59) {
      if (code === 59) return at
    } else if (code === 38 || code === 59 || code === 44 || code === 125 || code === 93 || code === 41 || code === 124) return at
  }
  return stop
}

/** `--password value`, `-Password value`, `--client-secret=value`. */
for (const first of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ')
  on(`-${first}`, WORD, (text, at) => {
    let start = at
    while (start > 0 && at - start < 2 && text.charCodeAt(start - 1) === 45) start--
    const before = text.charCodeAt(start - 1)
    if (start > 0 && before > 32 && before !== 34 && before !== 39 && before !== 44) return null
    let end = at + 1
    while (end < text.length && end - at < 64 && (isLetterOrDigit(text.charCodeAt(end)) || text.charCodeAt(end) === 45 || text.charCodeAt(end) === 95)) end++
    let from = end
    while (
      from < text.length &&
      from - end < 8 &&
      (text.charCodeAt(from) === 32 || text.charCodeAt(from) === 34 || text.charCodeAt(from) === 39 || text.charCodeAt(from) === 44)
    )
      from++
    if (from === end) return null
    const kind = kindOfKey(text.slice(at + 1, end))
    if (kind === null) return null
    let stop = from
    while (stop < text.length && text.charCodeAt(stop) > 32 && text.charCodeAt(stop) !== 34 && text.charCodeAt(stop) !== 39) stop++
    const value = text.slice(from, Math.min(stop, from + 4096))
    if (value.startsWith('-') || isHarmless(value) || value.includes(MASKED) || namesSecret(value) || (kind === 'looks' && !looksRandom(value))) return null
    return { start: from, end: stop, text: MASKED }
  })

for (const [pairs, word, find] of SPOKEN) for (const pair of pairs.split(' ')) on(pair, word ? WORD : ANYWHERE, find)

/** Escapes: what they hide is looked at when they are taken off. */
const ESCAPES = new Uint8Array(128 * 128)
for (const digit of '234567') ESCAPES[(37 << 7) | digit.charCodeAt(0)] = 1
for (const pair of ['\\u', '\\x', '&#', '&q', '&a', '&l', '&g']) ESCAPES[(pair.charCodeAt(0) << 7) | pair.charCodeAt(1)] = 1

/** True when something in the text may be a secret: one quick pass. */
export function mayLookSecret(text: string): boolean {
  let before = 32
  let disguised = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code >= 128) {
      disguised ||= isDisguise(code)
      before = 32
      continue
    }
    const pair = (before << 7) | code
    const begins = BEGINS[pair]!
    if (begins !== 0 && at > 0) {
      if (begins > WORD || at < 2 || !isLetterOrDigit(text.charCodeAt(at - 2))) for (const find of FINDERS[pair]!) if (find(text, at - 1) !== null) return true
    } else if (ESCAPES[pair] === 1 && isEscape(text, at - 1)) return true
    before = code
  }
  return disguised && maskLooks(text) !== text
}

function isEscape(text: string, at: number): boolean {
  // Most are the slashes of Google's log names and the blanks of addresses, which hide nothing.
  if (text.charCodeAt(at) === 37 && text.charCodeAt(at + 1) === 50 && text.charCodeAt(at - 1) !== 58 && '0CDEFcdef'.includes(text[at + 2] ?? ' ')) return false
  return unescaped(text.slice(at, at + 8)) !== text.slice(at, at + 8)
}

/** The text with every credential in it replaced that is known by its looks. */
export function maskLooks(text: string): string {
  const masked = maskPlain(text)
  const plain = undisguised(unescaped(masked))
  if (plain === masked) return masked
  const shown = maskPlain(plain)
  // Only a text whose escapes hid something is kept without them.
  return shown === plain ? masked : shown
}

function maskPlain(text: string): string {
  let result = ''
  let done = 0
  let before = 32
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    const pair = code >= 128 ? 0 : (before << 7) | code
    before = code >= 128 ? 32 : code
    if (at === 0 || BEGINS[pair] === 0) continue
    for (const find of FINDERS[pair]!) {
      const hit = find(text, at - 1)
      if (hit === null || hit.start < done) continue
      result += text.slice(done, hit.start) + hit.text
      done = hit.end
      at = Math.max(at, hit.end - 1)
      before = text.charCodeAt(at) < 128 ? text.charCodeAt(at) : 32
      break
    }
  }
  return done === 0 ? text : result + text.slice(done)
}

/** A value under its name, as in the query of a request: some credentials are known by the name alone, and one that is pasted alone by chance's look. */
export function maskNamed(name: string, value: string): string {
  const kind = kindOfKey(name)
  if (kind !== null && !isHarmless(value) && (kind !== 'looks' || looksRandom(value))) return MASKED
  const masked = maskLooks(value)
  return masked === value && looksRandom(value) && (value.length >= 32 || /[+/=]/.test(value)) ? MASKED : masked
}
