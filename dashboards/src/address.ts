/** The page's state in the address, so that a view can be sent to a colleague. The token is never part of it. */
import type { Confidence, Kind, Outcome, Source } from './api-types.ts'
import { CONFIDENCE_WORDS, KIND_WORDS, OUTCOME_WORDS, SOURCE_WORDS } from './words.ts'

export interface Filters {
  readonly source: readonly Source[]
  readonly kind: readonly Kind[]
  readonly outcome: readonly Outcome[]
  readonly confidence: readonly Confidence[]
  readonly text: string
  /** ISO times, half-open; empty means open. */
  readonly from: string
  readonly to: string
  readonly tenant: string
}

export interface Address {
  readonly oid: string | null
  /** Event whose details are open. */
  readonly event: string | null
  readonly filters: Filters
}

export const NO_FILTERS: Filters = { source: [], kind: [], outcome: [], confidence: [], text: '', from: '', to: '', tenant: '' }

/** Reads the query part of an address; what is no known word or no time is left out. */
export function parseAddress(search: string): Address {
  const query = new URLSearchParams(search)
  const words = <Word extends string>(name: string, known: Readonly<Record<Word, unknown>>): Word[] =>
    (query.get(name) ?? '').split(',').filter((word): word is Word => Object.hasOwn(known, word))
  const time = (name: string): string => {
    const value = query.get(name) ?? ''
    return Number.isNaN(Date.parse(value)) ? '' : value
  }
  return {
    oid: query.get('oid')?.trim().toLowerCase() || null,
    event: query.get('event') || null,
    filters: {
      source: words('source', SOURCE_WORDS),
      kind: words('kind', KIND_WORDS),
      outcome: words('outcome', OUTCOME_WORDS),
      confidence: words('confidence', CONFIDENCE_WORDS),
      text: query.get('text') ?? '',
      from: time('from'),
      to: time('to'),
      tenant: query.get('tenant') ?? '',
    },
  }
}

/** The query part for a state, `''` when there is nothing to say. */
export function printAddress(address: Address): string {
  const query = new URLSearchParams()
  if (address.oid) query.set('oid', address.oid)
  for (const name of ['source', 'kind', 'outcome', 'confidence'] as const)
    if (address.filters[name].length > 0) query.set(name, address.filters[name].join(','))
  for (const name of ['text', 'from', 'to', 'tenant'] as const) if (address.filters[name]) query.set(name, address.filters[name])
  if (address.event) query.set('event', address.event)
  // Commas and colons are allowed in a query and much easier to read than %2C and %3A.
  const text = query.toString().replaceAll('%2C', ',').replaceAll('%3A', ':')
  return text ? `?${text}` : ''
}

/** How many filters are set. */
export function countFilters(filters: Filters): number {
  return (
    [filters.source, filters.kind, filters.outcome, filters.confidence].filter((list) => list.length > 0).length +
    [filters.text, filters.from, filters.to].filter(Boolean).length
  )
}
