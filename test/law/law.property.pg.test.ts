/**
 * DESIGN §4.4: the stored result is a function of the set of records. Random worlds, each delivered straight and in some wild way, compared
 * with each other and with the oracle. `LAW_SEED` is the first world (default 1), `LAW_WORLDS` their number (default 200); a failure names its
 * world, and `node scripts/soak.ts --minimise SEED` finds the smallest part of it that fails.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../postgres.ts'
import { checkSeed } from './check.ts'
import { openLawStore, type LawStore } from './deliver.ts'

const FIRST = Number(process.env['LAW_SEED'] ?? 1)
const WORLDS = Number(process.env['LAW_WORLDS'] ?? 200)
/** Worlds a test: small enough to tell which stretch of seeds is slow or broken. */
const STRETCH = 25

const stretches = Array.from({ length: Math.ceil(WORLDS / STRETCH) }, (_, index) => ({
  from: FIRST + index * STRETCH,
  to: Math.min(FIRST + (index + 1) * STRETCH, FIRST + WORLDS) - 1,
}))

let database: TestDatabase
let store: LawStore
beforeAll(async () => {
  database = await createTestDatabase()
  store = await openLawStore(database.url)
})
afterAll(async () => {
  await store.close()
  await database.drop()
})

test.each(stretches)(
  'I1 I2 I3 I4: any order, repetition, split and number of correlators give the same bytes, and the same as the oracle: worlds $from to $to',
  async ({ from, to }) => {
    for (let seed = from; seed <= to; seed++) await checkSeed(store, seed)
    expect(to - from).toBeLessThan(STRETCH)
  },
  600_000,
)
