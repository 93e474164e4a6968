/** Runs at most `count` pieces of work at once; the others wait in the order of asking. */
export function createLimit(count: number): <Result>(work: () => Promise<Result>, signal: AbortSignal) => Promise<Result> {
  let running = 0
  const waiting: (() => void)[] = []
  return async (work, signal) => {
    while (running >= count) await new Promise<void>((resolve) => waiting.push(resolve))
    running++
    try {
      signal.throwIfAborted()
      return await work()
    } finally {
      running--
      waiting.shift()?.()
    }
  }
}
