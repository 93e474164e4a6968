/**
 * Values of a record by the dotted names that published rules use. Exporters change the case of keys, and write JSON into text; rules
 * spell `source_ranges` what the record calls `sourceRanges`; lists are looked into. So a name finds its value in any of these spellings.
 */
import { parseJson } from '#core/parse-json.ts'
import type { Json, JsonObject } from '#core/record.ts'
import type { Value } from './vocabulary.ts'

/** Deeper records are not looked into: nobody's log is. */
const MAX_DEPTH = 40

type Node = Json | undefined

const isObject = (value: Node): value is JsonObject => value !== null && typeof value === 'object' && !Array.isArray(value)

/** Everything at the path, as it stands in the record. A step can go through lists, JSON in text, and lists of name and value. */
export function nodesAt(value: Node, path: string): readonly Json[] {
  return walk(value, path === '' ? [] : path.split('.'), 0)
}

/** The same as values that tests compare. */
export const valuesAt = (value: Node, path: string): readonly Value[] => nodesAt(value, path).flatMap(values)

function walk(given: Node, path: readonly string[], depth: number): readonly Json[] {
  const value = unpacked(given, path.length > 0)
  if (value === undefined || value === null || depth > MAX_DEPTH) return []
  if (path.length === 0) return [value]
  if (Array.isArray(value)) {
    const list = value as readonly Json[]
    const [head = '', ...rest] = path
    if (/^\d+$/.test(head) && list[Number(head)] !== undefined) return walk(list[Number(head)], rest, depth + 1)
    const found = list.flatMap((one) => walk(one, path, depth + 1))
    return found.length > 0 ? found : list.flatMap((one) => named(one, path, depth))
  }
  if (!isObject(value)) return []
  // Keys hold dots, too (`image-policy.k8s.io/break-glass`): the longest key that fits is taken.
  for (let length = path.length; length > 0; length--) {
    const inner = ofKey(value, path.slice(0, length).join('.'))
    if (inner !== undefined) return walk(inner, path.slice(length), depth + 1)
  }
  return []
}

/** `{name: "x", value: 1}` and its kind, as an object with the key x. */
function named(value: Json, path: readonly string[], depth: number): readonly Json[] {
  if (!isObject(value)) return []
  const name = ofKey(value, 'key') ?? ofKey(value, 'name') ?? ofKey(value, 'displayName')
  const inner = ofKey(value, 'value') ?? ofKey(value, 'newValue') ?? ofKey(value, 'intValue') ?? ofKey(value, 'boolValue') ?? ofKey(value, 'multiValue')
  if (typeof name !== 'string' || inner === undefined) return []
  for (let length = path.length; length > 0; length--) {
    if (spelling(path.slice(0, length).join('.')) === spelling(name)) return walk(inner, path.slice(length), depth + 1)
  }
  return []
}

function ofKey(value: JsonObject, key: string): Node {
  if (Object.hasOwn(value, key)) return value[key]
  const wanted = spelling(key)
  for (const name of Object.keys(value)) if (name.length >= wanted.length && spelling(name) === wanted) return value[name]
  return undefined
}

const spelling = (name: string): string => name.replaceAll('_', '').toLowerCase()

/** JSON that an exporter wrote into a text. */
function unpacked(value: Node, further: boolean): Node {
  if (!further || typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value
  try {
    return parseJson(value)
  } catch {
    return value
  }
}

/** What tests compare: an object is its JSON text, close and with blanks (rules quote parts of either); a list is its elements, and its text where these are objects. */
export function values(node: Json): readonly Value[] {
  if (node === null) return []
  if (typeof node === 'boolean') return [String(node)]
  if (typeof node !== 'object') return [node]
  if (Array.isArray(node)) {
    const list = node as readonly Json[]
    const texts = list.some((one) => typeof one === 'object') ? [JSON.stringify(node), spaced(node)] : []
    return [...texts, ...list.flatMap(values)]
  }
  return [JSON.stringify(node), spaced(node)]
}

/** JSON with a blank behind each colon and comma. */
function spaced(node: Json): string {
  if (Array.isArray(node)) return `[${(node as readonly Json[]).map(spaced).join(', ')}]`
  if (!isObject(node)) return JSON.stringify(node)
  const items = Object.entries(node).map(([key, inner]) => `${JSON.stringify(key)}: ${spaced(inner ?? null)}`)
  return `{${items.join(', ')}}`
}

/** Every key and text of a record, for keywords. */
export function* texts(node: Json | undefined, depth = 0): Generator<string> {
  if (node === undefined || node === null || depth > MAX_DEPTH) return
  if (typeof node !== 'object') return yield String(node)
  if (Array.isArray(node)) {
    for (const one of node as readonly Json[]) yield* texts(one, depth + 1)
    return
  }
  for (const [key, inner] of Object.entries(node as JsonObject)) {
    yield key
    yield* texts(inner, depth + 1)
  }
}
