import { memberText } from '#core/json-text.ts'
import { asObject } from './envelope.ts'
import type { Open } from './envelope.ts'

/** EventBridge: `{"detail-type":"AWS API Call via CloudTrail","detail":{…record…}}`; bare records may stand beside enveloped ones. */
export const openEventBridge: Open = (value, text) => {
  if (typeof value['detail-type'] !== 'string') return null
  const detail = asObject(value.detail)
  if (!detail) return 'an EventBridge event without a detail object'
  return [{ text: memberText(text, ['detail']) ?? JSON.stringify(detail), value: detail }]
}
