/** A call is one request (07, 08, 09, 32, 33), and what no log of calls holds is said (54, 55). */
import { afterAll, describe, expect, test } from 'vitest'
import { llmUsage } from '#api/read-models/llm-usage.ts'
import { wholeStore } from '#api/read-models/store.ts'
import { usageByPrincipal } from '#api/usage/by-principal.ts'
import { UsageFilters } from '#api/usage/query.ts'
import { reportFile, usageData } from '../../cli/report/make.ts'
import { coverageLines } from '../../cli/report/table.ts'
import { readCur } from '../../cli/report/cur/read-cur.ts'
import { reconcile } from '../../cli/report/cur/reconcile.ts'
import { reportPath, study, type Study } from './study.ts'

const AGENT = '7a6b5c4d-1111-4222-8333-94a5b6c7d8e9'
const studies: Study[] = []
afterAll(async () => {
  for (const one of studies) await one.close()
})
async function read(...paths: string[]): Promise<Study> {
  const one = await study(paths)
  studies.push(one)
  expect(one.summary.rejected).toBe(0)
  return one
}
/** Calls and failures by day and agent; the agent of the reports reads `agent`. */
const usage = ({ usage: rows }: Study): unknown[] =>
  rows
    .map((row) => [row['day'], row['agentOid'] === AGENT ? 'agent' : row['agentOid'], row.calls, row['errors'], row.model])
    .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
const calls = ({ usage: rows }: Study): number => rows.reduce((sum, row) => sum + row.calls, 0)
const DAY = '2026-11-10'

describe('a long-running or streamed call', () => {
  test('that is logged when it begins and when it ends is one call', async () => {
    const one = await read('07-lro-first-last/in.ndjson')
    expect(usage(one)).toEqual([
      [DAY, 'agent', 1, 0, 'gemini-2.5-flash'],
      [DAY, 'agent', 1, 0, 'veo-3.1-generate-001'],
    ])
    expect(one.events.filter(({ kind }) => kind === 'llm.invoked')).toHaveLength(4)
  })
  test('is one call in one entry, in three, by its end alone, and failed when its end says so', async () => {
    expect(usage(await read('07-lro-first-last/own-streams.ndjson'))).toEqual([[DAY, 'agent', 4, 1, 'gemini-2.5-flash']])
  })
  test('is charged to whoever began it, on the day it began; asking how it fares is no call', async () => {
    expect(usage(await read('07-lro-first-last/own-end-without-caller.ndjson'))).toEqual([[DAY, 'agent', 1, 0, 'veo-3.1-generate-001']])
  })
})

describe('an entry that was cut into parts', () => {
  test('is one call', async () => {
    expect(usage(await read('32-gcp-split/in.ndjson'))).toEqual([[DAY, 'agent', 1, 0, 'gemini-2.5-flash']])
  })
  test('is one call also without its first part, and where that part has no index', async () => {
    expect(calls(await read('32-gcp-split/own-without-first-part.ndjson'))).toBe(2)
  })
  test('that begins or ends a long-running call is that call', async () => {
    expect(calls(await read('32-gcp-split/own-split-ends-of-one-operation.ndjson'))).toBe(1)
  })
})

describe('what runs no model is visible, and no call:', () => {
  test('counting tokens, also by RawPredict; the Live API is one', async () => {
    const one = await read('08-count-tokens-rawpredict/in.ndjson')
    expect(one.events.filter(({ nativeId }) => nativeId.startsWith('ge')).map(({ kind, action }) => [kind, action.split(':')[1]])).toEqual(
      expect.arrayContaining([
        ['other', 'RawPredict'],
        ['llm.invoked', 'RawPredict'],
        ['other', 'CountTokens'],
        ['llm.invoked', 'BidiGenerateContent'],
      ]),
    )
    expect(calls(one)).toBe(2)
  })
  test('other counters of tokens', async () => {
    expect(usage(await read('08-count-tokens-rawpredict/own-other-counters.ndjson'))).toEqual([[DAY, 'agent', 1, 0, 'claude-opus-4-1']])
    expect(usage(await read('08-count-tokens-rawpredict/own-bedrock.ndjson'))).toEqual([[DAY, 'agent', 1, 0, 'nova-sonic-v1']])
  })
  test('gateways, code interpreters and runtimes of AgentCore', async () => {
    const one = await read('09-agentcore-tools/in.ndjson')
    expect(usage(one)).toEqual([[DAY, 'agent', 1, 0, 'claude-sonnet-4-5-20250929-v1']])
    const tools = one.events.filter(({ action }) => action.startsWith('bedrock-agentcore:'))
    expect(tools.map(({ agentOid, kind, resource }) => [agentOid, kind, resource?.startsWith('arn:aws:bedrock-agentcore:')])).toEqual(
      Array.from({ length: 3 }, () => [AGENT, 'other', true]),
    )
  })
  test('its browsers, memories and tokens, guardrails, and an agent engine of Vertex AI', async () => {
    const aws = await read('09-agentcore-tools/own-more-tools.ndjson')
    expect([aws.summary.stored, usage(aws)]).toEqual([13, [[DAY, 'agent', 1, 0, 'nova-lite-v1']]])
    expect(usage(await read('09-agentcore-tools/own-agent-engine.ndjson'))).toEqual([[DAY, 'agent', 1, 0, 'gemini-2.5-flash']])
  })
})

