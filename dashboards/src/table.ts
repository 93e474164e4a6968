import type { TimelineItem } from './api-types.ts'
import { h } from './dom.ts'
import { markIcon } from './mark-icon.ts'
import type { Names } from './names.ts'
import { tokenWords, whoShort } from './sentence.ts'
import { shortTime } from './time.ts'
import { KIND_WORDS, SOURCE_WORDS } from './words.ts'

export interface Table {
  readonly element: HTMLElement
  readonly show: (items: readonly TimelineItem[], names: Names) => void
  /** Marks the open event and scrolls to it when it is out of sight. */
  readonly select: (id: string | null) => void
  /** Puts the keyboard back on the current row. */
  readonly focus: () => void
}

const COLUMNS = ['Time (UTC)', 'Source', 'Kind', 'Action', 'Outcome', 'Agent', 'Model', 'Tokens in / out', 'Where'] as const
const OVERSCAN = 8

/**
 * The events as a grid, newest first. Only the rows in sight exist, so five thousand events cost no more than fifty; the row
 * height comes from the style sheet because narrow screens use two lines.
 */
export function createTable(onOpen: (item: TimelineItem) => void): Table {
  const body = h('div', { class: 'rows', role: 'rowgroup' })
  const header = h('div', { class: 'row head', role: 'row', 'aria-rowindex': 1 }, ...COLUMNS.map((name) => h('div', { role: 'columnheader' }, name)))
  const element = h(
    'div',
    { class: 'table', role: 'grid', 'aria-label': 'Events, newest first', 'aria-colcount': COLUMNS.length },
    h('div', { role: 'rowgroup', class: 'head-group' }, header),
    body,
  )
  let items: readonly TimelineItem[] = []
  let names: Names
  let selected: string | null = null
  let focused = 0
  let frame = 0

  const rowHeight = (): number => Number.parseFloat(getComputedStyle(element).getPropertyValue('--row')) || 30

  function paint(): void {
    frame = 0
    const height = rowHeight()
    const first = Math.max(0, Math.floor(element.scrollTop / height) - OVERSCAN)
    const last = Math.min(items.length, Math.ceil((element.scrollTop + element.clientHeight) / height) + OVERSCAN)
    const hadFocus = body.contains(document.activeElement)
    body.style.height = `${items.length * height}px`
    const rows: HTMLElement[] = []
    for (let index = first; index < last; index++) rows.push(row(items[index]!, index, height))
    // The focused row stays even when it is scrolled away, otherwise the keyboard would lose its place.
    if (items[focused] && (focused < first || focused >= last)) rows.push(row(items[focused]!, focused, height))
    body.replaceChildren(...rows)
    if (hadFocus) body.querySelector<HTMLElement>('[tabindex="0"]')?.focus({ preventScroll: true })
  }
  const repaint = (): void => {
    frame ||= requestAnimationFrame(paint)
  }

  function row(item: TimelineItem, index: number, height: number): HTMLElement {
    const { confidence } = item.attribution
    const failed = item.outcome === 'failure'
    const cell = (name: string, ...content: (Node | string | null)[]): HTMLElement => h('div', { role: 'gridcell', class: `cell is-${name}` }, ...content)
    const model = item.model ? (item.model.name ?? item.model.id) : null
    const tokens = tokenWords(item)?.replaceAll(/ (in|out)/g, '') ?? null
    const place = [item.cloud.account, item.cloud.region].filter(Boolean).join(' · ') || (item.cloud.principal ?? '')
    // A candidate is said by the hollow mark and by "one of n agents".
    const role = item.role === 'target' ? h('span', { class: 'role target' }, 'target') : null
    const element = h(
      'div',
      {
        class: `row${item.id === selected ? ' selected' : ''}${failed ? ' failed' : ''}`,
        role: 'row',
        'aria-rowindex': index + 2,
        'aria-selected': item.id === selected ? 'true' : 'false',
        tabindex: index === focused ? '0' : '-1',
        'data-index': index,
      },
      cell('time', shortTime(item.time)),
      cell('source', h('span', { class: `source ${item.source}` }, SOURCE_WORDS[item.source])),
      cell('kind', KIND_WORDS[item.kind]),
      cell('action', h('span', { title: item.action }, item.action.replace('.googleapis.com:', ':'))),
      cell(
        'outcome',
        failed
          ? h('span', { class: 'fail', title: item.error?.message ?? '' }, `✕ ${item.error?.code ?? 'failed'}`)
          : item.outcome === 'unknown'
            ? h('span', { title: 'The record does not say' }, '–')
            : 'ok',
      ),
      cell(
        'who',
        markIcon(confidence, { hollow: item.role === 'candidate' || item.role === 'target', dashed: item.role === 'target' }),
        h('span', { title: confidence }, whoShort(item, names)),
        role,
        h('span', { class: 'sr' }, `, ${confidence}`),
      ),
      cell('model', h('span', { title: item.model?.id ?? '' }, model)),
      cell('tokens', tokens),
      cell('where', h('span', { title: item.cloud.principal ?? '' }, place)),
    )
    element.style.transform = `translateY(${index * height}px)`
    return element
  }

  function reveal(index: number): void {
    const height = rowHeight()
    const headHeight = header.offsetHeight
    const top = index * height
    if (top < element.scrollTop) element.scrollTop = top
    else if (top + height + headHeight > element.scrollTop + element.clientHeight) element.scrollTop = top + height + headHeight - element.clientHeight
  }
  function moveTo(index: number): void {
    focused = Math.max(0, Math.min(items.length - 1, index))
    reveal(focused)
    if (frame) cancelAnimationFrame(frame)
    paint()
    body.querySelector<HTMLElement>('[tabindex="0"]')?.focus({ preventScroll: true })
  }

  element.addEventListener('scroll', repaint, { passive: true })
  new ResizeObserver(repaint).observe(element)
  body.addEventListener('click', (event) => {
    const index = indexOf(event.target)
    if (index === null || getSelection()?.type === 'Range') return
    focused = index
    onOpen(items[index]!)
  })
  body.addEventListener('keydown', (event) => {
    const page = Math.max(1, Math.floor(element.clientHeight / rowHeight()) - 2)
    const move = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -items.length, End: items.length }[event.key]
    if (move !== undefined) moveTo(focused + move)
    else if ((event.key === 'Enter' || event.key === ' ') && items[focused]) onOpen(items[focused]!)
    else return
    event.preventDefault()
  })

  return {
    element,
    show(next, nextNames) {
      const sameStart = next[0]?.id === items[0]?.id
      items = next
      names = nextNames
      element.setAttribute('aria-rowcount', String(items.length + 1))
      if (!sameStart) {
        focused = 0
        element.scrollTop = 0
      }
      focused = Math.min(focused, Math.max(0, items.length - 1))
      repaint()
    },
    select(id) {
      selected = id
      const index = id ? items.findIndex((item) => item.id === id) : -1
      if (index >= 0) {
        focused = index
        reveal(index)
      }
      repaint()
    },
    focus: () => body.querySelector<HTMLElement>('[tabindex="0"]')?.focus({ preventScroll: true }),
  }
}

function indexOf(target: EventTarget | null): number | null {
  const row = target instanceof Element ? target.closest<HTMLElement>('[data-index]') : null
  return row ? Number(row.dataset['index']) : null
}
