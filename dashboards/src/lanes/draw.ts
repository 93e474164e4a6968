import type { TimelineItem } from '../api-types.ts'
import { timeTicks } from '../time.ts'
import { KIND_WORDS, SOURCE_WORDS, formatNumber } from '../words.ts'
import type { Colours } from './colours.ts'
import { groupTrack, tally, type Group, type Layout, type Span } from './layout.ts'
import { isHollow, tracePath } from './marks.ts'

/** What is on the canvas: sizes in CSS pixels. */
export interface Scene {
  readonly layout: Layout
  readonly view: Span
  readonly width: number
  readonly height: number
  /** Width of the labels at the left. */
  readonly gutter: number
  readonly selected: string | null
  readonly hovered: Group | null
  /** Events that the selected one rests on. */
  readonly linked: ReadonlySet<string>
}

export const AXIS_HEIGHT = 24
/** Pixels within which events of one track are drawn as one bar. */
const CELL = 13
const MARK = 5
const FONT = '11px system-ui, sans-serif'

/** Paints the scene and returns the groups, which is what the pointer can hit. */
export function drawLanes(context: CanvasRenderingContext2D, scene: Scene, colours: Colours): Group[] {
  const { layout, view, width, height, gutter } = scene
  const plot = width - gutter
  context.clearRect(0, 0, width, height)
  context.font = FONT
  context.textBaseline = 'middle'
  drawAxis(context, scene, colours, plot)
  for (const lane of layout.lanes) {
    context.fillStyle = colours.lane
    context.fillRect(0, lane.top, width, lane.height)
  }
  drawGrid(context, scene, colours, plot)
  const groups = layout.lanes.flatMap((lane) =>
    lane.tracks.flatMap((track) => groupTrack(track, view, plot, CELL).map((group): Group => ({ ...group, x: group.x + gutter }))),
  )
  context.save()
  context.beginPath()
  context.rect(gutter, 0, plot, height)
  context.clip()
  drawLinks(context, scene, groups, colours)
  for (const group of groups) {
    if (group.points.length === 1) drawMark(context, group, group.points[0]!.item, colours)
    else drawBar(context, group, colours)
    if (group.points.some(({ item }) => item.id === scene.selected)) ring(context, group, colours.text, 2)
    else if (group === scene.hovered || sameGroup(group, scene.hovered)) ring(context, group, colours.muted, 1.5)
    else if (group.points.some(({ item }) => scene.linked.has(item.id))) ring(context, group, colours.accent, 1.5)
  }
  context.restore()
  drawLabels(context, scene, colours)
  return groups
}

const sameGroup = (group: Group, other: Group | null): boolean => other !== null && group.points[0]?.item.id === other.points[0]?.item.id && group.y === other.y

function drawAxis(context: CanvasRenderingContext2D, scene: Scene, colours: Colours, plot: number): void {
  const { view, gutter } = scene
  context.fillStyle = colours.muted
  context.textAlign = 'center'
  for (const tick of timeTicks(view.from, view.to, Math.max(2, Math.floor(plot / 80)))) {
    const x = gutter + ((tick.at - view.from) / (view.to - view.from)) * plot
    if (x > gutter + 14 && x < gutter + plot - 14) context.fillText(tick.label, x, AXIS_HEIGHT / 2)
  }
  context.textAlign = 'left'
  context.fillText('UTC', 10, AXIS_HEIGHT / 2)
}

function drawGrid(context: CanvasRenderingContext2D, scene: Scene, colours: Colours, plot: number): void {
  const { view, gutter, layout } = scene
  context.strokeStyle = colours.line
  context.lineWidth = 1
  context.beginPath()
  for (const tick of timeTicks(view.from, view.to, Math.max(2, Math.floor(plot / 80)))) {
    const x = Math.round(gutter + ((tick.at - view.from) / (view.to - view.from)) * plot) + 0.5
    for (const lane of layout.lanes) {
      context.moveTo(x, lane.top)
      context.lineTo(x, lane.top + lane.height)
    }
  }
  context.stroke()
}

function drawLabels(context: CanvasRenderingContext2D, scene: Scene, colours: Colours): void {
  const narrow = scene.gutter < 150
  for (const lane of scene.layout.lanes) {
    context.textAlign = 'left'
    context.fillStyle = lane.count > 0 ? colours.text : colours.muted
    context.font = `600 12px system-ui, sans-serif`
    const first = lane.tracks[0]?.y ?? lane.top + lane.height / 2
    context.fillText(SOURCE_WORDS[lane.source], 10, narrow && lane.tracks.length > 0 ? lane.top + 13 : first)
    context.font = FONT
    context.fillStyle = colours.muted
    if (lane.count === 0) {
      context.fillText('no records', narrow ? scene.gutter + 8 : 66, first)
      continue
    }
    for (const track of lane.tracks) {
      context.textAlign = narrow ? 'left' : 'right'
      context.fillText(KIND_WORDS[track.kind], narrow ? 10 : scene.gutter - 10, track.y, scene.gutter - 14)
    }
  }
}

