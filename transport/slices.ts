/** How much a handler gets at once: what the correlator stores well in one transaction, and a bound for memory. */
const SLICE_MESSAGES = 2000
const SLICE_CHARS = 8 * 1024 * 1024

export interface SliceLimits {
  readonly messages: number
  readonly size: number
}

/** Cuts a list, in order, into slices of at most so many items and so much size; an item beyond the size is a slice of its own. */
export function* slices<Item>(
  items: readonly Item[],
  sizeOf: (item: Item) => number,
  limits: SliceLimits = { messages: SLICE_MESSAGES, size: SLICE_CHARS },
): Generator<readonly Item[]> {
  let slice: Item[] = []
  let size = 0
  for (const item of items) {
    const itemSize = sizeOf(item)
    if (slice.length > 0 && (slice.length >= limits.messages || size + itemSize > limits.size)) {
      yield slice
      slice = []
      size = 0
    }
    slice.push(item)
    size += itemSize
  }
  if (slice.length > 0) yield slice
}
