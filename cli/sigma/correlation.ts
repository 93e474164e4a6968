/** Sigma's correlations: how often, how many different, or which rules together within a time. */
import { MINUTE, HOUR, SECOND } from '#core/time.ts'
import { type Place, refuse } from './fault.ts'
import type { PlaceOf } from './rule.ts'

const TYPES = ['event_count', 'value_count', 'temporal', 'temporal_ordered'] as const

/** A field as the rule names it. Which one it is depends on the logs of the rule that is counted. */
interface Named {
  readonly name: string
  readonly place: Place
}

export interface Correlation {
  readonly type: (typeof TYPES)[number]
  /** Names or ids of rules, in the order of the file. */
  readonly rules: readonly string[]
  /** Each rule's own fields to group by, in one order; events that lack one of them are in no group. */
  readonly groupBy: readonly { readonly name: string; readonly fieldOf: (rule: string) => Named }[]
  readonly spanNs: bigint
  /** So many at least. Of temporal types the number of rules. */
  readonly least: number
  /** Of `value_count`: whose different values count. */
  readonly field: Named | null
  /** Whether the rules it names are told of by themselves, too. */
  readonly generate: boolean
}

const UNITS: Readonly<Record<string, bigint>> = { s: SECOND, m: MINUTE, h: HOUR, d: 24n * HOUR, w: 168n * HOUR }

/** @throws SigmaError with the line of what is not supported */
export function readCorrelation(value: unknown, generate: unknown, place: PlaceOf): Correlation {
  const at: PlaceOf = (...path) => place('correlation', ...path)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(at(), 'the correlation is no map')
  const { type, rules, timespan, condition, aliases, 'group-by': groupBy, generate: inner, ...more } = value as Record<string, unknown>
  const extra = Object.keys(more)[0]
  if (extra !== undefined) refuse(at(extra), `"${extra}" of a correlation is not supported`)
  if (!(TYPES as readonly unknown[]).includes(type)) return refuse(at('type'), `the type is none of ${TYPES.join(', ')}`)
  const named = typeof rules === 'string' ? [rules] : rules
  if (!Array.isArray(named) || named.length === 0 || !named.every((one) => typeof one === 'string'))
    return refuse(at('rules'), 'rules must name rules, by name or id')
  const names = named as readonly string[]
  if (new Set(names).size < names.length) refuse(at('rules'), 'a rule is named twice')
  const kind = type as Correlation['type']
  const counting = kind === 'event_count' || kind === 'value_count'
  if (!counting && names.length < 2) refuse(at('rules'), `${kind} needs two rules or more`)
  const told = generate ?? inner ?? false
  if (typeof told !== 'boolean') return refuse(place('generate'), 'generate is neither true nor false')
  return {
    type: kind,
    rules: names,
    groupBy: readGroups(groupBy, aliases, names, at),
    spanNs: readSpan(timespan, at),
    ...(counting ? readCondition(condition, kind, at) : readNothing(condition, names, at)),
    generate: told,
  }
}

/** @throws SigmaError for what is no time span */
export function readSpan(value: unknown, at: PlaceOf): bigint {
  const [, count, unit] = /^(\d{1,6})([smhdw])$/.exec(typeof value === 'string' ? value : '') ?? []
  return count && unit && Number(count) > 0 ? BigInt(count) * UNITS[unit]! : refuse(at('timespan'), 'the timespan is none like 30s, 15m, 6h, 1d')
}

/** A group's minimum only: "fewer than" is true of every moment without events, and would be told for each. */
function readCondition(value: unknown, kind: string, at: PlaceOf): Pick<Correlation, 'least' | 'field'> {
  if (typeof value !== 'object' || value === null) return refuse(at('condition'), 'the condition must say gte or gt')
  const { gte, gt, field, ...more } = value as Record<string, unknown>
  const extra = Object.keys(more)[0]
  if (extra !== undefined) refuse(at('condition', extra), `"${extra}" in a correlation's condition is not supported: write gte or gt`)
  if ((gte === undefined) === (gt === undefined)) refuse(at('condition'), 'the condition must say either gte or gt')
  const number = gte ?? gt
  if (!Number.isSafeInteger(number) || (number as number) < 0 || (number as number) > 1_000_000)
    return refuse(at('condition'), 'the count is no whole number up to 1000000')
  if (kind === 'value_count' && typeof field !== 'string') return refuse(at('condition'), 'value_count must say whose values count: field')
  if (kind === 'event_count' && field !== undefined) return refuse(at('condition', 'field'), 'event_count counts events: field belongs to value_count')
  return {
    least: Math.max(1, (number as number) + (gt === undefined ? 0 : 1)),
    field: typeof field === 'string' ? { name: field, place: at('condition', 'field') } : null,
  }
}

function readNothing(condition: unknown, rules: readonly string[], at: PlaceOf): Pick<Correlation, 'least' | 'field'> {
  if (condition !== undefined && condition !== null) refuse(at('condition'), 'conditions of temporal correlations are not supported: all rules must match')
  return { least: rules.length, field: null }
}

function readGroups(value: unknown, aliases: unknown, rules: readonly string[], at: PlaceOf): Correlation['groupBy'] {
  const names = value === undefined || value === null ? [] : typeof value === 'string' ? [value] : value
  if (!Array.isArray(names) || !names.every((one) => typeof one === 'string')) return refuse(at('group-by'), 'group-by must name fields')
  if (aliases !== undefined && aliases !== null && (typeof aliases !== 'object' || Array.isArray(aliases))) refuse(at('aliases'), 'aliases are no map')
  const known = (aliases ?? {}) as Readonly<Record<string, unknown>>
  const unused = Object.keys(known).find((alias) => !names.includes(alias))
  if (unused !== undefined) refuse(at('aliases', unused), `the alias "${unused}" is not in group-by`)
  return (names as readonly string[]).map((name) => {
    const alias = known[name]
    if (alias === undefined) {
      const field = { name, place: at('group-by') }
      return { name, fieldOf: () => field }
    }
    const fields = new Map(
      Object.entries(alias as Record<string, unknown>).map(([rule, field]) => [rule, { name: String(field), place: at('aliases', name, rule) }]),
    )
    const missing = rules.find((rule) => !fields.has(rule))
    if (missing !== undefined || fields.size !== rules.length)
      return refuse(at('aliases', name), `the alias "${name}" must name a field for each of ${rules.join(', ')}`)
    return { name, fieldOf: (rule) => fields.get(rule)! }
  })
}