describe('the copy of a VPC endpoint', () => {
  test('is no second call, and its address is no new one', async () => {
    const one = await read('33-network-activity/in.ndjson')
    expect(usage(one)).toEqual([[DAY, 'agent', 1, 0, 'claude-sonnet-4-5-20250929-v1']])
    expect(one.events.filter(({ sourceIp }) => sourceIp === '10.0.141.54')).toHaveLength(1)
    expect(one.findings.map(({ rule }) => rule)).not.toContain('credential-used-from-new-address')
  })
  test('in the account of its owner is none either; what only the endpoint saw is a call, refused', async () => {
    const one = await read('33-network-activity/own-owner-of-the-endpoint.ndjson')
    expect(usage(one)).toEqual([
      [DAY, 'agent', 1, 0, 'nova-lite-v1'],
      [DAY, 'agent', 1, 1, null],
    ])
    expect(one.findings.map(({ rule }) => rule)).not.toContain('credential-used-from-new-address')
  })
  test('and the one in the account that owns the model are alike', async () => {
    expect(usage(await read('33-network-activity/own-shared-model.ndjson'))).toEqual([[DAY, 'agent', 1, 0, 'nova-lite-v1']])
  })
})

describe('batch jobs', () => {
  const reportOf = async ({ pool }: Study) => {
    const filters = UsageFilters.parse({})
    const store = wholeStore(pool)
    const { coverage } = await llmUsage(store, filters)
    const request = { filters, prices: null, madeBy: null }
    const data = await usageData(store, request)
    return {
      coverage,
      table: coverageLines(data.report, data.seen, null).join('\n'),
      file: async (format: 'html' | 'json') => String(await reportFile(store, format, request)),
    }
  }
  test.each([
    ['54-batch-jobs/in.ndjson', { total: 2, aws: 1, gcp: 1 }],
    // One was refused, of one only the endpoint's copy is there, one was stopped.
    ['54-batch-jobs/own-refused-and-copied.ndjson', { total: 1, aws: 1, gcp: 0 }],
    // One in two entries, one that failed at its end, one of the Gemini API, one that is asked for.
    ['54-batch-jobs/own-google.ndjson', { total: 2, aws: 0, gcp: 2 }],
  ])('of %s are counted, their use is not, and the report says so', async (path, jobs) => {
    const one = await read(path)
    expect(calls(one)).toBe(0)
    const { coverage, table, file } = await reportOf(one)
    expect(coverage.batchJobs).toEqual(jobs)
    const words = `${jobs.total} batch ${jobs.total === 1 ? 'job was' : 'jobs were'} started`
    expect(table).toContain(words)
    expect(await file('html')).toContain(words)
    expect(JSON.parse(await file('json'))).toMatchObject({ coverage: { batchJobs: jobs } })
  })
  test('of another day, cloud or agent are none of the period', async () => {
    const { pool } = await read('54-batch-jobs/in.ndjson')
    const jobs = async (given: object) => (await llmUsage(wholeStore(pool), UsageFilters.parse(given))).coverage.batchJobs.total
    expect([
      await jobs({ from: '2026-11-11' }),
      await jobs({ from: '2026-11-10', to: '2026-11-11' }),
      await jobs({ cloud: 'gcp' }),
      await jobs({ agent: AGENT }),
      await jobs({ agent: 'aaaaaaaa-0000-4000-8000-000000000000' }),
    ]).toEqual([0, 2, 1, 2, 0])
  })
})

describe("AWS's bill", () => {
  test.each([
    ['own-same.csv', 'same'],
    ['own-batch.csv', 'unknown'],
    ['own-only-batch.csv', 'unknown'],
  ])('of %s is %s beside the logs', async (file, verdict) => {
    const { pool } = await read('55-cur-batch/in.ndjson')
    const rows = reconcile(await usageByPrincipal(wholeStore(pool), {}), await readCur(reportPath('55-cur-batch', file)), { from: null, to: null })
    expect(rows.map((row) => row.verdict)).toEqual([verdict])
  })
})
