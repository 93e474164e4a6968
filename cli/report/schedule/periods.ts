/** Which periods of a scheduled report are due. Everything is UTC: no time of day happens twice or never. Pure. */

export interface Period {
  /** First day, and the day after the last one. */
  readonly from: string
  readonly to: string
}

export type Every = 'day' | 'week' | 'month'

const DAY_MS = 86_400_000
/** A report that was forgotten for longer does not fill the disk with what nobody asked for. */
const MOST = 400

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
const midnight = (day: string): number => Date.parse(`${day}T00:00:00Z`)

/** The day that the period begins with in which a day lies. Weeks begin on Monday (ISO 8601). */
function startOf(day: string, every: Every): string {
  if (every === 'day') return day
  if (every === 'month') return `${day.slice(0, 7)}-01`
  const weekday = (new Date(midnight(day)).getUTCDay() + 6) % 7
  return dayOf(midnight(day) - weekday * DAY_MS)
}

function next(start: string, every: Every): string {
  if (every === 'month') {
    const [year, month] = start.split('-').map(Number) as [number, number]
    return dayOf(Date.UTC(year, month, 1))
  }
  return dayOf(midnight(start) + (every === 'week' ? 7 : 1) * DAY_MS)
}

/** When the report of a period is due: Unix time in milliseconds. */
export const dueAt = ({ to }: Period, afterMinutes: number): number => midnight(to) + afterMinutes * 60_000

/**
 * The periods that are due and not made, the oldest first; of a report that was never made, the last one only.
 * @param madeTo where the last period that was made ended; null when none was
 * @param now Unix time in milliseconds
 */
export function duePeriods(every: Every, afterMinutes: number, madeTo: string | null, now: number): Period[] {
  // The last period that has ended so long ago.
  const end = startOf(dayOf(now - afterMinutes * 60_000), every)
  const last: Period = { from: startOf(dayOf(midnight(end) - DAY_MS), every), to: end }
  if (madeTo === null) return [last]
  const periods: Period[] = []
  for (let period = last; period.to > madeTo && periods.length < MOST;) {
    periods.push(period)
    period = { from: startOf(dayOf(midnight(period.from) - DAY_MS), every), to: period.from }
  }
  return periods.toReversed()
}

/** The period that is due next. */
export function nextPeriod(every: Every, afterMinutes: number, now: number): Period {
  const from = startOf(dayOf(now - afterMinutes * 60_000), every)
  return { from, to: next(from, every) }
}

/** The period for a file's name: `2026-09-01`, or `2026-09-01_2026-09-30`, both days inclusive. */
export function periodName({ from, to }: Period): string {
  const last = dayOf(midnight(to) - DAY_MS)
  return from === last ? from : `${from}_${last}`
}
