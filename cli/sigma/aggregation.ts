/** Counts in the way of Sigma's first version, which published rules still use: `selection | count(field) by group > 5`, with a timeframe. */
import { readSpan, type Correlation } from './correlation.ts'
import { refuse } from './fault.ts'
import type { PlaceOf } from './rule.ts'

const COUNT =
  /^(?<condition>[^|]+)\|\s*count\(\s*(?<field>[\w.]*)\s*\)(?:\s+by\s+(?<groups>[\w.]+(?:\s*,\s*[\w.]+)*))?\s*(?<compare>>=?)\s*(?<number>\d{1,6})\s*$/i

/**
 * The condition without the count, and the count as a correlation; null for a condition that counts nothing.
 * @throws SigmaError for a count that cannot be taken as a correlation
 */
export function legacyCount(text: string, timeframe: unknown, place: PlaceOf): { readonly condition: string; readonly correlation: Correlation } | null {
  if (!text.includes('|')) return null
  const { condition, field, groups, compare, number } = COUNT.exec(text.trim())?.groups ?? {}
  if (condition === undefined)
    return refuse(place('detection', 'condition'), 'behind "|" only count() with > or >= is understood: write a correlation rule (docs/sigma.md)')
  if (timeframe === undefined) return refuse(place('detection', 'condition'), 'a count needs a timeframe: without one it says nothing about how close together')
  const at: PlaceOf = (...path) => place('detection', ...(path[0] === 'timespan' ? ['timeframe'] : path))
  const where = place('detection', 'condition')
  return {
    condition,
    correlation: {
      type: field ? 'value_count' : 'event_count',
      rules: [],
      groupBy: (groups ?? '').split(',').flatMap((one) => {
        const name = one.trim()
        return name === '' ? [] : [{ name, fieldOf: () => ({ name, place: where }) }]
      }),
      spanNs: readSpan(timeframe, at),
      least: Math.max(1, Number(number) + (compare === '>' ? 1 : 0)),
      field: field ? { name: field, place: where } : null,
      generate: false,
    },
  }
}
