import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { JsonObject } from '#core/record.ts'
import { startFakeMonitor } from '../../../test/clouds/azure.ts'
import type { AzureFault, FakeMonitor } from '../../../test/clouds/azure.ts'
import { collection } from '../../engine/test-run.ts'
import type { TestCollection } from '../../engine/test-run.ts'
import { createLogsClient } from './query.ts'
import source from './source.ts'

const NOW = Date.UTC(2026, 8, 1, 12)
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const W = '77777777-0000-4000-8000-000000000001'
const V = '77777777-0000-4000-8000-000000000002'
const TABLE = 'AADManagedIdentitySignInLogs'
const COLUMNS = { Id: 'string', TimeGenerated: 'datetime', DurationMs: 'long', Agent: 'string', Extra: 'dynamic', Nothing: 'datetime' }

let azure: FakeMonitor
let now: number

beforeEach(async () => {
  azure = await startFakeMonitor('eyJ.test')
  azure.table(W, TABLE, COLUMNS)
  at(NOW)
})
afterEach(() => azure.close())

function at(time: number): void {
  now = time
  azure.now = time
}

function collect(changes: Record<string, unknown> = {}): TestCollection {
  const settings = {
    workspaces: [W],
    tables: [TABLE],
    credential: { token: { env: 'TOKEN' } },
    startDays: 1,
    timeoutSeconds: 0.2,
    endpoint: azure.url,
    ...changes,
  }
  return collection({ source, settings, environment: { TOKEN: 'eyJ.test' }, now: () => now })
}

let ids = 0
/** A row in the fake's table, with seven digits of a second and a long that a number cannot hold; the text of the record that it must become. */
function happen(ingested: number, { workspace = W, table = TABLE, shown = 0, event = ingested - 10 * MINUTE } = {}): string {
  const id = `id-${ids++}`
  const time = `${new Date(event).toISOString().slice(0, 19)}.1234567Z`
  const cells = [`"${id}"`, `"${time}"`, '9007199254740993', '"{\\"agentType\\": \\"agenticAppInstance\\"}"', '"[{\\"key\\":\\"a\\"}]"', 'null']
  azure.add(workspace, table, cells, ingested, shown)
  return `{"Id":"${id}","TimeGenerated":"${time}","DurationMs":9007199254740993,"Agent":"{\\"agentType\\": \\"agenticAppInstance\\"}","Extra":"[{\\"key\\":\\"a\\"}]","Nothing":null}`
}

const stored = async (run: TestCollection): Promise<bigint> => (await run.statuses()).reduce((sum, status) => sum + status.stored, 0n)
const through = (run: TestCollection, part = `${W}/${TABLE}`): string => (run.store.cursors.get(`test/${part}`) as { through: string }).through

test('every row of every table and workspace arrives with its exact cells, each table with its own cursor', async () => {
  azure.table(W, 'AuditLogs', COLUMNS)
  azure.table(V, TABLE, COLUMNS)
  azure.table(V, 'AuditLogs', COLUMNS)
  const expected = [W, V].flatMap((workspace) =>
    [TABLE, 'AuditLogs'].flatMap((table) => Array.from({ length: 9 }, (_, index) => happen(NOW - 10 * MINUTE - index * HOUR, { workspace, table }))),
  )
  const run = collect({ workspaces: [W, V], tables: [TABLE, 'AuditLogs'] })
  expect((await run.poll()).map(({ part, error }) => [part, error])).toEqual(
    [W, V].flatMap((id) => [TABLE, 'AuditLogs'].map((table) => [`${id}/${table}`, null])),
  )
  expect(run.texts()).toEqual(expected.toSorted())
  expect(run.sink.records).toHaveLength(36)
  // The last minutes are left for the next poll, and complete is only what had time to arrive.
  expect(through(run)).toBe(new Date(NOW - 5 * MINUTE).toISOString())
  expect((await run.statuses())[0]?.watermark).toBe(BigInt(NOW - 35 * MINUTE) * 1_000_000n)
})

test('rows are asked for by their time of ingestion, within a wide span of event times', async () => {
  const late = happen(NOW - 10 * MINUTE, { event: NOW - 3 * DAY })
  const run = collect()
  await run.poll()
  expect(run.texts()).toEqual([late])
  const { query, timespan, prefer } = azure.requests[0]!
  expect(query).toContain(`${TABLE}\n| where TimeGenerated >= datetime(`)
  expect(query).toContain('ingestion_time()')
  expect(timespan).toBe('2026-08-28T11:55:00.000Z/2026-09-02T11:55:00.000Z')
  expect(prefer).toContain('wait=1')
})

test('a row that becomes visible late is found by the next poll, and repeats are not stored twice', async () => {
  const early = happen(NOW - 10 * MINUTE)
  const late = happen(NOW - 12 * MINUTE, { shown: NOW + MINUTE })
  const run = collect()
  await run.poll()
  expect(run.texts()).toEqual([early])
  at(NOW + 2 * MINUTE)
  const fresh = happen(NOW - 4 * MINUTE)
  await run.poll()
  expect(run.texts()).toEqual([early, late, fresh].toSorted())
  expect(await stored(run)).toBe(3n)
})

