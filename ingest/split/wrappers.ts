import type { Json, JsonObject } from '#core/record.ts'
import { rowMaker } from '../tables/row.ts'

/**
 * Objects that only carry an array of records, by the array's key and by the keys before it (the ones after it do not matter any
 * more): a record may well have a member `value` or `events` of its own, e.g. a Google Workspace activity has `events` beside `id`
 * and `actor`. What stands in these is records, known or not. Other wrappers are told by their content: by a known record inside.
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
  // Elasticsearch and OpenSearch, inside of another `hits`.
  hits: /^(?:total|max_score|hits)$/,
  // Log Analytics query answer and Kusto (Azure Data Explorer); each table is taken apart by `rows`.
  tables: /^(?:tables|statistics|render|status|error)$/,
  Tables: /^Tables$/,
  rows: /^(?:name|columns|rows)$/,
  Rows: /^(?:TableName|Columns|Rows)$/,
}

/** How the items of a wrapper's array become records: as they are, or by naming the cells of a row. */
export type Wrapper = { readonly columns: readonly string[] | null }

export const WRAPPER_KEYS: ReadonlySet<string> = new Set(Object.keys(WRAPPERS))

/** True when the value could be a wrapper: worth a closer look by the splitter. */
export function mayWrap(value: JsonObject): boolean {
  for (const key in value) if (Array.isArray(value[key]) && WRAPPER_KEYS.has(key)) return true
  return false
}

/** Whether an object that reads as `before` up to the array under `key` is a wrapper; null when it is a record (or anything else) of its own. */
export function wrapper(key: string, before: JsonObject): Wrapper | null {
  const siblings = WRAPPERS[key]
  if (!siblings || !Object.keys(before).every((name) => siblings.test(name))) return null
  if (key !== 'rows' && key !== 'Rows') return { columns: null }
  const columns = columnNames(before['columns'] ?? before['Columns'])
  return columns === null ? null : { columns }
}

/** Names of a table's columns (`{name}`, Kusto: `{ColumnName}`), or null when these are no columns. */
function columnNames(columns: Json | undefined): string[] | null {
  if (!Array.isArray(columns) || columns.length === 0) return null
  const names = columns.map((column) => (column as JsonObject | null)?.['name'] ?? (column as JsonObject | null)?.['ColumnName'])
  return names.every((name) => typeof name === 'string') ? names : null
}

/** A row as an object named by its columns; null when it has others. A row that is an object has named its cells itself. */
export function namedRow(row: Json, columns: readonly string[]): JsonObject | null {
  if (row !== null && typeof row === 'object' && !Array.isArray(row)) return row as JsonObject
  if (!Array.isArray(row) || row.length !== columns.length) return null
  // `__proto__` is a name like others here.
  return Object.fromEntries(columns.map((column, index) => [column, row[index] as Json]))
}

/**
 * A row that is a list of its cells, as one object: `[{"eventName":"…"},{"eventTime":"…"}]` (CloudTrail Lake's GetQueryResults),
 * `[{"field":"@message","value":"…"}]` (CloudWatch Logs Insights' GetQueryResults).
 */
export function asRow(items: readonly Json[]): JsonObject | null {
  if (items.length < 2) return null
  const row = new Map<string, Json>()
  for (const item of items) {
    if (item === null || typeof item !== 'object' || Array.isArray(item)) return null
    const cell = item as JsonObject
    const keys = Object.keys(cell)
    const [key, value] = keys.length === 1 ? [keys[0], cell[keys[0]!]] : [cell['field'], cell['value']]
    if (!isCell(cell)) return null
    if (typeof key !== 'string' || value === undefined || row.has(key)) return null
    row.set(key, value)
  }
  // Names of columns are paths here, too (`fields input.inputTokenCount`), and `@ptr` says only where the log event lies.
  row.delete('@ptr')
  return rowMaker([...row.keys()])([...row.values()]).value
}

/** Whether the value may be a cell of such a row. */
export function isCell(value: Json): boolean {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return false
  const keys = Object.keys(value)
  return keys.length === 1 || (keys.length === 2 && keys.includes('field') && keys.includes('value'))
}
