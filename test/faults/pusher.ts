/** A Pub/Sub push subscription: sends each message until the answer is a success, as the service does (it waits longer in between). */
import { setTimeout as sleep } from 'node:timers/promises'

export interface Pusher {
  /** Queues envelopes. */
  push(bodies: readonly string[]): void
  /** Nothing is sent while it is true. */
  holding: boolean
  /** Messages that are not acknowledged yet. */
  waiting(): number
  /** Pushes that had to be sent again. */
  repeats(): number
  close(): Promise<void>
}

const AT_ONCE = 64
const AGAIN_MS = 400
const ANSWER_MS = 30_000

export function startPusher(url: string): Pusher {
  const queue: string[] = []
  const stop = new AbortController()
  let [unacknowledged, repeats] = [0, 0]

  async function deliver(body: string): Promise<void> {
    while (!stop.signal.aborted) {
      const answer = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' }, signal: AbortSignal.timeout(ANSWER_MS) }).then(
        async (response) => {
          await response.arrayBuffer()
          return response.ok
        },
        () => false,
      )
      if (answer) return
      repeats++
      await sleep(AGAIN_MS)
    }
  }
  const pusher: Pusher = {
    holding: false,
    push(bodies) {
      unacknowledged += bodies.length
      queue.push(...bodies)
    },
    waiting: () => unacknowledged,
    repeats: () => repeats,
    async close() {
      stop.abort()
      await Promise.all(workers)
    },
  }
  const workers = Array.from({ length: AT_ONCE }, async () => {
    while (!stop.signal.aborted) {
      const body = pusher.holding ? undefined : queue.shift()
      if (body === undefined) {
        await sleep(20)
        continue
      }
      await deliver(body)
      unacknowledged--
    }
  })
  return pusher
}
