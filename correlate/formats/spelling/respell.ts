/** A record as its cloud writes it. One walk over the names that a format knows; a record that is spelled right comes back as it is. */
import type { Json, JsonObject } from '#core/record.ts'
import { unpack } from './cell.ts'
import { fold, type Place, type Vocabulary } from './vocabulary.ts'

/** A part that should be an object, a list or a word and is none. */
export interface Unreadable {
  readonly path: string
  readonly value: Json
  /** The record is not read without it: it is essential, or what stands there says that an exporter cut it off. */
  readonly fatal: boolean
}

export interface Respelled {
  readonly value: JsonObject
  /** True when a name or a form is not the cloud's own. */
  readonly changed: boolean
  readonly unreadable: readonly Unreadable[]
}

/** What `ConvertTo-Json` writes below its depth (2, unless it is told more), and JavaScript for an object as text. */
const CUT_OFF = /^(?:@\{|System\.|Microsoft\.(?:Graph|Open)\.|\[object Object\])/

/** Spellings remembered in one place: records of strangers must not fill the memory. */
const MOST_SEEN = 2000

/** The record in the vocabulary's spelling, its text cells unpacked. */
export function respell(value: JsonObject, { root, textCells }: Vocabulary): Respelled {
  if (fits(value, root)) return { value, changed: false, unreadable: NONE }
  const state: State = { renamed: false, unpacked: false, unreadable: [] }
  const result = object(value, root, '', state)
  return { value: result, changed: state.renamed || (state.unpacked && !textCells), unreadable: state.unreadable }
}

const NONE: readonly Unreadable[] = []

/** Whether nothing is to be done: the look that every record gets. It makes nothing. */
function fits(value: JsonObject, place: Place): boolean {
  for (const key in value) {
    const written = value[key]
    if (written === null) continue
    const known = place.names.get(key)
    if (known === undefined) {
      if (target(place, key, value) !== null) return false
    } else if (known.structure) {
      if (!fitsStructure(written, known)) return false
    } else if (known.word && typeof written !== 'string') return false
  }
  return true
}

function fitsStructure(written: Json | undefined, place: Place): boolean {
  if (written === null || written === undefined || written === '') return true
  if (typeof written !== 'object') return false
  const { items } = place
  if (!Array.isArray(written)) return place.names.size > 0 ? fits(written as JsonObject, place) : items === null || place.free
  if (items === null) return place.free || written.length === 0
  return !items.structure || (written as readonly Json[]).every((item) => fitsStructure(item, items))
}

/** Whether a record can be a row of the vocabulary's table at all. */
export function mayBe(value: JsonObject, { requires }: Vocabulary): boolean {
  if (requires.length === 0) return true
  const names = new Set(Object.keys(value).map(fold))
  return requires.every((name) => names.has(name))
}

interface State {
  renamed: boolean
  unpacked: boolean
  readonly unreadable: Unreadable[]
}

function object(value: JsonObject, place: Place, path: string, state: State): JsonObject {
  let entries: [string, Json | undefined][] | null = null
  let placed: [readonly string[], Json | undefined][] | null = null
  let index = 0
  for (const key in value) {
    const written = value[key]
    const known = place.names.get(key)
    let next = written
    let to: readonly string[] | null = null
    if (known !== undefined) {
      if (known.structure && written !== null) next = structure(written, known, path, key, state)
      else if (known.word && written !== null && typeof written !== 'string') state.unreadable.push({ path: join(path, key), value: written!, fatal: false })
    } else if (written !== null) to = target(place, key, value)
    if (to !== null || next !== written) entries ??= Object.entries(value).slice(0, index)
    if (to !== null) (placed ??= []).push([to, written])
    else if (entries !== null) entries.push([key, next])
    index++
  }
  if (entries === null) return value
  const result = Object.fromEntries(entries)
  if (placed !== null) state.renamed = true
  for (const [to, written] of placed ?? []) put(result, place, to, written, path, state)
  return result
}

/** Where a foreign spelling goes; null where it means nothing here, or where the right name stands beside it. */
function target(place: Place, key: string, value: JsonObject): readonly string[] | null {
  let path = place.seen.get(key)
  if (path === undefined) {
    path = key.length > 200 ? null : (place.others.get(fold(key)) ?? null)
    if (place.seen.size < MOST_SEEN) place.seen.set(key, path)
  }
  return path !== null && path.length === 1 && Object.hasOwn(value, path[0]!) && value[path[0]!] !== null ? null : path
}

function put(result: Record<string, Json | undefined>, place: Place, to: readonly string[], written: Json | undefined, path: string, state: State): void {
  if (to.length === 0) {
    const members = typeof written === 'string' ? unpack(written, place) : written
    if (members !== null && typeof members === 'object' && !Array.isArray(members))
      for (const [name, member] of Object.entries(object(members as JsonObject, place, path, state))) if (isAbsent(result, name)) define(result, name, member)
    return
  }
  const [name, ...rest] = to as [string, ...string[]]
  const next = place.names.get(name)!
  if (rest.length > 0) {
    const inner = isAbsent(result, name) ? {} : result[name]
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return
    const copy = { ...(inner as JsonObject) }
    put(copy, next, rest, written, join(path, name), state)
    define(result, name, copy)
  } else if (isAbsent(result, name)) define(result, name, next.structure && written !== null ? structure(written, next, path, name, state) : written)
}

function isAbsent(value: JsonObject, name: string): boolean {
  return !Object.hasOwn(value, name) || value[name] === null || value[name] === undefined || value[name] === ''
}

/** Not an assignment: `__proto__` is a name like others. */
function define(value: Record<string, Json | undefined>, name: string, member: Json | undefined): void {
  Object.defineProperty(value, name, { value: member, writable: true, enumerable: true, configurable: true })
}

function structure(written: Json | undefined, place: Place, path: string, name: string, state: State): Json | undefined {
  if (Array.isArray(written)) {
    if (place.items !== null || place.free) return array(written as readonly Json[], place, join(path, name), state)
    if (written.length === 1 && written[0] !== null) {
      state.renamed = true
      return structure(written[0] as Json, place, path, name, state)
    }
    if (written.length > 0) state.unreadable.push({ path: join(path, name), value: written as Json, fatal: place.essential })
    return written
  }
  if (written !== null && typeof written === 'object') return members(written as JsonObject, place, join(path, name), state)
  if (written === undefined || written === '' || written === 'null' || written === '<null>') return written
  const unpacked = typeof written === 'string' ? unpack(written, place) : undefined
  if (unpacked !== undefined) {
    state.unpacked = true
    return structure(unpacked, place, path, name, state)
  }
  const cut = typeof written === 'string' && CUT_OFF.test(written)
  if (!cut && place.items && !place.items.structure && typeof written === 'string') {
    state.renamed = true
    return [written]
  }
  if (cut || !place.free || place.essential) state.unreadable.push({ path: join(path, name), value: written, fatal: cut || place.essential })
  return written
}

function array(written: readonly Json[], place: Place, path: string, state: State): Json {
  const { items } = place
  if (items === null || !items.structure) return written
  let copy: Json[] | null = null
  for (const [index, item] of written.entries()) {
    const next = item === null ? item : structure(item, items, `${path}[]`, '', state)
    if (next !== item) (copy ??= [...written])[index] = next ?? null
  }
  return copy ?? written
}

function members(written: JsonObject, place: Place, path: string, state: State): Json {
  if (place.names.size > 0) return object(written, place, path, state)
  if (place.items === null || place.free) return written
  state.renamed = true
  // Windows PowerShell 5.1 writes some lists as an object, and a list of one as its item.
  const wrapped = written['value']
  const one: readonly Json[] = Array.isArray(wrapped) && typeof written['Count'] === 'number' ? (wrapped as readonly Json[]) : [written]
  return array(one, place, path, state)
}

function join(path: string, name: string): string {
  return path === '' ? name : name === '' ? path : `${path}.${name}`
}
