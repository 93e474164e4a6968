/** The hits of one group within the timespan of a correlation; what is counted is kept up to date, so a hit costs the same in a quiet hour and in a flood. */
import type { Correlation } from './correlation.ts'
import type { SigmaEvent } from './vocabulary/vocabulary.ts'

export interface Hit {
  readonly rule: string
  readonly event: SigmaEvent
}

/** Hits that are over stay in the array until there are so many of them. */
const COMPACT_AT = 1024

export class Window {
  readonly #correlation: Correlation
  #hits: Hit[] = []
  /** The first hit that is not over. */
  #start = 0
  readonly #counts = new Map<string, number>()
  /** Of `temporal_ordered`: when the latest chain through the first n rules began. */
  readonly #chains: (bigint | null)[]

  readonly #valuesOf: (hit: Hit) => readonly string[]

  /** @param valuesOf the different values that count, of `value_count` */
  constructor(correlation: Correlation, valuesOf: (hit: Hit) => readonly string[]) {
    this.#correlation = correlation
    this.#valuesOf = valuesOf
    this.#chains = correlation.rules.map(() => null)
  }

  get empty(): boolean {
    return this.#start === this.#hits.length
  }

  get hits(): readonly Hit[] {
    return this.#hits.slice(this.#start)
  }

  /** Takes out what is older than the timespan at this time. */
  advance(timeNs: bigint): void {
    const since = timeNs - this.#correlation.spanNs
    while (!this.empty && this.#hits[this.#start]!.event.timeNs < since) this.#count(this.#hits[this.#start++]!, -1)
    if (this.#start < COMPACT_AT) return
    this.#hits = this.#hits.slice(this.#start)
    this.#start = 0
  }

  /** Takes an event in with the rules that it matches. */
  push(rules: readonly string[], event: SigmaEvent): void {
    for (const rule of rules) {
      const hit = { rule, event }
      this.#hits.push(hit)
      this.#count(hit, 1)
    }
    // No event comes before itself: it goes on from what was there before it, so the last step is taken first.
    for (let index = this.#chains.length - 1; index >= 0; index--) {
      if (!rules.includes(this.#correlation.rules[index]!)) continue
      const began = index === 0 ? event.timeNs : this.#chains[index - 1]
      if (began != null) this.#chains[index] = began
    }
  }

  /** Whether the correlation holds at the time of the last hit. */
  holds(): boolean {
    const { type, least, spanNs } = this.#correlation
    if (type !== 'temporal_ordered') return this.#counts.size >= least
    const last = this.#hits.at(-1)
    const began = this.#chains.at(-1) ?? null
    return last !== undefined && began !== null && began >= last.event.timeNs - spanNs
  }

  /** What is counted: events once each, whichever rules they matched; different values; different rules. */
  #count(hit: Hit, by: 1 | -1): void {
    const { type } = this.#correlation
    const keys = type === 'event_count' ? [hit.event.id] : type === 'value_count' ? this.#valuesOf(hit) : [hit.rule]
    for (const key of keys) {
      const count = (this.#counts.get(key) ?? 0) + by
      if (count === 0) this.#counts.delete(key)
      else this.#counts.set(key, count)
    }
  }
}
