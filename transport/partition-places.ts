/**
 * Where one consumer must read on, for each partition that it has. The positions stand in the store, beside the data: so a store that
 * was restored from a backup reads again what it lost, and what the log no longer has is noticed as a gap instead of being passed over
 * (a broker moves a reader whose position is gone to the oldest message, and says nothing).
 */
import type { LogGap, LogPosition, LogPositions } from '#core/transport.ts'

/** First offset that a partition still has, and the one that its next message will get. */
export interface LogEnds {
  readonly low: bigint
  readonly high: bigint
}

export interface PlacesOptions {
  /** Name of the topic. */
  readonly log: string
  readonly positions: LogPositions
  /** The consumer group's own position, for a store that has none yet; null where the group has none either. */
  readonly committed: (partition: number) => Promise<bigint | null>
  /** Of every partition of the topic. */
  readonly ends: () => Promise<ReadonlyMap<number, LogEnds>>
}

/** `read`: the batch is the next one. `seek`: it is not, read on there. `wait`: somebody paused the partition. */
export type Step = { readonly do: 'read'; readonly epoch: number } | { readonly do: 'seek'; readonly offset: bigint } | { readonly do: 'wait' }

export interface Places {
  /** Before a batch that begins at `first` is handled. */
  before(partition: number, first: bigint, firstAt: Date): Promise<Step>
  /** A batch is stored: the next one begins at `next`. */
  stored(partition: number, next: bigint, at: Date): void
  /** The position was moved from outside: it is read anew before the next batch. */
  forget(partition: number): void
  /**
   * Looks at partitions that get no messages: what was moved, paused or resumed from outside, and what the log has dropped meanwhile.
   * Gives what to do for each that must change.
   */
  look(partitions: readonly number[]): Promise<ReadonlyMap<number, Step>>
}

interface Place {
  next: bigint
  epoch: number
  paused: boolean
  at: Date | null
  /** Reading was sent here before: a hole behind it is the log's own (markers of transactions, compaction). */
  soughtAt: bigint | null
}

export function createPlaces({ log, positions, committed, ends }: PlacesOptions): Places {
  const places = new Map<number, Place>()

  async function load(partition: number, known?: LogPosition): Promise<Place> {
    const stored = known ?? (await positions.read(log)).get(partition)
    const place: Place = {
      // The topics are this program's own: who has no position has read nothing of them.
      next: stored?.next ?? (await committed(partition)) ?? 0n,
      epoch: stored?.epoch ?? 0,
      paused: stored?.paused ?? false,
      at: stored?.at ?? null,
      soughtAt: null,
    }
    places.set(partition, place)
    return place
  }

  /** Moves the place over what the log does not have any more. */
  async function passLost(partition: number, place: Place, end: LogEnds | undefined, firstAt: Date | null): Promise<void> {
    if (end === undefined || (place.next >= end.low && place.next <= end.high)) return
    const beyond = place.next > end.high
    const gap: LogGap = {
      log,
      partition,
      firstOffset: place.next,
      lastOffset: beyond ? null : end.low - 1n,
      from: place.at,
      until: firstAt,
      cause: beyond ? 'recreated' : 'retention',
      detail: beyond ? `The position was ${place.next}, and the log ends at ${end.high}: the topic was made anew, or this is another cluster.` : null,
    }
    await positions.pass(gap, { next: end.low, epoch: place.epoch })
    place.next = end.low
    place.soughtAt = null
  }

  return {
    async before(partition, first, firstAt) {
      const place = places.get(partition) ?? (await load(partition))
      if (place.paused) return { do: 'wait' }
      if (first !== place.next && place.soughtAt !== place.next) {
        await passLost(partition, place, (await ends()).get(partition), firstAt)
        if (first !== place.next) {
          place.soughtAt = place.next
          return { do: 'seek', offset: place.next }
        }
      }
      return { do: 'read', epoch: place.epoch }
    },

    stored(partition, next, at) {
      const place = places.get(partition)
      if (place) Object.assign(place, { next, at, soughtAt: null })
    },

    forget: (partition) => void places.delete(partition),

    async look(partitions) {
      const [stored, all] = await Promise.all([positions.read(log), ends()])
      const steps = new Map<number, Step>()
      for (const partition of partitions) {
        const position = stored.get(partition)
        const before = places.get(partition)
        const place = before && (!position || before.epoch === position.epoch) ? before : await load(partition, position)
        const paused = position?.paused ?? false
        const resumed = place.paused && !paused
        place.paused = paused
        const next = place.next
        if (!paused) await passLost(partition, place, all.get(partition), null)
        if (paused) steps.set(partition, { do: 'wait' })
        else if (before !== place || resumed || place.next !== next) steps.set(partition, { do: 'seek', offset: place.next })
      }
      return steps
    },
  }
}
