import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.ts'
import { type Case, findingsOf } from './evaluate.ts'
import { World } from './world.ts'

/** Tests of rules: what each of them makes of small worlds, whichever way round the records come. */
export function testRules(rules: Readonly<Record<string, readonly Case[]>>): void {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createTestDatabase()
  })
  afterAll(() => database.drop())

  describe.each(Object.entries(rules))('%s', (rule, cases) => {
    test.each(cases.map((one) => [one.name, one] as const))('%s', async (_name, { world, gives, says = '' }) => {
      const made = world(new World())
      const found = (await findingsOf(database.pool, made)).filter((finding) => finding.rule === rule)
      const facts = found.map(({ oids, evidence, confidence }, index) => ({
        oids: oids.toSorted(),
        evidence: evidence.toSorted(),
        ...(gives[index]?.confidence ? { confidence } : {}),
      }))
      const text = (one: unknown): string => JSON.stringify(one)
      expect(facts.toSorted((a, b) => text(a).localeCompare(text(b)))).toEqual(
        gives.map((one) => ({ ...one, oids: one.oids.toSorted(), evidence: one.evidence.toSorted() })).toSorted((a, b) => text(a).localeCompare(text(b))),
      )
      if (says !== '') expect(found.map((finding) => finding.explanation).join('\n')).toContain(says)
      // The same set in the opposite order gives the same findings, word for word.
      const reversed = (await findingsOf(database.pool, made, { reversed: true })).filter((finding) => finding.rule === rule)
      expect(reversed).toEqual(found)
    })
  })
}
