import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type pg from 'pg'
import { createTestDatabase, type TestDatabase } from '../../test/postgres.ts'
import { takePending } from './pending.ts'

let database: TestDatabase
let client: pg.PoolClient
beforeAll(async () => {
  database = await createTestDatabase()
  client = await database.pool.connect()
})
afterAll(async () => {
  client.release()
  await database.drop()
})
beforeEach(() => client.query('delete from pending'))

const idOf = (time: number): string => `00000000-0000-8000-8000-${String(time).padStart(12, '0')}`
const add = (times: readonly number[], keys: readonly string[] = []): Promise<unknown> =>
  client.query('insert into pending (times, event_ids, keys) values ($1, $2, $3)', [times, times.map(idOf), keys])
const take = async (most: number): Promise<readonly (readonly number[] | readonly string[])[]> => {
  const { refs, keys } = await takePending(client, most)
  for (const { timeNs, id } of refs) expect(id).toBe(idOf(Number(timeNs)))
  return [refs.map(({ timeNs }) => Number(timeNs)).toSorted((a, b) => a - b), keys]
}

test('a round takes what happened first, whatever batch it came with, and later rounds take the rest, each event once', async () => {
  await add([10, 50, 30])
  await add([60, 70])
  await add([20, 40, 80, 15])
  expect(await take(4)).toEqual([[10, 15, 20, 30], []])
  expect(await take(4)).toEqual([[40, 50, 60, 70], []])
  expect(await take(4)).toEqual([[80], []])
  expect(await take(4)).toEqual([[], []])
  expect((await client.query('select from pending')).rowCount).toBe(0)
})

test('events at one time are taken together', async () => {
  await add([10, 20, 20, 20, 30])
  expect((await take(2))[0]).toEqual([10, 20, 20, 20])
})

test('replaced events are taken in one round with what they had named', async () => {
  await add([10, 20])
  await add([5, 90], ['aws:ASIAAAAAAAAAAAAAAAAA'])
  expect(await take(1)).toEqual([[5, 90], ['aws:ASIAAAAAAAAAAAAAAAAA']])
  expect(await take(5)).toEqual([[10, 20], []])
})

test('an event that was replaced while it was pending is taken once, with both of its times, the newer entry last', async () => {
  const id = idOf(1)
  await client.query('insert into pending (times, event_ids, keys) values ($1, $2, $3), ($4, $5, $3)', [[90, 20], [id, idOf(20)], [], [10], [id]])
  const { refs } = await takePending(client, 1)
  expect(refs).toEqual([
    { timeNs: 90n, id },
    { timeNs: 10n, id },
  ])
  expect((await take(9))[0]).toEqual([20])
})

test('a round that fails leaves everything', async () => {
  await add([10, 20, 30])
  await client.query('begin')
  await take(2)
  await client.query('rollback')
  expect((await take(9))[0]).toEqual([10, 20, 30])
})

test('of an event in more batches than a round looks at the older entry comes first, never the newer one alone', async () => {
  const id = idOf(1)
  for (const times of [[90], [5, 10], [7]])
    await client.query('insert into pending (times, event_ids, keys) values ($1, $2, $3)', [times, times.map(() => id), []])
  const found: number[][] = []
  for (let round = 0; round < 3; round++) found.push((await takePending(client, 1, 1)).refs.map(({ timeNs }) => Number(timeNs)))
  expect(found).toEqual([[90], [5, 10], [7]])
})
