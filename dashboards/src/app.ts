import { ApiError, fetchAgents, fetchOid, fetchTimeline, MOST_EVENTS } from './api-client.ts'
import { countFilters, NO_FILTERS, parseAddress, printAddress, type Address, type Filters } from './address.ts'
import { agentList } from './agents.ts'
import type { Agent, OidAnswer, TimelineItem } from './api-types.ts'
import { createDetails } from './details.ts'
import { fill, h } from './dom.ts'
import { createFilterBar } from './filters.ts'
import { heading } from './heading.ts'
import type { Span } from './lanes/layout.ts'
import { createLanes } from './lanes/view.ts'
import { collectNames, type Names } from './names.ts'
import { createPicker } from './picker.ts'
import { sentence } from './sentence.ts'
import { signIn } from './sign-in.ts'
import { createTable } from './table.ts'
import { currentTheme, startTheme, toggleTheme } from './theme.ts'
import { toMillis } from './time.ts'
import { dropToken, readToken } from './token.ts'
import { formatNumber, plural } from './words.ts'

/** The page: keeps address, lists, lanes, table and details in step. State lives here and in the address, nowhere else. */
export class App {
  readonly #host: HTMLElement
  #address: Address = parseAddress(location.search)
  #agents: readonly Agent[] = []
  #names: Names = collectNames([])
  #items: readonly TimelineItem[] = []
  #byId: ReadonlyMap<string, TimelineItem> = new Map()
  #info: OidAnswer | null = null
  #view: Span | null = null
  #request = new AbortController()
  /** Why there is no list of agents. */
  #failed: string | null = null
  /** The oid whose events are on the screen. */
  #shownOid: string | null = null

