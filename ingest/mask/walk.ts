/**
 * The one walk that decides what of a record stays. It goes through the text, because what is masked is cut from the text itself, and
 * beside it through the parsed value, which says what an object is.
 */
import { skipSpace, stringEnd, valueEnd } from '#core/json-text.ts'
import { parseJson } from '#core/parse-json.ts'
import type { Json, JsonObject } from '#core/record.ts'
import type { Knows } from '#core/sink.ts'
import { maskLooks, mayLookSecret } from '#core/secrets/looks.ts'
import { MASKED, isHarmless, maskedContent } from '#core/secrets/masked.ts'
import { maskError, maskQuery, maskSql } from './errors.ts'
import { PLAIN, UNKNOWN, isApi, isModels, kindOf } from './kinds.ts'
import type { Kind } from './kinds.ts'
import { isSecret, isWord, mayStay, memberOf } from './members.ts'
import type { Member } from './members.ts'
import { maskText } from './text.ts'

/** What is replaced in the text, and where it stood. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
  readonly pointer: string
}

/** Deeper than this nothing is looked at: it is masked whole. Records nest some ten levels. */
const MAX_DEPTH = 256
/** JSON in a text in a text: what lies deeper is masked by its looks. */
const MAX_TEXTS = 4
/** A longer list of numbers is a picture, a sound or an embedding, which the text can be got back from. */
const MOST_NUMBERS = 16

/** Under which rules a value stands. */
export interface Place {
  readonly kind: Kind
  /** `plain`: credentials go. `listed`: what is on the list stays. `sealed`: numbers stay. `secret`: nothing stays. `error`: as `plain`, without what is quoted. */
  readonly mode: 'plain' | 'listed' | 'sealed' | 'secret' | 'error'
  /** Nobody has known the record so far: what lies deeper may be one that is known. */
  readonly unknown: boolean
  readonly depth: number
  /** JSON texts around it. */
  readonly texts: number
}

/** The rules at the top of a record. */
export function placeOf(value: JsonObject, knows: Knows | null = null): Place {
  const kind = kindOf(value) ?? (knows?.(value) ? PLAIN : null)
  return { kind: kind ?? UNKNOWN, mode: (kind ?? UNKNOWN).mode, unknown: kind === null, depth: 0, texts: 0 }
}

/** The rules for the value of a member. `null` as member: an item of a list. */
export function placeIn(place: Place, member: Member, depth: number): Place['mode'] {
  const { mode, kind } = place
  if (mode === 'secret' || member.secret === 'secret') return 'secret'
  if (mode === 'sealed' || mode === 'error') return mode
  if (member.path !== null) return placeOfPath(place, member.path, depth)
  if (mode === 'plain') {
    if (member.fails && (member.plain === 'errormessage' || isApi(kind))) return 'error'
    // `protoPayload.status`: its message may quote the request, and its details do.
    if (depth === 3 && isModels(kind) && (member.plain === 'message' || member.plain === 'details')) return member.plain === 'message' ? 'error' : 'listed'
    if (member.body) return 'sealed'
    if (kind.bodies !== null && depth <= 3 && kind.bodies.has(member.plain)) return member.content && kind.bodies.has('payload') ? 'sealed' : 'listed'
    return 'plain'
  }
  // The two members of an invocation log that hold its bodies and its counts.
  if (depth === 1 && (member.plain === 'input' || member.plain === 'output') && !place.unknown) return 'listed'
  return member.body || member.content ? 'sealed' : 'listed'
}

/** The rules for the value of a key with full stops: those of the last of its members. */
function placeOfPath(place: Place, path: readonly Member[], depth: number): Place['mode'] {
  let { mode } = place
  for (const [index, member] of path.entries()) mode = placeIn({ ...place, mode }, member, depth + index)
  return mode
}

/** The value of a possible pair; `from`: how many edits there were before it. */
interface Held {
  readonly start: number
  readonly end: number
  readonly from: number
  readonly key: string
}

export class Walk {
  readonly edits: Edit[] = []
  readonly #text: string
  readonly #path: string[] = []
  /** The members of the record to look into; null for all. */
  readonly #only: ReadonlySet<string> | null

