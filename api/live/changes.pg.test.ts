import { afterAll, beforeAll, expect, test } from 'vitest'
import { NO_TENANT } from '#core/keys.ts'
import { createTestDatabase, type TestDatabase } from '../../test/postgres.ts'
import { id, insertEvent, TENANT } from '../fixture.ts'
import { scopedStore, wholeStore } from '../read-models/store.ts'
import { canGoOnFrom, changesAfter } from './changes.ts'
import { endOfRound } from './position.ts'

const AGENT = id('a')
const EVENT = id('e')
const TIME = 1_000_000_000_000n
const MARK = id('f')
let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
  const { pool } = database
  // Round 5: the tenant of an event became known, so it left the timeline of no tenant and came into the tenant's.
  await insertEvent(pool, {
    id: EVENT,
    time: TIME,
    conclusion: { tenant: TENANT, agent: AGENT, subject: AGENT, confidence: 'exact' },
    timeline: [{ oid: AGENT, role: 'actor' }],
  })
  await pool.query('update conclusions set round = 5')
  await pool.query(`insert into progress (name, round) values ('conclusions', 5)`)
  await pool.query('insert into live_rounds (round, mark) values (4, $1), (5, $1)', [MARK])
  for (const tenant of [NO_TENANT, TENANT])
    await pool.query('insert into live_changes (oid, tenant_id, round, from_ns, to_ns) values ($1, $2, 5, $3, $3)', [AGENT, tenant, TIME.toString()])
  await pool.query('insert into live_departures (oid, tenant_id, round, time_ns, event_id) values ($1, $2, 5, $3, $4)', [
    AGENT,
    NO_TENANT,
    TIME.toString(),
    EVENT,
  ])
})
afterAll(() => database?.drop())

const told = async (store: Parameters<typeof changesAfter>[0], tenant?: string, after = endOfRound(4n, MARK)): Promise<readonly string[]> =>
  (await Array.fromAsync(changesAfter(store, { oid: AGENT, filters: tenant === undefined ? {} : { tenant } }, after)))
    .flat()
    .map((change) => ('item' in change ? `item ${change.item.id}` : `gone ${change.gone.id}`))

test('an event whose tenant becomes known is told as it is now, and does not go', async () => {
  expect(await told(wholeStore(database.pool))).toEqual([`item ${EVENT}`])
  expect(await told(scopedStore(database.pool, [TENANT]))).toEqual([`item ${EVENT}`])
})

test('who watches only what it left is told that it is gone', async () => {
  expect(await told(wholeStore(database.pool), NO_TENANT)).toEqual([`gone ${EVENT}`])
})

test.each([
  ['of another store, or of a time that this one has lost', endOfRound(4n, id('e'))],
  ['beyond what this one has come to', endOfRound(6n, MARK)],
])('after a position %s nothing is told', async (_what, after) => {
  expect(await canGoOnFrom(wholeStore(database.pool), after)).toBe(false)
  expect(await told(wholeStore(database.pool), undefined, after)).toEqual([])
})
