import type { RecordSink } from '#core/sink.ts'
import { mustHaveRoom } from '#database/space.ts'

/**
 * A sink that refuses deliveries while there is too little room on the disk of the data folder: what comes then is not lost, because it is not acknowledged.
 * @param folder null where the store is not on this machine
 */
export function guardedSink(sink: RecordSink, folder: string | null): RecordSink {
  if (folder === null) return sink
  return {
    ...sink,
    async deliver(records, rejections) {
      await mustHaveRoom(folder)
      return sink.deliver(records, rejections)
    },
  }
}
