import type { JsonObject, RawRecord, Rejection } from './record.ts'
import type { LogPlace } from './transport.ts'

/** What became of one record. `accepted`: durable, but only a correlator elsewhere will learn what it is. */
export type Fate = 'stored' | 'duplicate' | 'rejected' | 'accepted'

/** What became of one delivered batch. `stored + duplicates + rejected.length` equals the records delivered. */
export interface Receipt {
  /** Events that were not known before. */
  readonly stored: number
  /** Records whose event was known already, by whatever road it came. */
  readonly duplicates: number
  /** Of the duplicates: texts that differ from those kept so far; they are kept, too. */
  readonly variants: number
  /** Records that no format recognises or whose normaliser refuses them, with the reason. They are kept. */
  readonly rejected: readonly Rejection[]
  /** Recognised records by format name. */
  readonly byFormat: Readonly<Record<string, number>>
  /** What became of each record, in the order of delivery, where the sink can tell. Of records of one new event the first is the stored one. */
  readonly fates?: readonly Fate[]
}

/** Whether a parsed text is a record of a known kind, nothing around it. */
export type Knows = (value: JsonObject) => boolean

/**
 * Where ingest hands records over. `deliver` resolves when the records and the rejections are durable; a rejected promise
 * means that nothing of the batch may be counted as delivered, and delivering it again does no harm.
 */
export interface RecordSink {
  /** What the receiver will understand: so ingest finds records in whatever is around them, the same by every road. */
  readonly knows: Knows
  /**
   * `place` is where the batch ends in the log that it was read from; a sink that keeps positions stores it in the same transaction.
   * @throws StalePosition when that position was moved from outside meanwhile: nothing was stored
   */
  deliver(records: readonly RawRecord[], rejections: readonly Rejection[], place?: LogPlace | null): Promise<Receipt>
  /** Resolves when every conclusion that follows from the delivered records is stored; soon after the signal aborts also without, then the rest stays to be drawn. */
  drain(signal?: AbortSignal): Promise<void>
}
