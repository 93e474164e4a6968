import { setTimeout as pause } from 'node:timers/promises'

const LEAVE_MS = 10_000

/**
 * Disconnects a client of kafkajs, and waits for it so long at most (milliseconds): when a broker has died, or a group's coordinator has moved, kafkajs may never come back, and neither the
 * next try nor the end of the process would come (found by `npm run test:faults`). The cluster notices the silence by itself. Never rejects.
 */
export async function leave(client: { disconnect(): Promise<void> }, withinMs: number = LEAVE_MS): Promise<void> {
  const late = new AbortController()
  await Promise.race([client.disconnect().catch(() => undefined), pause(withinMs, undefined, { signal: late.signal }).catch(() => undefined)])
  late.abort()
}