  readonly #picker = createPicker((oid) => this.#openOid(oid))
  readonly #filterBar = createFilterBar((filters) => this.#setFilters(filters))
  readonly #lanes = createLanes({
    onOpen: (item) => this.#openEvent(item.id),
    onView: (view) => {
      this.#view = view
      this.#showTable()
    },
    describe: (item) => sentence(item, this.#names),
    onNarrow: (view) =>
      this.#setFilters({ ...this.#address.filters, from: new Date(Math.floor(view.from)).toISOString(), to: new Date(Math.ceil(view.to)).toISOString() }, true),
  })
  readonly #table = createTable((item) => this.#openEvent(item.id))
  readonly #details = createDetails({
    onClose: () => this.#openEvent(null),
    onOpenEvent: (id) => this.#openEvent(id),
    onOpenOid: (oid) => this.#openOid(oid),
    onUnauthorised: () => this.#askForToken(),
  })
  readonly #side = h('nav', { class: 'side', 'aria-label': 'Agents' })
  readonly #head = h('div', {})
  readonly #status = h('p', { class: 'status', role: 'status', 'aria-live': 'polite' })
  readonly #count = h('p', { class: 'count' })
  readonly #main = h('main', { class: 'main' })
  readonly #theme = h('button', { type: 'button', class: 'quiet', onclick: toggleTheme })

  constructor(host: HTMLElement) {
    this.#host = host
  }

  start(): void {
    startTheme(() => {
      this.#theme.textContent = currentTheme() === 'dark' ? 'Light' : 'Dark'
      this.#theme.setAttribute('aria-label', `Switch to ${currentTheme() === 'dark' ? 'light' : 'dark'} colours`)
      this.#lanes.repaint()
    })
    addEventListener('popstate', () => {
      this.#address = parseAddress(location.search)
      this.#follow()
    })
    addEventListener('keydown', (event) => {
      const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement
      if (event.key === 'Escape' && this.#address.event && !typing) this.#openEvent(null)
      if (event.key === '/' && !typing) {
        event.preventDefault()
        this.#picker.focus()
      }
    })
    void this.#load()
  }

  async #load(): Promise<void> {
    if (!readToken()) {
      this.#askForToken()
      return
    }
    this.#renderFrame()
    this.#failed = null
    fill(this.#main, h('div', { class: 'empty' }, h('p', { role: 'status' }, 'Loading agents…')))
    try {
      this.#agents = await fetchAgents()
    } catch (error) {
      if (this.#unauthorised(error)) return
      this.#failed = message(error)
    }
    this.#names = collectNames(this.#agents)
    this.#picker.setAgents(this.#agents)
    this.#follow()
  }

  #renderFrame(): void {
    fill(
      this.#host,
      h(
        'header',
        { class: 'top' },
        h('a', { class: 'brand', href: './', onclick: (event: MouseEvent) => this.#goHome(event) }, 'trailjoin'),
        this.#picker.element,
        h('span', { class: 'spring' }),
        this.#theme,
      ),
      h('div', { class: 'body' }, this.#side, this.#main, this.#details.element),
    )
  }

  #goHome(event: MouseEvent): void {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    this.#go({ oid: null, event: null, filters: NO_FILTERS })
  }

  #askForToken(): void {
    const again = readToken() !== null
    dropToken()
    fill(
      this.#host,
      h('header', { class: 'top' }, h('span', { class: 'brand' }, 'trailjoin'), h('span', { class: 'spring' }), this.#theme),
      signIn(again, () => void this.#load()),
    )
    this.#host.querySelector('input')?.focus()
  }

  #unauthorised(error: unknown): boolean {
    if (!(error instanceof ApiError) || error.status !== 401) return false
    this.#askForToken()
    return true
  }

  /** Goes to another state; `replace` while typing, so that Back does not undo letters. */
  #go(address: Address, replace = false): void {
    this.#address = address
    const target = location.pathname + printAddress(address)
    if (replace) history.replaceState(null, '', target)
    else history.pushState(null, '', target)
    this.#follow()
  }
  #openOid(oid: string): void {
    // The filters stay except for the tenant, which belongs to the other oid.
    this.#go({ oid, event: null, filters: { ...this.#address.filters, tenant: '' } })
  }
  #openEvent(id: string | null): void {
    this.#go({ ...this.#address, event: id })
  }
  #setFilters(filters: Filters, push = false): void {
    this.#go({ ...this.#address, filters }, !push)
  }

  #loadedFor = ''

  /** Brings the screen in step with the address. */
  #follow(): void {
    const { oid, filters, event } = this.#address
    this.#picker.setValue(oid)
    this.#filterBar.set(filters)
    document.title = oid ? `${this.#names.short(oid)} · trailjoin` : 'trailjoin'
    this.#renderSide()
    const wanted = oid ? printAddress({ oid, event: null, filters }) : ''
    if (!oid) {
      this.#request.abort()
      this.#loadedFor = ''
      this.#shownOid = null
      this.#renderHome()
    } else if (wanted !== this.#loadedFor) {
      this.#loadedFor = wanted
      void this.#loadTimeline(oid, filters)
    }
    if (event !== this.#openedEvent) this.#showDetails(event)
    this.#mark()
  }

  #openedEvent: string | null = null

  #showDetails(event: string | null): void {
    const returnTo = event === null && this.#details.element.contains(document.activeElement)
    this.#openedEvent = event
    if (event) this.#details.open(event, this.#byId.get(event) ?? null, this.#names, (id) => this.#byId.get(id) ?? null)
    else this.#details.close()
    this.#host.classList.toggle('with-details', event !== null)
    if (returnTo) this.#table.focus()
  }

  #mark(): void {
    const { event } = this.#address
    const item = event ? this.#byId.get(event) : undefined
    const links = item ? [...item.attribution.evidence, ...(item.parentId ? [item.parentId] : [])] : []
    this.#lanes.select(event, links)
    this.#table.select(event)
  }

  #renderSide(): void {
    const { oid } = this.#address
    // Without a choice the agents stand on the page itself.
    this.#side.hidden = !oid || this.#agents.length === 0
    this.#host.classList.toggle('without-side', this.#side.hidden)
    if (this.#side.hidden) return
    const list = h(
      'details',
      { class: 'side-list', open: matchMedia('(min-width: 1000px)').matches },
      h('summary', {}, h('h2', {}, 'Agents'), h('span', { class: 'muted' }, formatNumber(this.#agents.length))),
      agentList(this.#agents, oid, (picked) => this.#openOid(picked)),
    )
    const scroll = this.#side.scrollTop
    fill(this.#side, list)
    this.#side.scrollTop = scroll
  }

  #renderHome(): void {
    if (this.#agents.length > 0) {
      fill(
        this.#main,
        h(
          'div',
          { class: 'welcome' },
          h('h1', {}, 'What did this agent do, across Azure, AWS and Google Cloud?'),
          h('p', { class: 'muted' }, 'Choose an agent, or paste the object id (oid) of an agent or a managed identity above.'),
        ),
        agentList(this.#agents, null, (picked) => this.#openOid(picked)),
      )
      return
    }
    if (this.#failed) {
      fill(
        this.#main,
        h(
          'div',
          { class: 'empty' },
          h('p', { class: 'error', role: 'alert' }, this.#failed),
          h('p', {}, h('button', { type: 'button', class: 'quiet', onclick: () => void this.#load() }, 'Try again')),
        ),
      )
      return
    }
    fill(
      this.#main,
      h(
        'div',
        { class: 'empty' },
        h('h1', {}, 'No agents yet'),
        h(
          'p',
          {},
          'No imported record names an Agent Identity. Import logs with ',
          h('code', {}, 'npx trailjoin import PATH…'),
          ', then reload. An oid can be looked up above all the same.',
        ),
      ),
    )
  }

  async #loadTimeline(oid: string, filters: Filters): Promise<void> {
    this.#request.abort()
    const own = new AbortController()
    this.#request = own
    const sameOid = oid === this.#shownOid
    if (!sameOid) {
      this.#info = null
      this.#setItems([], false)
      fetchOid(oid, own.signal).then(
        (info) => {
          this.#info = info
          if (!own.signal.aborted) this.#renderHead(oid)
        },
        // The timeline's own answer says what is wrong.
        () => {},
      )
    }
    this.#shownOid = oid
    fill(this.#main, this.#head, this.#filterBar.element, this.#status, this.#lanes.element, this.#count, this.#table.element)
    this.#renderHead(oid)
    this.#main.classList.add('loading')
    this.#say('Loading events…')
    let first = true
    try {
      const { items, more } = await fetchTimeline(
        oid,
        filters,
        (sofar, more) => {
          this.#setItems(sofar, sameOid || !first)
          first = false
          if (more) this.#say(`Loading events… ${formatNumber(sofar.length)} so far`)
        },
        own.signal,
      )
      this.#say(this.#outcome(items, more))
    } catch (error) {
      if (own.signal.aborted || this.#unauthorised(error)) return
      this.#setItems([], false)
      this.#loadedFor = ''
      this.#say(message(error), true)
    }
    if (!own.signal.aborted) this.#main.classList.remove('loading')
  }

  #outcome(items: readonly TimelineItem[], more: boolean): string {
    const filtered = countFilters(this.#address.filters) > 0
    if (items.length === 0)
      return filtered
        ? 'No event passes these filters.'
        : 'No events for this oid in what was imported. Silence is not absence: the logs may simply not cover it.'
    if (!more) return ''
    const total = filtered ? null : this.#total()
    return `Showing the newest ${formatNumber(MOST_EVENTS)} of ${total ? formatNumber(total) : 'more'} events. Narrow the period to see older ones.`
  }
  #total(): number | null {
    const sum = (this.#info?.items ?? []).flatMap((item) => Object.values(item.counts.byRole)).reduce((total, count) => total + count, 0)
    return sum > MOST_EVENTS ? sum : null
  }

  #setItems(items: readonly TimelineItem[], keepView: boolean): void {
    this.#items = items.slice()
    this.#byId = new Map(items.map((item) => [item.id, item]))
    this.#lanes.show(this.#items, keepView)
    this.#showTable()
    // The details may have been opened from the address before the timeline was here.
    this.#mark()
  }

  #showTable(): void {
    const view = this.#view
    const inView = view ? this.#items.filter((item) => within(item, view)) : this.#items
    this.#count.textContent =
      this.#items.length === 0
        ? ''
        : view
          ? `${formatNumber(inView.length)} of ${plural(this.#items.length, 'loaded event')} in view`
          : `${plural(this.#items.length, 'event')}, newest first`
    this.#table.show(inView, this.#names)
  }

  #renderHead(oid: string): void {
    fill(
      this.#head,
      heading(oid, this.#info, this.#agents.find((agent) => agent.oid === oid) ?? null, this.#names, (target) => this.#openOid(target)),
    )
  }

  #say(text: string, isError = false): void {
    this.#status.textContent = text
    this.#status.classList.toggle('error', isError)
    this.#status.hidden = text === ''
    this.#main.classList.toggle('without-events', this.#items.length === 0)
  }
}

const within = (item: TimelineItem, view: Span): boolean => {
  const at = toMillis(item.time)
  return at >= view.from && at <= view.to
}

const message = (error: unknown): string => (error instanceof Error ? error.message : 'Something went wrong.')
