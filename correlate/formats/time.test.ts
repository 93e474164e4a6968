import { expect, test } from 'vitest'
import { formatTime } from '#core/time.ts'
import type { Value } from './read.ts'
import { noTime, readTime } from './time.ts'

const INSTANT = '2026-11-10T10:00:00.123000000Z'

test.each<[string, Value]>([
  ['ISO 8601', '2026-11-10T10:00:00.123Z'],
  ['ISO 8601 with a zone', '2026-11-10T12:00:00.1230000+02:00'],
  ['Athena', '2026-11-10 10:00:00.123'],
  ['BigQuery', '2026-11-10 10:00:00.123000 UTC'],
  ["BigQuery's REST API", '1.794304800123E9'],
  ['Windows PowerShell 5.1', '/Date(1794304800123)/'],
  ['an escaped date of .NET', String.raw`\/Date(1794304800123)\/`],
  ['.NET with the zone of the writer', '/Date(1794304800123+0200)/'],
  ['a date with its display of Windows PowerShell 5.1', { value: '/Date(1794304800123)/', DisplayHint: 2, DateTime: 'Tuesday, 10 November 2026 10:00:00' }],
  ['seconds with a fraction', 1794304800.123],
  ['seconds as text', '1794304800.123'],
  ['milliseconds', 1794304800123],
  ['milliseconds as text', '1794304800123'],
  ['microseconds', 1794304800123000],
  ['nanoseconds as text', '1794304800123000000'],
  ['nanoseconds as a number', 1794304800123000000],
  ['a protocol buffer', { seconds: '1794304800', nanos: 123000000 }],
  ['MongoDB', { $date: '2026-11-10T10:00:00.123Z' }],
])('%s says an instant', (_, written) => {
  expect(formatTime(readTime(written)!)).toBe(INSTANT)
})

test('digits are kept as far as they are written', () => {
  expect(formatTime(readTime('1794304800123456789')!)).toBe('2026-11-10T10:00:00.123456789Z')
  expect(formatTime(readTime({ seconds: 1794304800, nanos: 123456789 })!)).toBe('2026-11-10T10:00:00.123456789Z')
  expect(formatTime(readTime('2026-11-10T10:00:00.1234567Z')!)).toBe('2026-11-10T10:00:00.123456700Z')
})

test.each<[Value]>([
  ['11/10/2026 10:00:00 AM'],
  ['Tuesday, 10 November 2026 10:00:00'],
  ['2026-11-10'],
  ['0000-00-00T00:00:00.000Z'],
  ['0000-01-01T00:00:00Z'],
  ['0001-01-01T00:00:00Z'],
  ['0099-01-01T00:00:00Z'],
  ['1970-01-01T00:00:00Z'],
  ['/Date(-62135596800000)/'],
  [0],
  [17],
  [-1794304800],
  [Number.NaN],
  [true],
  [{ seconds: 'soon' }],
  [{}],
  [[]],
  [null],
  [undefined],
])('%j is no instant', (written) => {
  expect(readTime(written)).toBeNull()
})

test('the reason names what is missing, or the value that is none', () => {
  expect(noTime({ time: undefined, other: null })).toBe('no event time (time, other)')
  expect(noTime({ time: '', other: '0000-00-00' })).toBe('other must be an instant (ISO 8601 or since 1970), got "0000-00-00"')
})
