/** One `field|modifier: value` of a Sigma detection as a test of an event. */
import { BlockList, isIP } from 'node:net'
import { RE2JS } from 're2js'
import { parseTime } from '#core/time.ts'
import { encoded, ENCODINGS, hasWildcard, type Encoding } from './encode.ts'
import { type Place, refuse } from './fault.ts'
import { folded, textPattern, type Position } from './text-pattern.ts'
import type { Reader, SigmaEvent, Value, Vocabulary } from './vocabulary/vocabulary.ts'

export type Test = (event: SigmaEvent) => boolean
/** A value as YAML has it. */
export type Scalar = string | number | boolean | null
export interface Compiled {
  readonly test: Test
  readonly readers: readonly Reader[]
}

type Single = (value: Value) => boolean

const POSITIONS = ['contains', 'startswith', 'endswith'] as const
const COMPARISONS = ['lt', 'lte', 'gt', 'gte'] as const
/** Parts of a time. */
const PARTS = ['minute', 'hour', 'day', 'week', 'month', 'year'] as const
const MODIFIERS = [...POSITIONS, ...COMPARISONS, ...ENCODINGS, ...PARTS, 'all', 're', 'i', 'm', 's', 'cased', 'cidr', 'exists', 'fieldref', 'neq'] as const
type Modifier = (typeof MODIFIERS)[number]

/**
 * The test for a key with its values.
 * @param key `field` or `field|modifier|…`
 * @throws SigmaError for unknown fields and modifiers, and values that do not fit them: nothing is left out in silence
 */
export function compileItem(key: string, values: readonly Scalar[], vocabulary: Vocabulary, place: Place): Compiled {
  const [name = '', ...given] = key.split('|')
  if (name === '') return compileKeywords(given, values, vocabulary, place)
  const field = vocabulary.reader(name, place)
  const modifiers = readModifiers(key, given, values, place)
  if (modifiers.has('exists')) return { test: existence(field, key, values, place), readers: [field] }
  if (modifiers.has('fieldref')) return reference(field, key, modifiers, values, vocabulary, place)
  const singles = values.map((value) => compileValue(key, modifiers, value, vocabulary, place))
  const every = modifiers.has('all')
  const negated = modifiers.has('neq')
  const test: Test = (event) => {
    const found = field.read(event)
    const one = (single: Single): boolean => found.some(single)
    return (every ? singles.every(one) : singles.some(one)) !== negated
  }
  return { test, readers: [field] }
}

/** Texts that stand anywhere in the event: in a key or a value of its record. One of them is enough, unless `|all` is said. */
export function compileKeywords(given: readonly string[], values: readonly Scalar[], vocabulary: Vocabulary, place: Place): Compiled {
  const { texts } = vocabulary
  if (!texts) return refuse(place, 'keywords without a field are not supported: a linked event is no text. Write field: value')
  const modifiers = readModifiers(`|${given.join('|')}`, given, values, place)
  const other = [...modifiers].find((one) => !['all', 'cased', 're', 'i', 'm', 's'].includes(one))
  if (other !== undefined) return refuse(place, `keywords do not go with ${other}`)
  for (const value of values) {
    const why = typeof value === 'string' ? vocabulary.hopeless(value) : null
    if (why !== null) refuse(place, why)
  }
  const singles = values.map((value) =>
    modifiers.has('re') ? regular('keywords', modifiers, value, place) : textual(textPattern(String(value ?? ''), 'contains', modifiers.has('cased'))),
  )
  const every = modifiers.has('all')
  const test: Test = (event) => {
    const open = new Set(singles)
    for (const text of texts(event)) {
      for (const single of open) if (single(text)) open.delete(single)
      if (every ? open.size === 0 : open.size < singles.length) return true
    }
    return false
  }
  const reader: Reader = { name: 'keywords', linked: [], fromRecord: true, read: () => [''] }
  return { test, readers: [reader] }
}

