/** How an owner's events and sessions fall into traces (SPEC §1, "Traces"). Pure. */
import { SOURCES, type Source } from '#core/event.ts'
import type { EventId } from '#core/keys.ts'
import { isBefore } from './landmarks.ts'
import { QUIET_NS } from './sessions.ts'

/** A stretch of time of one owner: an event, the reach of a session, or a trace. `first` names the event that stands at its start, where known. */
export interface Segment {
  readonly start: bigint
  readonly end: bigint
  readonly first: EventId | null
}

/** Joins segments that overlap or are at most `QUIET_NS` apart. */
export function joinSegments(segments: readonly Segment[]): readonly Segment[] {
  const sorted = segments.toSorted((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0))
  const joined: { start: bigint; end: bigint; first: EventId | null }[] = []
  for (const segment of sorted) {
    const last = joined.at(-1)
    if (!last || segment.start - last.end > QUIET_NS) {
      joined.push({ ...segment })
      continue
    }
    if (segment.end > last.end) last.end = segment.end
    if (segment.start === last.start) last.first = smaller(last.first, segment.first)
  }
  return joined
}

/** A segment with what it holds: how many events, and of which sources (in the order of `SOURCES`). */
export interface Part extends Segment {
  readonly events: bigint
  readonly sources: readonly Source[]
}

/**
 * These segments with what their parts hold.
 * @param segments disjoint and in order of time, as `joinSegments` gives them
 * @param parts each lies within one of the segments
 */
export function withContents(segments: readonly Segment[], parts: readonly Part[]): readonly Part[] {
  const sorted = parts.toSorted((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0))
  let next = 0
  return segments.map((segment) => {
    let events = 0n
    const sources = new Set<Source>()
    for (; next < sorted.length && sorted[next]!.start <= segment.end; next++) {
      events += sorted[next]!.events
      for (const source of sorted[next]!.sources) sources.add(source)
    }
    return { ...segment, events, sources: SOURCES.filter((source) => sources.has(source)) }
  })
}

function smaller(a: EventId | null, b: EventId | null): EventId | null {
  return a === null || (b !== null && b < a) ? b : a
}

/** Consecutive events at most `QUIET_NS` apart, in order of time. */
export function groupQuietly<Event extends { readonly timeNs: bigint; readonly id: EventId }>(events: readonly Event[]): readonly (readonly Event[])[] {
  const groups: Event[][] = []
  for (const event of events.toSorted((a, b) => (isBefore(a, b) ? -1 : 1))) {
    const group = groups.at(-1)
    if (group && event.timeNs - group.at(-1)!.timeNs <= QUIET_NS) group.push(event)
    else groups.push([event])
  }
  return groups
}
