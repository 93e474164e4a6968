import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { formatTime, parseTime } from '#core/time.ts'
import { startFakeLogging } from '../../../test/clouds/gcp.ts'
import type { FakeLogging, GcpFault } from '../../../test/clouds/gcp.ts'
import { collection } from '../../engine/test-run.ts'
import type { TestCollection } from '../../engine/test-run.ts'
import { createPacer } from './pacer.ts'
import source from './source.ts'

const NOW = Date.UTC(2026, 8, 1, 12)
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const P = 'projects/one'
const Q = 'projects/two'

let gcp: FakeLogging
let now: number

beforeEach(async () => {
  gcp = await startFakeLogging('ya29.test')
  gcp.pageLimit = 5
  at(NOW)
})
afterEach(() => gcp.close())

function at(time: number): void {
  now = time
  gcp.now = time
}

function collect(changes: Record<string, unknown> = {}): TestCollection {
  const settings = { resources: [P], credentials: { token: { env: 'TOKEN' } }, startDays: 1, timeoutSeconds: 0.3, endpoint: gcp.url, ...changes }
  return collection({ source, settings, environment: { TOKEN: 'ya29.test' }, now: () => now })
}

let ids = 0
/** An entry in the fake's log, with nanoseconds and with spellings that a parser would change. */
function happen(time: number, { resource = P, nanos = '814805633', shown = 0, service = 'sts.googleapis.com' } = {}): string {
  const text = `{
      "insertId": "id-${ids++}",
      "timestamp": "${new Date(time).toISOString().slice(0, 19)}.${nanos}Z", "logName": "${resource}/logs/cloudaudit.googleapis.com%2Fdata_access",
      "protoPayload": {"serviceName": "${service}", "2": 1.0, "1": 12345678901234567890}
    }`
  gcp.add(resource, text, shown)
  return text
}

const stored = async (run: TestCollection): Promise<bigint> => (await run.statuses()).reduce((sum, status) => sum + status.stored, 0n)
const through = (run: TestCollection, part = P): string => (run.store.cursors.get(`test/${part}`) as { through: string }).through

test('every entry of every resource arrives verbatim, each resource with its own cursor', async () => {
  const expected = [P, Q].flatMap((resource) => Array.from({ length: 23 }, (_, index) => happen(NOW - index * 17 * MINUTE - 1000, { resource })))
  const run = collect({ resources: [P, Q] })
  expect((await run.poll()).map(({ part, error }) => [part, error])).toEqual([
    [P, null],
    [Q, null],
  ])
  expect(run.texts()).toEqual(expected.toSorted())
  expect(run.sink.records).toHaveLength(46)
  expect(through(run)).toBe(formatTime(BigInt(NOW) * 1_000_000n))
  // Complete up to the overlap, not up to now: late entries are still to come.
  expect((await run.statuses())[0]?.watermark).toBe(BigInt(NOW - 10 * MINUTE) * 1_000_000n)
  expect(gcp.requests[0]).toMatchObject({ resourceNames: [P], orderBy: 'timestamp asc', pageSize: 1000 })
})

test('a group of resources is read with one request', async () => {
  const expected = [happen(NOW - HOUR), happen(NOW - HOUR, { resource: Q })]
  const run = collect({ resources: [{ name: 'both', resources: [P, Q] }] })
  expect((await run.poll()).map(({ part }) => part)).toEqual(['both'])
  expect(run.texts()).toEqual(expected.toSorted())
  expect(new Set(gcp.requests.map(({ resourceNames }) => resourceNames.join()))).toEqual(new Set([`${P},${Q}`]))
})

test('the bounds of a window have nanoseconds, so the entry at the watermark is neither lost nor met for ever', async () => {
  const edge = happen(NOW, { nanos: '000000000' })
  const before = happen(NOW - 1000, { nanos: '999999999' })
  const run = collect()
  await run.poll()
  expect(run.texts()).toEqual([before])
  at(NOW + 1)
  await run.poll()
  expect(run.texts()).toEqual([before, edge].toSorted())
  expect(gcp.requests.at(-1)?.filter).toContain(`timestamp>="${formatTime(BigInt(NOW - 10 * MINUTE) * 1_000_000n)}" timestamp<"2026-09-01T12:00:00.001000000Z"`)
})

test('an entry that is shown late keeps its own time and is found by the next poll', async () => {
  const early = happen(NOW - MINUTE)
  const late = happen(NOW - 5 * MINUTE, { shown: NOW + MINUTE })
  const run = collect()
  await run.poll()
  expect(run.texts()).toEqual([early])
  at(NOW + 2 * MINUTE)
  await run.poll()
  expect(run.texts()).toEqual([early, late].toSorted())
  expect(await stored(run)).toBe(2n)
})

