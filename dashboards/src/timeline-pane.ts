import { countFilters, NO_FILTERS, printAddress, type Filters } from './address.ts'
import { ApiError, fetchOid, fetchTimeline, MOST_EVENTS } from './api-client.ts'
import type { Agent, OidAnswer, TimelineItem } from './api-types.ts'
import { fill, h } from './dom.ts'
import { createFilterBar } from './filters.ts'
import { heading } from './heading.ts'
import type { Span } from './lanes/layout.ts'
import { createLanes } from './lanes/view.ts'
import { createLive } from './live.ts'
import { collectNames, type Names } from './names.ts'
import { sentence } from './sentence.ts'
import { createTable } from './table.ts'
import { toMillis } from './time.ts'
import { formatNumber, plural } from './words.ts'

export interface PaneHandlers {
  readonly onOpenEvent: (id: string) => void
  readonly onOpenOid: (oid: string) => void
  /** `step` when the change deserves an entry of its own in the history. */
  readonly onFilters: (filters: Filters, step: boolean) => void
  readonly onUnauthorised: (why: string) => void
}

/** Everything about one oid: what it is, filters, lanes and table, and the loading of its events. */
export class TimelinePane {
  readonly element: HTMLElement
  readonly #handlers: PaneHandlers
  readonly #filterBar
  readonly #lanes
  readonly #table
  readonly #head = h('div', {})
  readonly #status = h('p', { class: 'status', role: 'status', 'aria-live': 'polite' })
  readonly #count = h('p', { class: 'count' })
  readonly #live

  #agents: readonly Agent[] = []
  #names: Names = collectNames([])
  #items: readonly TimelineItem[] = []
  /** As loaded; what the live stream told stands above it. */
  #loaded: readonly TimelineItem[] = []
  #byId: ReadonlyMap<string, TimelineItem> = new Map()
  #info: OidAnswer | null = null
  #view: Span | null = null
  #marked: string | null = null
  #filters: Filters = NO_FILTERS
  #request = new AbortController()
  #oid: string | null = null
  /** What was asked for last, so that the same is not asked for twice. */
  #asked = ''

