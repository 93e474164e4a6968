/** Times are shown in UTC, as the clouds write them: an analyst compares them with the raw records. */

/** Milliseconds since 1970 with a fraction; good to a quarter of a microsecond, enough to place a point. The text stays the truth. */
export function toMillis(time: string): number {
  const whole = Date.parse(`${time.slice(0, 19)}Z`)
  const fraction = /^\.(\d+)/.exec(time.slice(19))?.[1]
  return fraction ? whole + Number(`0.${fraction}`) * 1000 : whole
}

/** `2026-09-01 10:00:00.123` from the API's time. */
export const shortTime = (time: string): string => time.slice(0, 23).replace('T', ' ')
/** `2026-09-01 10:00`. */
export const minuteTime = (time: string): string => time.slice(0, 16).replace('T', ' ')

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** Of weeks, so that ticks stay on one weekday. */
const YEAR = 364 * DAY
const STEPS = [
  1,
  2,
  5,
  10,
  20,
  50,
  100,
  200,
  500,
  SECOND,
  2 * SECOND,
  5 * SECOND,
  10 * SECOND,
  15 * SECOND,
  30 * SECOND,
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  2 * DAY,
  7 * DAY,
  14 * DAY,
  28 * DAY,
  91 * DAY,
] as const

export interface Tick {
  readonly at: number
  readonly label: string
}

/** Round instants inside [from, to], at most `most` of them, labelled as finely as their distance needs. */
export function timeTicks(from: number, to: number, most: number): Tick[] {
  const step = STEPS.find((size) => (to - from) / size <= most) ?? YEAR * Math.ceil((to - from) / YEAR / most)
  const ticks: Tick[] = []
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
    const iso = new Date(at).toISOString()
    const midnight = at % DAY === 0
    const label =
      step >= 28 * DAY
        ? iso.slice(0, 10)
        : step >= DAY || midnight
          ? iso.slice(5, 10)
          : step >= MINUTE
            ? iso.slice(11, 16)
            : step >= SECOND
              ? iso.slice(11, 19)
              : iso.slice(14, 23)
    ticks.push({ at, label })
  }
  return ticks
}

/** How long a span is, in the two largest units that matter. */
export function spanWords(millis: number): string {
  if (millis < SECOND) return `${Math.round(millis)} ms`
  const parts: string[] = []
  let rest = millis
  for (const [size, unit] of [
    [DAY, 'd'],
    [HOUR, 'h'],
    [MINUTE, 'min'],
    [SECOND, 's'],
  ] as const) {
    const count = Math.floor(rest / size)
    if (count > 0) parts.push(`${count} ${unit}`)
    rest -= count * size
  }
  return parts.slice(0, 2).join(' ')
}
