import { memberText } from '#core/json-text.ts'
import { asObject } from './envelope.ts'
import type { Open } from './envelope.ts'

/** OpenSearch's CloudTrail integration files the record under `aws.cloudtrail`. */
export const openOpenSearch: Open = (value, text) => {
  const record = asObject(asObject(value.aws)?.cloudtrail)
  if (!record || value.eventVersion !== undefined) return null
  return [{ text: memberText(text, ['aws', 'cloudtrail']) ?? JSON.stringify(record), value: record }]
}
