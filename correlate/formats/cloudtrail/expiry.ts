import type { JsonObject } from '#core/record.ts'
import { parseTime, SECOND } from '#core/time.ts'
import { at, num, str } from '../read.ts'
import { readTime } from '../time.ts'

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
/** `Jul 30, 2021 12:56:03 AM`, newer `Jul 9, 2024, 4:41:37 PM` (facts/aws.md b.1); the space before AM may be a narrow one. */
const WRITTEN = /^([A-Z][a-z]{2}) (\d{1,2}), (\d{4}),? (\d{1,2}):(\d{2}):(\d{2})\s([AP])M$/

/** When the credentials that this record (in CloudTrail's own spelling) issued run out: as STS answered, else by the duration that was asked for. Null where neither is there. */
export function issuedUntil(record: JsonObject, timeNs: bigint): bigint | null {
  const written = at(record, 'responseElements.credentials.expiration')
  const told = readTime(written) ?? parseWritten(str(written) ?? '')
  if (told !== null) return told
  const seconds = num(at(record, 'requestParameters.durationSeconds'))
  return seconds !== null && Number.isInteger(seconds) && seconds > 0 && seconds <= 129_600 ? timeNs + BigInt(seconds) * SECOND : null
}

function parseWritten(text: string): bigint | null {
  const [, month, day, year, hour, minute, second, half] = WRITTEN.exec(text) ?? []
  const index = MONTHS.indexOf(month ?? '')
  if (index < 0 || half === undefined) return null
  const two = (part: string | number | undefined): string => String(part).padStart(2, '0')
  return parseTime(`${year}-${two(index + 1)}-${two(day)}T${two((Number(hour) % 12) + (half === 'P' ? 12 : 0))}:${minute}:${second}Z`)
}
