import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startFakeAws } from '../../../test/clouds/aws.ts'
import type { FakeAws, FaultKind } from '../../../test/clouds/aws.ts'
import { collection } from '../../engine/test-run.ts'
import type { TestCollection } from '../../engine/test-run.ts'
import source from './source.ts'

const NOW = Date.UTC(2026, 8, 1, 12)
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const ONE = '111122223333'
const TWO = '444455556666'

let aws: FakeAws
let now: number

beforeEach(async () => {
  aws = await startFakeAws({ lookupPage: 5 })
  aws.accounts.set('AKIAONE', ONE).set('AKIATWO', TWO)
  now = NOW
})
afterEach(() => aws.close())

const keys = (name: string) => ({ accessKeyId: { env: `${name}_ID` }, secretAccessKey: { env: `${name}_SECRET` } })
const environment = { ONE_ID: 'AKIAONE', ONE_SECRET: 'x', TWO_ID: 'AKIATWO', TWO_SECRET: 'x' }

function collect(changes: Record<string, unknown> = {}): TestCollection {
  const accounts = [{ account: ONE, regions: ['us-east-1'], credentials: keys('ONE') }]
  return collection({
    source,
    settings: { accounts, startDays: 1, requestsPerSecond: 1000, timeoutSeconds: 0.3, endpoint: aws.url, ...changes },
    environment,
    now: () => now,
  })
}

/** An event in the fake's history; the text has spellings that a parser would change. */
function happen(time: number, { account = ONE, region = 'us-east-1' }: { readonly account?: string; readonly region?: string } = {}): string {
  const id = `${account}-${region}-${time}`
  const text = `{"eventVersion":"1.10","eventTime":"${new Date(time).toISOString().slice(0, 19)}Z","eventID":"${id}", "eventName":"GetCallerIdentity","big":12345678901234567890,"recipientAccountId":"${account}"}`
  aws.events.push({ account, region, time, name: 'GetCallerIdentity', source: 'sts.amazonaws.com', text })
  return text
}

const stored = async (run: TestCollection): Promise<bigint> => (await run.statuses()).reduce((sum, status) => sum + status.stored, 0n)

test('every event of every account and region arrives verbatim, each part with its own cursor', async () => {
  const expected = [ONE, TWO].flatMap((account) =>
    ['us-east-1', 'eu-central-1'].flatMap((region) => Array.from({ length: 23 }, (_, at) => happen(NOW - HOUR - at * 17 * MINUTE, { account, region }))),
  )
  const run = collect({
    accounts: [
      { account: ONE, regions: ['us-east-1', 'eu-central-1'], credentials: keys('ONE') },
      { account: TWO, regions: ['us-east-1', 'eu-central-1'], credentials: keys('TWO') },
    ],
  })
  expect((await run.poll()).map(({ part, error }) => [part, error])).toEqual([
    [`${ONE}/us-east-1`, null],
    [`${ONE}/eu-central-1`, null],
    [`${TWO}/us-east-1`, null],
    [`${TWO}/eu-central-1`, null],
  ])
  expect(run.texts()).toEqual(expected.toSorted())
  expect(run.store.cursors.get(`test/${ONE}/us-east-1`)).toEqual({ through: new Date(NOW).toISOString() })
  // Complete up to the overlap, not up to now: late events are still to come.
  expect((await run.statuses())[0]?.watermark).toBe(BigInt(NOW - 30 * MINUTE) * 1_000_000n)
})

test('an event that appears late is found by the next poll, and repeats are not stored twice', async () => {
  const run = collect()
  const early = happen(NOW - 10 * MINUTE)
  await run.poll()
  const late = happen(NOW - 25 * MINUTE)
  now += 2 * MINUTE
  const fresh = happen(NOW + MINUTE)
  await run.poll()
  expect(run.texts()).toEqual([early, late, fresh].toSorted())
  expect(await stored(run)).toBe(3n)
})

