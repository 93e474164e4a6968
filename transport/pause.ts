import { setTimeout as sleep } from 'node:timers/promises'

export interface PauseLimits {
  readonly first: number
  readonly longest: number
}

/** How long to wait before the same batch is handed over again, in milliseconds. */
export const RETRY_PAUSE: PauseLimits = { first: 500, longest: 30_000 }

/**
 * Waits before attempt `attempt` (from 1): doubling, with jitter so that several processes do not come back together. Resolves early
 * when the signal aborts.
 */
export async function pause(attempt: number, limits: PauseLimits, signal: AbortSignal): Promise<void> {
  const full = Math.min(limits.longest, limits.first * 2 ** Math.min(attempt - 1, 20))
  await sleep(full * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined)
}
