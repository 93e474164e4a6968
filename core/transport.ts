/**
 * How records travel from ingest to the correlator. Two implementations keep this promise (`transport/`), and one contract suite tests it clause by clause:
 *
 * - `publish` resolves when a crash of this process can no longer lose the messages, and rejects when that is not certain; publishing again does no harm.
 * - Each message reaches each group at least once. Messages with one key arrive in the order in which they were published.
 * - Resolving the handler acknowledges the batch. Rejecting it means the same batch again, after a pause; later batches of the key wait.
 * - What a handler gets is never the object that was published.
 * - Memory is bounded: a slow handler slows the publishers or leaves messages in the log, it never fills this process.
 * - `close` stops fetching, waits for running handlers, and leaves.
 */
export type Topic = 'records' | 'rejected'

export interface Message {
  /** Messages with one key stay in order; keys spread the load. */
  readonly key: string
  readonly value: string
  /** CloudEvents attributes (`ce_id`, `ce_source`, `ce_type`, …), in the Kafka protocol binding's spelling. */
  readonly headers: Readonly<Record<string, string>>
}

/** Where a batch stands in a log that outlives its readers. */
export interface LogPlace {
  /** Name of the log: a Kafka topic. */
  readonly log: string
  readonly partition: number
  /** Offset behind the batch: where reading goes on once the batch is stored. */
  readonly next: bigint
  /** Of the position that reading began at. Whoever moves the position from outside raises it, and a batch of before is refused. */
  readonly epoch: number
  /** When the last message of the batch was written to the log. */
  readonly at: Date
  /** What could not be read on the way to `next`. */
  readonly gaps: readonly LogGap[]
}

/** Messages of a log that this store never read. */
export interface LogGap {
  readonly log: string
  readonly partition: number
  readonly firstOffset: bigint
  /** Null where nobody can say: the log was made anew. */
  readonly lastOffset: bigint | null
  /** When the first and the last of them were written, as far as that can be told: the times of the messages beside them where they are gone. */
  readonly from: Date | null
  readonly until: Date | null
  readonly cause: LogGapCause
  /** What a person should know beside the cause. */
  readonly detail: string | null
}

/**
 * Why messages were not read: the log no longer had them (`retention`), the log was made anew (`recreated`), they could not be
 * decoded (`unreadable`), or somebody chose to leave them out (`skipped`).
 */
export const LOG_GAP_CAUSES = ['retention', 'recreated', 'unreadable', 'skipped'] as const
type LogGapCause = (typeof LOG_GAP_CAUSES)[number]

/** How far one partition of a log is stored. */
export interface LogPosition {
  /** Offset of the first message that is not stored yet. */
  readonly next: bigint
  readonly epoch: number
  /** Nobody reads on until it is resumed. */
  readonly paused: boolean
  /** When the last stored message was written to the log; null before the first. */
  readonly at: Date | null
}

/** Where the positions of logs are kept: beside the data, so that one transaction moves both. */
export interface LogPositions {
  /** By partition; a partition that was never read is left out. */
  read(log: string): Promise<ReadonlyMap<number, LogPosition>>
  /**
   * Keeps a gap and moves the position to `next`, in one transaction.
   * @throws StalePosition when the position was moved from outside meanwhile
   */
  pass(gap: LogGap, to: Pick<LogPosition, 'next' | 'epoch'>): Promise<void>
}

/** A batch that was read before its partition's position was moved from outside: nothing of it was stored. */
export class StalePosition extends Error {
  override readonly name = 'StalePosition'
}

export interface Delivery {
  /** Aborts when the consumer stops. */
  readonly signal: AbortSignal
  /** Null where the transport has no log. */
  readonly place: LogPlace | null
}

interface ConsumeOptions {
  readonly signal?: AbortSignal
  /** Decides where reading begins. Without it the transport's own position does. */
  readonly positions?: LogPositions
}

export interface Transport {
  publish(topic: Topic, messages: readonly Message[]): Promise<void>
  /** Resolves when the handler receives messages; it keeps receiving them until `close` or the signal. */
  consume(topic: Topic, group: string, handle: (batch: readonly Message[], delivery: Delivery) => Promise<void>, options?: ConsumeOptions): Promise<void>
  close(): Promise<void>
}
