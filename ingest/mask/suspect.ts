/**
 * The cheap look: may a record hold something to mask? Most hold nothing and pay only this. It asks the same questions as the walk, of
 * the parsed value and without a note of where; it may say yes for nothing, it must never say no for something.
 */
import { parseJson } from '#core/parse-json.ts'
import type { Json, JsonObject } from '#core/record.ts'
import { kindOfKey } from '#core/secrets/keys.ts'
import { mayLookSecret } from '#core/secrets/looks.ts'
import { maskError } from './errors.ts'
import { isModels } from './kinds.ts'
import type { Kind } from './kinds.ts'
import { isSecret, isWord, mayStay, memberOf } from './members.ts'
import type { Member } from './members.ts'
import { CUT_JSON, announces, placeIn, hiddenMembers, isTurn, maskAsked, namesNext } from './walk.ts'
import type { Place } from './walk.ts'

/** Set when something suspicious is found; what follows in the same member is only counted. */
let dirty = false
/** Set when a pair in columns is found: what it hides stands in another member. */
let columns = false

/**
 * The members of a record in which the walk has to look; null for none, `all` where it cannot be told. `place` is of a record that is known.
 */
export function suspects(value: JsonObject, text: string, place: Place): ReadonlySet<string> | 'all' | null {
  let found: Set<string> | null = null
  let keys = 0
  dirty = false
  columns = false
  for (const key in value) {
    keys += 1 + keysOfMember(value, key, place.mode, place.kind, 0)
    if (!dirty) continue
    found ??= new Set()
    found.add(key)
    dirty = false
  }
  if (columns || isPair(value)) return 'all'
  // Of duplicate keys the parsed value shows the last only (and of keys written `"key" :` nothing is known here).
  return keys === keysInText(text) ? found : 'all'
}

/** Deeper than any record: the walk decides. */
const MAX_DEPTH = 64

/** Number of keys in an object and everything below it. */
function keysOf(object: JsonObject, mode: Place['mode'], kind: Kind, depth: number): number {
  if (depth > MAX_DEPTH) {
    dirty = true
    return 0
  }
  let count = 0
  let names = false
  for (const key in object) {
    count += 1 + keysOfMember(object, key, mode, kind, depth)
    names ||= memberOf(key).names
  }
  if (names && !dirty && isPair(object)) dirty = true
  return count
}

function keysOfMember(object: JsonObject, key: string, mode: Place['mode'], kind: Kind, depth: number): number {
  const member = memberOf(key)
  const value = object[key]
  if (member.looks || (mode === 'sealed' && !member.named) || (mode === 'listed' && member.sentence)) dirty = true
  if (typeof value === 'string') {
    if (((value === 'Secret' && key === 'kind') || key === 'kty') && hiddenMembers(object) !== null) dirty = true
    if (member.numbered !== null && value.length < 100 && saysHidden(value)) columns = true
    if (!dirty && value.length > 0 && isSuspect(value, inside(mode, member, kind, depth), kind, member)) dirty = true
    return 0
  }
  if (typeof value === 'number') {
    if (member.secret === 'secret' || mode === 'secret') dirty = true
    return 0
  }
  if (value === null || typeof value !== 'object') return 0
  const next = inside(mode, member, kind, depth)
  if (member.embeds && next !== 'plain') dirty = true
  return Array.isArray(value) ? keysOfItems(value, next, kind, depth + 1, member) : keysOf(value as JsonObject, next, kind, depth + 1)
}

/** `{name, value}` whose name is that of a secret. */
function isPair(object: JsonObject): boolean {
  let said = false
  let values = false
  for (const key in object) {
    const member = memberOf(key)
    const value = object[key]
    if (member.values && value !== null && typeof value !== 'boolean') values = true
    if (member.names && typeof value === 'string' && value.length < 100 && saysHidden(value)) said = true
    if (value === 'SecureString') said = true
  }
  return said && values
}

/** True for the name of a secret, or of a prompt. */
const saysHidden = (name: string): boolean => kindOfKey(name) !== null || (/prompt|completion/i.test(name) && memberOf(name).body)

/** `placeIn`, with the commonest answer first. */
function inside(mode: Place['mode'], member: Member, kind: Kind, depth: number): Place['mode'] {
  if (mode === 'plain' && kind.bodies === null && !member.body && !member.fails && member.path === null && member.secret !== 'secret') return 'plain'
  return placeIn({ kind, mode, unknown: false, depth, texts: 0 }, member, depth + 1)
}

function keysOfItems(items: readonly unknown[], mode: Place['mode'], kind: Kind, depth: number, member: Member): number {
  let count = 0
  // Of many numbers, and of what nests deeply, the walk decides.
  if (depth > MAX_DEPTH || (mode !== 'plain' && items.length > 16 && typeof items[0] === 'number')) dirty = true
  if (depth > MAX_DEPTH) return 0
  for (const item of items as readonly Json[]) {
    if (typeof item === 'string') {
      if (!dirty && (isSuspect(item, mode, kind, member) || (items.length > 1 && announces(item)) || (items.length === 2 && namesNext(items)))) dirty = true
    } else if (typeof item === 'number') {
      if (mode === 'secret') dirty = true
    } else if (item !== null && typeof item === 'object') {
      if (Array.isArray(item)) count += keysOfItems(item, mode, kind, depth + 1, member)
      else count += keysOf(item as JsonObject, mode === 'plain' && isTurn(item) ? 'sealed' : mode, kind, depth + 1)
    }
  }
  return count
}

function isSuspect(text: string, mode: Place['mode'], kind: Kind, member: Member): boolean {
  if (mode === 'secret') return isSecret('secret', text)
  if (member.secret !== null && isSecret(member.secret, text)) return true
  if (mode === 'error') return mayLookSecret(text) || maskError(text, isModels(kind)) !== text
  if (mode === 'sealed') return !isWord(member, text)
  const first = text.charCodeAt(0)
  if ((first === 123 || first === 91 || first === 34 || first === 32 || first === 10 || first === 9) && text.length > 1) {
    if (mode === 'listed' && !mayStay(member, text, kind.allowed)) return true
    return holdsSuspect(text, mode, kind, member)
  }
  if (mode === 'listed' && !mayStay(member, text, kind.allowed)) return true
  if ((member.address || member.sql) && maskAsked(text, member, kind) !== text) return true
  return text.length >= 6 && mayLookSecret(text)
}

/** JSON in a text: looked into. What is no JSON may have been, before it was cut: the walk decides. */
function holdsSuspect(text: string, mode: Place['mode'], kind: Kind, member: Member): boolean {
  try {
    const inner = parseJson(text)
    if (inner === null || typeof inner !== 'object') return mayLookSecret(text) || typeof inner === 'string'
    const keys = Array.isArray(inner) ? keysOfItems(inner, mode, kind, 4, member) : keysOf(inner as JsonObject, mode, kind, 4)
    return dirty || keys !== keysInText(text)
  } catch {
    return CUT_JSON.test(text.trimStart().slice(0, 40)) || mayLookSecret(text)
  }
}

/** Occurrences of `":` that are not inside a string: there the quote is escaped. */
function keysInText(text: string): number {
  let count = 0
  for (let at = text.indexOf('":'); at >= 0; at = text.indexOf('":', at + 2)) if (text.charCodeAt(at - 1) !== 92) count++
  return count
}
