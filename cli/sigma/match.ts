/** One `field|modifier: value` of a Sigma detection as a test of an event. */
import { BlockList, isIP } from 'node:net'
import { FIELDS, isField, type FieldName, type FieldValue, type SigmaEvent } from './fields.ts'
import { type Place, refuse } from './fault.ts'

export type Test = (event: SigmaEvent) => boolean
/** A value as YAML has it. */
export type Scalar = string | number | boolean | null

type Single = (value: string | number | null) => boolean

const POSITIONS = ['contains', 'startswith', 'endswith'] as const
const COMPARISONS = ['lt', 'lte', 'gt', 'gte'] as const
const MODIFIERS = [...POSITIONS, ...COMPARISONS, 'all', 're', 'i', 'm', 's', 'cased', 'cidr', 'exists', 'fieldref', 'neq'] as const
type Modifier = (typeof MODIFIERS)[number]

/** The field of `name|modifiers`. @throws SigmaError for one that events do not have */
export function fieldOf(name: string, place: Place): FieldName {
  if (isField(name)) return name
  const near = FIELDS.find((field) => field.toLowerCase() === name.toLowerCase().replaceAll(/[_.-]/g, ''))
  return refuse(place, `linked events have no field "${name}"${near ? `: do you mean ${near}?` : `. They have ${FIELDS.join(', ')}`}`)
}

/**
 * The test for a key with its values.
 * @param key `field` or `field|modifier|…`
 * @throws SigmaError for unknown fields and modifiers, and values that do not fit them: nothing is left out in silence
 */
export function compileItem(key: string, values: readonly Scalar[], place: Place): { readonly test: Test; readonly fields: readonly FieldName[] } {
  const [name = '', ...given] = key.split('|')
  const field = fieldOf(name, place)
  const unknown = given.find((one) => !(MODIFIERS as readonly string[]).includes(one))
  if (unknown !== undefined) refuse(place, `the modifier "${unknown}" is not supported. These are: ${MODIFIERS.join(', ')}`)
  if (new Set(given).size < given.length) refuse(place, `"${key}" says one modifier twice`)
  if (values.length === 0) refuse(place, `"${key}" has no value`)
  const modifiers = new Set(given as Modifier[])
  checkTogether(key, modifiers, place)
  if (modifiers.has('exists')) return { test: existence(field, key, values, place), fields: [field] }
  if (modifiers.has('fieldref')) return reference(field, key, modifiers, values, place)
  const singles = values.map((value) => compileValue(key, modifiers, value, place))
  const every = modifiers.has('all')
  if (every && singles.length < 2) refuse(place, `"${key}": all needs a list of values`)
  const negated = modifiers.has('neq')
  const test: Test = (event) => {
    const found = elements(event.field(field))
    const one = (single: Single): boolean => found.some(single)
    return (every ? singles.every(one) : singles.some(one)) !== negated
  }
  return { test, fields: [field] }
}

/** An empty list is nothing, as null is. */
function elements(value: FieldValue): readonly (string | number | null)[] {
  if (!Array.isArray(value)) return [value as string | number | null]
  return value.length === 0 ? [null] : (value as readonly string[])
}

function checkTogether(key: string, modifiers: ReadonlySet<Modifier>, place: Place): void {
  const has = (...names: readonly Modifier[]): Modifier[] => names.filter((name) => modifiers.has(name))
  const kinds = has(...POSITIONS, ...COMPARISONS, 're', 'cidr', 'exists')
  if (kinds.length > 1) refuse(place, `"${key}": ${kinds.join(' and ')} do not go together`)
  if (modifiers.has('exists') && modifiers.size > 1) refuse(place, `"${key}": exists goes alone`)
  if (has('i', 'm', 's').length > 0 && !modifiers.has('re')) refuse(place, `"${key}": i, m and s go with re`)
  if (modifiers.has('cased') && has(...COMPARISONS, 're', 'cidr', 'exists').length > 0) refuse(place, `"${key}": cased is for text`)
  if (modifiers.has('all') && has(...COMPARISONS, 'exists').length > 0) refuse(place, `"${key}": all does not go with ${kinds.join()}`)
}

function existence(field: FieldName, key: string, values: readonly Scalar[], place: Place): Test {
  const [wanted, ...more] = values
  if (typeof wanted !== 'boolean' || more.length > 0) return refuse(place, `"${key}" takes true or false`)
  return (event) => elements(event.field(field)).some((value) => value !== null) === wanted
}

