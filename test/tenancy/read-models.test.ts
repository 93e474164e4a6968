/** That no query of the API forgets the scope: a look at the source. What the queries answer is asked in scope.property.pg.test.ts. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '..', '..')
const files = globSync('api/**/*.ts', { cwd: ROOT }).filter((file) => !/\.test\.ts$|fixture\.ts$|testing\.ts$/.test(file))
const source = new Map(files.map((file) => [file.replaceAll('\\', '/'), readFileSync(join(ROOT, file), 'utf8')]))
const matching = (pattern: RegExp): readonly string[] => [...source].filter(([, text]) => pattern.test(text)).map(([file]) => file)

/** The text of each call of `store.query`, up to the end of its statement. */
const queries = (text: string): readonly string[] =>
  [...text.matchAll(/\b(?:store|reader)\.query\b.*\)$|\b(?:store|reader)\.query\b[^]*?\n {0,6}\)/gm)].map((match) => match[0])

test('every file that asks the store says which tenants it asks for', () => {
  const asking = matching(/\bstore\.query\b|\bitemRows</)
  expect(asking.length).toBeGreaterThan(10)
  expect(asking.filter((file) => !/\b(?:scopeOf|tenantInScope|eventInScope)\(|\bstore\.scope\b|\{ scope \} = store/.test(source.get(file)!))).toEqual([
    // Asks for no row.
    'api/routes/health.ts',
  ])
})

test('items are read by itemRows, which takes out the ids of others', () => {
  const calls = [...source].flatMap(([file, text]) => queries(text).map((call) => ({ file, call })))
  expect(calls.length).toBeGreaterThan(20)
  expect(calls.filter(({ call }) => call.includes('ITEM_COLUMNS')).map(({ file }) => file)).toEqual([])
})

test('the database without bounds is asked by those alone that were looked at: for tables of the API itself, or after the store has let the caller through', () => {
  expect(matching(/\bdb\.query\b/).toSorted()).toEqual(['api/access/log-page.ts', 'api/access/record.ts', 'api/access/tokens.ts', 'api/findings/decide.ts'])
})