describe('each fault: nothing is lost, nothing is stored twice', () => {
  const kinds: readonly FaultKind[] = ['throttle', 'status-429', 'error-500', 'html-502', 'hang', 'cut', 'partial', 'repeat', 'stale-token', 'denied']
  test.each(kinds)(
    '%s',
    async (kind) => {
      const expected = Array.from({ length: 60 }, (_, at) => happen(NOW - 2 * HOUR - at * MINUTE))
      // Four in a row outlast the SDK's own three attempts, so that the engine's back-off is met.
      aws.fault({ service: 'cloudtrail', kind, times: kind === 'hang' || kind === 'partial' || kind === 'repeat' ? 2 : 4 })
      const run = collect()
      const [outcome] = await run.poll(20)
      expect(outcome?.error).toBeNull()
      expect(run.texts()).toEqual(expected.toSorted())
      expect(await stored(run)).toBe(60n)
      expect(aws.injected()).toBeGreaterThan(1)
    },
    30_000,
  )
})

test('a region that throttles everything does not stop the others, and says so', async () => {
  const expected = [happen(NOW - HOUR, { region: 'eu-central-1' })]
  happen(NOW - HOUR)
  aws.fault({ service: 'cloudtrail', kind: 'throttle', region: 'us-east-1', times: 1000 })
  const run = collect({ accounts: [{ account: ONE, regions: ['us-east-1', 'eu-central-1'], credentials: keys('ONE') }] })
  const [stuck, good] = await run.poll(2)
  expect(stuck?.error?.code).toBe('SOURCE_THROTTLED')
  expect(good?.error).toBeNull()
  expect(run.texts()).toEqual(expected)
  expect((await run.statuses()).find(({ failures }) => failures > 0)).toMatchObject({ part: `${ONE}/us-east-1`, lastErrorCode: 'SOURCE_THROTTLED' })
}, 30_000)

test('a poison record is kept as a rejection with its reason, and its neighbours arrive', async () => {
  const good = [happen(NOW - HOUR), happen(NOW - 2 * HOUR)]
  for (const text of ['{"eventID":"cut', '"no object"', ''])
    aws.events.push({ account: ONE, region: 'us-east-1', time: NOW - HOUR - 1000, name: 'x', source: 'x', text })
  const run = collect()
  expect((await run.poll())[0]?.error).toBeNull()
  expect(run.texts()).toEqual(good.toSorted())
  expect(run.sink.rejections.map(({ reason }) => reason)).toHaveLength(3)
  expect(run.sink.rejections.every(({ reason, origin }) => reason !== '' && origin.file === `aws:cloudtrail-lookup/${ONE}/us-east-1`)).toBe(true)
})

test('a poll that is cut off in the middle goes on from the last window that was read to its end', async () => {
  const expected = Array.from({ length: 40 }, (_, at) => happen(NOW - at * 30 * MINUTE))
  const run = collect()
  const deliver = run.sink.deliver.bind(run.sink)
  let deliveries = 0
  Object.assign(run.sink, {
    deliver: (...batch: Parameters<typeof deliver>) => (++deliveries === 4 ? Promise.reject(new Error('the database is away')) : deliver(...batch)),
  })
  const [first] = await run.poll(1)
  expect(first?.error?.message).toContain('the database is away')
  const { through } = run.store.cursors.get(`test/${ONE}/us-east-1`) as { through: string }
  expect(Date.parse(through)).toBeLessThan(NOW)
  await run.poll()
  expect(run.texts()).toEqual(expected.toSorted())
  expect(await stored(run)).toBe(40n)
})

test('what fell out of the 90 days while nobody collected is a gap, and collecting goes on', async () => {
  const run = collect()
  await run.poll()
  now = NOW + 100 * 24 * HOUR
  const after = happen(NOW + 50 * 24 * HOUR)
  await run.poll()
  expect(run.texts()).toEqual([after])
  const [status] = await run.statuses()
  expect(status?.gaps).toMatchObject([{ from: BigInt(NOW) * 1_000_000n, until: BigInt(now - 90 * 24 * HOUR) * 1_000_000n }])
})

