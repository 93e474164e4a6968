import type { JsonObject } from '#core/record.ts'

/**
 * Objects that only carry an array of records. The array is recognised while reading, from its key and from the keys before it
 * (the ones after it do not matter any more): a record may well have a member `value` or `events` of its own, e.g. a Google
 * Workspace activity has `events` beside `id` and `actor`.
 */
const WRAPPERS: Readonly<Record<string, RegExp>> = {
  // CloudTrail S3 files.
  Records: /^(?:Records|NextToken|_.*)$/,
  // Entra and Azure diagnostic settings (Event Hubs, Storage).
  records: /^(?:records|nextLink|next.*|_.*)$/,
  // Microsoft Graph, Azure REST.
  value: /^(?:@odata\..*|value|nextLink|count)$/,
  // Cloud Logging entries.list.
  entries: /^(?:entries|nextPageToken|kind)$/,
  // CloudTrail LookupEvents as the AWS CLI prints it.
  Events: /^(?:Events|NextToken|\$metadata|ResponseMetadata)$/,
  // CloudWatch Logs filter-log-events and get-log-events.
  events: /^(?:events|nextToken|next.*Token|searchedLogStreams|\$metadata|ResponseMetadata)$/,
  // CloudWatch Logs subscription (Firehose, Lambda, Kinesis).
  logEvents: /^(?:messageType|owner|logGroup|logStream|subscriptionFilters|policyLevel|logEvents)$/,
  // Pub/Sub pull.
  receivedMessages: /^receivedMessages$/,
  // Log Analytics query answer; each table is taken apart by `rows`.
  tables: /^(?:tables|statistics|render|status|error)$/,
  rows: /^(?:name|columns|rows)$/,
}

/** How the items of a wrapper's array become records: as they are, or by naming the cells of a row. */
export type Wrapper = { readonly columns: readonly string[] | null }

export const WRAPPER_KEYS: ReadonlySet<string> = new Set(Object.keys(WRAPPERS))

/** True when the value could be a wrapper: worth a closer look by the splitter. */
export function mayWrap(value: JsonObject): boolean {
  for (const key in value) if (Array.isArray(value[key]) && WRAPPER_KEYS.has(key)) return true
  return false
}

/**
 * Whether an object that reads as `before` up to the array under `key` is a wrapper; null when it is a record (or anything else)
 * of its own. `inTables` is true for an item of a Log Analytics `tables` array.
 */
export function wrapper(key: string, before: JsonObject, inTables: boolean): Wrapper | null {
  const siblings = WRAPPERS[key]
  if (!siblings || !Object.keys(before).every((name) => siblings.test(name))) return null
  if (key !== 'rows') return { columns: null }
  if (!inTables || !Array.isArray(before.columns)) return null
  const columns = before.columns.map((column) => (column as JsonObject | null)?.name)
  return columns.every((name) => typeof name === 'string') ? { columns } : null
}