function readModifiers(key: string, given: readonly string[], values: readonly Scalar[], place: Place): ReadonlySet<Modifier> {
  if (given.includes('expand')) refuse(place, `"${key}": expand stands for values of your own: write them out`)
  const unknown = given.find((one) => !(MODIFIERS as readonly string[]).includes(one))
  if (unknown !== undefined) refuse(place, `the modifier "${unknown}" is not supported. These are: ${MODIFIERS.join(', ')}`)
  if (new Set(given).size < given.length) refuse(place, `"${key}" says one modifier twice`)
  if (values.length === 0) refuse(place, `"${key}" has no value`)
  const modifiers = new Set(given as Modifier[])
  checkTogether(key, modifiers, place)
  if (modifiers.has('all') && values.length < 2) refuse(place, `"${key}": all needs a list of values`)
  return modifiers
}

function checkTogether(key: string, modifiers: ReadonlySet<Modifier>, place: Place): void {
  const has = (...names: readonly Modifier[]): Modifier[] => names.filter((name) => modifiers.has(name))
  const kinds = has(...POSITIONS, ...COMPARISONS, 're', 'cidr', 'exists')
  if (kinds.length > 1) refuse(place, `"${key}": ${kinds.join(' and ')} do not go together`)
  if (modifiers.has('exists') && modifiers.size > 1) refuse(place, `"${key}": exists goes alone`)
  if (has('i', 'm', 's').length > 0 && !modifiers.has('re')) refuse(place, `"${key}": i, m and s go with re`)
  if (modifiers.has('cased') && has(...COMPARISONS, 're', 'cidr', 'exists').length > 0) refuse(place, `"${key}": cased is for text`)
  if (modifiers.has('all') && has(...COMPARISONS, 'exists').length > 0) refuse(place, `"${key}": all does not go with ${kinds.join()}`)
  const encodings = has(...ENCODINGS)
  if (encodings.length > 0 && has(...COMPARISONS, ...PARTS, 're', 'cidr', 'fieldref').length > 0)
    refuse(place, `"${key}": ${encodings.join(' and ')} go with text`)
  if (encodings.includes('base64offset') && !modifiers.has('contains'))
    refuse(place, `"${key}": base64offset goes with contains: it is a part of a longer text`)
  const parts = has(...PARTS)
  if (parts.length > 1 || (parts.length === 1 && has(...POSITIONS, 're', 'cidr', 'fieldref', 'cased').length > 0))
    refuse(place, `"${key}": a part of a time is a number`)
}

function existence(field: Reader, key: string, values: readonly Scalar[], place: Place): Test {
  const [wanted, ...more] = values
  if (typeof wanted !== 'boolean' || more.length > 0) return refuse(place, `"${key}" takes true or false`)
  return (event) => field.read(event).some((value) => value !== null) === wanted
}

function reference(field: Reader, key: string, modifiers: ReadonlySet<Modifier>, values: readonly Scalar[], vocabulary: Vocabulary, place: Place): Compiled {
  const extra = [...modifiers].find((one) => !['fieldref', 'cased', 'neq', ...POSITIONS].includes(one))
  if (extra !== undefined) refuse(place, `"${key}": ${extra} with fieldref is not supported`)
  const others = values.map((value) => vocabulary.reader(String(value), place))
  const position = POSITIONS.find((one) => modifiers.has(one))
  const norm = (value: Value): string | null => (value === null ? null : modifiers.has('cased') ? String(value) : folded(String(value)))
  const fits = (mine: string, other: string): boolean => {
    if (position === 'contains') return mine.includes(other)
    if (position === 'startswith') return mine.startsWith(other)
    return position === 'endswith' ? mine.endsWith(other) : mine === other
  }
  const test: Test = (event) => {
    const mine = field.read(event).map(norm)
    // Two absent values are no match: nothing says that they are the same.
    const met = others.some((other) => other.read(event).some((value) => value !== null && mine.some((one) => one !== null && fits(one, norm(value)!))))
    return met !== modifiers.has('neq')
  }
  return { test, readers: [field, ...others] }
}

