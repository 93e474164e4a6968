import { join } from 'node:path'
import pg from 'pg'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { concludeAll } from '#correlate/conclude-all.ts'
import { createCorrelator } from '#correlate/index.ts'
import { importPaths } from '#ingest/import.ts'
import { createTestDatabase } from '../test/postgres.ts'
import type { TestDatabase } from '../test/postgres.ts'
import { createWorkMetrics } from './work-metrics.ts'

const RECORDS = join(import.meta.dirname, '../test/fixtures/scenarios/role-chain/records')
let database: TestDatabase
beforeEach(async () => {
  database = await createTestDatabase()
  vi.useFakeTimers({ toFake: ['performance'] })
})
afterEach(async () => {
  vi.useRealTimers()
  await database.drop()
})

/** The value of a series, or null where it is not told. */
async function value(registry: Registry, name: string): Promise<number | null> {
  // Past what one scrape shares with the next.
  vi.advanceTimersByTime(60_000)
  const line = (await registry.metrics()).split('\n').find((text) => text.startsWith(`${name} `))
  return line === undefined ? null : Number(line.split(' ')[1])
}

test('what waits for conclusions, rounds and findings are numbers of the store, whichever process drew them', async () => {
  const registry = new Registry()
  const seconds: number[] = []
  createWorkMetrics(registry, database.pool)
  expect(await value(registry, 'trailjoin_pending_events')).toBe(0)
  const sink = createCorrelator(database.pool, { concluded: (took) => seconds.push(took) })
  await database.pool.query(
    `insert into pending (times, event_ids, keys) values ('{1,2,3}', array_fill(gen_random_uuid(), array[3]), '{}'), ('{4}', array_fill(gen_random_uuid(), array[1]), '{}')`,
  )
  expect(await value(registry, 'trailjoin_pending_events')).toBe(4)
  await importPaths([RECORDS], { sink })
  expect(await value(registry, 'trailjoin_pending_events')).toBe(0)
  const round = await value(registry, 'trailjoin_conclusions_round')
  expect(round).toBe(seconds.length)
  expect(round).toBeGreaterThan(0)
  expect(await value(registry, 'trailjoin_findings_round')).toBe(0)
  expect(await concludeAll(database.pool)).toBe(true)
  expect(await value(registry, 'trailjoin_findings_round')).toBe(round)
  expect(await concludeAll(database.pool)).toBe(false)
})

test('webhook messages that wait and that were given up are told apart', async () => {
  const registry = new Registry()
  createWorkMetrics(registry, database.pool)
  await database.pool.query(
    `insert into webhook_outbox (webhook, change_id, next_at, failed_at) values ('a', 1, now(), null), ('a', 2, now(), now()), ('b', 1, now(), now())`,
  )
  expect(await value(registry, 'trailjoin_webhook_messages{state="waiting"}')).toBe(1)
  expect(await value(registry, 'trailjoin_webhook_messages{state="given_up"}')).toBe(2)
})

test('where the store does not answer, its numbers are left out and the rest is told', async () => {
  const registry = new Registry()
  const pool = new pg.Pool({ connectionString: 'postgresql://nobody@127.0.0.1:1/none' })
  const { concluded } = createWorkMetrics(registry, pool)
  concluded(3)
  expect(await value(registry, 'trailjoin_pending_events')).toBeNull()
  expect(await value(registry, 'trailjoin_webhook_messages{state="waiting"}')).toBeNull()
  expect(await value(registry, 'trailjoin_conclusions_round_seconds_count')).toBe(1)
  await pool.end()
})

test('a sum that takes long is under way once, however often scrapes come, and what was known last is told meanwhile, for some minutes', async () => {
  const registry = new Registry()
  let queries = 0
  // As a store that answers once and then not any more.
  const query = (text: string): Promise<unknown> => (++queries === 1 ? database.pool.query(text) : new Promise(() => undefined))
  createWorkMetrics(registry, { query } as unknown as pg.Pool)
  await database.pool.query(`insert into pending (times, event_ids, keys) values ('{4}', array_fill(gen_random_uuid(), array[1]), '{}')`)
  const told: (number | null)[] = []
  for (let scrape = 0; scrape < 4; scrape++) told.push(await value(registry, 'trailjoin_pending_events'))
  expect(told).toEqual([1, 1, 1, 1])
  expect(queries).toBe(2)
  vi.advanceTimersByTime(300_000)
  expect(await value(registry, 'trailjoin_pending_events')).toBeNull()
})
