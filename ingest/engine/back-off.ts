import pRetry from 'p-retry'
import { SourceError } from './source-error.ts'
import type { SourceErrorCode } from './source-error.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND

/** How long to wait, in milliseconds: doubled from `min` to `max`, times a random factor from 1 to 2, so that collectors that failed together do not come back together. */
export const DELAYS: Delays = {
  SOURCE_THROTTLED: { min: 5 * SECOND, max: 5 * MINUTE },
  SOURCE_UNAVAILABLE: { min: 2 * SECOND, max: 5 * MINUTE },
  SOURCE_TIMEOUT: { min: 2 * SECOND, max: 5 * MINUTE },
  // The cloud answers, only not all of it: asking again soon is right.
  SOURCE_PARTIAL: { min: SECOND, max: MINUTE },
  // A person must act. Tried again all the same: permissions are granted while collectors run, and a restart should not be needed for that.
  SOURCE_DENIED: { min: 30 * SECOND, max: 10 * MINUTE },
  SOURCE_MISCONFIGURED: { min: 30 * SECOND, max: 10 * MINUTE },
}

export type Delays = Readonly<Record<SourceErrorCode, { readonly min: number; readonly max: number }>>

/** For one round that somebody waits for: long enough for a passing fault, and a lasting one is told soon. */
export const SHORT_DELAYS = Object.fromEntries(Object.keys(DELAYS).map((code) => [code, { min: SECOND, max: 5 * SECOND }])) as unknown as Delays

export interface BackOffOptions {
  readonly signal: AbortSignal
  readonly delays: Delays
  /** Attempts before the error is thrown; Infinity for a collector that runs for months. */
  readonly attempts: number
  /** Told of every failure before the pause. */
  failed(error: SourceError): Promise<void>
  /** True when the attempt got somewhere before it failed: then the waiting starts anew from the shortest. */
  progressed(): boolean
}

/**
 * Does the work until it succeeds, with pauses by the kind of failure. A kind that changes starts anew from its own shortest pause.
 * @throws the signal's reason; the last `SourceError` when the attempts are used up
 */
export async function withBackOff(work: () => Promise<void>, options: BackOffOptions): Promise<void> {
  const { signal, delays, attempts } = options
  let failures = 0
  const attempt = async (): Promise<void> => {
    try {
      await work()
    } catch (cause) {
      signal.throwIfAborted()
      const error =
        cause instanceof SourceError ? cause : new SourceError('SOURCE_UNAVAILABLE', cause instanceof Error ? cause.message : String(cause), { cause })
      failures = options.progressed() ? 1 : failures + 1
      await options.failed(error)
      throw error
    }
  }
  let last: SourceError
  try {
    return await attempt()
  } catch (error) {
    if (!(error instanceof SourceError)) throw error
    last = error
  }
  while (failures < attempts) {
    const { min, max } = delays[last.code]
    const asked = Math.min(last.retryAfterMs ?? 0, max)
    // The library computes the pauses; it gets the failure that is already there as its first attempt, because only then the pauses to use are known.
    let first = true
    const code = last.code
    try {
      return await pRetry(
        () => {
          if (!first) return attempt()
          first = false
          throw last
        },
        {
          retries: Number.POSITIVE_INFINITY,
          minTimeout: Math.max(min, asked),
          maxTimeout: Math.max(max, asked),
          factor: 2,
          randomize: true,
          signal,
          // The first one is the old failure: it is always followed by a pause.
          shouldRetry: ({ error, attemptNumber }) =>
            attemptNumber === 1 ||
            (error instanceof SourceError && error.code === code && error.retryAfterMs === null && !options.progressed() && failures < attempts),
        },
      )
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof SourceError)) throw error
      last = error
    }
  }
  throw last
}
