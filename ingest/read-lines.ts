import type { RawRecord, RecordContext, Rejection } from '#core/record.ts'
import { keptText, recordsIn } from './records-in.ts'
import { Damage } from './split/damage.ts'
import { createSplitter } from './split/splitter.ts'

/** What was found, each with its line (from 1) and its place among all that was found (`origin.index`, from 0). */
export interface LinesRead {
  readonly records: readonly RawRecord[]
  readonly rejections: readonly Rejection[]
}

const NEWLINE = 10

/**
 * Reads NDJSON that somebody pushes: every line stands for itself, so a broken one (the first included) harms no other. A line may hold what a line of a file may
 * (an envelope, a wrapper with several records). Blank lines are nothing. Masks like every other reader.
 * @param file what evidence names as the place that the records came from
 */
export function readLines(file: string, bytes: Buffer, context: RecordContext): LinesRead {
  const records: RawRecord[] = []
  const rejections: Rejection[] = []
  let index = 0
  for (const { line, text } of linesOf(bytes)) {
    const reject = (reason: string, refused: string): void => void rejections.push({ origin: { file, line, index: index++ }, reason, text: keptText(refused) })
    const splitter = createSplitter(
      {
        record(found, value) {
          for (const one of recordsIn(found, value)) {
            if ('reject' in one) reject(one.reject, one.text)
            else records.push({ ...one, origin: { file, line, index: index++ }, context })
          }
        },
        rejected: reject,
      },
      undefined,
      // Most lines are short, and there may be thousands of them.
      Math.min(text.length + 1, 64 * 1024),
    )
    try {
      splitter.write(text)
      splitter.end()
    } catch (error) {
      // What was complete before the damage is handed over; the line number in its message counts from the line itself.
      const reason = error instanceof Error ? error.message : String(error)
      reject(error instanceof Damage ? reason.replace(/^line \d+, /, '') : reason, text.toString('utf8'))
    }
  }
  return { records, rejections }
}

/** Lines that are not blank. */
function* linesOf(bytes: Buffer): Generator<{ readonly line: number; readonly text: Buffer }> {
  let line = 0
  for (let start = 0; start < bytes.length;) {
    const found = bytes.indexOf(NEWLINE, start)
    const end = found === -1 ? bytes.length : found
    line++
    const text = bytes.subarray(start, end)
    if (text.some((byte) => byte !== 32 && byte !== 9 && byte !== 13)) yield { line, text }
    start = end + 1
  }
}
