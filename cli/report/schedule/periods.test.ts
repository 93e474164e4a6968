import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dueAt, duePeriods, nextPeriod, periodName } from './periods.ts'

const at = (text: string): number => Date.parse(text)
const brief = (...args: Parameters<typeof duePeriods>) => duePeriods(...args).map(periodName)

describe('what is due', () => {
  test('for the first time is the last whole period, and no history', () => {
    expect(brief('month', 360, null, at('2026-11-24T10:00:00Z'))).toEqual(['2026-10-01_2026-10-31'])
    expect(brief('week', 360, null, at('2026-11-24T10:00:00Z'))).toEqual(['2026-11-16_2026-11-22'])
    expect(brief('day', 360, null, at('2026-11-24T10:00:00Z'))).toEqual(['2026-11-23'])
  })
  test('waits for its time of day after the end of the period', () => {
    expect(brief('month', 360, '2026-10-01', at('2026-11-01T05:59:59Z'))).toEqual([])
    expect(brief('month', 360, '2026-10-01', at('2026-11-01T06:00:00Z'))).toEqual(['2026-10-01_2026-10-31'])
    expect(brief('day', 2 * 1440, '2026-11-22', at('2026-11-24T10:00:00Z'))).toEqual([])
    expect(brief('day', 2 * 1440, '2026-11-22', at('2026-11-25T00:00:00Z'))).toEqual(['2026-11-22'])
  })
  test('after an outage is everything that was missed, the oldest first', () => {
    expect(brief('day', 0, '2026-02-27', at('2026-03-02T00:30:00Z'))).toEqual(['2026-02-27', '2026-02-28', '2026-03-01'])
    expect(brief('month', 0, '2025-12-01', at('2026-02-10T00:00:00Z'))).toEqual(['2025-12-01_2025-12-31', '2026-01-01_2026-01-31'])
    expect(duePeriods('day', 0, '2000-01-01', at('2026-01-01T00:00:00Z'))).toHaveLength(400)
  })
  test('is nothing that was made already, nor anything of the future', () => {
    expect(brief('day', 0, '2026-11-24', at('2026-11-24T10:00:00Z'))).toEqual([])
    expect(brief('day', 0, '2027-11-24', at('2026-11-24T10:00:00Z'))).toEqual([])
  })
})

test('run at any moments, every day is reported exactly once, without gap or overlap', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('day' as const, 'week' as const, 'month' as const),
      fc.nat({ max: 4_000 }),
      fc.array(fc.integer({ min: 1, max: 40 * 24 * 60 }), { minLength: 1, maxLength: 12 }),
      (every, afterMinutes, pauses) => {
        let now = at('2026-01-15T12:34:56Z')
        let madeTo: string | null = null
        const made = []
        for (const pause of pauses) {
          for (const period of duePeriods(every, afterMinutes, madeTo, now)) {
            expect(dueAt(period, afterMinutes)).toBeLessThanOrEqual(now)
            if (madeTo !== null) expect(period.from).toBe(madeTo)
            made.push(period)
            madeTo = period.to
          }
          const upcoming = nextPeriod(every, afterMinutes, now)
          expect(dueAt(upcoming, afterMinutes)).toBeGreaterThan(now)
          expect(upcoming.from).toBe(madeTo)
          now += pause * 60_000
        }
        expect(made.length).toBeGreaterThan(0)
      },
    ),
  )
})
