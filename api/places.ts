/** Who may be taken in at once: so many in all, and so many of one caller, so that no caller keeps the others out. */

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
