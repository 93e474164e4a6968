import { parseJson } from '#core/parse-json.ts'
import type { JsonObject } from '#core/record.ts'
import { skipSpace, stringEnd, valueEnd } from '#core/json-text.ts'
import { contentRule, keepUsage } from './bodies.ts'
import { suspect } from './suspect.ts'
import { MASKED, maskLooks, mayLookSecret } from '#core/secret-looks.ts'
import { isHarmless, keyKind } from './words.ts'
import type { KeyKind } from './words.ts'

/** A record with its credentials, prompts and completions taken out. `masked` are JSON pointers in document order. */
export interface MaskedRecord {
  readonly value: JsonObject
  readonly text: string
  readonly masked: readonly string[]
}

interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
  readonly pointer: string
}

/**
 * Masks a record before it leaves ingest: what is not handed over cannot be stored, logged or exported. Exactly the value that is
 * masked is replaced in the text, so the rest stays as its cloud wrote it, duplicate keys included (JSON.parse would hide all but
 * the last of them). A record without anything to mask is given back as it is.
 */
export function mask(value: JsonObject, text: string): MaskedRecord {
  const content = contentRule(value)
  if (!content && !suspect(value, text)) return { value, text, masked: [] }
  const edits: Edit[] = []
  collect(text, skipSpace(text, 0), [], content, edits, 0)
  if (edits.length === 0) return { value, text, masked: [] }
  const result = apply(text, edits)
  return {
    value: parseJson(result) as JsonObject,
    text: result,
    masked: [...new Set(edits.map((edit) => edit.pointer))],
  }
}

function apply(text: string, edits: readonly Edit[]): string {
  let result = ''
  let at = 0
  for (const edit of edits) {
    result += text.slice(at, edit.start) + edit.text
    at = edit.end
  }
  return result + text.slice(at)
}

/**
 * Walks the object or array that begins at `start`, notes what is to be replaced, and gives the position behind it. One pass: the
 * text is accepted JSON, so only keys and strings need a look.
 */
function collect(
  text: string,
  start: number,
  path: string[],
  content: ReturnType<typeof contentRule>,
  edits: Edit[],
  nesting: number,
  secretItems = false,
): number {
  const array = text.charCodeAt(start) === 91
  let at = skipSpace(text, start + 1)
  for (let index = 0; at < text.length; index++) {
    const close = text.charCodeAt(at)
    if (close === 125 || close === 93) return at + 1
    let key = ''
    if (array) key = String(index)
    else {
      const end = stringEnd(text, at)
      key = decode(text.slice(at, end))
      if (keyKind(key) === 'named') {
        const plain = key
        key = maskLooks(plain)
        edits.push({ start: at, end, text: JSON.stringify(key), pointer: pointer([...path, key]) })
      }
      at = skipSpace(text, skipSpace(text, end) + 1)
    }
    path.push(key)
    at = collectValue(text, at, array ? null : keyKind(key), path, content, edits, nesting, secretItems)
    path.pop()
    at = skipSpace(text, at)
    if (text.charCodeAt(at) === 44) at = skipSpace(text, at + 1)
  }
  return at
}

function collectValue(
  text: string,
  start: number,
  kind: KeyKind,
  path: string[],
  content: ReturnType<typeof contentRule>,
  edits: Edit[],
  nesting: number,
  secretItem: boolean,
): number {
  const first = text.charCodeAt(start)
  const body = kind === 'body'
  if (body || content?.(path)) {
    const end = valueEnd(text, start)
    const raw = text.slice(start, end)
    const replacement = JSON.stringify(body ? keepUsage(parseJson(raw)) : MASKED)
    if (replacement !== raw) edits.push({ start, end, text: replacement, pointer: pointer(path) })
    return end
  }
  if (first === 34) {
    const end = stringEnd(text, start)
    const raw = text.slice(start, end)
    const replacement = maskString(raw, secretItem || kind === 'secret', nesting)
    if (replacement !== raw) edits.push({ start, end, text: replacement, pointer: pointer(path) })
    return end
  }
  // A list under a secret key is a list of secrets; an object under one is looked at by its own keys (`authorization: {scope: …}`).
  if (first === 91) return collect(text, start, path, content, edits, nesting, kind === 'secret')
  if (first === 123) return collect(text, start, path, content, edits, nesting)
  return valueEnd(text, start)
}

/** The string that a literal (with its quotes) stands for. */
function decode(raw: string): string {
  return raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1)
}

/** The replacement of a string (with its quotes), or the same text when there is nothing to mask in it. */
function maskString(raw: string, secret: boolean, nesting: number): string {
  const value = decode(raw)
  if (secret) return isHarmless(value) ? raw : JSON.stringify(MASKED)
  const masked = maskInner(value, nesting)
  return masked === value ? raw : JSON.stringify(masked)
}

/** Log Analytics columns and some request bodies are JSON in a string: the rules go on inside. */
function maskInner(value: string, nesting: number): string {
  const first = value.trimStart()[0]
  if (nesting < 4 && (first === '{' || first === '[')) {
    try {
      const inner = parseJson(value)
      if (inner !== null && typeof inner === 'object') {
        const edits: Edit[] = []
        collect(value, skipSpace(value, 0), [], null, edits, nesting + 1)
        return apply(value, edits)
      }
    } catch {
      return maskText(value)
    }
  }
  return mayLookSecret(value) ? maskLooks(value) : value
}

function pointer(path: readonly string[]): string {
  return path.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

const LOOSE =
  /((?:session_?token|web_?identity_?token|saml_?assertion|secret_?access_?key|secret_?key|token_?prefix|access_?token|refresh_?token|id_?token|subject_?token|actor_?token|client_?assertion|assertion|client_?secret|secret_?text|private_?key(?:_?data)?|x-amz-id-2|x-amz-security-token|authorization|password|passwd|bearer_?token|signed_?jwt|signed_?blob|key_?string|service_?api_?key_?value|service_?password|api_?key|secret|token)\\*["']?\s*[:=]\s*\\*["']?)([^"'\\\s,;&}]+)/gi
const LOOSE_BODY =
  /(?:input_?body_?json|output_?body_?json|full_?request|full_?response|request_?payload|response_?payload|otel_?log|\\*"(?:contents|instances|candidates|predictions|messages|prompt)\\*")/i

/**
 * Masks a text that is no JSON (any more), by its looks alone and rather too much than too little. Nothing behind the first sign of a
 * model's request or answer is kept: where a prompt ends cannot be told in a damaged text.
 */
export function maskText(text: string): string {
  const body = LOOSE_BODY.exec(text)
  const safe = body ? `${text.slice(0, body.index)}${body[0]}${MASKED}` : text
  return maskLooks(safe).replace(LOOSE, (all, key: string, value: string) => (value.startsWith(MASKED.slice(0, 3)) ? all : `${key}${MASKED}`))
}
