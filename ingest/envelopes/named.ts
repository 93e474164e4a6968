import type { JsonObject } from '#core/record.ts'
import { asObject } from './envelope.ts'

/** What an envelope holds by its own definition: the members on the way to it, or why it holds nothing. */
export type Named = { readonly path: readonly string[] } | { readonly empty: string }

/**
 * Envelopes that are known by name, and whose content is a record even where nothing known is found in it: so the reason of a
 * rejection can say what is wrong with it. Everything else that is around a record is found by its content (open.ts).
 */
export function namedEnvelope(value: JsonObject): Named | null {
  // EventBridge: {"detail-type":"AWS API Call via CloudTrail","detail":{…record…}}
  if (typeof value['detail-type'] === 'string')
    return asObject(value['detail']) ? { path: ['detail'] } : { empty: 'an EventBridge event without a detail object' }
  // CloudTrail LookupEvents: the record verbatim as a string; the members beside it are a digest of it (with times in the caller's own zone).
  for (const key of ['CloudTrailEvent', 'cloudTrailEvent']) if (typeof value[key] === 'string') return { path: [key] }
  // Pub/Sub: a push body or a pulled message {message:{data,…}}, or the message alone. `data` is base64 of one LogEntry, or of several lines.
  const message = asObject(value['message'])
  if (message && isPubSub(message)) return pubSub(message, ['message', 'data'])
  if (isPubSub(value)) return pubSub(value, ['data'])
  // CloudEvents in structured mode (Eventarc).
  if (typeof value['specversion'] === 'string') {
    const key = ['data', 'data_base64'].find((name) => value[name] !== undefined && value[name] !== null)
    return key === undefined ? { empty: 'a CloudEvent without data' } : { path: [key] }
  }
  return null
}

function isPubSub(value: JsonObject): boolean {
  return typeof value['data'] === 'string' && ['messageId', 'message_id', 'publishTime', 'publish_time', 'attributes'].some((key) => value[key] !== undefined)
}

function pubSub(message: JsonObject, path: readonly string[]): Named {
  return message['data'] === '' ? { empty: 'a Pub/Sub message without data' } : { path }
}
