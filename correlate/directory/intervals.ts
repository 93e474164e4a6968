/**
 * Yes/no over time: "could this agent act then", "was this federated credential valid then". A list of half-open spans in
 * nanoseconds, sorted and disjoint; `null` stands for "since ever" and "until further notice".
 */
export interface Span {
  readonly from: bigint | null
  readonly to: bigint | null
}

export const ALWAYS: readonly Span[] = [{ from: null, to: null }]

/** True when the instant lies in one of the spans. */
export function covers(spans: readonly Span[], time: bigint): boolean {
  return spans.some((span) => (span.from === null || span.from <= time) && (span.to === null || time < span.to))
}

/** A dated observation: what held just before and what holds from then on. `null` says nothing about that side. */
export interface Observation {
  readonly time: bigint
  /** Decides the order of observations of one instant. */
  readonly id: string
  readonly before: boolean | null
  readonly after: boolean | null
}

/**
 * The spans in which something may have held, given what was observed. Where two observations disagree about the time between
 * them (a log is missing), it may have held: leaving a possible candidate out would be a guess, keeping it is not.
 */
export function spansOf(observations: readonly Observation[], initially: boolean): readonly Span[] {
  if (observations.length === 0) return initially ? ALWAYS : []
  const sorted = observations.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : a.id < b.id ? -1 : 1))
  const spans: { from: bigint | null; to: bigint | null }[] = []
  const add = (from: bigint | null, to: bigint | null): void => {
    const last = spans.at(-1)
    if (last && last.to === from && from !== null) last.to = to
    else spans.push({ from, to })
  }
  let state = sorted[0]!.before ?? initially
  if (state) add(null, sorted[0]!.time)
  sorted.forEach((observation, index) => {
    const next = sorted[index + 1]
    state = observation.after ?? observation.before ?? state
    if (next && next.time === observation.time) return
    if (state || next?.before === true) add(observation.time, next?.time ?? null)
  })
  return spans
}

/** The spans that lie in both lists. */
export function intersect(a: readonly Span[], b: readonly Span[]): readonly Span[] {
  const result: Span[] = []
  for (const left of a) {
    for (const right of b) {
      const from = left.from === null ? right.from : right.from === null ? left.from : left.from > right.from ? left.from : right.from
      const to = left.to === null ? right.to : right.to === null ? left.to : left.to < right.to ? left.to : right.to
      if (from === null || to === null || from < to) result.push({ from, to })
    }
  }
  return result
}