  constructor(handlers: PaneHandlers) {
    this.#handlers = handlers
    this.#filterBar = createFilterBar((filters) => handlers.onFilters(filters, false))
    this.#table = createTable((item) => handlers.onOpenEvent(item.id))
    this.#lanes = createLanes({
      onOpen: (item) => handlers.onOpenEvent(item.id),
      onView: (view) => {
        this.#view = view
        this.#showTable()
      },
      describe: (item) => sentence(item, this.#names),
      onNarrow: (view) => {
        const iso = (millis: number): string => new Date(millis).toISOString()
        handlers.onFilters({ ...this.#filters, from: iso(Math.floor(view.from)), to: iso(Math.ceil(view.to)) }, true)
      },
    })
    this.#live = createLive({
      onChange: () => this.#setItems(this.#loaded, true),
      // What changed before the stream began stands in no message of it: loaded once the stream is there.
      onReady: () => {
        if (this.#oid) void this.#load(this.#oid, this.#filters)
      },
      onUnauthorised: handlers.onUnauthorised,
    })
    const above = h('div', { class: 'above-table' }, this.#count, this.#live.element)
    this.element = h('div', { class: 'pane' }, this.#head, this.#filterBar.element, this.#status, this.#lanes.element, above, this.#table.element)
  }

  /** Shows an oid's events under these filters; loads only what is not shown already. */
  show(oid: string, filters: Filters, agents: readonly Agent[], names: Names): void {
    this.#agents = agents
    this.#names = names
    this.#filters = filters
    this.#filterBar.set(filters)
    const asked = printAddress({ oid, event: null, filters })
    if (asked === this.#asked) return
    this.#asked = asked
    this.#live.follow(oid, filters)
    void this.#load(oid, filters)
  }

  /** Stops loading and forgets. */
  leave(): void {
    this.#request.abort()
    this.#live.follow(null, NO_FILTERS)
    this.#asked = ''
    this.#oid = null
  }

  /** Marks the event whose details are open, and those that it rests on. */
  mark(event: string | null): void {
    this.#marked = event
    const item = event ? this.#byId.get(event) : undefined
    this.#lanes.select(event, item ? [...item.attribution.evidence, ...(item.parentId ? [item.parentId] : [])] : [])
    this.#table.select(event)
  }

  find(id: string): TimelineItem | null {
    return this.#byId.get(id) ?? null
  }
  focusTable(): void {
    this.#table.focus()
  }
  repaint(): void {
    this.#lanes.repaint()
  }

  async #load(oid: string, filters: Filters): Promise<void> {
    this.#request.abort()
    const own = new AbortController()
    this.#request = own
    const sameOid = oid === this.#oid
    this.#oid = oid
    if (!sameOid) {
      this.#info = null
      this.#setItems([], false)
    }
    this.#renderHead(oid)
    this.element.classList.add('loading')
    this.#say('Loading events…')
    // What an oid is may fail by itself: the timeline's own answer then says what is wrong.
    const info = sameOid ? Promise.resolve(this.#info) : fetchOid(oid, own.signal).catch(() => null)
    void info.then((answer) => {
      if (own.signal.aborted) return
      this.#info = answer
      this.#renderHead(oid)
    })
    let first = true
    const onPage = (sofar: readonly TimelineItem[], more: boolean): void => {
      this.#setItems(sofar, sameOid || !first)
      first = false
      if (more) this.#say(`Loading events… ${formatNumber(sofar.length)} so far`)
    }
    try {
      const { items, more } = await fetchTimeline(oid, filters, onPage, own.signal)
      const total = more ? totalOf(await info) : null
      if (!own.signal.aborted) this.#say(summary(Math.max(items.length, this.#items.length), more, total, countFilters(filters) > 0))
    } catch (error) {
      if (own.signal.aborted) return
      if (error instanceof ApiError && error.status === 401) {
        this.#handlers.onUnauthorised(error.message)
        return
      }
      this.#setItems([], false)
      this.#asked = ''
      this.#say(error instanceof Error ? error.message : 'Something went wrong.', true)
    }
    if (!own.signal.aborted) this.element.classList.remove('loading')
  }

  #setItems(loaded: readonly TimelineItem[], keepView: boolean): void {
    this.#loaded = loaded.slice()
    this.#items = this.#live.over(loaded)
    this.#byId = new Map(this.#items.map((item) => [item.id, item]))
    this.#lanes.show(this.#items, keepView)
    this.#showTable()
    // The details may have been opened from the address before the events were here.
    if (this.#marked) this.mark(this.#marked)
  }

  #showTable(): void {
    const view = this.#view
    const inView = view ? this.#items.filter((item) => within(item, view)) : this.#items
    const all = this.#items.length
    const zoomed = `${formatNumber(inView.length)} of ${plural(all, 'loaded event')} in view`
    this.#count.textContent = all === 0 ? '' : view ? zoomed : `${plural(all, 'event')}, newest first`
    this.#table.show(inView, this.#names)
  }

  #renderHead(oid: string): void {
    const agent = this.#agents.find((candidate) => candidate.oid === oid) ?? null
    fill(this.#head, heading(oid, this.#info, agent, this.#names, this.#handlers.onOpenOid))
  }

  #say(text: string, isError = false): void {
    this.#status.textContent = text
    this.#status.classList.toggle('error', isError)
    this.#status.hidden = text === ''
    this.element.classList.toggle('without-events', this.#items.length === 0)
  }
}

/** What there is to say about a loaded timeline; nothing when all of it is on the screen. */
function summary(shown: number, more: boolean, total: number | null, filtered: boolean): string {
  if (shown === 0 && filtered) return 'No event passes these filters.'
  if (shown === 0) return 'No events for this oid in what was imported. Silence is not absence: the logs may simply not cover it.'
  if (!more) return ''
  // The totals of an oid know no filters.
  const of = total !== null && !filtered && total > shown ? formatNumber(total) : 'more'
  return `Showing the newest ${formatNumber(MOST_EVENTS)} of ${of} events. Narrow the period to see older ones.`
}

function totalOf(info: OidAnswer | null): number | null {
  return info ? info.items.flatMap((item) => Object.values(item.counts.byRole)).reduce((sum, count) => sum + count, 0) : null
}

function within(item: TimelineItem, view: Span): boolean {
  const at = toMillis(item.time)
  return at >= view.from && at <= view.to
}
