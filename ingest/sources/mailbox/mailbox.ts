/** What a receiver (a push endpoint, a consumer) is handed, until a poll of the engine has made it durable. */
export interface Mailbox<Item> {
  /** Resolves when the item is durable. Rejects when it is not: the delivery failed, the mailbox is full (`MailboxFull`) or closed. */
  put(item: Item, bytes: number): Promise<void>
  /** What is there, all of it up to a page's size; waits for it. Null when nothing came for `idleMs`. Throws what `fail` was given, and the signal's reason. */
  take(idleMs: number, signal: AbortSignal): Promise<Taken<Item> | null>
  /** The receiver cannot go on: this `take`, or the next, throws. */
  fail(error: unknown): void
  /** Every item that waits is refused: whoever put it is gone. */
  refuse(): void
  /** The same, and every later item is refused, too, until it is opened again. */
  close(): void
  /** Takes items again. */
  open(): void
}

interface Taken<Item> {
  readonly items: readonly Item[]
  /** They are durable. */
  done(): void
  /** They are not. */
  failed(error: unknown): void
}

export interface MailboxLimits {
  /** Of what waits or is on its way: beyond it `put` refuses. */
  readonly bytes: number
  /** Of one `take`. */
  readonly pageBytes: number
}

/** Too much is waiting: the sender must come again. */
export class MailboxFull extends Error {
  override readonly name = 'MailboxFull'
}

interface Letter<Item> {
  readonly item: Item
  readonly bytes: number
  readonly durable: PromiseWithResolvers<void>
}

/** A mailbox in memory; what is in it when the process dies was never acknowledged, and comes again. */
export function createMailbox<Item>({ bytes: limit, pageBytes }: MailboxLimits): Mailbox<Item> {
  const waiting: Letter<Item>[] = []
  let held = 0
  let failure: { readonly error: unknown } | null = null
  let closed = false
  let wake: () => void = () => undefined

  function taken(): Taken<Item> {
    const letters: Letter<Item>[] = []
    for (let size = 0; waiting.length > 0 && (letters.length === 0 || size + waiting[0]!.bytes <= pageBytes);) {
      const letter = waiting.shift()!
      size += letter.bytes
      letters.push(letter)
    }
    const settle = (how: (letter: Letter<Item>) => void): void => {
      for (const letter of letters.splice(0)) {
        held -= letter.bytes
        how(letter)
      }
    }
    return {
      items: letters.map(({ item }) => item),
      done: () => settle(({ durable }) => durable.resolve()),
      failed: (error) => settle(({ durable }) => durable.reject(error)),
    }
  }

  function refuse(): void {
    for (const { durable, bytes } of waiting.splice(0)) {
      held -= bytes
      durable.reject(new Error('the collector is stopping'))
    }
  }

  return {
    put(item, bytes) {
      if (closed) return Promise.reject(new Error('the collector is stopping'))
      if (held > 0 && held + bytes > limit) return Promise.reject(new MailboxFull(`more than ${limit} bytes wait to be stored`))
      held += bytes
      const durable = Promise.withResolvers<void>()
      waiting.push({ item, bytes, durable })
      wake()
      return durable.promise
    },
    async take(idleMs, signal) {
      const deadline = performance.now() + idleMs
      for (;;) {
        signal.throwIfAborted()
        if (failure !== null) {
          const { error } = failure
          failure = null
          throw error
        }
        if (waiting.length > 0) return taken()
        const left = deadline - performance.now()
        if (left <= 0) return null
        const { promise, resolve } = Promise.withResolvers<void>()
        wake = resolve
        const timer = setTimeout(resolve, left)
        signal.addEventListener('abort', wake, { once: true })
        await promise
        clearTimeout(timer)
        signal.removeEventListener('abort', wake)
      }
    },
    fail(error) {
      failure = { error }
      wake()
    },
    refuse,
    close() {
      closed = true
      refuse()
    },
    open() {
      closed = false
    },
  }
}
