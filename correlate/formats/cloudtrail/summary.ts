import type { JsonObject } from '#core/record.ts'
import { arr, at, obj, str, type Value } from '../read.ts'

/**
 * Records of CloudTrail itself about many calls at once. They have no caller, no request and no name of one call, and what they count is logged (or
 * not) by records of its own, so nothing is attributed to anybody and no call is counted.
 */
export interface Summary {
  /** Operation part of the action: the insight's type, or `AggregatedEvent`. */
  readonly name: string
  /** Path of its time, for messages, and the time as written. */
  readonly time: { readonly path: string; readonly written: Value }
  /** The calls that it is about: `bedrock.amazonaws.com:InvokeModel`, or an ARN. */
  readonly about: string | null
}

/** The summary that a record (in CloudTrail's own spelling) is; null for records of single calls. */
export function summaryOf(record: JsonObject): Summary | null {
  const type = str(record['eventType'])
  const category = str(record['eventCategory'])
  if (type === 'AwsCloudTrailInsight' || category === 'Insight') return insight(record)
  return type === 'AwsAggregatedEvent' || category === 'Aggregated' ? aggregated(record) : null
}

/** Unusual numbers of calls or errors (user guide: "CloudTrail record contents for Insights events"): one record when it starts, one when it ends. */
function insight(record: JsonObject): Summary {
  const details = obj(record['insightDetails'])
  const [source, name] = [str(details['eventSource']), str(details['eventName'])]
  return {
    name: str(details['insightType']) ?? 'Insight',
    time: { path: 'eventTime', written: record['eventTime'] },
    about: source !== null && name !== null ? `${source}:${name}` : (source ?? name),
  }
}

/** Data events of five minutes added up (user guide: "CloudTrail record contents for aggregated events"); `eventId` and `accountId` are spelt so there only. */
function aggregated(record: JsonObject): Summary {
  const source = str(record['eventSource'])
  const primary = obj(at(record, 'summary.primaryDimension'))
  const counted = arr(primary['statistics'])
  const only = counted.length === 1 ? str(at(counted[0], 'name')) : null
  const dimension = str(primary['dimension'])
  return {
    name: 'AggregatedEvent',
    time: { path: 'timeWindow.windowStart', written: at(record, 'timeWindow.windowStart') },
    about: only !== null && dimension === 'resourceARN' ? only : only !== null && dimension === 'eventName' && source !== null ? `${source}:${only}` : source,
  }
}
