import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCorrelator } from '#correlate/index.ts'
import { importPaths } from '#ingest/import.ts'
import { createTestDatabase } from '../../test/postgres.ts'
import type { TestDatabase } from '../../test/postgres.ts'
import { llmUsage } from '../read-models/llm-usage.ts'
import { wholeStore } from '../read-models/store.ts'
import { usageByPrincipal } from './by-principal.ts'

const FOLDER = join(import.meta.dirname, '../../test/fixtures/scenarios/role-chain')
let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
  await importPaths([join(FOLDER, 'records')], { sink: createCorrelator(database.pool) })
})
afterAll(() => database?.drop())

test('AWS use by caller is all AWS use, under the ARNs that the records name', async () => {
  const store = wholeStore(database.pool)
  const days = await usageByPrincipal(store, {})
  const report = await llmUsage(store, { cloud: 'aws' })
  expect(days.reduce((sum, day) => sum + day.calls, 0)).toBe(report.coverage.total.calls)
  expect(days.reduce((sum, day) => sum + day.inputTokens + day.outputTokens, 0)).toBe(report.coverage.total.inputTokens + report.coverage.total.outputTokens)
  expect(days.reduce((sum, day) => sum + day.meteredCalls, 0)).toBe(report.coverage.total.meteredCalls)
  expect(days.length).toBeGreaterThan(0)
  const { usage } = JSON.parse(readFileSync(join(FOLDER, 'expected.json'), 'utf8')) as {
    usage: readonly { readonly agentOid: string | null; readonly cloud: string }[]
  }
  const agents = usage.flatMap(({ agentOid, cloud }) => (agentOid !== null && cloud === 'aws' ? [agentOid] : []))
  expect([...new Set(days.flatMap((day) => day.agents))].toSorted()).toEqual([...new Set(agents)].toSorted())
  for (const { principal } of days) expect(principal).toMatch(/^arn:aws:(sts|iam)::\d{12}:/)
})

test('is cut to whole UTC days, and to tenants that the caller may see', async () => {
  const store = wholeStore(database.pool)
  const [first] = await usageByPrincipal(store, {})
  expect(await usageByPrincipal(store, { to: first!.day })).toEqual([])
  expect(await usageByPrincipal({ ...store, scope: ['99999999-0000-4000-8000-000000000000'] }, {})).toEqual([])
})
