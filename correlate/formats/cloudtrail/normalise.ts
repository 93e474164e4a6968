import type { Kind, Model, Normalised, TrailEvent } from '#core/event.ts'
import { canonicalIp } from '#core/ip.ts'
import { awsAccount } from '#core/keys.ts'
import { canonicalJson, eventId, type JsonObject } from '#core/record.ts'
import { bedrockModel } from '../model-name.ts'
import { arr, at, obj, str, type Value } from '../read.ts'
import { noTime, readTime } from '../time.ts'
import { callerOf } from './identity.ts'
import { isBatchJob, kindOf, serviceOf } from './kind.ts'
import { issuedUntil } from './expiry.ts'
import { meansOf } from './means.ts'
import { summaryOf } from './summary.ts'
import { trustOf } from './trust.ts'

/** One CloudTrail record as an event. Refused only without a time or without the name of what happened. */
export function normalise(record: { readonly value: JsonObject }): Normalised {
  const { value } = record
  const summary = summaryOf(value)
  const { path, written } = summary?.time ?? { path: 'eventTime', written: value['eventTime'] }
  const timeNs = readTime(written)
  if (timeNs === null) return { reject: noTime({ [path]: written }) }
  const eventName = summary?.name ?? str(value['eventName'])
  if (eventName === null) return { reject: 'no event name (eventName)' }
  if (!summary && str(value['eventSource']) === null) return { reject: 'no event source (eventSource)' }

  const service = summary ? 'cloudtrail' : serviceOf(str(value['eventSource']))
  const trust = service === 'iam' ? trustOf(value) : null
  const kind = kindOf(service, eventName, trust?.federated ?? false)
  const changesTrust = trust !== null && (kind === 'trust.changed' || kind === 'identity.changed')
  const error = errorOf(value, eventName)
  const caller = callerOf(value, kind, error === null)
  const account = awsAccount(value['recipientAccountId'] ?? (summary ? value['accountId'] : null))
  const observed = observedBy(value, kind, account)
  const region = str(value['awsRegion'])
  const requestId = str(at(value, 'addendum.originalRequestID')) ?? str(value['requestID'])
  const until = caller.issues === null ? null : issuedUntil(value, timeNs)
  const means = meansOf(value, kind === 'token.exchanged')
  const ranRegion = kind === 'llm.invoked' ? str(at(value, 'additionalEventData.inferenceRegion')) : null
  // A correction ("addendum", UPDATED_DATA) supersedes the record that it names: it is a text of that event, not a second one.
  const recordId = str(at(value, 'addendum.originalEventID')) ?? plain(value['eventID'])
  const id = recordId === null ? eventId('aws', 'content', canonicalJson(value)) : eventId('aws', recordId, account ?? '')

  const event: TrailEvent = {
    id,
    nativeId: recordId ?? id,
    timeNs,
    deliveredNs: null,
    source: 'aws',
    kind,
    action: `${service}:${eventName}`,
    // What CloudTrail sums up may have failed or not.
    outcome: summary ? 'unknown' : error === null ? 'success' : 'failure',
    error,
    tenantId: (changesTrust ? trust.tenantId : null) ?? caller.tenantId,
    proof: caller.proof,
    onBehalfOf: null,
    targets: changesTrust ? trust.targets : [],
    uses: caller.uses,
    issues: caller.issues,
    requestKey:
      (kind === 'llm.invoked' || isBatchJob(service, eventName)) && observed.account !== null && region !== null && requestId !== null
        ? `aws:${observed.account}:${region}:${requestId}`
        : null,
    ...(observed.secondary ? { secondary: true } : {}),
    nearKey: null,
    tokenId: null,
    asserted: caller.asserted,
    cloud: { account, region, principal: caller.principal },
    ...(ranRegion === null ? {} : { ranRegion }),
    ...(until === null ? {} : { issuedUntilNs: until }),
    ...(means === null ? {} : { means }),
    resource: summary ? summary.about : resourceOf(value, service),
    model: modelOf(value, kind),
    usage: null,
    // Service DNS names and `AWS Internal` stand here for calls on a caller's behalf: they are no address.
    sourceIp: canonicalIp(value['sourceIPAddress']),
    userAgent: str(value['userAgent']),
    requestId,
    directory: [],
  }
  return { event }
}

/**
 * In which account a request was made, and whether this record only repeats another: the copy of a VPC endpoint's owner (a network activity event: same
 * requestID, an address inside the network; CloudTrail user guide, "Logging network activity events") or, of a model call, of the account that owns what was called
 * (`sharedEventID`, no key of the caller; facts/aws.md b.2).
 */
function observedBy(value: JsonObject, kind: Kind, account: string | null): { readonly account: string | null; readonly secondary: boolean } {
  const network = str(value['eventCategory']) === 'NetworkActivity' || str(value['eventType']) === 'AwsVpceEvent'
  const callers = awsAccount(at(value, 'userIdentity.accountId'))
  const foreign =
    kind === 'llm.invoked' &&
    callers !== null &&
    callers !== account &&
    str(value['sharedEventID']) !== null &&
    str(at(value, 'userIdentity.accessKeyId')) === null
  return network || foreign ? { account: callers ?? account, secondary: true } : { account, secondary: false }
}

/** A text, or a number that an exporter made of one (ids, error codes). */
function plain(value: Value): string | null {
  return typeof value === 'number' ? String(value) : str(value)
}

/** Error code and message as written. Sign-in events have no code: they say `Failure` in their response, some beside a message. */
function errorOf(value: JsonObject, eventName: string): TrailEvent['error'] {
  const message = str(value['errorMessage'])
  const code = plain(value['errorCode'])
  if (code !== null) return { code, message }
  const answer = str(at(value, `responseElements.${eventName}`))
  if (answer === 'Failure') return { code: answer, message }
  return message === null ? null : { code: message, message }
}

/** The role of an STS call, the role or provider of an IAM change, the model of a Bedrock call; of others the resource that the record lists. */
function resourceOf(value: JsonObject, service: string): string | null {
  const request = obj(value['requestParameters'])
  if (service === 'sts') {
    const role = arr(value['resources']).find((resource) => str(at(resource, 'type')) === 'AWS::IAM::Role')
    // A denied chain has no parameters at all: the role stands only in the message.
    const denied = /sts:AssumeRole\w* on resource: (arn:[^\s,;"]+)/.exec(str(value['errorMessage']) ?? '')?.[1]
    return str(request['roleArn']) ?? str(at(role, 'ARN')) ?? denied ?? null
  }
  if (service === 'iam') {
    return (
      str(at(value, 'responseElements.role.arn')) ?? str(at(value, 'responseElements.openIDConnectProviderArn')) ?? str(request['openIDConnectProviderArn'])
    )
  }
  return (service.startsWith('bedrock') ? modelId(request) : null) ?? namedResource(value)
}

/** The first of the resources that the record lists (data events and some others list them, an object before its bucket). */
function namedResource(value: JsonObject): string | null {
  for (const resource of arr(value['resources'])) {
    const name = str(at(resource, 'ARN'))
    if (name !== null) return name
  }
  return null
}

function modelOf(value: JsonObject, kind: Kind): Model | null {
  const id = kind === 'llm.invoked' ? modelId(obj(value['requestParameters'])) : null
  return id === null ? null : bedrockModel(id)
}

/** Bedrock says `modelId`, the OpenAI- and Anthropic-compatible endpoint (bedrock-mantle) `model`. */
function modelId(request: JsonObject): string | null {
  return str(request['modelId']) ?? str(request['model'])
}