test('requests for one account and region keep their distance', async () => {
  Array.from({ length: 30 }, (_, at) => happen(NOW - HOUR - at * MINUTE))
  const started = performance.now()
  await collect({ requestsPerSecond: 20 }).poll()
  // Over all requests: a busy machine may take one in late and the next in time.
  const waited = performance.now() - started
  expect(aws.requests.length).toBeGreaterThan(6)
  expect(waited).toBeGreaterThan((aws.requests.length - 1) * 49)
})

test('credentials of another account are refused instead of filling the wrong part, and a tag cannot pretend them', async () => {
  happen(NOW - HOUR, { account: TWO })
  const run = collect({ accounts: [{ account: ONE, regions: ['us-east-1'], credentials: keys('TWO') }] })
  const [outcome] = await run.poll(1)
  expect(outcome?.error).toMatchObject({ code: 'SOURCE_MISCONFIGURED', message: expect.stringContaining(TWO) })
  expect(run.sink.records).toEqual([])
  expect(await run.check()).toMatchObject([{ check: 'account', level: 'problem' }])

  aws.events.push({
    account: ONE,
    region: 'us-east-1',
    time: NOW - HOUR,
    name: 'x',
    source: 'x',
    text: `{"requestParameters":{"principalTags":{"recipientAccountId":"${TWO}"}},"recipientAccountId":"${ONE}"}`,
  })
  expect((await collect().poll())[0]?.error).toBeNull()
})

test('doctor tells what is logged, and what to do when it may not ask', async () => {
  happen(NOW - HOUR)
  const run = collect()
  expect((await run.check()).map(({ check, level }) => [check, level])).toEqual([
    ['reachable', 'ok'],
    ['federation', 'warning'],
    ['model calls', 'ok'],
  ])
  aws.fault({ service: 'cloudtrail', kind: 'denied', times: 10 })
  expect(await run.check()).toMatchObject([{ level: 'problem', next: expect.stringContaining('cloudtrail:LookupEvents') }])
})

describe('the settings', () => {
  const base = { accounts: [{ account: ONE, regions: ['us-east-1'] }] }
  test.each([
    [{ ...base, endpoint: 'http://example.com' }, 'plain http'],
    [{ accounts: [{ account: 111122223333, regions: ['us-east-1'] }] }, 'twelve digits in quotes'],
    [{ accounts: [{ account: ONE, regions: ['us-east-1', 'us-east-1'] }] }, `repeats ${ONE}/us-east-1`],
    [{ accounts: [{ account: ONE, regions: ['us-east-1'], credentials: { accessKeyId: 'AKIAPLAIN', secretAccessKey: 'plain' } }] }, 'references to secrets'],
    [{ ...base, startDays: 91 }, '90 days'],
    [{ ...base, regionn: 'x' }, 'regionn'],
  ])('%j is refused', (settings, message) => {
    const result = source.settings.safeParse(settings)
    expect(result.success).toBe(false)
    expect(result.error?.message).toContain(message)
    expect(result.error?.message).not.toContain('AKIAPLAIN')
  })
})

test('an address from the environment may not send signed requests in clear', async () => {
  process.env['AWS_ENDPOINT_URL_CLOUDTRAIL'] = 'http://192.0.2.1'
  try {
    const accounts = [{ account: ONE, regions: ['us-east-1'], credentials: keys('ONE') }]
    const run = collection({ source, settings: { accounts, requestsPerSecond: 1000 }, environment, now: () => now })
    expect((await run.poll(1))[0]?.error).toMatchObject({ code: 'SOURCE_MISCONFIGURED', message: expect.stringContaining('plain http') })
  } finally {
    delete process.env['AWS_ENDPOINT_URL_CLOUDTRAIL']
  }
})
