/** Roles that are assumed, against a fake STS. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startFakeAws } from '../../../test/clouds/aws.ts'
import type { FakeAws } from '../../../test/clouds/aws.ts'
import { collection } from '../../engine/test-run.ts'
import type { TestCollection } from '../../engine/test-run.ts'
import lookup from '../aws-cloudtrail-lookup/source.ts'
import s3 from '../aws-s3/source.ts'

const NOW = Date.UTC(2026, 8, 1, 12)
const HOUR = 3_600_000
const [ONE, TWO] = ['111122223333', '444455556666']
const roleOf = (account: string): string => `arn:aws:iam::${account}:role/audit/trailjoin`

let aws: FakeAws

beforeEach(async () => {
  aws = await startFakeAws()
  // The identity itself belongs to a third account: nothing can be read with it directly.
  aws.accounts.set('AKIABASE', '999999999999')
  for (const account of [ONE, TWO]) aws.roles.set(roleOf(account), { trusts: ['AKIABASE'], externalId: 'shared/42' })
})
afterEach(() => aws.close())

const credentials = { accessKeyId: { env: 'BASE_ID' }, secretAccessKey: { env: 'BASE_SECRET' } }
const environment = { BASE_ID: 'AKIABASE', BASE_SECRET: 'hunter2' }
const role = (account: string, changes: Record<string, unknown> = {}) => ({ arn: roleOf(account), externalId: 'shared/42', endpoint: aws.url, ...changes })

function happen(account: string, region: string): string {
  const time = NOW - HOUR
  const text = `{"eventTime":"${new Date(time).toISOString()}","eventID":"${account}-${region}","eventName":"GetCallerIdentity","recipientAccountId":"${account}"}`
  aws.events.push({ account, region, time, name: 'GetCallerIdentity', source: 'sts.amazonaws.com', text })
  return text
}

function collect(accounts: readonly Record<string, unknown>[]): TestCollection {
  const settings = { accounts, startDays: 1, requestsPerSecond: 1000, timeoutSeconds: 2, endpoint: aws.url }
  return collection({ source: lookup, settings, environment, now: () => NOW })
}
const assumed = () => aws.requests.filter(({ operation }) => operation === 'AssumeRole').map(({ detail }) => new URLSearchParams(detail))

describe('a role', () => {
  test('is assumed in each account, and every region is read with what it gives', async () => {
    const expected = [ONE, TWO].flatMap((account) => ['us-east-1', 'eu-central-1'].map((region) => happen(account, region)))
    const run = collect([ONE, TWO].map((account) => ({ account, regions: ['us-east-1', 'eu-central-1'], credentials, role: role(account) })))
    expect((await run.poll()).map(({ part, error }) => [part, error])).toEqual(
      [ONE, TWO].flatMap((account) => ['us-east-1', 'eu-central-1'].map((region) => [`${account}/${region}`, null])),
    )
    expect(run.texts()).toEqual(expected.toSorted())
    const asked = assumed()
    expect(asked).toHaveLength(4)
    for (const request of asked) expect([...request.keys()]).toEqual(expect.arrayContaining(['RoleArn', 'RoleSessionName', 'ExternalId']))
    expect(new Set(asked.map((request) => request.get('RoleSessionName')))).toEqual(new Set(['trailjoin-test']))
    // What it gave is used until it nearly ends.
    expect(aws.requests.filter(({ operation }) => operation === 'LookupEvents').length).toBeGreaterThan(8)
  })

  test('is assumed again before its keys end, under the name that the configuration gives', async () => {
    // Less than the five minutes that the SDK asks ahead.
    aws.roles.set(roleOf(ONE), { trusts: ['AKIABASE'], seconds: 60 })
    const run = collect([{ account: ONE, regions: ['us-east-1'], credentials, role: role(ONE, { sessionName: 'soc@example.com' }) }])
    expect((await run.poll())[0]?.error).toBeNull()
    expect(assumed().length).toBeGreaterThanOrEqual(3)
    expect(assumed()[0]?.get('RoleSessionName')).toBe('soc@example.com')
  })

  test('that is refused stops only its own account, is told by name, and doctor says what to look at', async () => {
    happen(TWO, 'us-east-1')
    const run = collect([
      { account: ONE, regions: ['us-east-1'], credentials, role: role(ONE, { externalId: 'wrong' }) },
      { account: TWO, regions: ['us-east-1'], credentials, role: role(TWO) },
    ])
    const [one, two] = await run.poll(1)
    expect(one?.error).toMatchObject({ code: 'SOURCE_DENIED', message: `assuming ${roleOf(ONE)}: AccessDenied: AccessDenied` })
    expect(two?.error).toBeNull()
    const problem = (await run.check()).find(({ level }) => level === 'problem')
    expect(problem?.message).toContain(roleOf(ONE))
    expect(problem?.next).toMatch(/trust policy.*externalId.*sts:AssumeRole/)
  })

  test('is tried again when STS throttles or fails', async () => {
    happen(ONE, 'us-east-1')
    aws.fault({ service: 'sts', kind: 'status-429', times: 1 })
    aws.fault({ service: 'sts', kind: 'error-500', times: 1 })
    const run = collect([{ account: ONE, regions: ['us-east-1'], credentials, role: role(ONE) }])
    expect((await run.poll())[0]?.error).toBeNull()
    expect(run.texts()).toHaveLength(1)
  })

  test('reads a bucket and its queue', async () => {
    aws.buckets.set(
      'trail',
      new Map([
        [
          `AWSLogs/${ONE}/CloudTrail/us-east-1/2026/09/01/${ONE}_CloudTrail_us-east-1_20260901T1100Z_AAAAAAAAAAAAAAAA.json`,
          Buffer.from('{"Records":[{"eventID":"a"}]}'),
        ],
      ]),
    )
    aws.queues.set('news', [])
    const settings = {
      bucket: 'trail',
      region: 'us-east-1',
      credentials,
      role: role(ONE),
      endpoint: aws.url,
      queueUrl: `${aws.url}/1/news`,
      waitSeconds: 0,
      list: true,
    }
    const run = collection({ source: s3, settings, environment, now: () => NOW })
    expect((await run.poll()).map(({ error }) => error)).toEqual([null, null])
    expect(run.texts()).toEqual(['{"eventID":"a"}'])
    expect(assumed().length).toBeGreaterThanOrEqual(1)
  })
})

describe('the settings of a role', () => {
  const parse = (given: unknown, account = ONE) => lookup.settings.safeParse({ accounts: [{ account, regions: ['us-east-1'], role: given }] })
  test('are an ARN, or an ARN with what its trust policy asks for', () => {
    expect(parse(roleOf(ONE)).success).toBe(true)
    expect(parse({ arn: roleOf(ONE), externalId: 'a:b/c', sessionName: 'me' }).success).toBe(true)
    expect(parse('arn:aws-us-gov:iam::111122223333:role/r').success).toBe(true)
  })
  test.each([
    ['trailjoin', /^is neither the ARN of a role .*arn:aws:iam::<twelve digits>:role\/<name>/],
    ['arn:aws:iam::111122223333:user/u', /arn:aws:iam::<twelve digits>:role\/<name>/],
    [{}, /./],
    [{ arn: roleOf(ONE), externalID: 'typo' }, /externalID/],
    [{ arn: roleOf(ONE), endpoint: 'http://sts.example.com' }, /plain http/],
    [{ arn: roleOf(ONE), sessionName: 'a b' }, /2 to 64/],
    [{ arn: roleOf(ONE), externalId: 'x' }, /2 to 1224/],
  ])('%j is refused, and the message shows how to write it', (given, words) => expect(parse(given).error?.issues[0]?.message).toMatch(words))
  test('name a role of the account that they stand beside', () => {
    expect(parse(roleOf(TWO)).error?.issues[0]).toMatchObject({ path: ['accounts', 0, 'role'], message: `belongs to the account ${TWO}, not to ${ONE}` })
  })
})
