import { setTimeout as pause } from 'node:timers/promises'

/**
 * What a gauge tells that takes long to find out: asked beside the scrape, one asking at a time however often scrapes come, and told as of the last answer until that is too old.
 * @param find rejects where there is no answer, which is then left to the next asking
 * @param times milliseconds: `every` from one asking to the next at least, `goodFor` from when an answer was asked for until it says nothing any more, `patience` that a scrape waits for an asking under way
 */
export function askedBeside<Answer>(
  find: () => Promise<Answer>,
  times: { readonly every: number; readonly goodFor: number; readonly patience: number },
): () => Promise<Answer | null> {
  let known: { readonly at: number; readonly answer: Answer } | null = null
  let asked = -Infinity
  let asking: Promise<void> | null = null
  const ask = async (at: number): Promise<void> => {
    try {
      known = { answer: await find(), at }
    } catch {
      // That there is none is told by the logs of whoever works with it; here the last answer ages.
    }
  }
  return async () => {
    if (asking === null && performance.now() - asked > times.every) {
      asked = performance.now()
      asking = ask(asked).finally(() => (asking = null))
    }
    if (asking !== null) await Promise.race([asking, pause(times.patience, undefined, { ref: false })])
    return known === null || performance.now() - known.at > times.goodFor ? null : known.answer
  }
}
