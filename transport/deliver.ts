/** From the transport into a sink: what the correlate role runs. */
import { messageToRecord, messageToRejection } from './record-codec.ts'
import { KEPT_CHARS } from '#core/record.ts'
import type { RawRecord, Rejection } from '#core/record.ts'
import type { Receipt, RecordSink } from '#core/sink.ts'
import { storable } from '#core/text.ts'
import type { Delivery, LogPlace, LogPositions, Message, Topic, Transport } from '#core/transport.ts'

/** All correlators are one group: they share the records. */
export const CORRELATORS = 'correlator'

export interface ConsumeOptions {
  /** Ends the consuming; the batch that is being stored is waited for by `transport.close()`. */
  readonly signal: AbortSignal
  /** Takes credentials out of a text that is no record: ingest has not seen it. */
  readonly mask: (text: string) => string
  /** Where the positions of the log stand in the store that the sink writes to. */
  readonly positions?: LogPositions
  /** Called when a batch is stored. */
  readonly onReceipt?: (receipt: Receipt, delivered: number) => void
}

/**
 * Consumes records and rejections into the sink; resolves when messages arrive. A message counts as handled when the sink has stored it.
 * A message that is no record, and a record that the store refuses for what is in it, become rejections: neither may come again for ever.
 */
export async function consumeInto(transport: Transport, sink: RecordSink, { signal, mask, positions, onReceipt }: ConsumeOptions): Promise<void> {
  const deliver = async (records: readonly RawRecord[], rejections: readonly Rejection[], place: LogPlace | null): Promise<void> => {
    const receipt = await deliverBatch(sink, records, rejections, place)
    onReceipt?.(receipt, records.length + rejections.length)
  }
  const handle = <Item extends object>(
    topic: Topic,
    read: (message: Message) => Item | { readonly poison: string },
    store: (items: readonly Item[], poisoned: readonly Rejection[], place: LogPlace | null) => Promise<void>,
  ) =>
    transport.consume(
      topic,
      CORRELATORS,
      async (batch: readonly Message[], { place }: Delivery) => {
        const items: Item[] = []
        const poisoned: Rejection[] = []
        for (const [index, message] of batch.entries()) {
          const item = read(message)
          if ('poison' in item) poisoned.push(poison(topic, message, index, item.poison, mask))
          else items.push(item)
        }
        await store(items, poisoned, place)
      },
      { signal, ...(positions === undefined ? {} : { positions }) },
    )
  await Promise.all([
    handle('records', messageToRecord, deliver),
    handle('rejected', messageToRejection, (rejections, poisoned, place) => deliver([], [...rejections, ...poisoned], place)),
  ])
}

function poison(topic: Topic, { value, headers }: Message, index: number, why: string, mask: (text: string) => string): Rejection {
  const text = storable(mask(value.slice(0, 4 * KEPT_CHARS)).slice(0, KEPT_CHARS))
  return {
    origin: { file: headers['ce_source']?.slice(0, 1000) || `kafka:${topic}`, line: null, index },
    reason: `no usable message on the topic of ${topic}: ${why}`,
    text,
  }
}

/** A batch with its place in the log, in one transaction; where the store refuses a part of it, in several, and the place with the last. */
async function deliverBatch(sink: RecordSink, records: readonly RawRecord[], rejections: readonly Rejection[], place: LogPlace | null): Promise<Receipt> {
  try {
    return await sink.deliver(records, rejections, place)
  } catch (error) {
    if (!isRefusal(error)) throw error
    const receipt = await deliverWithout(sink, records, rejections)
    return place === null ? receipt : add(receipt, await sink.deliver([], [], place))
  }
}

/**
 * Delivers; when the store refuses the batch for what is in it, halves it until the refused records stand alone, and rejects those.
 * Other failures (no connection, no disk) are thrown: they pass, and the batch comes again.
 */
async function deliverWithout(sink: RecordSink, records: readonly RawRecord[], rejections: readonly Rejection[]): Promise<Receipt> {
  try {
    return await sink.deliver(records, rejections)
  } catch (error) {
    if (!isRefusal(error)) throw error
    if (records.length === 0) return await rejectWithout(sink, rejections, error)
    // A rejection that came with the record must not be the record's fault.
    if (rejections.length > 0) {
      const kept = await deliverWithout(sink, [], rejections)
      return add(kept, await deliverWithout(sink, records, []))
    }
    if (records.length === 1) {
      const [{ origin, text }] = records as [RawRecord]
      const refused: Rejection = {
        origin,
        reason: `the store refuses it: ${error.message}`,
        text: storable(text.slice(0, KEPT_CHARS)),
      }
      const receipt = await deliverWithout(sink, [], [refused])
      return { ...receipt, rejected: [...receipt.rejected, refused] }
    }
    const middle = Math.ceil(records.length / 2)
    const first = await deliverWithout(sink, records.slice(0, middle), [])
    return add(first, await deliverWithout(sink, records.slice(middle), []))
  }
}

/** Rejections alone. One that the store refuses, too, is kept by its text; only if that is impossible it is thrown, and comes again. */
async function rejectWithout(sink: RecordSink, rejections: readonly Rejection[], error: Error): Promise<Receipt> {
  if (rejections.length <= 1) {
    const [refused] = rejections
    if (refused === undefined) throw error
    const { origin, reason, text } = refused
    const placeless = {
      origin: { ...origin, line: null, index: 0 },
      reason: storable(`${reason} (its place could not be stored: ${error.message})`),
      text: storable(text),
    }
    try {
      // Most likely a line beyond what its column holds.
      return await sink.deliver([], [placeless])
    } catch (again) {
      if (!isRefusal(again)) throw again
      return await sink.deliver([], [{ ...placeless, origin: NOWHERE, reason: `the store refuses why it was rejected: ${again.message}` }])
    }
  }
  const middle = Math.ceil(rejections.length / 2)
  const first = await deliverWithout(sink, [], rejections.slice(0, middle))
  return add(first, await deliverWithout(sink, [], rejections.slice(middle)))
}

const NOWHERE = { file: 'kafka:rejected', line: null, index: 0 } as const

/** SQLSTATE classes 22 (data exception) and 23 (constraint), and faults of our own code that a certain record brings to light. */
function isRefusal(error: unknown): error is Error {
  if (!(error instanceof Error)) return false
  const code = (error as { code?: unknown }).code
  return typeof code === 'string' ? /^2[23]\w{3}$/.test(code) : error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError
}

function add(a: Receipt, b: Receipt): Receipt {
  const byFormat = { ...a.byFormat }
  for (const [format, count] of Object.entries(b.byFormat)) byFormat[format] = (byFormat[format] ?? 0) + count
  return {
    stored: a.stored + b.stored,
    duplicates: a.duplicates + b.duplicates,
    variants: a.variants + b.variants,
    rejected: [...a.rejected, ...b.rejected],
    byFormat,
  }
}
