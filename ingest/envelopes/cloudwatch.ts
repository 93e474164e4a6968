import type { Open } from './envelope.ts'

/**
 * An event of CloudWatch Logs: `{id|eventId,timestamp,message}` from a subscription, filter-log-events or get-log-events. The record is
 * the message, as Bedrock's invocation log and CloudTrail write it there.
 */
export const openCloudWatch: Open = (value) => {
  if (typeof value.message !== 'string' || typeof value.timestamp !== 'number') return null
  if (value.id === undefined && value.eventId === undefined && value.ingestionTime === undefined && value.logStreamName === undefined) return null
  return [{ text: value.message.trim(), value: null }]
}