describe('each fault: nothing is lost, nothing is stored twice', () => {
  const faults: readonly [string, AzureFault][] = [
    ['429 without retry-after', { kind: 'status', status: 429 }],
    ['429 with retry-after', { kind: 'status', status: 429, retryAfter: 1 }],
    ['500', { kind: 'status', status: 500 }],
    ['504', { kind: 'status', status: 504 }],
    ['no answer', { kind: 'hang' }],
    ['a body that is cut', { kind: 'cut' }],
    ['a partial answer', { kind: 'partial' }],
    ['rows that come twice', { kind: 'repeat' }],
  ]
  test.each(faults)(
    '%s',
    async (_, fault) => {
      const expected = Array.from({ length: 33 }, (_, index) => happen(NOW - HOUR - index * HOUR))
      azure.faults.push(fault, null, fault)
      const run = collect({ startDays: 3 })
      const [outcome] = await run.poll(20)
      expect(outcome?.error).toBeNull()
      expect(azure.faults).toEqual([])
      expect(run.texts()).toEqual(expected.toSorted())
      expect(await stored(run)).toBe(33n)
    },
    30_000,
  )
})

test('the wish of the cloud how long to wait reaches the back-off', async () => {
  azure.faults.push({ kind: 'status', status: 429, retryAfter: 7 }, { kind: 'status', status: 429 })
  const wishes = [await collect().poll(1), await collect().poll(1)].map(([outcome]) => [outcome?.error?.code, outcome?.error?.retryAfterMs])
  expect(wishes).toEqual([
    ['SOURCE_THROTTLED', 7000],
    ['SOURCE_THROTTLED', null],
  ])
})

test('a partial answer delivers nothing and does not move the cursor', async () => {
  happen(NOW - HOUR)
  azure.faults.push(...Array.from({ length: 60 }, (): AzureFault => ({ kind: 'partial' })))
  const run = collect()
  const [outcome] = await run.poll(1)
  expect(outcome?.error).toMatchObject({ code: 'SOURCE_PARTIAL', message: expect.stringContaining('cannot be read whole') })
  expect(run.sink.records).toEqual([])
  expect(run.store.cursors.size).toBe(0)
})

test('above the row limit, ours or the service’s, slices of time are halved until they fit', async () => {
  const expected = Array.from({ length: 50 }, (_, index) => happen(NOW - HOUR - index * 1000))
  const ours = collect({ rowsPerQuery: 4 })
  await ours.poll()
  expect(ours.texts()).toEqual(expected.toSorted())
  expect(ours.sink.records).toHaveLength(50)

  azure.rowLimit = 7
  const service = collect()
  await service.poll()
  expect(service.texts()).toEqual(expected.toSorted())
  expect(service.sink.records).toHaveLength(50)
})

test('more rows than our limit within one millisecond are still read', async () => {
  const expected = Array.from({ length: 9 }, () => happen(NOW - HOUR))
  const run = collect({ rowsPerQuery: 4 })
  expect((await run.poll())[0]?.error).toBeNull()
  expect(run.texts()).toEqual(expected.toSorted())
})

test('a table that throttles everything does not stop the others, and says so', async () => {
  azure.table(W, 'AuditLogs', COLUMNS)
  const expected = [happen(NOW - HOUR, { table: 'AuditLogs' })]
  happen(NOW - HOUR)
  azure.throttled.add(TABLE)
  const run = collect({ tables: [TABLE, 'AuditLogs'] })
  const [stuck, good] = await run.poll(2)
  expect(stuck?.error?.code).toBe('SOURCE_THROTTLED')
  expect(good?.error).toBeNull()
  expect(run.texts()).toEqual(expected)
})

test('a table that is absent and was not asked for by name is no failure; one that was, is', async () => {
  const expected = [happen(NOW - HOUR)]
  const { tables: _, ...rest } = { workspaces: [W], tables: [], credential: { token: { env: 'TOKEN' } }, endpoint: azure.url, startDays: 1 }
  const run = collection({ source, settings: rest, environment: { TOKEN: 'eyJ.test' }, now: () => now })
  const outcomes = await run.poll(1)
  expect(outcomes).toHaveLength(6)
  expect(outcomes.map(({ error }) => error)).toEqual([null, null, null, null, null, null])
  expect(run.texts()).toEqual(expected)
  // Nothing is known about it: no cursor, no watermark.
  expect(run.store.cursors.size).toBe(1)

  const [named] = await collect({ tables: ['AuditLogs'] }).poll(1)
  expect(named?.error).toMatchObject({ code: 'SOURCE_MISCONFIGURED', message: expect.stringContaining('no table AuditLogs') })
})