test('what was delivered already is not delivered again by the same collector, and a failed delivery is', async () => {
  const expected = Array.from({ length: 8 }, (_, index) => happen(NOW - index * MINUTE - 1000))
  const settings = source.settings.parse({ resources: [P], credentials: { token: { env: 'TOKEN' } }, startDays: 1, endpoint: gcp.url })
  const [collector] = await source.open(settings, { name: 'test', secret: async () => 'ya29.test', log: () => undefined, now: () => now })
  const read = async (cursor: Parameters<NonNullable<typeof collector>['poll']>[0], pages: number) => {
    const texts: string[] = []
    let last = cursor
    for await (const page of collector!.poll(cursor, new AbortController().signal)) {
      texts.push(...page.pieces.map((piece) => ('text' in piece ? piece.text : '')))
      // Left here, the page was not durable.
      if (--pages === 0) break
      last = page.cursor
    }
    return { text: texts.join('\n'), last }
  }
  const failed = await read(null, 1)
  expect(failed.text).toContain(expected.at(-1))
  const whole = await read(failed.last, 99)
  expect(expected.filter((text) => !whole.text.includes(text))).toEqual([])
  at(NOW + MINUTE)
  const again = await read(whole.last, 99)
  expect(again.text).toBe('')
})

describe('each fault: nothing is lost, nothing is stored twice', () => {
  const faults: readonly [string, GcpFault][] = [
    ['429 without retry-after', { kind: 'status', status: 429 }],
    ['429 with retry-after', { kind: 'status', status: 429, retryAfter: 1 }],
    ['503', { kind: 'status', status: 503 }],
    ['no answer', { kind: 'hang' }],
    ['a body that is cut', { kind: 'cut' }],
    ['an empty page with a token', { kind: 'empty' }],
    ['a page token that expired', { kind: 'stale-token' }],
    ['entries that come twice', { kind: 'repeat' }],
  ]
  test.each(faults)(
    '%s',
    async (_, fault) => {
      const expected = Array.from({ length: 33 }, (_, index) => happen(NOW - HOUR - index * MINUTE))
      gcp.faults.push(null, null, fault, null, fault)
      const run = collect()
      const [outcome] = await run.poll(20)
      expect(outcome?.error).toBeNull()
      expect(gcp.faults).toEqual([])
      expect(run.texts()).toEqual(expected.toSorted())
      expect(await stored(run)).toBe(33n)
    },
    30_000,
  )
})

test('the wish of the cloud how long to wait reaches the back-off', async () => {
  gcp.faults.push({ kind: 'status', status: 429, retryAfter: 7 }, { kind: 'status', status: 429 })
  const wishes = [await collect().poll(1), await collect().poll(1)].map(([outcome]) => [outcome?.error?.code, outcome?.error?.retryAfterMs])
  expect(wishes).toEqual([
    ['SOURCE_THROTTLED', 7000],
    ['SOURCE_THROTTLED', null],
  ])
})

test('a page token that expires within a poll restarts the window at the last entry and delivers nothing twice', async () => {
  const expected = Array.from({ length: 12 }, (_, index) => happen(NOW - HOUR + index * MINUTE))
  // The first window of the day, then the second page.
  gcp.faults.push(null, { kind: 'stale-token' })
  const run = collect()
  expect((await run.poll(1))[0]?.error).toBeNull()
  expect(run.sink.records).toHaveLength(12)
  expect(run.texts()).toEqual(expected.toSorted())
  expect(gcp.requests[2]?.filter).toContain(`timestamp>="${(/"timestamp": "([^"]+)"/.exec(expected[4]!) ?? [])[1]}"`)
})

test('page tokens that never work are an error, not an endless loop', async () => {
  Array.from({ length: 12 }, () => happen(NOW - HOUR))
  gcp.faults.push(...Array.from({ length: 40 }, (_, index): GcpFault | null => (index % 2 === 0 ? null : { kind: 'stale-token' })))
  const run = collect()
  await run.poll(2)
  expect((await run.statuses())[0]).toMatchObject({ lastErrorCode: 'SOURCE_PARTIAL', lastError: expect.stringContaining('page tokens') })
})

test('a resource that may not be read does not stop the others, and says so', async () => {
  const expected = [happen(NOW - HOUR, { resource: Q })]
  happen(NOW - HOUR)
  gcp.denied.add(P)
  const run = collect({ resources: [P, Q] })
  const [stuck, good] = await run.poll(2)
  expect(stuck?.error).toMatchObject({ code: 'SOURCE_DENIED', message: expect.stringContaining('PERMISSION_DENIED') })
  expect(good?.error).toBeNull()
  expect(run.texts()).toEqual(expected)
})

