/** Every report beside this file is the subject of a test, and stands in the README with its right answer. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const here = import.meta.dirname
const entries = readdirSync(here, { withFileTypes: true })
const reports = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
const tests = entries.filter((entry) => entry.name.endsWith('.test.ts')).map((entry) => readFileSync(join(here, entry.name), 'utf8'))
const readme = readFileSync(join(here, 'README.md'), 'utf8')

test('every report is imported by a test', () => {
  expect(reports.filter((report) => !tests.some((text) => text.includes(report)))).toEqual([])
})

test('every report stands in the README with its right answer', () => {
  expect(reports.filter((report) => !readme.includes(report))).toEqual([])
})