test('poison rows are kept as rejections with a reason, and their neighbours arrive', async () => {
  const good = [happen(NOW - HOUR), happen(NOW - 2 * HOUR)]
  // One cell too few: the fake adds the column of ingestion, so that the row is an array of six.
  azure.add(W, TABLE, ['"short"', '"2026-09-01T10:30:00Z"'], NOW - HOUR)
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
  azure.add(W, TABLE, ['"deep"', '"2026-09-01T10:30:00Z"', '1', '""', deep, 'null'], NOW - HOUR)
  const run = collect()
  expect((await run.poll())[0]?.error).toBeNull()
  expect(run.texts()).toEqual(good.toSorted())
  expect(run.sink.rejections.map(({ reason }) => reason.split(':')[0])).toEqual(expect.arrayContaining(['no record']))
  expect(run.sink.rejections).toHaveLength(2)
  expect(run.sink.rejections.every(({ origin }) => origin.file === `entra:log-analytics/${W}/${TABLE}`)).toBe(true)
})

test('a poll that is cut off in the middle goes on from the last slice that was delivered', async () => {
  const expected = Array.from({ length: 9 }, (_, index) => happen(NOW - 10 * MINUTE - index * DAY))
  const run = collect({ startDays: 10 })
  const deliver = run.sink.deliver.bind(run.sink)
  let deliveries = 0
  Object.assign(run.sink, {
    deliver: (...batch: Parameters<typeof deliver>) => (++deliveries === 4 ? Promise.reject(new Error('the database is away')) : deliver(...batch)),
  })
  expect((await run.poll(1))[0]?.error?.message).toContain('the database is away')
  expect(run.sink.records).toHaveLength(3)
  expect(Date.parse(through(run))).toBeLessThan(NOW - 5 * DAY)
  await run.poll()
  expect(run.texts()).toEqual(expected.toSorted())
  expect(await stored(run)).toBe(9n)
})

test('a table that has been silent for a day proves nothing: its watermark stays', async () => {
  happen(NOW - HOUR)
  const run = collect()
  await run.poll()
  const before = (await run.statuses())[0]?.watermark
  at(NOW + 3 * DAY)
  await run.poll()
  const [status] = await run.statuses()
  expect(through(run)).toBe(new Date(NOW + 3 * DAY - 5 * MINUTE).toISOString())
  expect(status!.watermark! - before!).toBeLessThan(BigInt(DAY + HOUR) * 1_000_000n)
})

test('doctor tells which tables are filled, empty and absent, and what to do when it may not ask', async () => {
  azure.table(W, 'AuditLogs', COLUMNS)
  happen(NOW - HOUR)
  const run = collect({ tables: [TABLE, 'AuditLogs', 'SigninLogs'] })
  const findings = await run.check()
  expect(findings.map(({ check, level }) => [check, level])).toEqual([
    [`log ${TABLE}`, 'ok'],
    ['log AuditLogs', 'warning'],
    ['log SigninLogs', 'problem'],
  ])
  expect(findings[2]).toMatchObject({ next: expect.stringContaining('Diagnostic settings') })
  azure.denied.add(W)
  expect((await run.check())[0]).toMatchObject({ level: 'problem', next: expect.stringContaining('Log Analytics Reader') })
  expect((await collect({ workspaces: [V] }).check())[0]).toMatchObject({ level: 'problem', next: expect.stringContaining('GUID') })
})

test('a wrong token is a denial, and the message does not hold it', async () => {
  const settings = { workspaces: [W], credential: { token: { env: 'TOKEN' } }, endpoint: azure.url }
  const [outcome] = await collection({ source, settings, environment: { TOKEN: 'eyJ.wrong-and-secret' }, now: () => now }).poll(1)
  expect(outcome?.error?.code).toBe('SOURCE_DENIED')
  expect(outcome?.error?.message).not.toContain('wrong-and-secret')
})

test('the token never travels over plain http to another machine', () => {
  expect(() => createLogsClient({ getToken: async () => null }, 'public', 'http://example.com')).toThrow('only to this machine')
})

test('a sovereign cloud asks its own authority for a token of its own API', async () => {
  const scopes: (string | string[])[] = []
  const credential = { getToken: async (scope: string | string[]) => (scopes.push(scope), { token: 'eyJ.test', expiresOnTimestamp: NOW + DAY * 1000 }) }
  const client = createLogsClient(credential, 'usgov', azure.url)
  await client.queryWorkspace(W, `${TABLE}\n| where TimeGenerated >= datetime(2026-01-01T00:00:00Z)\n| summarize rows = count()`, { duration: 'P1D' })
  expect(scopes.flat()).toEqual(['https://api.loganalytics.us/.default'])
})

describe('the settings', () => {
  test.each<readonly [JsonObject, string]>([
    [{ workspaces: [W], endpoint: 'http://example.com' }, 'plain http'],
    [{ workspaces: ['weather'] }, 'is no workspace id'],
    [{ workspaces: [W, W] }, 'names a workspace twice'],
    [{ workspaces: [W], tables: ['AuditLogs | take 1'] }, 'is no name of a table'],
    [{ workspaces: [W], credential: { tenantId: W, clientId: W, clientSecret: 'plain' } }, 'references to secrets'],
    [{ workspaces: [W], cloud: 'mars' }, 'public, usgov, china'],
    [{ workspaces: [W], workspace: W }, 'workspace'],
  ])('%j is refused', (settings, message) => {
    const result = source.settings.safeParse(settings)
    expect(result.success).toBe(false)
    expect(JSON.stringify(result.error?.issues)).toContain(message)
  })
})
