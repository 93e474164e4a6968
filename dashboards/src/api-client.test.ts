import { afterEach, expect, test, vi } from 'vitest'
import { fetchAgents, MOST_EVENTS } from './api-client.ts'

vi.mock('./sign-in/session.ts', () => ({
  currentToken: () => Promise.resolve(null),
  accepted: () => undefined,
  account: () => null,
  isReplaced: () => Promise.resolve(false),
}))
afterEach(() => vi.unstubAllGlobals())

/** A server of so many agents, a thousand a page. */
function serve(total: number): void {
  vi.stubGlobal('fetch', (path: string) => {
    const from = Number(new URL(path, 'http://server').searchParams.get('cursor') ?? 0)
    const items = Array.from({ length: Math.min(1000, total - from) }, (_, index) => ({ oid: String(from + index) }))
    return Promise.resolve(Response.json({ items, next: from + items.length < total ? String(from + items.length) : null }))
  })
}

test.each([
  [0, 0, false],
  [MOST_EVENTS, MOST_EVENTS, false],
  [MOST_EVENTS + 1, MOST_EVENTS, true],
])('of %i agents %i are held, and that there are more is known: %s', async (total, held, more) => {
  serve(total)
  const answer = await fetchAgents()
  expect([answer.agents.length, answer.more]).toEqual([held, more])
})
