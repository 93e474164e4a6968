import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase } from '../../test/postgres.ts'
import type { TestDatabase } from '../../test/postgres.ts'
import { createApp } from '../app.ts'
import { bearerToken } from '../access/local-token.ts'
import { id, OTHER_TENANT, TENANT } from '../fixture.ts'
import { listen } from '../listen.ts'
import type { Listening } from '../listen.ts'
import { UsageReport } from '../usage/contract.ts'
import { insertUsage, usageRow } from '../usage/fixture.ts'

const TOKEN = 'a-token-for-this-test'
const AGENT = id('a')
const OTHER_AGENT = id('a', 2)
let database: TestDatabase
let server: Listening

beforeAll(async () => {
  database = await createTestDatabase()
  await insertUsage(database.pool, [
    usageRow({ calls: 5, errors: 1, tokenBasis: 'metered', inputTokens: 100, outputTokens: 20, cacheReadTokens: 7, cacheWriteTokens: 3 }),
    usageRow({ calls: 2 }),
    usageRow({ day: '2026-09-02', calls: 4, confidence: 'derived', cloud: 'gcp', model: '=HYPERLINK("x")', modelId: 'gemini' }),
    usageRow({ agentOid: OTHER_AGENT, tenantId: OTHER_TENANT, calls: 1 }),
    usageRow({
      share: 'ambiguous',
      agentOid: null,
      confidence: 'ambiguous',
      candidates: [AGENT, OTHER_AGENT],
      calls: 3,
      tokenBasis: 'metered',
      inputTokens: 70,
    }),
    usageRow({ share: 'unattributed', tenantId: null, agentOid: null, confidence: 'asserted', calls: 10 }),
  ])
  const quiet = { info: () => undefined, error: () => undefined }
  server = await listen(createApp({ pool: database.pool, auth: bearerToken(TOKEN), log: quiet }), { host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await server?.close()
  await database?.drop()
})

const get = (query: string): Promise<Response> => fetch(`${server.url}/v1/reports/llm-usage${query}`, { headers: { authorization: `Bearer ${TOKEN}` } })
async function reportOf(query: string): Promise<UsageReport> {
  const response = await get(query)
  const body: unknown = await response.json()
  expect(response.status, JSON.stringify(body)).toBe(200)
  return UsageReport.parse(body)
}
const calls = ({ rows }: UsageReport): number => rows.reduce((sum, row) => sum + row.calls, 0)
const brief = ({ rows }: UsageReport) => rows.map((row) => [row.share, row.agentOid, row.calls, row.inputTokens])

describe('the report', () => {
  test('has a row for everything that differs, sums that are all calls seen, and how sure they are', async () => {
    const report = await reportOf('')
    expect(report.rows).toHaveLength(6)
    expect(report.period).toEqual({ from: null, to: null, firstDay: '2026-09-01', lastDay: '2026-09-02' })
    const { total, byConfidence, pendingEvents, otherTenants } = report.coverage
    expect(total).toMatchObject({
      calls: 25,
      errors: 1,
      inputTokens: 170,
      outputTokens: 20,
      cacheReadTokens: 7,
      cacheWriteTokens: 3,
      meteredCalls: 8,
      callShare: 1,
      tokenShare: 1,
    })
    expect(Object.values(byConfidence).reduce((sum, one) => sum + one.calls, 0)).toBe(25)
    expect(byConfidence.exact).toMatchObject({ calls: 8, callShare: 0.32, tokenShare: 0.65, meteredCalls: 5 })
    expect(byConfidence.asserted).toMatchObject({ calls: 10, callShare: 0.4, tokenShare: 0 })
    expect([pendingEvents, otherTenants]).toEqual([0, 0])
  })
  test('is cut to whole UTC days, the last one excluded', async () => {
    expect(calls(await reportOf('?from=2026-09-02'))).toBe(4)
    expect(calls(await reportOf('?to=2026-09-02T00:00:00Z'))).toBe(21)
  })
  test('of one tenant says how many calls it leaves out', async () => {
    const report = await reportOf(`?tenant=${TENANT}`)
    expect(calls(report)).toBe(14)
    expect(report.coverage.otherTenants).toBe(11)
  })
  test('of one agent shows beside its own use what may be its own', async () => {
    expect(brief(await reportOf(`?agent=${OTHER_AGENT}&groupBy=agent`))).toEqual([
      ['agent', OTHER_AGENT, 1, 0],
      ['ambiguous', null, 3, 70],
      ['unattributed', null, 10, 0],
    ])
  })
  test('always has rows for ambiguous and unattributed use, also when there is none', async () => {
    expect(brief(await reportOf('?cloud=gcp'))).toEqual([
      ['agent', AGENT, 4, 0],
      ['ambiguous', null, 0, 0],
      ['unattributed', null, 0, 0],
    ])
    expect(brief(await reportOf('?from=2030-01-01'))).toEqual([
      ['ambiguous', null, 0, 0],
      ['unattributed', null, 0, 0],
    ])
  })
  test.each(['day', 'tenant', 'agent', 'confidence', 'cloud', 'account', 'region', 'model', 'modelId', 'tokenBasis', 'day,agent,model'])(
    'grouped by %s adds up to the same, and never mixes shares',
    async (groupBy) => {
      const report = await reportOf(`?groupBy=${groupBy}`)
      expect(calls(report)).toBe(25)
      expect(report.rows.filter((row) => row.share === 'ambiguous').reduce((sum, row) => sum + row.calls, 0)).toBe(3)
      if (groupBy === 'cloud')
        expect(report.rows.map((row) => [row.share, row.cloud, row.day, row.agentOid, row.calls])).toEqual([
          ['agent', 'aws', null, null, 8],
          ['agent', 'gcp', null, null, 4],
          ['ambiguous', 'aws', null, null, 3],
          ['unattributed', 'aws', null, null, 10],
        ])
    },
  )
  test('as CSV cannot start a formula in a spreadsheet', async () => {
    const response = await get('?format=csv')
    expect(response.headers.get('content-type')).toMatch('text/csv')
    const text = await response.text()
    expect(text.split('\r\n')).toHaveLength(8)
    expect(text).toContain(`"'=HYPERLINK(""x"")"`)
    expect(text).not.toMatch(/,"?=/)
  })
  test('as FOCUS has the requests and the tokens of every row', async () => {
    const text = await (await get('?format=focus')).text()
    expect(text.split('\r\n')[0]).toMatch(/^BilledCost,/)
    expect(text.trimEnd().split('\r\n')).toHaveLength(1 + 6 + 5)
  })
  test('of a very large number of tokens is still a number', async () => {
    await insertUsage(database.pool, [
      usageRow({ day: '2020-01-01', tokenBasis: 'metered', inputTokens: 9_007_199_254_740_000 }),
      usageRow({ day: '2020-01-01', calls: 2, tokenBasis: 'metered', inputTokens: 9_007_199_254_740_000 }),
    ])
    expect((await reportOf('?to=2021-01-01&groupBy=day')).rows[0]?.inputTokens).toBe(18_014_398_509_480_000)
  })
})

test.each([
  ['?from=2026-09-02T10:00:00Z', 'from', 'is no midnight in UTC'],
  ['?from=yesterday', 'from', 'is no day'],
  ['?from=2026-09-02&to=2026-09-02', 'from', 'is not before "to"'],
  ['?groupBy=planet', 'groupBy', 'is not one of day, tenant'],
  ['?cloud=azure', 'cloud', 'is not one of'],
  ['?format=pdf', 'format', 'is not offered'],
  ['?tenant=x', 'tenant', 'is no GUID'],
  ['?colour=red', 'colour', 'is no parameter'],
])('%s is refused with the parameter and the reason', async (query, field, message) => {
  const response = await get(query)
  expect(response.status).toBe(400)
  expect(((await response.json()) as { errors: unknown }).errors).toEqual([{ field, message: expect.stringContaining(message) as string }])
})
