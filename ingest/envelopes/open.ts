import { itemTexts, memberText } from '#core/json-text.ts'
import { jsonFault, parseJson } from '#core/parse-json.ts'
import type { Json, JsonObject } from '#core/record.ts'
import type { Knows } from '#core/sink.ts'
import { createSplitter } from '../split/splitter.ts'
import { asRow, mayWrap, namedRow, wrapper } from '../split/wrappers.ts'
import { asObject } from './envelope.ts'
import { namedEnvelope } from './named.ts'
import type { Named } from './named.ts'
import { unpack } from './packed.ts'

/** Objects and arrays in one another, and texts in texts, that are looked into: SQS around SNS around EventBridge is six. More is no transport but an attack. */
const MAX_DEPTH = 12
/** Objects in one value that are looked at in vain. */
const MAX_VAIN = 10_000

/** What came out: a record, or the reason why it cannot be one together with the text that was meant to be it. */
export type Opened = { readonly text: string; readonly value: JsonObject } | { readonly text: string; readonly reject: string }

/** Members that carry the record's own text beside what a forwarder has made of it: their content counts even where the object looks like a record itself. */
const VERBATIM = /^(?:@message|_?raw(?:_?(?:log|event|data|json|message))?|original|event_?json|cloud_?trail_?event)$/i

/** Members that hold what the caller of somebody's API has sent: a record in there is no log record but what somebody wrote. */
const FOREIGN = /^(?:http_?)?(?:request|req|headers?|cookies|query(?:_?string)?|params|arguments)(?:_?(?:body|payload|parameters|params|headers|json|text))?$/i

/** Beside one of these a `body` is that of a request. */
const REQUEST = /^(?:http_?)?(?:method|path|url|uri|headers|status(?:_?code)?)$/i

interface Search {
  readonly knows: Knows
  /** Objects that may still be looked at in vain. */
  left: number
}

/**
 * Takes all envelopes and wrappers off a record: what is inside is found by being a known record, or by a known envelope's name, in
 * whatever is around it (objects, arrays, JSON in strings, base64, gzip), bounded in depth and number. Decided record by record,
 * because bare and enveloped ones stand side by side in real files. Most records have none and come back as they are; so does what
 * has nothing known inside, whole, to be rejected with its outer text.
 */
export function openEnvelopes(text: string, value: JsonObject, knows: Knows): readonly Opened[] {
  const found = inObject(text, value, { knows, left: MAX_VAIN }, MAX_DEPTH)
  if (found !== null) return found
  const named = namedEnvelope(value)
  if (named === null) return [{ text, value }]
  const packed = packedIn(value, named, knows)
  if (packed.length > 0) return packed
  const reason = whyNothing(text, named)
  return [reason === null ? { text, value } : { text, reject: reason }]
}

/** What base64 or gzip hides is taken out, known or not: as it travels nobody could read it, nor mask it. */
function packedIn(value: JsonObject, named: Named, knows: Knows): readonly Opened[] {
  if ('empty' in named) return []
  let member: Json | undefined = value
  for (const key of named.path) member = asObject(member)?.[key]
  const inner = typeof member === 'string' ? unpack(member) : null
  const found: Opened[] = []
  if (inner !== null && inner !== (member as string).trim()) readAll(inner, knows, (one) => found.push(one))
  return found
}

/** Whether the value is a known record or has one inside. */
export function holdsRecord(text: string, value: Json, knows: Knows): boolean {
  return inValue(() => text, value, { knows, left: MAX_VAIN }, MAX_DEPTH) !== null
}

/** What is known in an object; null when nothing is. */
function inObject(text: string, value: JsonObject, search: Search, depth: number): readonly Opened[] | null {
  const verbatim = inVerbatim(value, search, depth)
  if (verbatim !== null) return verbatim
  if (search.knows(value)) return [{ text, value }]
  if (depth === 0 || search.left-- <= 0) return null
  const rows = inTable(value, search)
  if (rows !== null) return rows
  let found: Opened[] | null = null
  for (const key in value) {
    const member = value[key]
    if (member === undefined || member === null || (typeof member !== 'object' && typeof member !== 'string') || isForeign(key, value)) continue
    const inner = inValue(() => memberText(text, [key]) ?? JSON.stringify(member), member, search, depth - 1, isListed(value, key))
    if (inner !== null) add((found ??= []), inner)
  }
  return found
}

function isForeign(key: string, value: JsonObject): boolean {
  return FOREIGN.test(key) || (key === 'body' && Object.keys(value).some((other) => REQUEST.test(other)))
}

/** A forwarder may carry the same text twice (`message` and `event.original`). */
function add(found: Opened[], inner: readonly Opened[]): void {
  if (inner.length === 1 && found.some((one) => one.text === inner[0]!.text)) return
  for (const one of inner) found.push(one)
}

