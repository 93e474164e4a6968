import type { RawRecord, RecordContext, Rejection } from '#core/record.ts'
import type { Knows } from '#core/sink.ts'
import { explain } from './paths.ts'
import { createReader } from './reader.ts'
import { keptName, keptReason, keptText } from './records-in.ts'

/** What was found, each with its line (from 1) and its place among all that was found (`origin.index`, from 0). */
export interface LinesRead {
  readonly records: readonly RawRecord[]
  readonly rejections: readonly Rejection[]
}

/**
 * Reads what somebody pushes: lines of records, or whatever else a file may hold (a wrapper, an array, pretty-printed or not). A broken
 * line (the first included) harms no other, and every place that is no record is told. Masks like every other reader.
 * @param file what evidence names as the place that the records came from
 */
export function readLines(file: string, bytes: Buffer, context: RecordContext, knows: Knows): LinesRead {
  const records: RawRecord[] = []
  const rejections: Rejection[] = []
  const reader = createReader(
    file,
    { context, knows, record: (record) => records.push(record), reject: (rejection) => rejections.push(rejection) },
    { lines: true, room: bytes.length + 1 },
  )
  try {
    reader.write(bytes)
    reader.end()
  } catch (error) {
    // The broken end is a rejection already; what was complete before it is handed over.
    if (rejections.length === 0)
      rejections.push({
        origin: { file: keptName(file), line: 1, index: records.length },
        reason: keptReason(explain(error)),
        text: keptText(bytes.subarray(-1000).toString('utf8')),
      })
  }
  return { records, rejections }
}
