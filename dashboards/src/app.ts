import { NO_FILTERS, parseAddress, printAddress, type Address } from './address.ts'
import { agentList } from './agents.ts'
import { ApiError, fetchAgents } from './api-client.ts'
import type { Agent } from './api-types.ts'
import { createDetails } from './details.ts'
import { fill, h } from './dom.ts'
import { collectNames, type Names } from './names.ts'
import { lookUp } from './look-up.ts'
import { createPicker } from './picker.ts'
import { signInCard } from './sign-in/card.ts'
import { account, arrive, forget, isKnown, replaceRefused, signIn, signInAsAnother, signOut } from './sign-in/session.ts'
import { fetchWays } from './sign-in/ways.ts'
import { currentTheme, startTheme, toggleTheme } from './theme.ts'
import { TimelinePane } from './timeline-pane.ts'
import { formatNumber } from './words.ts'

/** The page: keeps the address, the list of agents, the timeline and the details in step. */
export class App {
  readonly #host: HTMLElement
  #address: Address = parseAddress(location.search)
  #agents: readonly Agent[] = []
  #moreAgents = false
  #names: Names = collectNames([])
  /** Why there is no list of agents. */
  #failed: string | null = null
  #openedEvent: string | null = null
  /** What the list of agents shows, so that it is not built anew (and does not lose the keyboard) without need. */
  #listedOid: string | null | undefined

