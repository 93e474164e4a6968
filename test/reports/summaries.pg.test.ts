/** Records of CloudTrail itself about many calls (76): recognised and named, without an actor. */
import { afterAll, expect, test } from 'vitest'
import { explainEvent } from '#api/read-models/explain.ts'
import { wholeStore } from '#api/read-models/store.ts'
import { study, type Study } from './study.ts'

const studies: Study[] = []
afterAll(async () => {
  for (const one of studies) await one.close()
})
async function read(path: string): Promise<Study> {
  const one = await study([path])
  studies.push(one)
  expect(one.summary.rejected).toBe(0)
  return one
}
const brief = ({ events }: Study) =>
  events.map(({ action, kind, resource, outcome, cloud }) => [action, kind, resource, outcome, cloud.account, cloud.principal])

test('an insight is named by its type and says what it is about', async () => {
  const one = await read('76-insight/in.json')
  expect(brief(one)).toEqual([['cloudtrail:ApiCallRateInsight', 'other', 'bedrock.amazonaws.com:InvokeModel', 'unknown', '444455556666', null]])
  expect(one.usage).toEqual([])
})

test('its end is a record of its own, and explain says that nobody did it', async () => {
  const one = await read('76-insight/own-error-rate.json')
  expect(brief(one).map(([action]) => action)).toEqual(['cloudtrail:ApiCallRateInsight', 'cloudtrail:ApiErrorRateInsight'])
  const told = await explainEvent(wholeStore(one.pool), one.events[0]!.id)
  expect(told!.summary).toContain('a record that CloudTrail made about many calls; it has no actor')
  expect([told!.wouldBeExact, told!.missing]).toEqual([[], []])
})

test('aggregated events, events of services and console sign-ins are named by what they are', async () => {
  const one = await read('76-insight/own-aggregated-and-service-events.json')
  expect(brief(one)).toEqual([
    ['cloudtrail:AggregatedEvent', 'other', 'bedrock.amazonaws.com:InvokeModelWithBidirectionalStream', 'unknown', '444455556666', null],
    ['cloudtrail:AggregatedEvent', 'other', 'bedrock.amazonaws.com', 'unknown', '444455556666', null],
    ['kms:RotateKey', 'other', 'arn:aws:kms:us-east-1:444455556666:key/7944f0ec', 'success', '444455556666', 'kms.amazonaws.com'],
    ['signin:ConsoleLogin', 'other', null, 'failure', '444455556666', 'arn:aws:iam::444455556666:user/ada'],
  ])
  expect(one.usage).toEqual([])
})
