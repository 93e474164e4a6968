import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/postgres.ts'
import { id, insertEvent, repeatEvent, TENANT } from '../fixture.ts'
import { wholeStore } from './store.ts'
import { timelineCount, timelinePage } from './timeline.ts'

const AGENT = id('a')
let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
  const conclusion = { tenant: TENANT, agent: AGENT, subject: AGENT, confidence: 'exact' } as const
  const timeline = [{ oid: AGENT, role: 'actor' }] as const
  await insertEvent(database.pool, { id: id('e'), time: 1_000_000_000_000n, conclusion, timeline })
  // Longer than the stretch that a filtered query walks at once.
  await repeatEvent(database.pool, id('e'), 3_000)
  for (const second of [5, 2_500, 5_000])
    await insertEvent(database.pool, { id: id('f', second), time: BigInt(1_000 + second) * 1_000_000_000n + 1n, action: 'bedrock:Rare', conclusion, timeline })
})
afterAll(() => database?.drop())

test.each(['asc', 'desc'] as const)('rare events are found far apart in a long timeline, page by page (%s)', async (order) => {
  const store = wholeStore(database.pool)
  const request = { oid: AGENT, filters: { text: 'rare' }, order, limit: 2 }
  const first = await timelinePage(store, request)
  expect(first.items.map((item) => item.action)).toEqual(['bedrock:Rare', 'bedrock:Rare'])
  const [at] = first.items.slice(-1)
  const rest = await timelinePage(store, {
    ...request,
    after: { timeNs: 1_000n * 1_000_000_000n + 2_500n * 1_000_000_000n + 1n, eventId: at!.id, tenantId: TENANT },
  })
  expect(at!.id).toBe(id('f', 2_500))
  expect(first.next).not.toBeNull()
  expect(rest).toEqual({ items: [expect.objectContaining({ action: 'bedrock:Rare' })], next: null })
  expect(await timelineCount(store, AGENT, { text: 'rare' })).toBe(3)
})

test('the page of an agent with many events is read off the index of the timeline, not sorted out of all of it', async () => {
  const plans: string[] = []
  const whole = wholeStore(database.pool)
  const query = (async (text: string, values: unknown[]) => {
    const { rows } = await whole.query<{ 'QUERY PLAN': string }>(`explain (analyze, costs off, timing off) ${text}`, values)
    plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'))
    return await whole.query(text, values)
  }) as typeof whole.query
  await database.pool.query('vacuum analyze')
  const { items } = await timelinePage({ ...whole, query }, { oid: AGENT, filters: {}, order: 'desc', limit: 50 })
  expect(items).toHaveLength(50)
  const most = Math.max(...plans.flatMap((plan) => [...plan.matchAll(/ on timeline\w* .*actual rows=(\d+)/g)].map(([, rows]) => Number(rows))))
  expect(most, plans.join('\n\n')).toBeLessThanOrEqual(60)
})
