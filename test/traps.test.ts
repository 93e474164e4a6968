import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const traps = readFileSync(join(import.meta.dirname, 'fixtures', 'samples', 'TRAPS.md'), 'utf8')
const tests = ['traps-records.pg.test.ts', 'traps-values.pg.test.ts'].map((file) => readFileSync(join(import.meta.dirname, file), 'utf8')).join('\n')

/** The first cell of each row of the list's tables. */
const rows = traps.split('\n').flatMap((line) => /^\| (?!Trap \|)(.+?) \|/.exec(line)?.[1] ?? [])
const escaped = (name: string): string => name.replaceAll('\\', '\\\\')

test('the list of traps is read', () => {
  expect(rows.length).toBeGreaterThanOrEqual(50)
})

test.each(rows)('the trap "%s" has a test of its name', (row) => {
  expect(tests).toContain(`test('${escaped(row)}', `)
})
