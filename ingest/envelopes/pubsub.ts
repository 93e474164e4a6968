import type { JsonObject } from '#core/record.ts'
import { asObject } from './envelope.ts'
import type { Open } from './envelope.ts'

/**
 * Pub/Sub: a push body or a pulled message `{message:{data,…}}`, or the message alone. `data` is base64 of one LogEntry, or of several
 * lines where a forwarder batches.
 */
export const openPubSub: Open = (value) => {
  const message = asObject(value.message)
  const data = message && isMessage(message) ? message.data : isMessage(value) ? value.data : null
  if (typeof data !== 'string') return null
  const text = Buffer.from(data, 'base64').toString('utf8').trim()
  if (text === '') return 'a Pub/Sub message without data'
  // A single value spread over lines is one record; otherwise each line is one.
  if (!text.includes('\n') || parses(text)) return [{ text, value: null }]
  return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [{ text: line.trim(), value: null }]))
}

function isMessage(value: JsonObject): boolean {
  return typeof value.data === 'string' && ['messageId', 'message_id', 'publishTime', 'publish_time', 'attributes'].some((key) => value[key] !== undefined)
}

function parses(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
