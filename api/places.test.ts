import { expect, test } from 'vitest'
import { createPlaces } from './places.ts'

const leaveOf = (place: ReturnType<ReturnType<typeof createPlaces>['enter']>): (() => void) => {
  if ('full' in place) throw new Error(`no place: ${place.full}`)
  return place.leave
}

test('one caller takes its own places only, and all callers together no more than there are', () => {
  const { enter } = createPlaces({ all: 3, perCaller: 2 })
  const first = leaveOf(enter('a'))
  leaveOf(enter('a'))
  expect(enter('a')).toEqual({ full: 'caller' })
  leaveOf(enter('b'))
  expect(enter('b')).toEqual({ full: 'all' })
  first()
  leaveOf(enter('b'))
})

test('a place that is given back twice is one place', () => {
  const { enter } = createPlaces({ all: 2, perCaller: 2 })
  const first = leaveOf(enter('a'))
  leaveOf(enter('b'))
  first()
  first()
  leaveOf(enter('a'))
  expect(enter('c')).toEqual({ full: 'all' })
})
