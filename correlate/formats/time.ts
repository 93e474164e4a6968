import { isInstant, parseTime } from '#core/time.ts'
import { isObj, type Value } from './read.ts'

/**
 * The instant that a record's member says, in all the forms in which exporters write one. Only forms that name one instant are read: `11/10/2026 10:00` is the tenth of
 * November or the eleventh of October, in a zone that nobody knows.
 *
 * - ISO 8601 (`parseTime`), also with BigQuery's ` UTC` at its end;
 * - `/Date(1794304800123)/` of Windows PowerShell 5.1 and .NET, also as `{value, DateTime}`;
 * - seconds, milliseconds, microseconds or nanoseconds since 1970, as number or text: their size tells them apart from 2001 to 2286;
 * - `{seconds, nanos}` of protocol buffers.
 *
 * Null where there is none: a null time of an SDK (1970, year 1) is none either (facts/entra.md e.1).
 */
export function readTime(value: Value): bigint | null {
  const time = instant(value)
  return time !== null && isInstant(time) ? time : null
}

function instant(value: Value): bigint | null {
  if (typeof value === 'string') return parseTime(value) ?? ofText(value.trim())
  if (typeof value === 'number') return Number.isFinite(value) ? ofEpoch(digitsOf(value)) : null
  if (!isObj(value)) return null
  const { value: wrapped, seconds, nanos, $date: date } = value
  if (typeof wrapped === 'string') return instant(wrapped)
  if (date !== undefined) return instant(date)
  const [whole, part] = [wholeOf(seconds), nanos === undefined || nanos === null ? 0n : wholeOf(nanos)]
  return whole === null || part === null ? null : whole * 1_000_000_000n + part
}

function ofText(text: string): bigint | null {
  const zoned = text.endsWith(' UTC') ? parseTime(`${text.slice(0, -4)}Z`) : parseTime(text)
  if (zoned !== null) return zoned
  // The zone behind the milliseconds is the writer's; the instant is theirs whatever it says.
  const date = /^\\?\/Date\((-?\d{1,16})(?:[+-]\d{4})?\)\\?\/$/.exec(text)?.[1]
  if (date !== undefined) return BigInt(date) * 1_000_000n
  return ofEpoch(text)
}

const UNITS: readonly (readonly [digits: number, nanos: bigint])[] = [
  [10, 1_000_000_000n],
  [13, 1_000_000n],
  [16, 1000n],
  [19, 1n],
]

/** Decimal digits, also as BigQuery's REST API writes them (`1.7943048005E9`). */
function ofEpoch(text: string): bigint | null {
  const [, whole = '', fraction = '', exponent = '0'] = /^(\d{1,19})(?:\.(\d{1,19}))?(?:[eE]\+?(\d{1,2}))?$/.exec(text) ?? []
  if (whole === '') return null
  const shift = Number(exponent)
  const before = whole + fraction.slice(0, shift).padEnd(shift, '0')
  const after = fraction.slice(shift)
  const unit = UNITS.find(([digits]) => before.length === digits)?.[1]
  if (unit === undefined) return null
  const rest = after === '' ? 0n : (BigInt(after) * unit) / 10n ** BigInt(after.length)
  return BigInt(before) * unit + rest
}

/** Beyond 2^53 the last digits of a JSON number are lost: what is certain is the microsecond. */
function digitsOf(value: number): string {
  return Number.isSafeInteger(value) || value < Number.MAX_SAFE_INTEGER ? String(value) : `${BigInt(Math.trunc(value)) / 1000n}`
}

function wholeOf(value: Value): bigint | null {
  return (typeof value === 'number' && Number.isSafeInteger(value)) || (typeof value === 'string' && /^-?\d{1,19}$/.test(value)) ? BigInt(value) : null
}

/** The reason why a record has no time: it says none, or something that is none. `places` are the members where it may stand, by their names. */
export function noTime(places: Readonly<Record<string, Value>>): string {
  for (const [name, value] of Object.entries(places)) {
    if (value === undefined || value === null || value === '' || value === 'null') continue
    return `${name} must be an instant (ISO 8601 or since 1970), got ${JSON.stringify(value).slice(0, 60)}`
  }
  return `no event time (${Object.keys(places).join(', ')})`
}
