import type { Normalised, TrailEvent } from '#core/event.ts'
import { awsAccount } from '#core/keys.ts'
import { canonicalJson, eventId, type JsonObject } from '#core/record.ts'
import { bedrockModel } from '../model-name.ts'
import { at, distinct, num, obj, str } from '../read.ts'
import { noTime, readTime } from '../time.ts'
import { usageOf } from './usage.ts'

const MOST_ASSERTED = 8

/**
 * One entry of Bedrock's model-invocation log as an event: what a call cost. It names no key, session or subject; the call that it
 * meters is the CloudTrail record with the same account, region and request id.
 */
export function normalise(record: { readonly value: JsonObject }): Normalised {
  const { value } = record
  const timeNs = readTime(value['timestamp'])
  if (timeNs === null) return { reject: noTime({ timestamp: value['timestamp'] }) }

  const account = awsAccount(value['accountId'])
  const region = str(value['region'])
  const requestId = str(value['requestId'])
  const id = requestId === null ? eventId('bedrock', 'content', canonicalJson(value)) : eventId('bedrock', account ?? '', region ?? '', requestId)
  const model = str(value['modelId'])
  if (model === null) return { reject: 'no model (modelId)' }
  const principal = str(at(value, 'identity.arn'))
  const error = errorOf(value)
  const ranRegion = str(value['inferenceRegion'])
  const event: TrailEvent = {
    id,
    nativeId: requestId ?? id,
    timeNs,
    deliveredNs: null,
    source: 'aws',
    kind: 'llm.metered',
    action: `bedrock:${str(value['operation']) ?? 'ModelInvocationLog'}`,
    outcome: error === null ? 'success' : 'failure',
    error,
    tenantId: null,
    proof: requestId === null ? { by: 'nothing' } : { by: 'request' },
    onBehalfOf: null,
    targets: [],
    uses: null,
    issues: null,
    requestKey: account !== null && region !== null && requestId !== null ? `aws:${account}:${region}:${requestId}` : null,
    nearKey: null,
    tokenId: null,
    asserted: distinct([...Object.values(obj(value['requestMetadata'])).map(str), sessionName(principal)]).slice(0, MOST_ASSERTED),
    cloud: { account, region, principal },
    ...(ranRegion === null ? {} : { ranRegion }),
    resource: model,
    model: model === null ? null : bedrockModel(model),
    usage: usageOf(value),
    sourceIp: null,
    userAgent: null,
    requestId,
    directory: [],
  }
  return { event }
}

/** `errorCode` as written; `status` says something only where it is an HTTP status of an error. */
function errorOf(value: JsonObject): TrailEvent['error'] {
  const code = str(value['errorCode'])
  const message = str(value['errorMessage'])
  if (code !== null) return { code, message }
  const status = num(value['status'])
  return status !== null && status >= 400 ? { code: String(status), message } : null
}

/** Session name of an assumed role: the caller chose it. */
function sessionName(arn: string | null): string | null {
  return str(/:assumed-role\/.*\/([^/]+)$/.exec(arn ?? '')?.[1])
}
