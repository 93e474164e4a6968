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

export interface Transport {
  publish(topic: Topic, messages: readonly Message[]): Promise<void>
  /** Resolves when the handler receives messages; it keeps receiving them until `close` or the signal. */
  consume(topic: Topic, group: string, handle: (batch: readonly Message[], signal: AbortSignal) => Promise<void>, signal?: AbortSignal): Promise<void>
  close(): Promise<void>
}
