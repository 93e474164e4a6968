import type { JsonObject } from '#core/record.ts'
import type { Format } from '../index.ts'
import { at, has, str } from '../read.ts'
import { normalise } from './normalise.ts'
import { spelling } from './vocabulary.ts'

/** Members that belong to CloudTrail's envelope and to no other format here: two of them, with the right type, make a record. */
const MARKS = ['eventVersion', 'eventSource', 'eventName', 'eventID', 'eventType', 'awsRegion', 'recipientAccountId', 'sourceIPAddress'] as const

/** True for CloudTrail records, also partial ones (they are then rejected with their reason instead of "unknown"). */
function recognise(value: JsonObject): boolean {
  if (has(value, 'protoPayload') || has(value, 'schemaType')) return false
  // Notifications of S3 and events of Lambda's pollers have some of the same members; their source is `aws:s3`, `aws:kinesis`.
  if (typeof value['eventSource'] === 'string' && value['eventSource'].startsWith('aws:')) return false
  const marks = MARKS.filter((name) => typeof value[name] === 'string').length
  const identity = value['userIdentity']
  return marks + (identity !== null && typeof identity === 'object' ? 1 : 0) >= 2
}

/** A correction (0) beats CloudTrail's own text (1), which beats texts that lost their envelope or its spelling (2). */
function rank(value: JsonObject, respelled = false): number {
  if (str(at(value, 'addendum.originalEventID')) !== null) return 0
  return !respelled && str(value['eventVersion']) !== null && str(value['eventName']) !== null ? 1 : 2
}

/** A named member stands for all that is below it. Members that others add after AWS (`p_*` of Panther) are left out on purpose: they are reported. */
const known = [
  'eventVersion',
  'eventSource',
  'eventName',
  'eventID',
  'eventTime',
  'eventType',
  'eventCategory',
  'apiVersion',
  'awsRegion',
  'recipientAccountId',
  'requestID',
  'sharedEventID',
  'readOnly',
  'managementEvent',
  'errorCode',
  'errorMessage',
  'sourceIPAddress',
  'userAgent',
  'requestParameters',
  'responseElements',
  'serviceEventDetails',
  'insightDetails',
  'accountId',
  'eventId',
  'timeWindow',
  'summary',
  'tlsDetails',
  'vpcEndpointId',
  'vpcEndpointAccountId',
  'sessionCredentialFromConsole',
  'edgeDeviceDetails',
  'eventContext',
  'userIdentity.type',
  'userIdentity.arn',
  'userIdentity.principalId',
  'userIdentity.accountId',
  'userIdentity.accessKeyId',
  'userIdentity.userName',
  'userIdentity.identityProvider',
  'userIdentity.invokedBy',
  'userIdentity.invokedByDelegate',
  'userIdentity.onBehalfOf',
  'userIdentity.credentialId',
  'userIdentity.inScopeOf',
  'userIdentity.sessionContext',
  'additionalEventData',
  'resources[].ARN',
  'resources[].type',
  'resources[].accountId',
  'resources[].ARNPrefix',
  'addendum',
]

export const format: Format = { normalise, recognise, rank, known, spelling }
