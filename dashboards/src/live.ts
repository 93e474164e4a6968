import type { Filters } from './address.ts'
import { ApiError, MOST_EVENTS, openStream } from './api-client.ts'
import type { TimelineItem } from './api-types.ts'
import { h } from './dom.ts'
import { readMessages } from './live-messages.ts'

export interface Live {
  /** The switch. */
  readonly element: HTMLElement
  /** Which oid is shown now; followed while the switch is on. What was told of another one is forgotten. */
  readonly follow: (oid: string | null, filters: Filters) => void
  /** Loaded items, newest first, with what the stream has told since laid over them. */
  readonly over: (loaded: readonly TimelineItem[]) => readonly TimelineItem[]
}

export interface LiveHandlers {
  /** Something was told; several messages that come together are one call. */
  readonly onChange: () => void
  /** The stream begins here, or cannot go on from where it was: load the timeline (again). */
  readonly onReady: () => void
  readonly onUnauthorised: (why: string) => void
}

/** The switch as this tab left it: on its way to an issuer and back, a page is loaded anew. */
const SWITCH = 'trailjoin.live'
const PAUSES_MS = [1000, 2000, 5000, 15_000]
/** Messages of one round come close together; drawing for each would freeze the page. */
const GATHER_MS = 200

/** Follows the timeline that is shown, while its switch is on. */
export function createLive(handlers: LiveHandlers): Live {
  /** Null: stands in the timeline no more. */
  const told = new Map<string, TimelineItem | null>()
  let shown: { readonly oid: string; readonly filters: Filters } | null = null
  let stop = new AbortController()
  let gathering: ReturnType<typeof setTimeout> | undefined
  const dot = h('span', { class: 'live-dot', 'aria-hidden': 'true' })
  const words = h('span', { 'aria-live': 'polite' }, 'Live')
  const button = h('button', { type: 'button', class: 'quiet live', 'aria-pressed': 'false', title: 'Show events as they are concluded' }, dot, words)
  const say = (state: 'off' | 'on' | 'waiting'): void => {
    button.dataset['state'] = state
    button.setAttribute('aria-pressed', String(state !== 'off'))
    words.textContent = state === 'waiting' ? 'Live: connecting…' : 'Live'
  }
  const restart = (): void => {
    stop.abort()
    stop = new AbortController()
    told.clear()
    if (shown && button.getAttribute('aria-pressed') === 'true') void run(shown.oid, shown.filters, stop.signal)
  }
  const changed = (): void => {
    gathering ??= setTimeout(() => {
      gathering = undefined
      handlers.onChange()
    }, GATHER_MS)
  }
  button.addEventListener('click', () => {
    const on = button.getAttribute('aria-pressed') !== 'true'
    if (on) sessionStorage.setItem(SWITCH, 'on')
    else sessionStorage.removeItem(SWITCH)
    say(on ? 'waiting' : 'off')
    restart()
    changed()
  })
  say(sessionStorage.getItem(SWITCH) === 'on' ? 'waiting' : 'off')

  async function run(oid: string, filters: Filters, signal: AbortSignal): Promise<void> {
    let lastId: string | null = null
    for (let failures = 0; !signal.aborted; failures++) {
      say('waiting')
      try {
        for await (const { event, id, data } of readMessages(await openStream(oid, filters, lastId, signal))) {
          if (signal.aborted) return
          if (event === 'ready') {
            say('on')
            failures = 0
            if (lastId === null) handlers.onReady()
          }
          lastId = id ?? lastId
          if (event === 'reset') {
            told.clear()
            handlers.onReady()
          }
          const about = data as { readonly id?: string } | null
          if (event === 'item' && about?.id) told.set(about.id, data as TimelineItem)
          if (event === 'gone' && about?.id) told.set(about.id, null)
          if (event === 'item' || event === 'gone') changed()
        }
      } catch (error) {
        if (signal.aborted) return
        // The timeline itself says what is wrong with an oid or a filter; here it only means that there is nothing to follow.
        if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429) {
          say('off')
          if (error.status === 401) handlers.onUnauthorised(error.message)
          return
        }
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)]))
    }
  }

  return {
    element: button,
    follow: (oid, filters) => {
      shown = oid === null ? null : { oid, filters }
      restart()
    },
    over: (loaded) => {
      if (told.size === 0) return loaded
      const fresh = [...told.values()].filter((item) => item !== null)
      const items = [...loaded.filter((item) => !told.has(item.id)), ...fresh]
      return items.toSorted((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : a.id < b.id ? 1 : -1)).slice(0, MOST_EVENTS)
    },
  }
}
