import { parseJson } from '#core/parse-json.ts'
import type { Json, JsonObject } from '#core/record.ts'

/**
 * Readers for values that nobody vouches for: each gives what is there in the wanted type, or "absent" (null, {} or []).
 * None throws and none converts by guessing; `''`, `'null'` and `'<null>'` are how exporters write "nothing".
 */
export type Value = Json | undefined

/** The text, or null where it is none or stands for nothing. Numbers are no text: use `num`. */
export function str(value: Value): string | null {
  return typeof value === 'string' && value !== '' && value !== 'null' && value !== '<null>' ? value : null
}

/** The finite number, also one written as text (`"571"`); null otherwise. */
export function num(value: Value): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : null
}

/** The boolean, also one written as text in any case; null otherwise. */
export function bool(value: Value): boolean | null {
  if (typeof value === 'boolean') return value
  if (typeof value !== 'string') return null
  const word = value.toLowerCase()
  return word === 'true' ? true : word === 'false' ? false : null
}

/** True for a JSON object (not an array, not null). */
export function isObj(value: Value): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** The object, or `{}` where the value is none. */
export function obj(value: Value): JsonObject {
  return isObj(value) ? value : {}
}

/** The array, or `[]` where the value is none. */
export function arr(value: Value): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : []
}

/** True where the object has the member and it is not null: exports of tables write every column. */
export function has(value: JsonObject, key: string): boolean {
  return Object.hasOwn(value, key) && value[key] !== null
}

/** The value under exactly this key, own properties only. */
function get(value: Value, key: string): Value {
  return isObj(value) && Object.hasOwn(value, key) ? value[key] : undefined
}

/** The value under this key as written, else under the first key that differs only in case: for JSON inside of values, which no vocabulary sees. */
export function getAnyCase(value: Value, key: string): Value {
  if (!isObj(value)) return undefined
  if (Object.hasOwn(value, key)) return value[key]
  const wanted = key.toLowerCase()
  const found = Object.keys(value).find((name) => name.toLowerCase() === wanted)
  return found === undefined ? undefined : value[found]
}

/** The value at a dotted path (`a.b.0.c`; a number steps into an array), keys as written; undefined where a step is missing. */
export function at(value: Value, path: string): Value {
  if (!path.includes('.')) return get(value, path)
  let current: Value = value
  for (const key of path.split('.')) {
    current = Array.isArray(current) ? (/^\d+$/.test(key) ? (current as readonly Json[])[Number(key)] : undefined) : get(current, key)
    if (current === undefined) return undefined
  }
  return current
}

/** JSON objects and arrays that an exporter wrote into a string cell, parsed; anything else as it is. */
export function parseIfText(value: Value): Value {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value
  try {
    return parseJson(value)
  } catch {
    return value
  }
}

/** Distinct texts in order of first appearance, without absent ones. */
export function distinct<Text extends string>(values: readonly (Text | null)[]): Text[] {
  return [...new Set(values.filter((value) => value !== null))]
}
