import type { Json, JsonObject } from '#core/record.ts'
import { isObj } from '../read.ts'

/** Every name that the normaliser reads. Some exporters (seen in a public Panther set) hand records over with keys in lower case. */
const NAMES = [
  'eventVersion',
  'eventSource',
  'eventName',
  'eventID',
  'eventTime',
  'eventType',
  'eventCategory',
  'awsRegion',
  'recipientAccountId',
  'requestID',
  'errorCode',
  'errorMessage',
  'sourceIPAddress',
  'userAgent',
  'userIdentity',
  'requestParameters',
  'responseElements',
  'resources',
  'accessKeyId',
  'accountId',
  'principalId',
  'userName',
  'identityProvider',
  'invokedBy',
  'sessionContext',
  'sessionIssuer',
  'sourceIdentity',
  'webIdFederationData',
  'federatedProvider',
  'credentials',
  'provider',
  'subjectFromWebIdentityToken',
  'roleArn',
  'roleSessionName',
  'principalTags',
  'incomingTransitiveTags',
  'modelId',
  'assumeRolePolicyDocument',
  'policyDocument',
  'openIDConnectProviderArn',
  'addendum',
  'originalEventID',
  'originalRequestID',
  'additionalEventData',
  'callWithBearerToken',
  'durationSeconds',
  'ARN',
  'sharedEventID',
  'insightDetails',
  'insightType',
  'timeWindow',
  'windowStart',
  'primaryDimension',
] as const
const BY_LOWER_CASE: ReadonlyMap<string, string> = new Map(NAMES.map((name) => [name.toLowerCase(), name]))

/** The record with CloudTrail's own spelling of its keys: the same object when it has it already, else a renamed copy. */
export function recased(value: JsonObject): JsonObject {
  return Object.hasOwn(value, 'eventname') && !Object.hasOwn(value, 'eventName') ? renamed(value) : value
}

function renamed(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [BY_LOWER_CASE.get(key) ?? key, deep(inner)]))
}

function deep(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return value.map((item) => deep(item as Json) ?? null)
  return isObj(value) ? renamed(value) : value
}
