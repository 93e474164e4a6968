/** Where events stand on the lanes: pure arithmetic, no canvas. */
import type { Confidence, Kind, Source, TimelineItem } from '../api-types.ts'
import { toMillis } from '../time.ts'
import { CONFIDENCE_WORDS, KIND_WORDS, keysOf, SOURCE_WORDS } from '../words.ts'

export interface Point {
  readonly item: TimelineItem
  readonly at: number
}

/** One row of a lane: the events of one kind. */
export interface Track {
  readonly kind: Kind
  /** Vertical centre. */
  readonly y: number
  /** In time order. */
  readonly points: readonly Point[]
}

interface Lane {
  readonly source: Source
  readonly top: number
  readonly height: number
  readonly count: number
  readonly tracks: readonly Track[]
}

export interface Layout {
  readonly lanes: readonly Lane[]
  readonly height: number
  /** Earliest and latest event, null when there is none. */
  readonly extent: Span | null
}

/** A period in milliseconds since 1970. */
export interface Span {
  readonly from: number
  readonly to: number
}

const TRACK_HEIGHT = 24
const LANE_PADDING = 5
const EMPTY_LANE = 26
const LANE_GAP = 6

/**
 * Lanes in a fixed order, all four always there: an empty lane is an answer, too.
 * `top` is where the first begins; `title` the height kept above a lane's tracks for its name (0 when it stands beside them).
 */
export function layoutLanes(items: readonly TimelineItem[], top: number, title = 0): Layout {
  const points = items.map((item): Point => ({ item, at: toMillis(item.time) })).toSorted((a, b) => a.at - b.at)
  const lanes: Lane[] = []
  let y = top
  for (const source of keysOf(SOURCE_WORDS)) {
    const own = points.filter((point) => point.item.source === source)
    const tracks: Track[] = []
    for (const kind of keysOf(KIND_WORDS)) {
      const ofKind = own.filter((point) => point.item.kind === kind)
      if (ofKind.length > 0) tracks.push({ kind, y: y + title + LANE_PADDING + TRACK_HEIGHT * (tracks.length + 0.5), points: ofKind })
    }
    const height = tracks.length > 0 ? title + tracks.length * TRACK_HEIGHT + 2 * LANE_PADDING : EMPTY_LANE
    lanes.push({ source, top: y, height, count: own.length, tracks })
    y += height + LANE_GAP
  }
  const first = points[0]
  const last = points.at(-1)
  return { lanes, height: y - LANE_GAP, extent: first && last ? { from: first.at, to: last.at } : null }
}

/** Events of one track that stand too close to be told apart at this zoom. */
export interface Group {
  readonly x: number
  readonly y: number
  readonly points: readonly Point[]
}

/**
 * Events of a track inside the view, those within the same `cell` pixels together. Cells are counted from 1970 and not from the
 * edge of the view, so that groups stay as they are while one pans.
 */
export function groupTrack(track: Track, view: Span, width: number, cell: number): Group[] {
  const perPixel = (view.to - view.from) / width
  const cellMillis = perPixel * cell
  const groups: Group[] = []
  let current: Point[] = []
  let currentCell = Number.NaN
  const close = (): void => {
    if (current.length === 0) return
    // One event stands exactly at its time; a bar stands in the middle of its cell, so that bars never overlap.
    const at = current.length === 1 ? current[0]!.at : (currentCell + 0.5) * cellMillis
    groups.push({ x: (at - view.from) / perPixel, y: track.y, points: current })
    current = []
  }
  for (let index = firstAtOrAfter(track.points, view.from - cellMillis); index < track.points.length; index++) {
    const point = track.points[index]!
    if (point.at > view.to + cellMillis) break
    const own = Math.floor(point.at / cellMillis)
    if (own !== currentCell) {
      close()
      currentCell = own
    }
    current.push(point)
  }
  close()
  return groups
}

/** Index of the first point at or after a time, by bisection. */
function firstAtOrAfter(points: readonly Point[], at: number): number {
  let low = 0
  let high = points.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (points[middle]!.at < at) low = middle + 1
    else high = middle
  }
  return low
}

/** How many events of each confidence, strongest first, and how many failed. */
export function tally(points: readonly Point[]): { readonly byConfidence: readonly (readonly [Confidence, number])[]; readonly failures: number } {
  const counts = new Map<Confidence, number>()
  let failures = 0
  for (const { item } of points) {
    counts.set(item.attribution.confidence, (counts.get(item.attribution.confidence) ?? 0) + 1)
    if (item.outcome === 'failure') failures++
  }
  return { byConfidence: keysOf(CONFIDENCE_WORDS).flatMap((word) => (counts.has(word) ? [[word, counts.get(word)!] as const] : [])), failures }
}

/** Shortest period that can be shown: 4 ms. */
const SHORTEST = 4

/** A view zoomed around an instant; never shorter than 4 ms, never much longer than the data. */
export function zoom(view: Span, around: number, factor: number, extent: Span): Span {
  const longest = fit(extent)
  const span = Math.min(Math.max((view.to - view.from) * factor, SHORTEST), longest.to - longest.from)
  const share = (around - view.from) / (view.to - view.from)
  return clamp({ from: around - span * share, to: around + span * (1 - share) }, longest)
}

/** A view moved by a share of its length, kept over the data. */
export function pan(view: Span, share: number, extent: Span): Span {
  const by = (view.to - view.from) * share
  return clamp({ from: view.from + by, to: view.to + by }, fit(extent))
}

/** The whole extent with a little air on both sides. */
export function fit(extent: Span): Span {
  const air = Math.max((extent.to - extent.from) * 0.03, 500)
  return { from: extent.from - air, to: extent.to + air }
}

/** The same length, moved inside the limits. */
function clamp(view: Span, limits: Span): Span {
  const span = view.to - view.from
  if (view.from < limits.from) return { from: limits.from, to: limits.from + span }
  if (view.to > limits.to) return { from: limits.to - span, to: limits.to }
  return view
}
