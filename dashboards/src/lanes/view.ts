import type { TimelineItem } from '../api-types.ts'
import { h } from '../dom.ts'
import { shortTime, spanWords } from '../time.ts'
import { formatNumber, KIND_WORDS, plural } from '../words.ts'
import { readColours, type Colours } from './colours.ts'
import { AXIS_HEIGHT, drawLanes, groupWords } from './draw.ts'
import { fit, layoutLanes, pan, zoom, type Group, type Layout, type Span } from './layout.ts'

export interface LanesHandlers {
  /** An event was chosen. */
  readonly onOpen: (item: TimelineItem) => void
  /** The visible period changed; null shows everything. */
  readonly onView: (view: Span | null) => void
  /** The sentence of a single event for the tooltip. */
  readonly describe: (item: TimelineItem) => string
  /** The reader wants the visible period as the filter. */
  readonly onNarrow: (view: Span) => void
}

export interface Lanes {
  readonly element: HTMLElement
  /** New events; the view is kept when they are more of the same timeline. */
  readonly show: (items: readonly TimelineItem[], keepView: boolean) => void
  readonly select: (id: string | null, linked: readonly string[]) => void
  readonly repaint: () => void
}

const HIT = 9

/** The lanes: a canvas with zoom and pan by wheel, pointer, touch, keys and buttons. The table beside it holds the same events for those who cannot see it. */
export function createLanes(handlers: LanesHandlers): Lanes {
  const canvas = h('canvas', { class: 'lanes-canvas', tabindex: '0', role: 'img' })
  const tooltip = h('div', { class: 'tooltip', hidden: true })
  const period = h('span', { class: 'period' })
  const hint = h('span', { class: 'hint' }, 'drag to pan, Ctrl + wheel to zoom')
  const narrow = h('button', { type: 'button', class: 'quiet', onclick: () => view && handlers.onNarrow(view) }, 'Load only this period')
  const tool = (label: string, text: string, act: () => void): HTMLButtonElement =>
    h('button', { type: 'button', class: 'quiet', 'aria-label': label, title: label, onclick: act }, text)
  const element = h(
    'section',
    { class: 'lanes', 'aria-label': 'Timeline lanes' },
    h(
      'div',
      { class: 'lanes-tools' },
      period,
      h('span', { class: 'spring' }),
      hint,
      narrow,
      tool('Zoom in', '+', () => zoomBy(0.5)),
      tool('Zoom out', '−', () => zoomBy(2)),
      tool('Show everything', 'Fit', () => setView(null)),
    ),
    h('div', { class: 'canvas-box' }, canvas, tooltip),
  )
  const context = canvas.getContext('2d')!
  let items: readonly TimelineItem[] = []
  let layout: Layout = layoutLanes([], AXIS_HEIGHT)
  let wasNarrow = false
  let view: Span | null = null
  let zoomed = false
  let groups: Group[] = []
  let hovered: Group | null = null
  let selected: string | null = null
  let linked: ReadonlySet<string> = new Set()
  let colours: Colours | null = null
  let frame = 0

  const isNarrow = (): boolean => canvas.clientWidth < 620
  const gutter = (): number => (isNarrow() ? 104 : 172)
  // Where there is no room beside the tracks, a lane's name stands above them.
  const arrange = (): Layout => {
    wasNarrow = isNarrow()
    return layoutLanes(items, AXIS_HEIGHT, wasNarrow ? 18 : 0)
  }
  const plot = (): number => Math.max(40, canvas.clientWidth - gutter())

  function paint(): void {
    frame = 0
    const width = canvas.clientWidth
    if (width === 0) return
    if (isNarrow() !== wasNarrow) layout = arrange()
    const height = layout.height + 2
    const ratio = devicePixelRatio || 1
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio)
      canvas.height = Math.round(height * ratio)
      canvas.style.height = `${height}px`
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    colours ??= readColours(element)
    const shown = view ?? { from: 0, to: 1 }
    groups = drawLanes(context, { layout, view: shown, width, height, gutter: gutter(), selected, hovered, linked }, colours)
    element.dataset['groups'] = String(groups.length)
  }
  const repaint = (): void => {
    frame ||= requestAnimationFrame(paint)
  }

  function setView(next: Span | null): void {
    if (!layout.extent) return
    const whole = fit(layout.extent)
    view = next ?? whole
    zoomed = next !== null && view.to - view.from < (whole.to - whole.from) * 0.999
    describeView()
    handlers.onView(zoomed ? view : null)
    repaint()
  }
  function describeView(): void {
    narrow.hidden = !zoomed
    hint.hidden = zoomed
    if (!view) {
      period.textContent = ''
      return
    }
    const iso = (at: number): string => shortTime(new Date(at).toISOString()).slice(0, view && view.to - view.from < 120_000 ? 23 : 16)
    period.textContent = `${iso(view.from)} to ${iso(view.to)} UTC · ${spanWords(view.to - view.from)}`
    canvas.setAttribute(
      'aria-label',
      `Lanes from ${period.textContent}. ${layout.lanes.map((lane) => plural(lane.count, `${lane.source} event`)).join(', ')}. Plus and minus zoom, arrows pan, 0 shows everything. The events are listed in the table below.`,
    )
  }
  const zoomBy = (factor: number, around?: number): void => {
    if (view && layout.extent) setView(zoom(view, around ?? (view.from + view.to) / 2, factor, layout.extent))
  }
  const panBy = (share: number): void => {
    if (view && layout.extent) setView(zoomed ? pan(view, share, layout.extent) : null)
  }
  const timeAt = (x: number): number => view!.from + ((x - gutter()) / plot()) * (view!.to - view!.from)

  function groupAt(x: number, y: number): Group | null {
    let best: Group | null = null
    let nearest = HIT
    for (const group of groups) {
      const distance = Math.hypot(group.x - x, (group.y - y) * 0.75)
      if (distance < nearest) [best, nearest] = [group, distance]
    }
    return best
  }

  function hover(group: Group | null, x: number, y: number): void {
    if (group !== hovered) {
      hovered = group
      canvas.style.cursor = group ? 'pointer' : ''
      repaint()
    }
    tooltip.hidden = !group
    if (!group) return
    const [first] = group.points
    if (group.points.length === 1 && first) {
      const { item } = first
      const roles = item.role === 'candidate' ? ' · one of several candidates' : item.role === 'target' ? ' · target of this change' : ''
      tooltip.replaceChildren(h('b', {}, handlers.describe(item)), h('div', {}, `${shortTime(item.time)} UTC · ${item.attribution.confidence}${roles}`))
    } else if (first) {
      tooltip.replaceChildren(
        h('b', {}, `${formatNumber(group.points.length)} × ${KIND_WORDS[first.item.kind]}`),
        h('div', {}, groupWords(group)),
        h('div', { class: 'muted' }, splits(group) ? 'Click to zoom in' : 'Click to open the first'),
      )
    }
    const box = canvas.getBoundingClientRect()
    tooltip.style.left = `${Math.min(Math.max(4, x + 14), Math.max(4, box.width - tooltip.offsetWidth - 4))}px`
    tooltip.style.top = `${y + 18}px`
  }
  const splits = (group: Group): boolean => group.points.at(-1)!.at - group.points[0]!.at > 1

  function activate(group: Group): void {
    if (group.points.length > 1 && splits(group) && layout.extent) {
      const from = group.points[0]!.at
      const to = group.points.at(-1)!.at
      const air = Math.max((to - from) * 0.35, 4)
      setView({ from: from - air, to: to + air })
      hover(null, 0, 0)
    } else handlers.onOpen(group.points[0]!.item)
  }

  // Pointer: one drags, two pinch, a click without a drag opens.
  const pointers = new Map<number, { x: number; y: number }>()
  let dragged = false
  const at = (event: PointerEvent | WheelEvent): { x: number; y: number } => {
    const box = canvas.getBoundingClientRect()
    return { x: event.clientX - box.left, y: event.clientY - box.top }
  }
  canvas.addEventListener('pointerdown', (event) => {
    pointers.set(event.pointerId, at(event))
    canvas.setPointerCapture(event.pointerId)
    dragged = false
  })
  canvas.addEventListener('pointermove', (event) => {
    const now = at(event)
    const before = pointers.get(event.pointerId)
    if (!before) {
      hover(groupAt(now.x, now.y), now.x, now.y)
      return
    }
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1]
    if (other && view) {
      const factor = Math.max(8, Math.abs(before.x - other.x)) / Math.max(8, Math.abs(now.x - other.x))
      zoomBy(factor, timeAt((now.x + other.x) / 2))
      dragged = true
    } else if (dragged || Math.hypot(now.x - before.x, now.y - before.y) > 4) {
      dragged = true
      hover(null, 0, 0)
      panBy((before.x - now.x) / plot())
    } else return
    pointers.set(event.pointerId, now)
  })
  const release = (event: PointerEvent): void => {
    if (!pointers.delete(event.pointerId) || dragged || event.type !== 'pointerup') return
    const { x, y } = at(event)
    const group = groupAt(x, y)
    if (group) activate(group)
  }
  canvas.addEventListener('pointerup', release)
  canvas.addEventListener('pointercancel', release)
  canvas.addEventListener('pointerleave', () => hover(null, 0, 0))
  canvas.addEventListener(
    'wheel',
    (event) => {
      if (!view) return
      // A plain vertical wheel scrolls the page, as everywhere; Ctrl (which a trackpad's pinch also reports) zooms, sideways pans.
      if (event.ctrlKey || event.metaKey) zoomBy(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) * 0.008), timeAt(at(event).x))
      else if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) panBy((event.deltaX || event.deltaY) / plot())
      else return
      event.preventDefault()
    },
    { passive: false },
  )
  canvas.addEventListener('dblclick', (event) => view && zoomBy(0.4, timeAt(event.offsetX)))
  canvas.addEventListener('keydown', (event) => {
    const act = {
      '+': () => zoomBy(0.6),
      '=': () => zoomBy(0.6),
      '-': () => zoomBy(1.6),
      ArrowLeft: () => panBy(-0.15),
      ArrowRight: () => panBy(0.15),
      '0': () => setView(null),
    }[event.key]
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    act()
  })
  new ResizeObserver(repaint).observe(canvas)

  return {
    element,
    show(next, keepView) {
      items = next
      layout = arrange()
      hovered = null
      tooltip.hidden = true
      if (!layout.extent) {
        view = null
        zoomed = false
        describeView()
        repaint()
      } else setView(keepView && zoomed ? view : null)
    },
    select(id, links) {
      selected = id
      linked = new Set(links)
      repaint()
    },
    repaint() {
      colours = null
      repaint()
    },
  }
}
