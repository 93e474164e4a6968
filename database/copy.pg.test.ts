import fc from 'fast-check'
import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { storable } from '#core/text.ts'
import { copyRows, type CopyValue, jsonText } from './copy.ts'
import { createTestDatabase, type TestDatabase } from '../test/postgres.ts'

const COLUMNS = ['row', 'text', 'texts', 'big', 'bigs', 'bytes', 'time', 'truth', 'uuids', 'json', 'count']
let database: TestDatabase
let client: pg.PoolClient

beforeAll(async () => {
  database = await createTestDatabase({ empty: true })
  client = await database.pool.connect()
  await client.query(
    `create table "odd ""name" (row integer, text text, texts text[], big bigint, bigs bigint[], bytes bytea, time timestamptz, truth boolean, uuids uuid[], json jsonb, count integer)`,
  )
})
afterAll(async () => {
  client.release()
  await database.drop()
})

const copy = (rows: Iterable<readonly CopyValue[]>): Promise<number> => copyRows(client, 'odd "name', COLUMNS, rows)
const empty = (): Promise<unknown> => client.query('truncate "odd ""name"')
const row = (text: string): CopyValue[] => [1, text, ...Array.from({ length: COLUMNS.length - 2 }, () => null)]

test('every value comes back as it went in', async () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('\\', '\t', '\n', '\r', '\0', '"', '{', '}', ',', ' ', '.', 'N', 'NULL', '\u{1F600}', '\uD800') }),
  )
  const big = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
  const maybe = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> => fc.option(value, { nil: null })
  const values = fc.tuple(
    maybe(text),
    maybe(fc.array(maybe(text))),
    maybe(big),
    maybe(fc.array(maybe(big))),
    maybe(fc.uint8Array().map((bytes) => Buffer.from(bytes))),
    maybe(fc.date({ noInvalidDate: true, min: new Date('1900-01-01T00:00:00Z'), max: new Date('2200-01-01T00:00:00Z') })),
    maybe(fc.boolean()),
    maybe(fc.array(fc.uuid())),
    // No backslashes in keys: V8 13.6 (Node 24.21) takes the key "\r" for the key "\\" once it has seen an object with the latter.
    maybe(
      fc.dictionary(
        text.map((key) => key.replaceAll('\\', '/')),
        fc.oneof(text, fc.integer(), fc.constant(null), fc.array(text)),
      ),
    ),
    maybe(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(values, { maxLength: 30 }), async (rows) => {
      await empty()
      expect(await copy(rows.map((row, index) => [index, ...row]))).toBe(rows.length)
      const { rows: stored } = await client.query({ text: 'select * from "odd ""name" order by row', rowMode: 'array' })
      const cleaned = (item: string | bigint | null): string | bigint | null => (typeof item === 'string' ? storable(item) : item)
      expect(stored).toEqual(
        rows.map(([text, texts, big, bigs, bytes, time, truth, uuids, json, count], index) => {
          const kept = json === null ? null : JSON.parse(jsonText(json))
          return [index, text === null ? null : storable(text), texts?.map(cleaned) ?? null, big, bigs, bytes, time, truth, uuids, kept, count]
        }),
      )
    }),
    { numRuns: 150 },
  )
})

test('NUL and lone surrogates become U+FFFD, in JSON keys and values too, and a written-out \\u0000 stays', async () => {
  await empty()
  await copy([[1, 'a\0b\uD800c', ['\0'], null, null, null, null, null, null, { 'k\0': ['\uDC00', '\\u0000'] }, null]])
  const { rows } = await client.query('select text, texts, json from "odd ""name"')
  expect(rows).toEqual([{ text: 'a\uFFFDb\uFFFDc', texts: ['\uFFFD'], json: { 'k\uFFFD': ['\uFFFD', '\\u0000'] } }])
})

test('more rows than one block holds arrive complete', async () => {
  await empty()
  const rows = function* (): Generator<CopyValue[]> {
    for (let index = 0; index < 50_000; index++) yield row(`${index} äöü`)
  }
  expect(await copy(rows())).toBe(50_000)
  expect((await client.query('select count(distinct text) from "odd ""name"')).rows[0].count).toBe(50_000n)
})

test('no rows are fine', async () => {
  expect(await copy([])).toBe(0)
})

test('a value that PostgreSQL refuses early in a long COPY is an error, stores nothing, and the connection works on', async () => {
  await empty()
  const rows = function* (): Generator<CopyValue[]> {
    yield [1, null, null, null, null, null, null, null, ['no uuid'], null, null]
    for (let index = 0; index < 100_000; index++) yield row('x'.repeat(100))
  }
  await expect(copy(rows())).rejects.toThrow('invalid input syntax for type uuid')
  expect((await client.query('select from "odd ""name"')).rowCount).toBe(0)
})

test('an error in the rows themselves is the error of the COPY, stores nothing, and the connection works on', async () => {
  await empty()
  const rows = function* (): Generator<CopyValue[]> {
    yield row('one')
    throw new Error('the source broke')
  }
  await expect(copy(rows())).rejects.toThrow('the source broke')
  await expect(copy([['too short']])).rejects.toThrow('a row of 1 values for 11 columns')
  expect((await client.query('select from "odd ""name"')).rowCount).toBe(0)
})

test('a server process that dies during a COPY is an error and no endless wait', async () => {
  const doomed = await database.pool.connect()
  doomed.on('error', () => undefined)
  const pid = (await doomed.query('select pg_backend_pid() as pid')).rows[0].pid
  let kill: Promise<pg.QueryResult> | null = null
  const rows = function* (): Generator<CopyValue[]> {
    for (let index = 0; index < 5_000_000; index++) {
      if (index === 10_000) kill = client.query('select pg_terminate_backend($1) as killed', [pid])
      yield row('x'.repeat(100))
    }
  }
  await expect(copyRows(doomed, 'odd "name', COLUMNS, rows())).rejects.toThrow(/terminat|ECONNRESET|EPIPE/)
  expect((await kill!)?.rows).toEqual([{ killed: true }])
  doomed.release(true)
}, 30_000)