/** The array under `key` is one of records, whether these are known or not. */
function isListed(value: JsonObject, key: string): boolean {
  return Array.isArray(value[key]) && mayWrap(value) && wrapper(key, value) !== null
}

function inVerbatim(value: JsonObject, search: Search, depth: number): readonly Opened[] | null {
  if (depth === 0) return null
  for (const key in value) {
    const member = value[key]
    if (typeof member !== 'string' || member.length < 2) continue
    const first = member.charCodeAt(0)
    if ((first !== 123 && first !== 91 && first !== 34 && first > 32) || !VERBATIM.test(key)) continue
    const inner = inString(member, search, depth - 1)
    if (inner !== null) return inner
  }
  return null
}

/** @param listed an array whose items are records by its name */
function inValue(text: () => string, value: Json, search: Search, depth: number, listed = false): readonly Opened[] | null {
  if (typeof value === 'string') return inString(value, search, depth)
  if (value === null || typeof value !== 'object' || depth <= 0) return null
  return Array.isArray(value) ? inArray(text(), value, search, depth, listed) : inObject(text(), value as JsonObject, search, depth)
}

/** With one known record among its items an array is one of records, and the others are kept, to be rejected for themselves. */
function inArray(text: string, items: readonly Json[], search: Search, depth: number, listed: boolean): readonly Opened[] | null {
  if (!items.some((item) => typeof item === 'string' || (item !== null && typeof item === 'object'))) return null
  const texts = itemTexts(text) ?? []
  const row = asRow(items)
  const inRow = row && inObject(JSON.stringify(row), row, search, depth - 1)
  if (inRow !== null) return inRow
  let any = listed
  const found = items.map((item, index) => {
    const inner = inValue(() => texts[index]!, item, search, depth - 1)
    any ||= inner !== null
    return inner ?? [asOpened(texts[index]!, item)]
  })
  return any ? found.flat() : null
}

function asOpened(text: string, item: Json): Opened {
  const value = asObject(item)
  return value
    ? { text, value }
    : { text, reject: `no record: ${item === null ? 'null' : Array.isArray(item) ? 'an array' : `a ${typeof item}`} where an object belongs` }
}

/** A table with its columns' names beside its rows (Kusto, Log Analytics), where the splitter has not taken it apart. */
function inTable(value: JsonObject, search: Search): readonly Opened[] | null {
  for (const key of ['rows', 'Rows']) {
    const rows = value[key]
    const columns = Array.isArray(rows) ? wrapper(key, value)?.columns : null
    if (!columns) continue
    const named = (rows as readonly Json[]).map((row) => namedRow(row, columns))
    if (!named.some((row) => row !== null && search.knows(row))) return null
    return named.map((row, index) =>
      row
        ? { text: JSON.stringify(row), value: row }
        : { text: JSON.stringify((rows as readonly Json[])[index]), reject: `no record: a row that does not have the table's ${columns.length} columns` },
    )
  }
  return null
}

function inString(packed: string, search: Search, depth: number): readonly Opened[] | null {
  if (depth <= 0) return null
  const text = unpack(packed)
  if (text === null) return null
  const value = tryParse(text)
  if (value !== undefined) return inValue(() => text, value, search, depth - 1)
  // Several records, one a line or one behind the other; what is broken among them is kept.
  const found: Opened[] = []
  let any = false
  readAll(text, search.knows, (one) => {
    if ('reject' in one) return found.push(one)
    const inner = inObject(one.text, one.value, search, depth - 1)
    any ||= inner !== null
    return found.push(...(inner ?? [one]))
  })
  return any ? found : null
}

function readAll(text: string, knows: Knows, found: (one: Opened) => void): void {
  const splitter = createSplitter(
    { record: (inner, value) => found({ text: inner, value }), rejected: (reason, inner) => found({ text: inner, reject: reason }) },
    { holds: (inner, value) => holdsRecord(inner, value, knows), room: Buffer.byteLength(text) + 1 },
  )
  try {
    splitter.write(Buffer.from(text))
    splitter.end()
  } catch {
    // Cut off inside its envelope: what was complete has been found, and its broken end is among what was rejected.
  }
}

/** Why a named envelope gives no record; null when it holds an object, which is then of an unknown kind. */
function whyNothing(text: string, named: Named): string | null {
  if ('empty' in named) return named.empty
  const member = tryParse(memberText(text, named.path) ?? 'null')
  const inner = typeof member === 'string' ? (unpack(member) ?? member) : null
  if (inner === null) return asObject(member) ? null : 'no record: the envelope holds no object'
  try {
    return asObject(parseJson(inner)) ? null : 'no record: the envelope holds no object'
  } catch (error) {
    return `not JSON inside its envelope: ${jsonFault(error)}`
  }
}

function tryParse(text: string): Json | undefined {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}
