/** A whole CloudTrail record of the smallest kind of call, put into the event history of a fake AWS account. */
import type { FakeAws } from './aws.ts'

/** @param number makes its ids; @param time in ms since 1970. @returns the text */
export function callerIdentity(aws: FakeAws, account: string, number: number, time: number): string {
  const id = (letter: string): string => `0000000${letter}-0000-4000-8000-${String(number).padStart(12, '0')}`
  const text = JSON.stringify({
    eventVersion: '1.10',
    userIdentity: { type: 'IAMUser', arn: `arn:aws:iam::${account}:user/u`, accountId: account },
    eventTime: `${new Date(time).toISOString().slice(0, 19)}Z`,
    eventSource: 'sts.amazonaws.com',
    eventName: 'GetCallerIdentity',
    awsRegion: 'us-east-1',
    sourceIPAddress: '192.0.2.1',
    userAgent: 'test',
    requestParameters: null,
    responseElements: null,
    requestID: id('a'),
    eventID: id('b'),
    readOnly: true,
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: account,
    eventCategory: 'Management',
  })
  aws.events.push({ account, region: 'us-east-1', time, name: 'GetCallerIdentity', source: 'sts.amazonaws.com', text })
  return text
}
