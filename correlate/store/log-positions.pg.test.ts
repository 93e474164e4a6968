import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type LogGap, type LogPlace, StalePosition } from '#core/transport.ts'
import { type TestDatabase, createTestDatabase } from '../../test/postgres.ts'
import { createCorrelator } from '../index.ts'
import { createLogPositions } from './log-positions.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())
beforeEach(() => database.pool.query('truncate log_positions, log_gaps'))

const place = (next: bigint, more: Partial<LogPlace> = {}): LogPlace => ({ log: 't', partition: 3, next, epoch: 0, at: new Date(1000), gaps: [], ...more })
const gap = (more: Partial<LogGap> = {}): LogGap => ({
  log: 't',
  partition: 3,
  firstOffset: 5n,
  lastOffset: 9n,
  from: null,
  until: new Date(2000),
  cause: 'retention',
  detail: null,
  ...more,
})
const gaps = async (): Promise<readonly object[]> =>
  (await database.pool.query<object>('select first_offset, last_offset, cause from log_gaps order by first_offset')).rows

describe('the position of a log', () => {
  test('moves with the records of its batch, or not at all', async () => {
    const sink = createCorrelator(database.pool)
    const rejection = { origin: { file: 'kafka:t', line: null, index: 0 }, reason: 'for the test', text: 'x' }
    await sink.deliver([], [rejection], place(10n))
    expect((await createLogPositions(database.pool).read('t')).get(3)).toEqual({ next: 10n, epoch: 0, paused: false, at: new Date(1000) })
    // Moved from outside meanwhile.
    await database.pool.query('update log_positions set next = 4, epoch = 1')
    await database.pool.query('delete from rejected')
    await expect(sink.deliver([], [rejection], place(20n))).rejects.toThrow(StalePosition)
    expect((await database.pool.query('select 1 from rejected')).rowCount).toBe(0)
    expect((await createLogPositions(database.pool).read('t')).get(3)).toMatchObject({ next: 4n, epoch: 1 })
  })

  test('does not go back when two consumers overlap', async () => {
    const sink = createCorrelator(database.pool)
    await sink.deliver([], [], place(10n))
    await sink.deliver([], [], place(7n))
    expect((await createLogPositions(database.pool).read('t')).get(3)?.next).toBe(10n)
  })

  test('passes over what the log has lost, which stays as a gap, once', async () => {
    const positions = createLogPositions(database.pool)
    await positions.pass(gap(), { next: 10n, epoch: 0 })
    await positions.pass(gap({ lastOffset: 11n }), { next: 12n, epoch: 0 })
    expect((await positions.read('t')).get(3)?.next).toBe(12n)
    expect(await gaps()).toEqual([{ first_offset: 5n, last_offset: 11n, cause: 'retention' }])
    await expect(positions.pass(gap({ firstOffset: 40n }), { next: 50n, epoch: 7 })).rejects.toThrow(StalePosition)
    expect(await gaps()).toHaveLength(1)
  })

  test('goes back when the log was made anew', async () => {
    const positions = createLogPositions(database.pool)
    await createCorrelator(database.pool).deliver([], [], place(100n))
    await positions.pass(gap({ firstOffset: 100n, lastOffset: null, cause: 'recreated' }), { next: 0n, epoch: 0 })
    expect((await positions.read('t')).get(3)?.next).toBe(0n)
  })
})
