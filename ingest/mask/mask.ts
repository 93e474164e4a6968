import type { Json, JsonObject } from '#core/record.ts'
import { members, skipSpace } from '../json-text.ts'
import { contentRule, keepUsage } from './bodies.ts'
import { BODY_KEYS, MASKED, isHarmless, isSecretKey, maskLooks, maySecret, plainKey } from './words.ts'

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
  if (!maySecret(text)) return { value, text, masked: [] }
  const edits: Edit[] = []
  collect(text, skipSpace(text, 0), [], contentRule(value), edits, 0)
  if (edits.length === 0) return { value, text, masked: [] }
  const result = apply(text, edits)
  return { value: JSON.parse(result) as JsonObject, text: result, masked: [...new Set(edits.map((edit) => edit.pointer))] }
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

function collect(text: string, start: number, path: readonly string[], content: ReturnType<typeof contentRule>, edits: Edit[], nesting: number): void {
  for (const member of members(text, start)) {
    const here = [...path, member.key]
    const plain = plainKey(member.key)
    const first = text.charCodeAt(member.start)
    const raw = text.slice(member.start, member.end)
    const replacement = BODY_KEYS.has(plain)
      ? JSON.stringify(keepUsage(JSON.parse(raw) as Json))
      : content?.(here)
        ? JSON.stringify(MASKED)
        : first === 34
          ? maskString(raw, isSecretKey(plain), nesting)
          : null
    if (replacement !== null) {
      if (replacement !== raw) edits.push({ start: member.start, end: member.end, text: replacement, pointer: pointer(here) })
    } else if (first === 123) collect(text, member.start, here, content, edits, nesting)
    else if (first === 91) {
      if (isSecretKey(plain)) maskItems(text, member.start, here, edits)
      else collect(text, member.start, here, content, edits, nesting)
    }
  }
}

/** A list of credentials under one key. */
function maskItems(text: string, start: number, path: readonly string[], edits: Edit[]): void {
  for (const item of members(text, start)) {
    if (text.charCodeAt(item.start) === 34) edits.push({ start: item.start, end: item.end, text: JSON.stringify(MASKED), pointer: pointer([...path, item.key]) })
  }
}

/** The replacement of a string (with its quotes), or the same text when there is nothing to mask in it. */
function maskString(raw: string, secret: boolean, nesting: number): string {
  const value = JSON.parse(raw) as string
  if (secret) return isHarmless(value) ? raw : JSON.stringify(MASKED)
  const masked = maskInner(value, nesting)
  return masked === value ? raw : JSON.stringify(masked)
}

/** Log Analytics columns and some request bodies are JSON in a string: the rules go on inside. */
function maskInner(value: string, nesting: number): string {
  const first = value.trimStart()[0]
  if (nesting < 4 && (first === '{' || first === '[') && maySecret(value)) {
    try {
      const inner = JSON.parse(value) as Json
      if (inner !== null && typeof inner === 'object') {
        const edits: Edit[] = []
        collect(value, skipSpace(value, 0), [], null, edits, nesting + 1)
        return apply(value, edits)
      }
    } catch {
      return maskText(value)
    }
  }
  return maskLooks(value)
}

function pointer(path: readonly string[]): string {
  return path.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

const LOOSE =
  /((?:session_?token|web_?identity_?token|saml_?assertion|secret_?access_?key|secret_?key|token_?prefix|access_?token|refresh_?token|id_?token|subject_?token|actor_?token|client_?assertion|assertion|client_?secret|secret_?text|private_?key(?:_?data)?|x-amz-id-2|x-amz-security-token|authorization|password|passwd|bearer_?token|signed_?jwt|signed_?blob|key_?string|service_?api_?key_?value|service_?password|api_?key|secret|token)\\*["']?\s*[:=]\s*\\*["']?)([^"'\\\s,;&}]+)/gi
const LOOSE_BODY = /(?:input_?body_?json|output_?body_?json|full_?request|full_?response|request_?payload|response_?payload|otel_?log|\\*"(?:contents|instances|candidates|predictions|messages|prompt)\\*")/i

/**
 * Masks a text that is no JSON (any more), by its looks alone and rather too much than too little. Nothing behind the first sign of a
 * model's request or answer is kept: where a prompt ends cannot be told in a damaged text.
 */
export function maskText(text: string): string {
  const body = LOOSE_BODY.exec(text)
  const safe = body ? `${text.slice(0, body.index)}${body[0]}${MASKED}` : text
  return maskLooks(safe).replace(LOOSE, (all, key: string, value: string) => (value.startsWith(MASKED.slice(0, 3)) ? all : `${key}${MASKED}`))
}
