import { parseJson } from '#core/parse-json.ts'
import type { JsonObject } from '#core/record.ts'
import { openCloudEvents } from './cloudevents.ts'
import { openCloudWatch } from './cloudwatch.ts'
import { asObject } from './envelope.ts'
import type { Open } from './envelope.ts'
import { openEventBridge } from './eventbridge.ts'
import { openLookupEvents } from './lookup-events.ts'
import { openOpenSearch } from './opensearch.ts'
import { openPubSub } from './pubsub.ts'

const ENVELOPES: readonly Open[] = [openEventBridge, openLookupEvents, openPubSub, openCloudWatch, openOpenSearch, openCloudEvents]

/** Envelopes come in envelopes (EventBridge through Pub/Sub); more layers than these are no transport but an attack. */
const MAX_LAYERS = 5

/** What came out: a record, or the reason why it cannot be one together with the text that was meant to be it. */
export type Opened = { readonly text: string; readonly value: JsonObject } | { readonly text: string; readonly reject: string }

/**
 * Takes all envelopes off a record. Decided record by record, because bare and enveloped ones stand side by side in real files. Most
 * records have none and come back as they are. Entra's diagnostic records (`time`, `category`, `properties`) are records, not envelopes.
 */
export function openEnvelopes(text: string, value: JsonObject): readonly Opened[] {
  return layer(text, value, MAX_LAYERS)
}

function layer(text: string, value: JsonObject, left: number): readonly Opened[] {
  for (const open of ENVELOPES) {
    const inner = open(value, text)
    if (inner === null) continue
    if (typeof inner === 'string') return [{ text, reject: inner }]
    if (left === 0) return [{ text, reject: `more than ${MAX_LAYERS} envelopes around one record` }]
    return inner.flatMap((item) => {
      if (item.value) return layer(item.text, item.value, left - 1)
      const parsed = parse(item.text)
      return 'reject' in parsed ? [parsed] : layer(parsed.text, parsed.value, left - 1)
    })
  }
  return [{ text, value }]
}

function parse(text: string): Opened {
  try {
    const value = asObject(parseJson(text))
    return value ? { text, value } : { text, reject: 'no record: the envelope holds no object' }
  } catch (error) {
    return { text, reject: `not JSON inside its envelope: ${(error as Error).message}` }
  }
}
