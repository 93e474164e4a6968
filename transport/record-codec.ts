/**
 * Records and rejections as messages: CloudEvents 1.0 in the binary mode of its Kafka binding (attributes as `ce_` headers, the value is
 * the data). What is sent of a record is its text; the parsed form is made again on the other side.
 */
import { parseJson } from '#core/parse-json.ts'
import { type JsonObject, type Origin, type RawRecord, type RecordContext, type Rejection, sha256 } from '#core/record.ts'
import type { Message } from '#core/transport.ts'

const RECORD_TYPE = 'io.trailjoin.record.v1'
const REJECTION_TYPE = 'io.trailjoin.rejection.v1'

/** A record as a message. Its key follows from its text: the same record always goes the same way, and records spread evenly. */
export function recordToMessage({ text, masked, origin, context }: RawRecord): Message {
  return toMessage(RECORD_TYPE, sha256(text), origin, { text, masked, origin, context })
}

export function rejectionToMessage({ text, reason, origin }: Rejection): Message {
  return toMessage(REJECTION_TYPE, sha256(`${origin.file} ${origin.index} ${reason} ${text}`), origin, { text, reason, origin })
}

/** A message as a record, or the reason why it is none. */
export function messageToRecord(message: Message): RawRecord | { readonly poison: string } {
  const opened = dataOf(message, RECORD_TYPE)
  if ('poison' in opened) return opened
  const { text, masked, origin, context } = opened.data
  if (typeof text !== 'string') return { poison: 'no text' }
  if (!Array.isArray(masked) || !masked.every((pointer) => typeof pointer === 'string')) return { poison: 'no list of what was masked' }
  if (!isOrigin(origin)) return { poison: 'no origin' }
  if (!isContext(context)) return { poison: 'no context' }
  const value = parseObject(text)
  if (value === null) return { poison: 'the text is no JSON object' }
  return { text, value, masked, origin, context }
}

/** A message as a rejection, or the reason why it is none. */
export function messageToRejection(message: Message): Rejection | { readonly poison: string } {
  const opened = dataOf(message, REJECTION_TYPE)
  if ('poison' in opened) return opened
  const { text, reason, origin } = opened.data
  if (typeof text !== 'string' || typeof reason !== 'string') return { poison: 'no text or no reason' }
  return isOrigin(origin) ? { text, reason, origin } : { poison: 'no origin' }
}

function toMessage(type: string, id: string, origin: Origin, data: object): Message {
  return {
    key: id.slice(0, 16),
    value: JSON.stringify(data),
    headers: {
      ce_specversion: '1.0',
      ce_id: id,
      // A URI reference, by the specification; files have any name.
      ce_source: encodeURI(origin.file.toWellFormed()) || '-',
      ce_type: type,
      'content-type': 'application/json',
    },
  }
}

function dataOf({ value, headers }: Message, type: string): { readonly data: JsonObject } | { readonly poison: string } {
  const given = headers['ce_type']
  if (given !== type) return { poison: given === undefined ? 'no ce_type header' : `ce_type is not ${type}` }
  const data = parseObject(value)
  return data === null ? { poison: 'the value is no JSON object' } : { data }
}

function parseObject(text: string): JsonObject | null {
  try {
    const value: unknown = parseJson(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null
  } catch {
    return null
  }
}

function isOrigin(origin: unknown): origin is Origin & JsonObject {
  if (typeof origin !== 'object' || origin === null) return false
  const { file, line, index } = origin as Partial<Origin>
  return typeof file === 'string' && (line === null || Number.isSafeInteger(line)) && Number.isSafeInteger(index)
}

function isContext(context: unknown): context is RecordContext {
  if (typeof context !== 'object' || context === null) return false
  const { tenantId } = context as { tenantId?: unknown }
  return tenantId === undefined || typeof tenantId === 'string'
}
