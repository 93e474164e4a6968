import type { RecordSink } from '#core/sink.ts'
import { mustHaveRoom } from '#database/space.ts'

/** A disk does not fill up faster than is told. */
const EVERY_MS = 500

/**
 * A sink that refuses deliveries while there is too little room on the disk of the data folder: what comes then is not lost, because it is not acknowledged.
 * @param folder null where the store is not on this machine
 */
export function guardedSink(sink: RecordSink, folder: string | null): RecordSink {
  if (folder === null) return sink
  let asked = -Infinity
  return {
    ...sink,
    async deliver(records, rejections) {
      if (performance.now() - asked >= EVERY_MS) {
        await mustHaveRoom(folder)
        asked = performance.now()
      }
      return sink.deliver(records, rejections)
    },
    drain: (signal) => sink.drain(signal),
  }
}
