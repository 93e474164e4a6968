/**
 * The transport inside one process. Nothing is written: `publish` resolves when every group has handled the messages, so what is
 * durable is what the handlers made durable, and a slow handler holds the publishers back. Messages wait for the first group.
 */
import { TransportClosed } from './errors.ts'
import { type PauseLimits, RETRY_PAUSE, pause } from './pause.ts'
import { slices } from './slices.ts'
import type { Delivery, Message, Topic, Transport } from '#core/transport.ts'

type Handler = (batch: readonly Message[], delivery: Delivery) => Promise<void>

/** The messages of one `publish`, until every group has handled them. */
interface Published {
  readonly slices: readonly (readonly Message[])[]
  /** Groups that have it still before them. Zero as long as nobody consumes the topic. */
  lanes: number
  readonly done: () => void
  readonly fail: (error: Error) => void
}

interface Lane {
  readonly queue: Published[]
  readonly consumers: { readonly handle: Handler; readonly signal: AbortSignal }[]
  running: Promise<void> | null
  turn: number
}

/** @param retryPause milliseconds before a failed batch comes again */
export function createMemoryTransport({ retryPause = RETRY_PAUSE }: { readonly retryPause?: PauseLimits } = {}): Transport {
  const lanes = new Map<Topic, Map<string, Lane>>()
  const waiting = new Map<Topic, Set<Published>>()
  const closing = new AbortController()

  const lanesOf = (topic: Topic): Map<string, Lane> => getOrAdd(lanes, topic, () => new Map<string, Lane>())
  const waitingOf = (topic: Topic): Set<Published> => getOrAdd(waiting, topic, () => new Set<Published>())

  function work(lane: Lane): void {
    if (lane.running !== null || lane.queue.length === 0 || lane.consumers.length === 0 || closing.signal.aborted) return
    lane.running = runLane(lane, retryPause, closing.signal).finally(() => {
      lane.running = null
      work(lane)
    })
  }

  return {
    publish(topic, messages) {
      if (closing.signal.aborted) return Promise.reject(new TransportClosed('The transport is closed.'))
      if (messages.length === 0) return Promise.resolve()
      const { promise, resolve, reject } = Promise.withResolvers<undefined>()
      const groups = lanesOf(topic)
      const all = waitingOf(topic)
      const settle = (): void => void all.delete(published)
      const published: Published = {
        // Copied now: the publisher may go on to use its objects.
        slices: [...slices(messages.map(copy), ({ value }) => value.length)],
        lanes: groups.size,
        done: () => {
          settle()
          resolve(undefined)
        },
        fail: (error) => {
          settle()
          reject(error)
        },
      }
      all.add(published)
      for (const lane of groups.values()) {
        lane.queue.push(published)
        work(lane)
      }
      return promise
    },

    consume(topic, group, handle, { signal } = {}) {
      if (closing.signal.aborted) return Promise.reject(new TransportClosed('The transport is closed.'))
      const groups = lanesOf(topic)
      let lane = groups.get(group)
      if (lane === undefined) {
        lane = { queue: [...waitingOf(topic)], consumers: [], running: null, turn: 0 }
        for (const published of lane.queue) published.lanes++
        groups.set(group, lane)
      }
      const joined = lane
      const consumer = { handle, signal: signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal]) }
      if (consumer.signal.aborted) return Promise.resolve()
      joined.consumers.push(consumer)
      consumer.signal.addEventListener('abort', () => void joined.consumers.splice(joined.consumers.indexOf(consumer), 1), { once: true })
      work(joined)
      return Promise.resolve()
    },

    async close() {
      closing.abort(new TransportClosed('The transport is closed.'))
      await Promise.all([...lanes.values()].flatMap((groups) => [...groups.values()].map((lane) => lane.running ?? Promise.resolve())))
      for (const published of [...waiting.values()].flatMap((all) => [...all]))
        published.fail(new TransportClosed('The transport was closed before every group had handled the messages.'))
    },
  }
}

/** Handles what is queued, one slice after the other: that keeps the order of every key. */
async function runLane(lane: Lane, retryPause: PauseLimits, closing: AbortSignal): Promise<void> {
  for (;;) {
    const published = lane.queue[0]
    if (published === undefined) return
    for (const slice of published.slices) {
      if (!(await handleSlice(lane, slice, retryPause, closing))) return
    }
    lane.queue.shift()
    if (--published.lanes === 0) published.done()
  }
}

/** False when nobody is left to handle it: then all of what was published together comes again to the next consumer. */
async function handleSlice(lane: Lane, slice: readonly Message[], retryPause: PauseLimits, closing: AbortSignal): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const consumer = lane.consumers[lane.turn++ % Math.max(1, lane.consumers.length)]
    if (consumer === undefined || closing.aborted) return false
    try {
      // Copied for every call: what a handler does to its batch must not reach the next attempt or another group.
      await consumer.handle(slice.map(copy), { signal: consumer.signal, place: null })
      return true
    } catch {
      await pause(attempt, retryPause, consumer.signal)
    }
  }
}

function copy({ key, value, headers }: Message): Message {
  return { key, value, headers: { ...headers } }
}

function getOrAdd<Key, Value>(map: Map<Key, Value>, key: Key, create: () => Value): Value {
  let value = map.get(key)
  if (value === undefined) {
    value = create()
    map.set(key, value)
  }
  return value
}
