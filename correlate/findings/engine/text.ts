/** Words for explanations. */
import { formatTime } from '#core/time.ts'

/** A moment as people read it; seconds are enough beside the evidence. */
export const moment = (timeNs: bigint): string => `${formatTime(timeNs).slice(0, 19)}Z`

/** `1 exchange`, `3 exchanges`. */
export const counted = (count: number, noun: string, several = `${noun}s`): string => `${count} ${count === 1 ? noun : several}`

/** `between A and B`, or `at A`. */
export function during(times: readonly bigint[]): string {
  const first = times.reduce((a, b) => (b < a ? b : a))
  const last = times.reduce((a, b) => (b > a ? b : a))
  return moment(first) === moment(last) ? `at ${moment(first)}` : `between ${moment(first)} and ${moment(last)}`
}

/** Distinct values, sorted. */
export const sorted = <Value extends string>(values: Iterable<Value | null>): Value[] => [...new Set([...values].filter((value) => value !== null))].toSorted()

/** `a, b and c`; long lists are cut with the number of what is left. */
export function list(values: readonly string[], most = 6): string {
  const shown = values.slice(0, most)
  const rest = values.length - shown.length
  const all = rest > 0 ? [...shown, `${rest} more`] : shown
  return all.length < 2 ? (all[0] ?? 'none') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`
}

/** Cloud names as people write them. */
export const cloudName = (source: string): string => ({ aws: 'AWS', gcp: 'Google Cloud', entra: 'Entra', app: 'the API' })[source] ?? source
