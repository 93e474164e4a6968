/** The worked cases (test/fixtures/scenarios): exactly the findings that they name. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCorrelator } from '#correlate/index.ts'
import { importPaths } from '#ingest/import.ts'
import { createTestDatabase, type TestDatabase } from '../../test/postgres.ts'
import { refreshFindings } from './index.ts'

const FOLDER = join(import.meta.dirname, '..', '..', 'test', 'fixtures', 'scenarios')

interface Expected {
  readonly findings: readonly {
    readonly rule: string
    readonly oids: readonly string[]
    readonly mustInclude: readonly string[]
    readonly optional?: boolean
  }[]
}

describe.each(['option-1-agents-leave', 'option-1-one-agent', 'option-1-shared-uami', 'option-2-three-agents', 'role-chain'])('%s', (name) => {
  const { findings } = JSON.parse(readFileSync(join(FOLDER, name, 'expected.json'), 'utf8')) as Expected
  let database: TestDatabase

  beforeAll(async () => {
    database = await createTestDatabase()
    await importPaths([join(FOLDER, name, 'records')], { sink: createCorrelator(database.pool) })
    await refreshFindings(database.pool)
  })
  afterAll(() => database.drop())

  test('gives the findings that it names and no others', async () => {
    const { rows } = await database.pool.query<{ rule: string; oids: string[]; native: string[]; explanation: string }>(
      `select f.rule, f.oids, f.explanation, array_agg(e.native_id) as native from findings f join events e on e.event_id = any(f.evidence) group by f.id`,
    )
    for (const expected of findings) {
      const match = rows.filter(
        (row) =>
          row.rule === expected.rule && expected.oids.some((oid) => row.oids.includes(oid)) && expected.mustInclude.every((id) => row.native.includes(id)),
      )
      expect(match.length, expected.rule).toBeGreaterThanOrEqual(expected.optional ? 0 : 1)
    }
    const named = new Set(findings.map((finding) => finding.rule))
    expect(rows.filter((row) => !named.has(row.rule)).map((row) => `${row.rule}: ${row.explanation}`)).toEqual([])
  })
})
