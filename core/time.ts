/**
 * Times are nanoseconds since 1970 as `bigint`: GCP logs nanoseconds, Entra 100 ns, and a JavaScript Date would lose both.
 *
 * The one written rule for times in records: ISO 8601 with any number of fraction digits; a space may stand for the `T`; a
 * missing zone means UTC (Log Analytics exports and Panther fixtures drop it); a date without a time is no time. Anything
 * else is refused, never guessed: a record without a time is rejected, never stamped "now".
 */
const ISO = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,12}))?\s?(Z|z|[+-]\d{2}:?\d{2})?$/

/** Nanoseconds since 1970 of an ISO time, or null when the text is not one (or names no real instant). */
export function parseTime(value: unknown): bigint | null {
  if (typeof value !== 'string') return null
  const match = ISO.exec(value)
  if (!match) return null
  const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = match
  const utc = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second))
  const back = new Date(utc)
  // `Date.UTC` takes the years 0 to 99 for 1900 to 1999.
  if (back.getUTCFullYear() !== Number(year)) return null
  if (back.getUTCMonth() + 1 !== Number(month) || back.getUTCDate() !== Number(day) || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60)
    return null
  const nanos = BigInt(fraction.padEnd(9, '0').slice(0, 9))
  return BigInt(utc) * 1_000_000n + nanos - offsetNanos(zone)
}

/** Year 1, 1970 and the like are what programs write for "no time": no event of any cloud is that old. */
export function isInstant(nanos: bigint): boolean {
  return nanos > 0n
}

function offsetNanos(zone: string): bigint {
  if (zone === 'Z' || zone === 'z') return 0n
  const sign = zone.startsWith('-') ? -1n : 1n
  const digits = zone.slice(1).replace(':', '')
  return sign * (BigInt(digits.slice(0, 2)) * 60n + BigInt(digits.slice(2))) * 60_000_000_000n
}

/** The instant as ISO text in UTC with nine fraction digits, as the API and the exports print it. */
export function formatTime(nanos: bigint): string {
  const millis = nanos >= 0n ? nanos / 1_000_000n : (nanos - 999_999n) / 1_000_000n
  const rest = nanos - millis * 1_000_000n
  const iso = new Date(Number(millis)).toISOString()
  return `${iso.slice(0, -1)}${rest.toString().padStart(6, '0')}Z`
}

export const SECOND = 1_000_000_000n
export const MINUTE = 60n * SECOND
export const HOUR = 60n * MINUTE
export const DAY = 24n * HOUR
