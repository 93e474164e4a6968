/** What was rejected may be anything at all; keeping it must never fail, because what cannot be kept comes again for ever. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Rejection } from '#core/record.ts'
import { type TestDatabase, createTestDatabase } from '../test/postgres.ts'
import { createCorrelator } from './index.ts'

let database: TestDatabase
beforeEach(async () => {
  database = await createTestDatabase()
})
afterEach(() => database.drop())

const rejection = (changes: Partial<Rejection>): Rejection => ({ origin: { file: 'a', line: 1, index: 0 }, reason: 'why', text: 'text', ...changes })

test.each([
  ['its text', rejection({ text: 'a\0b' })],
  ['its reason', rejection({ reason: 'it begins with "\0"' })],
  ['its file', rejection({ origin: { file: 'a\0b', line: 1, index: 0 } })],
  ['half a character', rejection({ text: '\uD800', reason: '\uDC00', origin: { file: '\uD800', line: 1, index: 0 } })],
])('NUL and half characters are kept as U+FFFD: %s', async (_, given) => {
  const sink = createCorrelator(database.pool)
  for (let round = 0; round < 2; round++) await sink.deliver([], [given])
  const { rows } = await database.pool.query<{ name: string; reason: string; text: string }>(
    'select name, reason, text from rejected join files on files.id = file_id',
  )
  expect(rows).toHaveLength(1)
  expect(Object.values(rows[0]!).join('')).toContain('\uFFFD')
})
