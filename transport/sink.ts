import { MessageTooLarge } from './errors.ts'
import { recordToMessage, rejectionToMessage } from './record-codec.ts'
import { cutRefused } from '#core/record.ts'
import type { RawRecord, Rejection } from '#core/record.ts'
import type { Knows, Receipt, RecordSink } from '#core/sink.ts'
import type { Message, Transport } from '#core/transport.ts'

/**
 * A sink that publishes: what collectors deliver to when the correlators are other processes. `deliver` resolves when Kafka has the
 * messages. What becomes of them only the correlators learn: its receipt counts nothing as stored or known, and rejected are only
 * records that are too large to travel (they go to the rejected ones, cut). `drain` has nothing to wait for.
 * @param knows what the correlators will understand
 */
export function createTransportSink(transport: Transport, knows: Knows): RecordSink {
  async function publishRecords(records: readonly RawRecord[]): Promise<Rejection[]> {
    const tooLarge: Rejection[] = []
    let left = records.map((record) => ({ record, message: recordToMessage(record) }))
    for (;;) {
      try {
        await transport.publish(
          'records',
          left.map(({ message }): Message => message),
        )
        return tooLarge
      } catch (error) {
        if (!(error instanceof MessageTooLarge)) throw error
        const { record } = left[error.index]!
        const { reason, text } = cutRefused(`too large to travel: ${error.message}`, record.text)
        tooLarge.push({ origin: record.origin, reason, text: text.toWellFormed() })
        left = left.toSpliced(error.index, 1)
      }
    }
  }

  return {
    knows,
    async deliver(records, rejections): Promise<Receipt> {
      const rejected = await publishRecords(records)
      await transport.publish('rejected', [...rejections, ...rejected].map(rejectionToMessage))
      return { stored: 0, duplicates: 0, variants: 0, rejected, byFormat: {} }
    },
    drain: () => Promise.resolve(),
  }
}
