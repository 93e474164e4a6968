/** Times as the three clouds write them. A moment inside the world is a whole number of milliseconds since 1970. */
import type { Random } from './random.ts'
import { DIGITS } from './random.ts'

/** Whole seconds, as CloudTrail: `2026-09-01T10:00:00Z`. The rest is cut off, not rounded. */
export function seconds(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`
}

/** What a record says about its time: the text in the record and the same instant with nine digits. */
export interface WrittenTime {
  readonly text: string
  readonly nine: string
  /** The instant that the record names, ms (fraction cut). */
  readonly at: number
}

export function awsTime(at: number): WrittenTime {
  const text = seconds(at)
  return { text, nine: `${text.slice(0, -1)}.000000000Z`, at: at - (at % 1000) }
}

/** 100-ns steps, as Entra: seven digits, with the zone asked for. */
export function entraTime(at: number, random: Random): WrittenTime {
  const text = `${new Date(at).toISOString().slice(0, 23)}${random.text(DIGITS, 4)}`
  return { text, nine: `${text}00Z`, at }
}

/** Nanoseconds, as Google Cloud. */
export function gcpTime(at: number, random: Random): WrittenTime {
  const nine = `${new Date(at).toISOString().slice(0, 23)}${random.text(DIGITS, 6)}Z`
  return { text: nine, nine, at }
}

export function apiTime(at: number): WrittenTime {
  const text = new Date(at).toISOString()
  return { text, nine: `${text.slice(0, -1)}000000Z`, at }
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** STS writes a credential's expiry like `Jun 2, 2026, 10:29:06 AM`. */
export function stsExpiry(at: number): string {
  const date = new Date(at)
  const hour = date.getUTCHours()
  const two = (value: number) => String(value).padStart(2, '0')
  return `${MONTHS[date.getUTCMonth()]} ${date.getUTCDate()}, ${date.getUTCFullYear()}, ${hour % 12 || 12}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} ${hour < 12 ? 'AM' : 'PM'}`
}
