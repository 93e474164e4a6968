/**
 * Who may be taken in at once: so many in all, and so many of one caller, so that no caller keeps the others out.
 */

export interface Places {
  /** Takes a place; null when it has one to give, else whose limit is reached. */
  readonly enter: (caller: string) => { readonly leave: () => void } | { readonly full: 'caller' | 'all' }
}

/** Places of this process. A place is given back once, by `leave`. */
export function createPlaces(limits: { readonly all: number; readonly perCaller: number }): Places {
  const taken = new Map<string, number>()
  let all = 0
  return {
    enter: (caller) => {
      const own = taken.get(caller) ?? 0
      if (own >= limits.perCaller) return { full: 'caller' }
      if (all >= limits.all) return { full: 'all' }
      taken.set(caller, own + 1)
      all++
      let left = false
      const leave = (): void => {
        if (left) return
        left = true
        all--
        const rest = (taken.get(caller) ?? 1) - 1
        if (rest === 0) taken.delete(caller)
        else taken.set(caller, rest)
      }
      return { leave }
    },
  }
}

export interface Queue {
  /** Resolves with a place as soon as there is one; with whose limit was reached when none came free in time, or too many wait already. The signal ends the waiting. */
  readonly enter: (caller: string, signal: AbortSignal) => Promise<{ readonly leave: () => void } | { readonly full: 'caller' | 'all' }>
}

export interface QueueLimits {
  readonly all: number
  readonly perCaller: number
  /** How many may wait, in all and of one caller. */
  readonly waiting: { readonly all: number; readonly perCaller: number }
  /** Milliseconds. */
  readonly patienceMs: number
}

interface Waiting {
  readonly caller: string
  readonly settle: (place: { readonly leave: () => void } | { readonly full: 'caller' | 'all' }) => void
}

/**
 * Places with a line before them: a sender that is a little too fast is slowed down, not turned away. Who came first is let in first, but a caller that has all of its
 * own places holds nobody up who stands behind it.
 */
export function createQueue({ all, perCaller, waiting: most, patienceMs }: QueueLimits): Queue {
  const places = createPlaces({ all, perCaller })
  const line = new Set<Waiting>()

  function take(caller: string): ReturnType<Places['enter']> {
    const place = places.enter(caller)
    if ('full' in place) return place
    return {
      leave: () => {
        place.leave()
        admit()
      },
    }
  }
  function admit(): void {
    for (const one of line) {
      const place = take(one.caller)
      if ('leave' in place) one.settle(place)
      else if (place.full === 'all') return
    }
  }

  return {
    enter(caller, signal) {
      const place = take(caller)
      const own = [...line].filter((one) => one.caller === caller).length
      if ('leave' in place || line.size >= most.all || own >= most.perCaller || signal.aborted) return Promise.resolve(place)
      return new Promise((resolve) => {
        const over = (): void => one.settle(place)
        const one: Waiting = {
          caller,
          settle: (found) => {
            line.delete(one)
            clearTimeout(timer)
            signal.removeEventListener('abort', over)
            resolve(found)
          },
        }
        const timer = setTimeout(over, patienceMs)
        signal.addEventListener('abort', over, { once: true })
        line.add(one)
      })
    },
  }
}
