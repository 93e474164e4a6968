import type { KafkaMessage } from './kafka-client.ts'
import type { Message } from '#core/transport.ts'

/** A message of kafkajs as the transport hands it over: texts, and of a header that comes several times the first. */
export function toMessage({ key, value, headers = {} }: KafkaMessage): Message {
  const texts: Record<string, string> = {}
  for (const [name, header] of Object.entries(headers)) {
    const first = Array.isArray(header) ? header[0] : header
    if (first !== undefined) texts[name] = first.toString()
  }
  return { key: key?.toString() ?? '', value: value?.toString() ?? '', headers: texts }
}
