import { createHash } from 'node:crypto'

/** Texts that are remembered: some minutes of a busy log. Forgetting one costs a repeat, which the event id absorbs. */
const LIMIT = 50_000

/**
 * What a part has delivered lately. A cloud shows records late, so every poll asks again for a stretch that it has read already; what is remembered is not
 * delivered a second time. In memory only: after a restart the stretch is delivered again, once.
 */
export interface Delivered {
  /** The texts that were not delivered lately, each once. They count as delivered only after `add`. */
  fresh(texts: readonly string[]): readonly Fresh[]
  /** Call it when they are durable. */
  add(texts: readonly Fresh[]): void
}

interface Fresh {
  readonly text: string
  /** Of the whole text: two texts of one record are both evidence, so both are delivered. */
  readonly key: string
}

/** @param limit texts that are remembered, the latest ones */
export function createDelivered(limit: number = LIMIT): Delivered {
  const known = new Set<string>()
  return {
    fresh(texts) {
      const found = new Map<string, Fresh>()
      for (const text of texts) {
        const key = createHash('sha256').update(text).digest('base64')
        // What is met again will be met once more: it must not be the first to be forgotten.
        if (known.delete(key)) known.add(key)
        else if (!found.has(key)) found.set(key, { text, key })
      }
      return [...found.values()]
    },
    add(texts) {
      for (const { key } of texts) known.add(key)
      for (const key of known) {
        if (known.size <= limit) break
        known.delete(key)
      }
    },
  }
}