function compileValue(key: string, modifiers: ReadonlySet<Modifier>, value: Scalar, vocabulary: Vocabulary, place: Place): Single {
  const comparison = COMPARISONS.find((one) => modifiers.has(one))
  const part = PARTS.find((one) => modifiers.has(one))
  if (part) {
    const compare = numeric(comparison ?? null, key, value, place)
    return (found) => compare(partOf(found, part))
  }
  if (comparison) return numeric(comparison, key, value, place)
  if (modifiers.has('cidr')) return cidr(key, value, place)
  if (modifiers.has('re')) return regular(key, modifiers, value, place)
  const position = POSITIONS.find((one) => modifiers.has(one))
  if (value === null) return position ? refuse(place, `"${key}" needs text`) : (found) => found === null
  if (typeof value === 'number' && !position) return (found) => found !== null && found !== '' && Number(found) === value
  if (typeof value === 'string') {
    const why = vocabulary.hopeless(value)
    if (why !== null) refuse(place, why)
    if (value === '' && !position && vocabulary.emptyIsAbsent) return (found) => found === null || found === ''
  }
  return text(key, String(value), position ?? 'whole', modifiers, place)
}

function text(key: string, value: string, position: Position, modifiers: ReadonlySet<Modifier>, place: Place): Single {
  const encodings = [...modifiers].filter((one): one is Encoding => (ENCODINGS as readonly string[]).includes(one))
  if (encodings.some((one) => one !== 'windash') && hasWildcard(value)) refuse(place, `"${key}": a value with wildcards cannot be encoded`)
  const patterns = encoded(value, encodings).map((wanted) =>
    // Base64 tells capitals from small letters.
    textPattern(wanted.literal ? wanted.text.replaceAll(/[\\*?]/g, String.raw`\$&`) : wanted.text, position, modifiers.has('cased') || wanted.literal),
  )
  return textual((found) => patterns.some((fits) => fits(found)))
}

const textual =
  (fits: (text: string) => boolean): Single =>
  (found) =>
    found !== null && fits(String(found))

function numeric(comparison: (typeof COMPARISONS)[number] | null, key: string, value: Scalar, place: Place): Single {
  const limit =
    typeof value === 'number' ? value : typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : refuse(place, `"${key}" needs a number`)
  const compare: Record<(typeof COMPARISONS)[number], (found: number) => boolean> = {
    lt: (found) => found < limit,
    lte: (found) => found <= limit,
    gt: (found) => found > limit,
    gte: (found) => found >= limit,
  }
  const holds = comparison === null ? (found: number): boolean => found === limit : compare[comparison]
  return (found) => found !== null && found !== '' && Number.isFinite(Number(found)) && holds(Number(found))
}

/** The part of a time (UTC); null for what is no time. Weeks are those of ISO 8601. */
function partOf(found: Value, part: (typeof PARTS)[number]): number | null {
  const time = typeof found === 'string' ? parseTime(found) : null
  if (time === null) return null
  const date = new Date(Number(time / 1_000_000n))
  switch (part) {
    case 'minute':
      return date.getUTCMinutes()
    case 'hour':
      return date.getUTCHours()
    case 'day':
      return date.getUTCDate()
    case 'month':
      return date.getUTCMonth() + 1
    case 'year':
      return date.getUTCFullYear()
    case 'week': {
      const thursday = new Date(date)
      thursday.setUTCDate(date.getUTCDate() + 4 - (date.getUTCDay() || 7))
      return Math.ceil(((thursday.getTime() - Date.UTC(thursday.getUTCFullYear(), 0, 1)) / 86_400_000 + 1) / 7)
    }
  }
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

/**
 * Sigma's expressions are case-sensitive unless they say `i`. RE2 takes time in proportion to the text, whatever the expression (docs/adr/0028); it knows no look-around and
 * no back-reference, and Sigma advises against both.
 */
function regular(key: string, modifiers: ReadonlySet<Modifier>, value: Scalar, place: Place): Single {
  if (typeof value !== 'string') return refuse(place, `"${key}" needs a regular expression`)
  const flags = (modifiers.has('i') ? RE2JS.CASE_INSENSITIVE : 0) | (modifiers.has('m') ? RE2JS.MULTILINE : 0) | (modifiers.has('s') ? RE2JS.DOTALL : 0)
  try {
    const expression = RE2JS.compile(value, flags)
    return (found) => found !== null && expression.test(String(found))
  } catch (error) {
    return refuse(place, `"${key}": ${error instanceof Error ? error.message : String(error)}`)
  }
}
