import type { JsonObject, RawRecord, Rejection } from '#core/record.ts'
import type { Receipt, RecordSink } from '#core/sink.ts'
import { knows } from '#correlate/accept.ts'

/** In tests what has a number as its id is a known record, too. */
const isRecord = (value: JsonObject): boolean => typeof value['id'] === 'number' || knows(value)

/** A sink for tests of ingest alone: keeps what it is given and stores every record once by its text. */
export interface CollectingSink extends RecordSink {
  readonly records: RawRecord[]
  readonly rejections: Rejection[]
  readonly batches: number[]
  drained: number
}

/** `slow` milliseconds a delivery. Throws when deliveries overlap: the contract is one at a time. */
export function collectingSink(slow = 0): CollectingSink {
  const known = new Set<string>()
  let busy = false
  const sink: CollectingSink = {
    knows: isRecord,
    records: [],
    rejections: [],
    batches: [],
    drained: 0,
    async deliver(records, rejections): Promise<Receipt> {
      if (busy) throw new Error('two deliveries at once')
      busy = true
      await new Promise((resolve) => setTimeout(resolve, slow))
      sink.records.push(...records)
      sink.rejections.push(...rejections)
      sink.batches.push(records.length)
      const before = known.size
      for (const record of records) known.add(record.text)
      busy = false
      return {
        stored: known.size - before,
        duplicates: records.length - (known.size - before),
        variants: 0,
        rejected: [],
        byFormat: { any: records.length },
      }
    },
    drain() {
      sink.drained++
      return Promise.resolve()
    },
  }
  return sink
}
