import { memberText } from '#core/json-text.ts'
import { asObject } from './envelope.ts'
import type { Open } from './envelope.ts'

/** CloudEvents in structured mode (Eventarc): the LogEntry is under `data`, or base64 in `data_base64`. */
export const openCloudEvents: Open = (value, text) => {
  if (typeof value.specversion !== 'string') return null
  const data = asObject(value.data)
  if (data) return [{ text: memberText(text, ['data']) ?? JSON.stringify(data), value: data }]
  if (typeof value.data === 'string') return [{ text: value.data.trim(), value: null }]
  if (typeof value.data_base64 === 'string') return [{ text: Buffer.from(value.data_base64, 'base64').toString('utf8').trim(), value: null }]
  return 'a CloudEvent without data'
}