  readonly #picker = createPicker((oid) => this.#openOid(oid), lookUp)
  readonly #pane = new TimelinePane({
    onOpenEvent: (id) => this.#openEvent(id),
    onOpenOid: (oid) => this.#openOid(oid),
    // Typing must not fill the history with letters.
    onFilters: (filters, step) => this.#go({ ...this.#address, filters }, !step),
    onUnauthorised: (why) => void this.#refused(why),
  })
  readonly #details = createDetails({
    onClose: () => this.#openEvent(null),
    onOpenEvent: (id) => this.#openEvent(id),
    onOpenOid: (oid) => this.#openOid(oid),
    onUnauthorised: (why) => void this.#refused(why),
  })
  readonly #side = h('nav', { class: 'side', 'aria-label': 'Agents' })
  readonly #main = h('main', { class: 'main' })
  readonly #theme = h('button', { type: 'button', class: 'quiet', onclick: toggleTheme })

  constructor(host: HTMLElement) {
    this.#host = host
  }

  start(): void {
    startTheme(() => {
      const other = currentTheme() === 'dark' ? 'Light' : 'Dark'
      this.#theme.textContent = other
      this.#theme.setAttribute('aria-label', `Switch to ${other.toLowerCase()} colours`)
      this.#pane.repaint()
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
    if (!isKnown()) {
      this.#frame(notice('Signing in…'))
      const why = await arrive()
      if (!isKnown()) return await this.#askWho(why)
    }
    const brand = h('a', { class: 'brand', href: './', onclick: (event: MouseEvent) => this.#goHome(event) }, 'trailjoin')
    const leave = h('button', { type: 'button', class: 'quiet', onclick: () => void this.#leave() }, 'Sign out')
    const name = account()?.name
    const who = name ? h('span', { class: 'who', title: `Signed in as ${name}` }, name) : null
    fill(
      this.#host,
      h('header', { class: 'top' }, brand, this.#picker.element, h('span', { class: 'spring' }), who, leave, this.#theme),
      h('div', { class: 'body' }, this.#side, this.#main, this.#details.element),
    )
    // What another token could see is not this one's.
    this.#agents = []
    this.#moreAgents = false
    this.#failed = null
    this.#listedOid = undefined
    fill(this.#main, notice('Loading agents…'))
    try {
      const { agents, more } = await fetchAgents()
      this.#agents = agents
      this.#moreAgents = more
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        await this.#refused(error.message)
        return
      }
      this.#failed = error instanceof Error ? error.message : 'Something went wrong.'
    }
    this.#names = collectNames(this.#agents)
    this.#picker.setAgents(this.#agents)
    this.#follow()
  }

  /** The server does not take the token at hand (any more), and there is no new one. Who signed in is sent to do it again, and comes back to where they are. */
  async #refused(why: string): Promise<void> {
    // Several requests may be refused at once; the first has seen to it.
    if (!isKnown()) return
    await this.#askWho(await replaceRefused(why))
  }

  /** @param why what the reader must know before they sign in; null without anything */
  async #askWho(why: string | null): Promise<void> {
    forget()
    this.#pane.leave()
    const card = signInCard(await fetchWays(), why, { onToken: () => void this.#load(), onSignIn: (way) => signIn(way) })
    this.#frame(card)
    card.querySelector<HTMLElement>('input, button')?.focus()
  }

  async #leave(): Promise<void> {
    this.#pane.leave()
    this.#frame(notice('Signing out…'))
    await this.#askWho(await signOut())
  }

  /** The page without anything that is somebody's. */
  #frame(content: HTMLElement): void {
    fill(this.#host, h('header', { class: 'top' }, h('span', { class: 'brand' }, 'trailjoin'), h('span', { class: 'spring' }), this.#theme), content)
  }

  async #beAnother(): Promise<void> {
    await this.#askWho(await signInAsAnother())
  }

  #go(address: Address, replace = false): void {
    this.#address = address
    const target = location.pathname + printAddress(address)
    if (replace) history.replaceState(null, '', target)
    else history.pushState(null, '', target)
    this.#follow()
  }
  #goHome(event: MouseEvent): void {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    this.#go({ oid: null, event: null, filters: NO_FILTERS })
  }
  #openOid(oid: string): void {
    // The filters stay except for the tenant, which belongs to the other oid.
    this.#go({ oid, event: null, filters: { ...this.#address.filters, tenant: '' } })
  }
  #openEvent(id: string | null): void {
    this.#go({ ...this.#address, event: id })
  }

  /** Brings the screen in step with the address. */
  #follow(): void {
    const { oid, filters, event } = this.#address
    this.#picker.setValue(oid)
    document.title = oid ? `${this.#names.short(oid)} · trailjoin` : 'trailjoin'
    this.#renderSide(oid)
    if (oid) {
      // Mounted once: moving the pane would take the keyboard away from whoever types in its filters.
      if (this.#pane.element.parentElement !== this.#main) fill(this.#main, this.#pane.element)
      this.#pane.show(oid, filters, this.#agents, this.#names)
    } else {
      this.#pane.leave()
      fill(this.#main, ...this.#home())
    }
    if (event !== this.#openedEvent) this.#showDetails(event)
    this.#pane.mark(event)
  }

  #showDetails(event: string | null): void {
    const hadKeyboard = this.#details.element.contains(document.activeElement)
    this.#openedEvent = event
    if (event) this.#details.open(event, this.#pane.find(event), this.#names, (id) => this.#pane.find(id))
    else this.#details.close()
    this.#host.classList.toggle('with-details', event !== null)
    if (event === null && hadKeyboard) this.#pane.focusTable()
  }

  #renderSide(oid: string | null): void {
    if (oid === this.#listedOid) return
    this.#listedOid = oid
    // Without a choice the agents stand on the page itself.
    this.#side.hidden = !oid || this.#agents.length === 0
    this.#host.classList.toggle('without-side', this.#side.hidden)
    if (this.#side.hidden) return
    const hadKeyboard = this.#side.contains(document.activeElement)
    const scroll = this.#side.scrollTop
    fill(
      this.#side,
      h(
        'details',
        { class: 'side-list', open: matchMedia('(min-width: 1000px)').matches },
        h('summary', {}, h('h2', {}, 'Agents'), h('span', { class: 'muted' }, `${this.#moreAgents ? 'more than ' : ''}${formatNumber(this.#agents.length)}`)),
        agentList(this.#agents, oid, (picked) => this.#openOid(picked)),
      ),
    )
    this.#side.scrollTop = scroll
    const current = this.#side.querySelector<HTMLElement>('[aria-current]')
    if (hadKeyboard) current?.focus({ preventScroll: true })
    if (current) keepInSight(this.#side, current)
  }

  #home(): HTMLElement[] {
    if (this.#agents.length > 0) {
      const welcome = h(
        'div',
        { class: 'welcome' },
        h('h1', {}, 'What did this agent do, across Azure, AWS and Google Cloud?'),
        h('p', { class: 'muted' }, 'Choose an agent, or paste the object id (oid) of an agent or a managed identity above.'),
      )
      return [welcome, agentList(this.#agents, null, (picked) => this.#openOid(picked))]
    }
    if (this.#failed) {
      const again = h('button', { type: 'button', class: 'quiet', onclick: () => void this.#load() }, 'Try again')
      // A good token may be one that may not ask this: whoever has another can use it.
      const other = account()
        ? h('button', { type: 'button', class: 'quiet', onclick: () => void this.#beAnother() }, 'Use another account')
        : h('button', { type: 'button', class: 'quiet', onclick: () => void this.#askWho(null) }, 'Use another token')
      return [h('div', { class: 'empty' }, h('p', { class: 'error', role: 'alert' }, this.#failed), h('p', {}, again, ' ', other))]
    }
    return [
      h(
        'div',
        { class: 'empty' },
        h('h1', {}, 'No agents yet'),
        h('p', {}, 'No imported record names an Agent Identity. Import logs with ', h('code', {}, 'npx trailjoin import PATH…'), ', then reload.'),
        account()
          ? h(
              'p',
              {},
              'You see the records of your own tenants; others do not exist for you. Whoever looks after trailjoin in your organisation can give you more.',
            )
          : null,
        h('p', {}, 'An oid can be looked up above all the same.'),
      ),
    ]
  }
}

const notice = (text: string): HTMLElement => h('div', { class: 'empty' }, h('p', { role: 'status' }, text))

/** Scrolls a list (and only the list, not the page) as little as needed. */
function keepInSight(list: HTMLElement, element: HTMLElement): void {
  const [outer, inner] = [list.getBoundingClientRect(), element.getBoundingClientRect()]
  if (inner.bottom > outer.bottom) list.scrollTop += inner.bottom - outer.bottom
  else if (inner.top < outer.top) list.scrollTop -= outer.top - inner.top
}
