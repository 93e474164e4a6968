import fc from 'fast-check'
import { expect, test } from 'vitest'
import { spanWords, timeTicks, toMillis } from './time.ts'

test('nanoseconds count in the place of a point', () => {
  expect(toMillis('2026-09-01T10:00:00.123456789Z')).toBeCloseTo(Date.UTC(2026, 8, 1, 10, 0, 0, 123) + 0.456789, 3)
  expect(toMillis('2026-09-01T10:00:00Z')).toBe(Date.UTC(2026, 8, 1, 10))
})

test('ticks stand inside the period, in order, and never more than asked for', () => {
  const start = Date.UTC(2026, 0, 1)
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 3e11, noNaN: true }),
      fc.double({ min: 4, max: 3e11, noNaN: true }),
      fc.integer({ min: 2, max: 20 }),
      (offset, span, most) => {
        const from = start + offset
        const at = timeTicks(from, from + span, most).map((tick) => tick.at)
        expect(at.length).toBeLessThanOrEqual(most + 1)
        expect(at.every((time) => time >= from && time <= from + span)).toBe(true)
        expect(at).toEqual(at.toSorted((a, b) => a - b))
      },
    ),
  )
})

test('labels are as fine as the distance of the ticks', () => {
  const from = Date.UTC(2026, 8, 1, 10)
  expect(timeTicks(from, from + 10, 5).map((tick) => tick.label)).toContain('00:00.002')
  expect(timeTicks(from, from + 3_600_000, 4).map((tick) => tick.label)).toEqual(['10:00', '10:15', '10:30', '10:45', '11:00'])
  expect(timeTicks(from, from + 10 * 86_400_000, 10).map((tick) => tick.label)).toContain('09-02')
})

test('a span is told in its two largest units', () => {
  expect(spanWords(90_061_000)).toBe('1 d 1 h')
  expect(spanWords(12)).toBe('12 ms')
})
