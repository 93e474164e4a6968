/** What `explain` and `resolve` say of reports: nothing is called missing that cannot be there, and nothing absent that was not searched. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Explanation } from '#api/explain/contract.ts'
import { explainEvent } from '#api/read-models/explain.ts'
import { resolve } from '#api/read-models/resolve.ts'
import { wholeStore } from '#api/read-models/store.ts'
import { type Study, study } from './study.ts'

describe('explain of what a cloud does for itself', () => {
  let report: Study
  beforeAll(async () => {
    report = await study(['74-explain-service-role'])
  })
  afterAll(() => report.close())
  const explain = async (nativeId: string): Promise<Explanation> => {
    const event = report.events.find((one) => one.nativeId === nativeId)!
    return (await explainEvent(wholeStore(report.pool), event.id))!
  }
  const whole = ({ summary, hops, seen, confidence }: Explanation): string => JSON.stringify({ summary, hops, seen, confidence })
  const id = (number: number): string => `bbbbbbbb-0000-4000-8000-${String(number).padStart(12, '0')}`

  test.each([
    ['a role that CloudTrail took', id(1), '"cloudtrail.amazonaws.com" took the role'],
    [
      'what was done with it',
      id(2),
      'the AWS service "cloudtrail.amazonaws.com" took the role "arn:aws:iam::444455556666:role/service-role/LogsRole" for itself and used it',
    ],
    ['a role that Lambda took', id(101), '"lambda.amazonaws.com" took the role'],
    ['what was done with that', id(102), 'the AWS service "lambda.amazonaws.com" took the role'],
    ['a service-linked role, whose beginning is in no log', id(111), 'AWS with its own role "AWSServiceRoleForAutoScaling" acted for itself'],
    ['a call of a service without a key', id(112), 'the AWS service "s3.amazonaws.com" called for itself'],
    ['the role of an instance that AWS looks after', id(113), 'AWS with its own role "aws:ec2-instance" acted for itself'],
    ['a service agent of Google', 'agent-of-google', 'Google\'s own service agent "service-123456789@gcp-sa-aiplatform.iam.gserviceaccount.com"'],
  ])('%s: it says so, calls nothing missing and asks for no change', async (_what, nativeId, words) => {
    const explanation = await explain(nativeId)
    expect(explanation.summary).toContain(words)
    expect(explanation).toMatchObject({ missing: [], wouldBeExact: [], confidence: { value: 'none' } })
    expect(explanation.confidence.because.at(-1)!.words).toMatch(/No Entra identity stands behind that/)
    expect(whole(explanation)).not.toMatch(/does not name the key|caller's copy|account of the caller/)
  })

  test('the copy of another account is no gap where the copy of the caller is here', async () => {
    const [callers, copy] = [report.events.find(({ nativeId }) => nativeId === id(121))!, await explain(id(122))]
    expect(copy.missing).toEqual([{ words: expect.stringContaining("the caller's copy of it is here") as string, evidence: [callers.id] }])
    expect((await explain(id(123))).missing.map(({ words }) => words)).not.toContainEqual(expect.stringMatching(/CloudTrail of/))
  })

  test('it is a gap where it is not', async () => {
    expect((await explain(id(131))).missing).toMatchObject([
      { words: expect.stringMatching(/^The caller's copy of this AssumeRole: CloudTrail of the other account/) as string },
    ])
  })

  test('a session of the console is not asked for a record that no sign-in writes', async () => {
    expect((await explain(id(141))).missing).toMatchObject([
      { words: expect.stringContaining('A sign-in to the console issues keys, too, and its record does not name them') as string },
    ])
  })
})

describe('resolve of what no index holds', () => {
  let report: Study
  beforeAll(async () => {
    report = await study(['75-resolve-resource'])
  })
  afterAll(() => report.close())

  test.each([
    ['an object of S3', 'arn:aws:s3:::made-up-bucket/k', 1],
    ['a bucket, by its ARN', 'arn:aws:s3:::made-up-bucket', 1],
    ['a bucket, by its name', 'made-up-bucket', 1],
    ['an account', '444455556666', 8],
    ['a user name', 'mallory', 8],
    ['a user, by ARN', 'arn:aws:iam::444455556666:user/mallory', 8],
    ['a trail, by name', 'main-trail', 1],
    ['a trail, by ARN in another case', 'ARN:aws:cloudtrail:EU-WEST-1:444455556666:trail/Main-Trail', 1],
    ['a role that was passed on', 'arn:aws:iam::444455556666:role/passed/PassedRole', 1],
    ['a role name', 'PassedRole', 1],
    ['a key that was deleted', 'AKIAQ3EGMADEUP7DELET', 1],
    ['a key in small letters', 'akiaq3egmadeup7kxj2l', 8],
    ['a secret', 'prod/database', 1],
    ['a secret, by the ARN in a message', 'arn:aws:secretsmanager:eu-west-1:444455556666:secret:prod/database-AbCdEf', 1],
    ['a model', 'anthropic.claude-sonnet-4-20250514-v1:0', 1],
    ['a user agent', 'made-up-agent/7.1 (test)', 1],
    ['an address in a rule', '198.51.100.77', 1],
    ['an address that called', '192.0.2.9', 1],
    ['an e-mail address in another case', 'ada.lovelace@contoso.example', 1],
    ['a request id in small letters', 'eeeeeeee-0000-4000-8000-000000000101', 1],
    ['a request id in capitals', 'AAAAAAAA-0000-4000-8000-000000000001', 1],
    ['a bucket of Google', 'gcp-bucket', 1],
    ['a resource of Google', '//storage.googleapis.com/projects/_/buckets/gcp-bucket', 1],
    ['a resource of Google, relative', 'projects/_/buckets/gcp-bucket', 1],
    ['a member of a policy', 'principalSet://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/pool/attribute.repo/x', 1],
    ['a pool, without what it is a member as', 'projects/123456789012/locations/global/workloadIdentityPools/pool', 1],
    ['a caller as a member of a policy', 'user:dev@contoso.example', 1],
    ['nothing', 'arn:aws:s3:::another-bucket', 0],
  ])('%s', async (_what, identifier, events) => {
    const { occurrences, notSearched } = await resolve(wholeStore(report.pool), identifier)
    expect(Math.max(0, ...occurrences.map((one) => one.events))).toBe(events)
    expect(occurrences.every((one) => !one.atLeast)).toBe(true)
    // Where nothing was found, everything was searched.
    if (events === 0) expect(notSearched).toEqual([])
  })
})