function reference(field: FieldName, key: string, modifiers: ReadonlySet<Modifier>, values: readonly Scalar[], place: Place) {
  const extra = [...modifiers].find((one) => !['fieldref', 'cased', 'neq'].includes(one))
  if (extra !== undefined) refuse(place, `"${key}": ${extra} with fieldref is not supported`)
  const others = values.map((value) => fieldOf(String(value), place))
  const norm = (value: string | number | null): string | null => (value === null ? null : modifiers.has('cased') ? String(value) : String(value).toLowerCase())
  const test: Test = (event) => {
    const mine = elements(event.field(field)).map(norm)
    // Two absent values are no match: nothing says that they are the same.
    return others.some((other) => elements(event.field(other)).some((value) => value !== null && mine.includes(norm(value)))) !== modifiers.has('neq')
  }
  return { test, fields: [field, ...others] }
}

function compileValue(key: string, modifiers: ReadonlySet<Modifier>, value: Scalar, place: Place): Single {
  const comparison = COMPARISONS.find((one) => modifiers.has(one))
  if (comparison) return numeric(comparison, key, value, place)
  if (modifiers.has('cidr')) return cidr(key, value, place)
  if (modifiers.has('re')) return regular(key, modifiers, value, place)
  const position = POSITIONS.find((one) => modifiers.has(one))
  if (value === null) return position ? refuse(place, `"${key}" needs text`) : (found) => found === null
  if (typeof value === 'number' && !position) return (found) => found !== null && Number(found) === value
  return wildcard(String(value), position, modifiers.has('cased'))
}

function numeric(comparison: (typeof COMPARISONS)[number], key: string, value: Scalar, place: Place): Single {
  const limit = typeof value === 'number' ? value : refuse(place, `"${key}" needs a number`)
  const compare: Record<(typeof COMPARISONS)[number], (found: number) => boolean> = {
    lt: (found) => found < limit,
    lte: (found) => found <= limit,
    gt: (found) => found > limit,
    gte: (found) => found >= limit,
  }
  return (found) => found !== null && Number.isFinite(Number(found)) && compare[comparison](Number(found))
}

function cidr(key: string, value: Scalar, place: Place): Single {
  const [address = '', bits = ''] = String(value).split('/')
  const family = isIP(address)
  if (family === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128))
    return refuse(place, `"${key}": ${JSON.stringify(value)} is no network like 10.0.0.0/8`)
  const list = new BlockList()
  list.addSubnet(address, Number(bits), family === 4 ? 'ipv4' : 'ipv6')
  return (found) => {
    const kind = typeof found === 'string' ? isIP(found) : 0
    return kind !== 0 && list.check(found as string, kind === 4 ? 'ipv4' : 'ipv6')
  }
}

function regular(key: string, modifiers: ReadonlySet<Modifier>, value: Scalar, place: Place): Single {
  if (typeof value !== 'string') return refuse(place, `"${key}" needs a regular expression`)
  try {
    // Sigma's expressions are PCRE and case-sensitive unless they say `i`; what JavaScript does not know is an error here, never another meaning.
    const expression = new RegExp(value, `${['i', 'm', 's'].filter((flag) => modifiers.has(flag as Modifier)).join('')}u`)
    return (found) => found !== null && expression.test(String(found))
  } catch (error) {
    return refuse(place, `"${key}": ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Sigma's text: `*` any text, `?` one character, a backslash before them or before a backslash takes their meaning. Not case-sensitive unless `cased`. */
function wildcard(pattern: string, position: (typeof POSITIONS)[number] | undefined, cased: boolean): Single {
  const body = pattern.replaceAll(/\\[\\*?]|[*?]|[^\\*?]+|\\/g, (part) => {
    if (part === '*') return '.*'
    if (part === '?') return '.'
    return escapeExpression(/^\\[\\*?]$/.test(part) ? part.slice(1) : part)
  })
  const open = position === 'contains' || position === 'endswith' ? '' : '^'
  const close = position === 'contains' || position === 'startswith' ? '' : '$'
  const expression = new RegExp(`${open}(?:${body})${close}`, cased ? 'su' : 'sui')
  return (found) => found !== null && expression.test(String(found))
}

const escapeExpression = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`)
