import { globSync, readFileSync } from 'node:fs'
import { matchesGlob } from 'node:path'
import { expect, test } from 'vitest'
import { PROJECTS } from '../vitest.config.ts'

/** Names of the projects that run a file. */
const projectsOf = (file: string): string[] =>
  PROJECTS.filter(({ test: { include, exclude } }) => include.some((glob) => matchesGlob(file, glob)) && !exclude.some((glob) => matchesGlob(file, glob))).map(
    ({ test: { name } }) => name,
  )

test('every file with a test in it is run by exactly one project', () => {
  // The transport's contract is a suite that the tests of each implementation call.
  const files = globSync('**/*.{ts,tsx}', { exclude: ['node_modules/**', '**/dist/**', 'transport/contract.ts'] })
  const withTests = files.filter((file) => /^\s*(test|it|describe)(\.\w+)*\(\s*['"`]/m.test(readFileSync(file, 'utf8')))
  expect(withTests).toContain('test/projects.test.ts')
  expect(withTests.map((file) => [file, projectsOf(file).length]).filter(([, count]) => count !== 1)).toEqual([])
})

test('a test file with a wrong name would be found', () => {
  expect(projectsOf('ingest/read.tests.ts')).toEqual([])
  expect(projectsOf('ingest/read.e2e.test.ts')).toEqual([])
  expect(projectsOf('ingest/read.test.ts')).toEqual(['unit'])
  expect(projectsOf('database/copy.pg.test.ts')).toEqual(['pg'])
  expect(projectsOf('transport/kafka.kafka.test.ts')).toEqual(['kafka'])
})