function drawMark(context: CanvasRenderingContext2D, group: Group, item: TimelineItem, colours: Colours): void {
  const { confidence } = item.attribution
  const colour = colours.confidence[confidence]
  context.save()
  context.translate(group.x, group.y)
  context.beginPath()
  tracePath(context, confidence, MARK)
  if (isHollow(item.role, confidence)) {
    context.fillStyle = colours.surface
    context.fill()
    context.lineWidth = 1.8
    context.strokeStyle = colour
    if (item.role === 'target') context.setLineDash([2, 1.5])
    context.stroke()
    context.setLineDash([])
  } else {
    context.fillStyle = colour
    context.fill()
  }
  if (item.outcome === 'failure') cross(context, 0, 0, colours)
  context.restore()
}

/** A red cross with a rim of the background, so that it is seen on any colour. */
function cross(context: CanvasRenderingContext2D, x: number, y: number, colours: Colours): void {
  const reach = MARK + 1.5
  for (const [colour, wide] of [
    [colours.surface, 3.4],
    [colours.failure, 1.8],
  ] as const) {
    context.strokeStyle = colour
    context.lineWidth = wide
    context.beginPath()
    context.moveTo(x - reach, y - reach)
    context.lineTo(x + reach, y + reach)
    context.moveTo(x + reach, y - reach)
    context.lineTo(x - reach, y + reach)
    context.stroke()
  }
}

/** Many events as one bar: its height grows with the logarithm of their number, its parts show the confidences. */
function drawBar(context: CanvasRenderingContext2D, group: Group, colours: Colours): void {
  const { byConfidence, failures } = tally(group.points)
  const high = barHeight(group)
  const wide = CELL - 3
  const hollow = group.points.filter(({ item }) => item.role === 'candidate' || item.role === 'target').length
  let y = group.y + high / 2
  context.save()
  context.beginPath()
  context.roundRect(group.x - wide / 2, group.y - high / 2, wide, high, 2.5)
  context.clip()
  context.fillStyle = colours.surface
  context.fillRect(group.x - wide / 2, group.y - high / 2, wide, high)
  for (const [confidence, count] of byConfidence) {
    const part = (count / group.points.length) * high
    y -= part
    context.globalAlpha = hollow === group.points.length ? 0.35 : 1
    context.fillStyle = colours.confidence[confidence]
    context.fillRect(group.x - wide / 2, y, wide, part)
    context.globalAlpha = 1
    if (hollow === group.points.length) {
      context.strokeStyle = colours.confidence[confidence]
      context.lineWidth = 3
      context.strokeRect(group.x - wide / 2, y, wide, part)
    }
  }
  context.restore()
  if (failures > 0) {
    context.fillStyle = colours.failure
    context.fillRect(group.x - wide / 2, group.y - high / 2 - 3.5, Math.max(3, (wide * failures) / group.points.length), 2.5)
  }
}

const barHeight = (group: Group): number => Math.min(18, 9 + Math.log2(group.points.length) * 1.4)

function ring(context: CanvasRenderingContext2D, group: Group, colour: string, wide: number): void {
  context.strokeStyle = colour
  context.lineWidth = wide
  context.beginPath()
  if (group.points.length === 1) context.arc(group.x, group.y, MARK + 4.5, 0, 2 * Math.PI)
  else context.roundRect(group.x - CELL / 2 - 1.5, group.y - barHeight(group) / 2 - 3, CELL + 3, barHeight(group) + 6, 4)
  context.stroke()
}

/** Lines from the selected event to the events that its attribution rests on. */
function drawLinks(context: CanvasRenderingContext2D, scene: Scene, groups: readonly Group[], colours: Colours): void {
  if (!scene.selected || scene.linked.size === 0) return
  const from = groups.find((group) => group.points.some(({ item }) => item.id === scene.selected))
  if (!from) return
  context.strokeStyle = colours.accent
  context.lineWidth = 1.5
  for (const group of groups) {
    if (group === from || !group.points.some(({ item }) => scene.linked.has(item.id))) continue
    const middle = (from.y + group.y) / 2
    context.beginPath()
    context.moveTo(from.x, from.y)
    context.bezierCurveTo(from.x, middle, group.x, middle, group.x, group.y)
    context.stroke()
  }
}

/** What a group holds, in words, for the tooltip. */
export function groupWords(group: Group): string {
  const { byConfidence, failures } = tally(group.points)
  const parts = byConfidence.map(([word, count]) => `${formatNumber(count)} ${word}`)
  if (failures > 0) parts.push(`${formatNumber(failures)} failed`)
  return parts.join(', ')
}
