/** Times as access logs write them and no cloud does. */
import { isObj, type Value } from '../read.ts'

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/**
 * The time as ISO 8601 where it is one of these; anything else as it is:
 * - `10/Nov/2026:10:05:00 +0000` (nginx, Apache), also in brackets;
 * - ISO 8601 to the minute (`2026-11-10T10:05Z`);
 * - `Tue, 10 Nov 2026 10:05:00 GMT` (HTTP);
 * - `{epochSecond, nanoOfSecond}` (Log4j).
 */
export function timeText(value: Value): Value {
  if (isObj(value)) return instant(value['epochSecond'], value['nanoOfSecond']) ?? value
  if (typeof value !== 'string') return value
  const text = value.trim()
  const [, day, month, year, clock, zone] =
    /^\[?(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}:\d{2}:\d{2}(?:\.\d+)?) ([+-]\d{4})\]?$/.exec(text) ??
    /^(?:[A-Z][a-z]{2}, )?(\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}:\d{2}:\d{2}) (GMT|UTC|[+-]\d{4})$/.exec(text) ??
    []
  if (month !== undefined && MONTHS.includes(month))
    return `${year}-${String(MONTHS.indexOf(month) + 1).padStart(2, '0')}-${day}T${clock}${/^[A-Z]/.test(zone!) ? 'Z' : zone}`
  const minute = /^(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2})(Z|[+-]\d{2}:?\d{2})$/.exec(text)
  return minute ? `${minute[1]}:00${minute[2]}` : value
}

function instant(seconds: Value, nanos: Value): string | null {
  if (typeof seconds !== 'number' || !Number.isSafeInteger(seconds) || seconds < 0 || seconds > 253_402_300_799) return null
  const rest = typeof nanos === 'number' && Number.isSafeInteger(nanos) && nanos >= 0 && nanos < 1e9 ? nanos : 0
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${String(rest).padStart(9, '0')}Z`
}
