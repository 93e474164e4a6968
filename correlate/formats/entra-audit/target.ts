/** The targets of an audit record: what they are, and what stands in their `modifiedProperties`. */
import { parseJson } from '#core/parse-json.ts'
import type { Json, JsonObject } from '#core/record.ts'
import { arr, obj, str, type Value } from '../read.ts'

export interface Target {
  readonly id: string | null
  readonly type: 'application' | 'service principal' | 'user' | null
  readonly name: string | null
  readonly agentType: Value
  readonly blueprintId: Value
  readonly properties: readonly Property[]
}

export interface Property {
  readonly name: string
  /** Parsed; undefined where the record does not say (null) or the text is no JSON. */
  readonly before: Json | undefined
  readonly after: Json | undefined
}

const TYPES: Readonly<Record<string, Target['type']>> = {
  application: 'application',
  serviceprincipal: 'service principal',
  user: 'user',
}

/** The targets in the record's order. */
export function targetsOf(targetResources: Value): readonly Target[] {
  return arr(targetResources).map((item) => {
    const target = obj(item)
    const type = str(target['type'])?.toLowerCase() ?? ''
    return {
      id: str(target['id']),
      type: TYPES[type] ?? null,
      name: str(target['displayName']),
      agentType: target['agentType'],
      blueprintId: target['blueprintId'],
      properties: arr(target['modifiedProperties']).map(propertyOf),
    }
  })
}

function propertyOf(item: Json): Property {
  const property: JsonObject = obj(item)
  return {
    name: (str(property['displayName']) ?? '').trim(),
    before: parsed(property['oldValue']),
    after: parsed(property['newValue']),
  }
}

/** Old and new values are JSON text inside a string (`"[true]"`, `"\"x\""`, facts/entra.md b.2). */
function parsed(value: Value): Json | undefined {
  if (typeof value !== 'string') return value ?? undefined
  try {
    return parseJson(value)
  } catch {
    return undefined
  }
}

/** The property of this name, in any case. */
export function property(target: Target, name: string): Property | null {
  return target.properties.find((one) => one.name.toLowerCase() === name.toLowerCase()) ?? null
}

/** The values that a property has now, or had where it has none now (a deletion): `"[\"x\"]"` and `"\"x\""` both give `['x']`. */
export function valuesOf(target: Target, name: string): readonly Json[] {
  const found = property(target, name)
  const after = list(found?.after)
  return after.length > 0 ? after : list(found?.before)
}

function list(value: Json | undefined): readonly Json[] {
  if (value === undefined || value === null || value === '') return []
  return Array.isArray(value) ? (value as readonly Json[]) : [value]
}

/** The value of an entry of `additionalDetails` (`[{key, value}]`), the key in any case. */
export function detail(additionalDetails: Value, key: string): string | null {
  const entry = arr(additionalDetails)
    .map(obj)
    .find((one) => str(one['key'])?.toLowerCase() === key.toLowerCase())
  return entry === undefined ? null : str(entry['value'])
}