  constructor(text: string, only: ReadonlySet<string> | null = null) {
    this.#text = text
    this.#only = only
  }

  /** Walks the object or list that begins at `start`; gives the position behind it. The text is JSON that has been parsed to `value`. */
  container(start: number, value: Json | undefined, place: Place): number {
    if (place.depth > MAX_DEPTH) return this.#whole(start, maskedContent)
    if (this.#text.charCodeAt(start) === 91) return this.#list(start, value, place)
    const text = this.#text
    const members = value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as JsonObject) : {}
    let here = place
    if (place.unknown && place.depth > 0) {
      const kind = place.mode === 'secret' ? null : kindOf(members)
      if (kind !== null) here = { ...place, kind, mode: kind.mode, unknown: false, depth: 0 }
    }
    const hidden = hiddenMembers(members)
    /** `name` and `value` of a pair: what the name says holds for the value. */
    let pair: Member | null = null
    const held: Held[] = []
    /** The same of pairs in columns. */
    let columns: Map<string, Member> | null = null
    const only = place.depth === 0 && place.texts === 0 ? this.#only : null
    let at = skipSpace(text, start + 1)
    while (at < text.length && text.charCodeAt(at) !== 125) {
      const end = stringEnd(text, at)
      let name = decode(text.slice(at, end))
      const member = memberOf(name)
      const strange = (here.mode === 'sealed' && !member.named) || (here.mode === 'listed' && member.sentence)
      if (member.looks || strange) {
        name = member.looks ? maskLooks(name) : maskedContent(name)
        this.edits.push({ start: at, end, text: JSON.stringify(name), pointer: this.#pointer(name) })
      }
      at = skipSpace(text, skipSpace(text, end) + 1)
      if (only !== null && !only.has(name)) {
        at = skipSpace(text, valueEnd(text, at))
        if (text.charCodeAt(at) === 44) at = skipSpace(text, at + 1)
        continue
      }
      this.#path.push(name)
      const from = this.edits.length
      const begin = at
      const mode = hidden?.has(name) ? 'secret' : placeIn(here, member, here.depth + 1)
      at = this.#value(at, members[name], { ...here, mode, depth: here.depth + 1 }, member)
      const said = text.charCodeAt(begin) === 34 && (member.names || member.numbered !== null) ? memberOf(decode(text.slice(begin, at))) : null
      const hiding = said !== null && (said.secret !== null || said.body) ? said : null
      if (member.names && hiding !== null) pair = hiding
      // Systems Manager says so of its parameters.
      if (at - begin === 14 && member.plain === 'type' && text.slice(begin, at) === '"SecureString"') pair = memberOf('secret')
      if (member.numbered !== null) {
        const named = columns?.get(member.numbered)
        if (named) this.#pairs(named, [{ start: begin, end: at, from, key: name }])
        else if (hiding !== null) (columns ??= new Map()).set(member.numbered, hiding)
      }
      if (member.values) held.push({ start: begin, end: at, from, key: name })
      this.#path.pop()
      at = skipSpace(text, at)
      if (text.charCodeAt(at) === 44) at = skipSpace(text, at + 1)
    }
    if (pair !== null && held.length > 0) this.#pairs(pair, held)
    return at + 1
  }

  /** Masks the values of a pair whose name is that of a secret. The edits since the first of them are of this object. */
  #pairs(name: Member, held: readonly Held[]): void {
    const since = this.edits.splice(held[0]!.from)
    for (const { start, end, key } of held) {
      const raw = this.#text.slice(start, end)
      const quoted = raw.startsWith('"')
      if (raw === 'null' || raw === 'true' || raw === 'false') continue
      if (name.secret === null ? !quoted || isWord(name, decode(raw)) : quoted ? !isSecret(name.secret, decode(raw)) : name.secret === 'looks') continue
      for (let index = since.length - 1; index >= 0; index--) if (since[index]!.start >= start && since[index]!.end <= end) since.splice(index, 1)
      since.push({ start, end, text: JSON.stringify(name.secret === null ? maskedContent(decode(raw)) : MASKED), pointer: this.#pointer(key) })
    }
    this.edits.push(...since.toSorted((a, b) => a.start - b.start))
  }

  #list(start: number, value: Json | undefined, place: Place): number {
    const text = this.#text
    const items = Array.isArray(value) ? value : []
    if ((place.mode === 'sealed' || place.mode === 'listed') && items.length > MOST_NUMBERS && items.every((item) => typeof item === 'number'))
      return this.#whole(start, maskedContent)
    let at = skipSpace(text, start + 1)
    let option: Member | null = null
    for (let index = 0; at < text.length && text.charCodeAt(at) !== 93; index++) {
      this.#path.push(String(index))
      const item = items[index]
      // `["--password", "…"]`, `["Authorization", "…"]`.
      const hides = option !== null || (index === 1 && namesNext(items))
      const mode = place.mode === 'plain' && isTurn(item) ? 'sealed' : hides && place.mode !== 'sealed' ? 'secret' : place.mode
      at = this.#value(at, item, { ...place, mode, depth: place.depth + 1 }, this.#above ?? ITEM)
      option = typeof item === 'string' && announces(item) ? ITEM : null
      this.#path.pop()
      at = skipSpace(text, at)
      if (text.charCodeAt(at) === 44) at = skipSpace(text, at + 1)
    }
    return at + 1
  }
  /** The member whose list is being walked. */
  #above: Member | null = null

  #value(start: number, value: Json | undefined, place: Place, member: Member): number {
    const first = this.#text.charCodeAt(start)
    if (first === 34) return this.#string(start, place, member)
    if (first === 123 || first === 91) {
      if (member.embeds && (place.mode === 'sealed' || place.mode === 'listed')) return this.#whole(start, maskedContent)
      const above = this.#above
      this.#above = first === 91 ? member : null
      // A record inside of an unknown one stands under certain members only: a prompt may quote a record.
      const unknown = place.unknown && (place.mode === 'listed' || member.wraps)
      const end = this.container(start, value, { ...place, unknown })
      this.#above = above
      return end
    }
    const end = valueEnd(this.#text, start)
    // A PIN is a number; true and null hide nothing.
    if (place.mode === 'secret' && (first === 45 || (first >= 48 && first <= 57))) this.#replace(start, end, MASKED)
    return end
  }

  #string(start: number, place: Place, member: Member): number {
    const end = stringEnd(this.#text, start)
    const raw = this.#text.slice(start, end)
    const value = decode(raw)
    const masked = maskString(value, place, member)
    if (masked !== value) this.#replace(start, end, masked)
    return end
  }

  #whole(start: number, made: (raw: string) => string): number {
    const end = valueEnd(this.#text, start)
    this.#replace(start, end, made(this.#text.slice(start, end)))
    return end
  }

  #replace(start: number, end: number, text: string): void {
    this.edits.push({ start, end, text: JSON.stringify(text), pointer: this.#path.map(escaped).join('') })
  }

  #pointer(name: string): string {
    return [...this.#path, name].map(escaped).join('')
  }
}

const ITEM = memberOf('')

/** An item of a list after which a secret comes: an option of a command, the name of a header. */
export function announces(item: string): boolean {
  if (item.length > 64 || item.length < 2) return false
  return item.charCodeAt(0) === 45 ? /^-{1,2}[\w-]+$/.test(item) && memberOf(item.replace(/^-+/, '')).secret !== null : HEADER.test(item)
}
const HEADER = /^(?:(?:proxy-)?authorization|(?:set-)?cookie|x-(?:api-key|auth-token|functions-key))$/i

/** `["DB_PASSWORD", "…"]`; not `["password", "mfa"]`. */
export function namesNext(items: readonly unknown[]): boolean {
  const [name, value] = items
  if (items.length !== 2 || typeof name !== 'string' || typeof value !== 'string' || name.length > 64 || value.length < 6) return false
  return memberOf(name).secret === 'secret' && /\d/.test(value) && /[A-Za-z]/.test(value)
}

/** A turn of a conversation: `{role, content}`, as every model's interface has it. */
export function isTurn(item: unknown): boolean {
  if (item === null || typeof item !== 'object') return false
  const turn = item as JsonObject
  return typeof turn['role'] === 'string' && (turn['content'] !== undefined || turn['parts'] !== undefined)
}

/** Members of a JSON Web Key that make it private (RFC 7518 §6). */
const JWK_PRIVATE: ReadonlySet<string> = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'])
/** Members of a Secret of Kubernetes. */
const KUBERNETES: ReadonlySet<string> = new Set(['data', 'stringData'])

/** The members that are secrets because of what the object is; null for nearly all. */
export function hiddenMembers(members: JsonObject): ReadonlySet<string> | null {
  if (members['kind'] === 'Secret') return KUBERNETES
  return typeof members['kty'] === 'string' && (typeof members['d'] === 'string' || typeof members['k'] === 'string') ? JWK_PRIVATE : null
}

function escaped(key: string): string {
  return `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

/** The string that a literal (with its quotes) stands for. */
function decode(raw: string): string {
  return raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1)
}

/** What is kept of a text at its place. */
function maskString(value: string, place: Place, member: Member): string {
  if (place.mode === 'secret') return isSecret('secret', value) ? MASKED : value
  if (isSecret(member.secret, value)) return MASKED
  const inner = jsonIn(value, place, member)
  if (inner !== null) return inner
  if (place.mode === 'error') return maskError(maskLooks(value), isModels(place.kind))
  if (place.mode === 'sealed') return isWord(member, value) ? value : maskedContent(value)
  if (place.mode === 'listed') {
    if (member.plain === 'errormessage' && !place.unknown) return maskError(maskLooks(value), true)
    if (!mayStay(member, value, place.kind.allowed)) return isHarmless(value) ? value : maskedContent(value)
  }
  const kept = mayLookSecret(value) ? maskLooks(value) : value
  return place.mode === 'plain' ? maskAsked(kept, member, place.kind) : kept
}

/** What was asked, in an address or a statement of a record that is no model's. */
export function maskAsked(value: string, member: Member, kind: Kind): string {
  if (member.address && (value.includes('=') || value.includes('%'))) return maskQuery(member.sql ? maskSql(value) : value, isApi(kind))
  return member.sql ? maskSql(value) : value
}

/** JSON in a text, as columns of tables and forwarders write it, is masked inside; null when the text is none. */
function jsonIn(value: string, place: Place, member: Member): string | null {
  const start = skipSpace(value, 0)
  const first = value.charCodeAt(start)
  if ((first !== 123 && first !== 91 && first !== 34) || value.length - start < 2) return null
  if (place.texts >= MAX_TEXTS || tooDeep(value)) return place.mode === 'plain' ? maskText(value) : maskedContent(value)
  let inner: Json
  try {
    inner = parseJson(value)
  } catch {
    // It may have been JSON before it was cut; `[S3Console/0.4]` never was.
    return first === 34 || !CUT_JSON.test(value.slice(start, start + 40)) ? null : place.mode === 'plain' ? maskText(value) : maskedContent(value)
  }
  const unknown = place.unknown && (place.mode === 'listed' || member.wraps)
  const there: Place = { ...place, unknown, texts: place.texts + 1, depth: place.depth + 1 }
  if (typeof inner === 'string') {
    const masked = maskString(inner, there, member)
    return masked === inner ? value : JSON.stringify(masked)
  }
  if (inner === null || typeof inner !== 'object') return null
  const walk = new Walk(value)
  walk.container(start, inner, there)
  return apply(value, walk.edits)
}

export const CUT_JSON = /^[[{]\s*(?:[[{]\s*)*\\*["'\]}]/

/** True when a text nests deeper than a walk may. */
export function tooDeep(text: string): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 34) at = stringEnd(text, at) - 1
    else if (code === 123 || code === 91) {
      if (++depth > MAX_DEPTH) return true
    } else if (code === 125 || code === 93) depth--
  }
  return false
}

/** The text with the edits made, which are in its order. */
export function apply(text: string, edits: readonly Edit[]): string {
  if (edits.length === 0) return text
  const parts: string[] = []
  let at = 0
  for (const edit of edits) {
    parts.push(text.slice(at, edit.start), edit.text)
    at = edit.end
  }
  parts.push(text.slice(at))
  return parts.join('')
}
