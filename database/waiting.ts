/** Waiting that says what for, and that ends: nobody should look at a program that hangs without a word. */
import { setTimeout as pause } from 'node:timers/promises'
import { DatabaseError } from './errors.ts'

/** How long whoever opens the store waits, and where that is told. */
export interface Patience {
  /** For locks that others hold, and for a server that does not answer. */
  readonly waitMs: number
  /** Takes lines for people. */
  readonly say: (line: string) => void
  /** Ends every wait. */
  readonly signal?: AbortSignal | undefined
}

/** For a program that was given no other: docs/operators/running.md. */
export const WAIT_SECONDS = 60

/** Says nothing: for tests and benches. */
export const QUIET: Patience = { waitMs: WAIT_SECONDS * 1000, say: () => undefined }

/** A short wait is nobody's concern. */
const TOLD_AFTER_MS = 2_000
const TOLD_EVERY_MS = 15_000

/** One wait: `step` is called between attempts. */
export interface Wait {
  /**
   * Pauses before the next attempt. From two seconds on says what is waited for.
   * @throws DatabaseError `WAITED_TOO_LONG`; the signal's reason
   */
  readonly step: (pauseMs: number) => Promise<void>
}

/**
 * Begins a wait.
 * @param what is waited for, as it goes on behind "waiting for": asked each time it is told
 * @param waitMs where it differs from the patience's
 * @param next what the user can do in the end
 */
export function beginWait({ waitMs: usual, say, signal }: Patience, what: () => string | Promise<string>, next: string, waitMs: number = usual): Wait {
  const began = performance.now()
  let told = began + TOLD_AFTER_MS - TOLD_EVERY_MS
  return {
    async step(pauseMs) {
      const now = performance.now()
      if (now - began >= waitMs) throw new DatabaseError('WAITED_TOO_LONG', `gave up after ${secondsOf(waitMs)} of waiting for ${await what()}. ${next}`)
      if (now - told >= TOLD_EVERY_MS) {
        told = now
        say(`Waiting for ${await what()} (${secondsOf(now - began)} so far, ${secondsOf(waitMs)} at most) …`)
      }
      signal?.throwIfAborted()
      await pause(Math.max(1, Math.min(pauseMs, waitMs - (now - began))), undefined, { signal }).catch((error: unknown) => {
        signal?.throwIfAborted()
        throw error
      })
    },
  }
}

const secondsOf = (ms: number): string => {
  const seconds = Math.round(ms / 1000)
  return seconds === 1 ? '1 second' : `${seconds} seconds`
}
