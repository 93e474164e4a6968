import type { RawRecord, Rejection } from '#core/record.ts'
import type { Receipt, RecordSink } from '#core/sink.ts'

/** Records a delivery: large enough for bulk loading, small enough that a repeated delivery costs little. */
export const BATCH_RECORDS = 5000
const BATCH_CHARS = 16 * 1024 * 1024

export interface Batches {
  record(record: RawRecord): void
  reject(rejection: Rejection): void
  /** Waits where a batch is full and the one before it is still on its way: so reading never runs ahead of storing. */
  turn(): Promise<void>
  /** Resolves when no delivery is on its way any more, whatever became of it. */
  settled(): Promise<void>
  /** Delivers what is left. */
  finish(): Promise<void>
}

/**
 * Collects records and hands them to the sink: in order, at most one delivery on its way while the next batch is read. A delivery
 * that fails makes the next `turn` or `finish` throw; nothing is delivered after it.
 */
export function createBatches(
  sink: RecordSink,
  batchRecords: number,
  onReceipt: (receipt: Receipt, delivered: number, rejections: readonly Rejection[]) => void,
): Batches {
  let records: RawRecord[] = []
  let rejections: Rejection[] = []
  let chars = 0
  let flying: Promise<void> = Promise.resolve()

  async function send(): Promise<void> {
    await flying
    if (records.length + rejections.length === 0) return
    const [sent, refused] = [records, rejections]
    records = []
    rejections = []
    chars = 0
    flying = sink.deliver(sent, refused).then((receipt) => onReceipt(receipt, sent.length, refused))
    // The failure is met by the next `await flying`; until then it must not count as unhandled.
    flying.catch(() => undefined)
  }

  const full = (): boolean => records.length + rejections.length >= batchRecords || chars >= BATCH_CHARS

  return {
    record(record) {
      records.push(record)
      chars += record.text.length
    },
    reject(rejection) {
      rejections.push(rejection)
      chars += rejection.text.length
    },
    async turn() {
      if (full()) await send()
    },
    settled: () => flying.catch(() => undefined),
    async finish() {
      await send()
      await flying
    },
  }
}