test('poison entries are kept as rejections with a reason, and their neighbours arrive', async () => {
  const good = [happen(NOW - HOUR), happen(NOW - 2 * HOUR)]
  const deep = `{"insertId":"deep","timestamp":"2026-09-01T10:30:00Z","x":${'['.repeat(20_000)}${']'.repeat(20_000)}}`
  for (const text of [deep, '"no object"', '["in an array"]', '7', 'null']) gcp.add(P, text)
  const run = collect()
  expect((await run.poll())[0]?.error).toBeNull()
  expect(run.texts().map((text) => text.slice(0, 200))).toEqual(good.toSorted().map((text) => text.slice(0, 200)))
  expect(run.sink.rejections).toHaveLength(5)
  expect(run.sink.rejections.every(({ reason, origin }) => reason !== '' && origin.file === `gcp:logging/${P}`)).toBe(true)
  expect(run.sink.rejections.map(({ reason }) => reason)).toContainEqual(expect.stringContaining('nested deeper'))
})

test('a poll that is cut off in the middle goes on from the last page that was delivered', async () => {
  const expected = Array.from({ length: 40 }, (_, index) => happen(NOW - index * 30 * MINUTE - 1000))
  const run = collect({ startDays: 3 })
  const deliver = run.sink.deliver.bind(run.sink)
  let deliveries = 0
  Object.assign(run.sink, {
    deliver: (...batch: Parameters<typeof deliver>) => (++deliveries === 4 ? Promise.reject(new Error('the database is away')) : deliver(...batch)),
  })
  expect((await run.poll(1))[0]?.error?.message).toContain('the database is away')
  expect(run.sink.records).toHaveLength(15)
  expect(parseTime(through(run))).toBeLessThan(BigInt(NOW) * 1_000_000n)
  await run.poll()
  expect(run.texts()).toEqual(expected.toSorted())
  expect(await stored(run)).toBe(40n)
})

test('a long quiet stretch costs few of the rare reads, and every entry in it is found', async () => {
  const expected = [NOW - 390 * 24 * HOUR, NOW - 100 * 24 * HOUR, NOW - HOUR].map((time) => happen(time))
  const run = collect({ startDays: 400 })
  expect((await run.poll())[0]?.error).toBeNull()
  expect(run.texts()).toEqual(expected.toSorted())
  expect(gcp.requests.length).toBeLessThan(20)
})

test('without a single entry ever nothing proves that the log is switched on: no watermark', async () => {
  const run = collect()
  await run.poll()
  expect((await run.statuses())[0]?.watermark ?? null).toBeNull()
  expect(through(run)).toBe(formatTime(BigInt(NOW) * 1_000_000n))
})

test('reads never exceed the quota of any minute', async () => {
  let clock = 0
  const pacer = createPacer(3, () => clock, (async (millis: number) => void (clock += millis)) as never)
  const turns: number[] = []
  for (let index = 0; index < 10; index++) {
    await pacer(new AbortController().signal)
    turns.push(clock)
    clock += 1000
  }
  for (const turn of turns) expect(turns.filter((other) => other >= turn && other < turn + 60_000).length).toBeLessThanOrEqual(3)
  expect(turns.slice(0, 4)).toEqual([0, 1000, 2000, 60_000])
})

test('doctor tells which logs have entries, and what to do when it may not ask', async () => {
  happen(NOW - HOUR)
  const run = collect()
  expect((await run.check()).map(({ check, level }) => [check, level])).toEqual([
    ['reachable', 'ok'],
    ['token exchanges', 'ok'],
    ['service-account impersonation', 'warning'],
    ['model calls', 'warning'],
  ])
  gcp.denied.add(P)
  expect(await run.check()).toMatchObject([{ level: 'problem', next: expect.stringContaining('privateLogViewer') }])
})

test('a wrong token is a denial, and the message does not hold it', async () => {
  const run = collection({
    source,
    settings: { resources: [P], credentials: { token: { env: 'TOKEN' } }, endpoint: gcp.url },
    environment: { TOKEN: 'ya29.wrong-and-secret' },
    now: () => now,
  })
  const [outcome] = await run.poll(1)
  expect(outcome?.error?.code).toBe('SOURCE_DENIED')
  expect(outcome?.error?.message).not.toContain('wrong-and-secret')
})

describe('the settings', () => {
  test.each([
    [{ resources: [P], endpoint: 'http://example.com' }, 'plain http'],
    [{ resources: [P, P] }, 'names a resource twice'],
    [{ resources: ['one'] }, 'is no resource'],
    [{ resources: [7] }, 'is neither a resource'],
    [{ resources: [P], readsPerMinute: 61 }, '60 reads a minute'],
    [{ resources: [P], credentials: { token: 'ya29.plain' } }, 'reference to a secret'],
    [{ resources: [P], filter: 'timestamp>"2026"' }, 'must not restrict timestamp'],
    [{ resources: [P], projects: [] }, 'projects'],
  ])('%j is refused', (settings, message) => {
    const result = source.settings.safeParse(settings)
    expect(result.success).toBe(false)
    expect(JSON.stringify(result.error?.issues)).toContain(message)
  })

  test('a bucket view is a resource', () => {
    expect(source.settings.safeParse({ resources: ['organizations/123/locations/global/buckets/audit/views/_AllLogs'] }).success).toBe(true)
  })
})
