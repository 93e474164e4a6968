import { expect, test } from 'vitest'
import { createPlaces, createQueue } from './places.ts'

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

const queue = (more: Partial<Parameters<typeof createQueue>[0]> = {}) =>
  createQueue({ all: 3, perCaller: 2, waiting: { all: 4, perCaller: 3 }, patienceMs: 30_000, ...more })
const waits = new AbortController().signal
type Entered = Awaited<ReturnType<ReturnType<typeof createQueue>['enter']>>
const leave = (place: Entered): void => leaveOf(place)()

test('whoever comes while all places are taken waits for one, in order', async () => {
  const { enter } = queue({ all: 1, perCaller: 1 })
  const first = await enter('a', waits)
  const order: string[] = []
  const rest = ['b', 'c', 'd'].map(async (caller) => {
    const place = await enter(caller, waits)
    order.push(caller)
    leave(place)
  })
  leave(first)
  await Promise.all(rest)
  expect(order).toEqual(['b', 'c', 'd'])
})

test('a caller that has all of its own places holds nobody up who comes behind it', async () => {
  const { enter } = queue()
  const [one] = [await enter('a', waits), await enter('a', waits)]
  let entered = false
  const third = enter('a', waits).then((place) => {
    entered = true
    return place
  })
  leave(await enter('b', waits))
  expect(entered).toBe(false)
  leave(one)
  leave(await third)
})

test('who waits in vain is told whose limit it was: after its time, when the line is full, and when it has gone', async () => {
  const { enter } = queue({ patienceMs: 20 })
  await enter('a', waits)
  await enter('a', waits)
  expect(await enter('a', waits)).toEqual({ full: 'caller' })
  await enter('b', waits)
  expect(await enter('c', waits)).toEqual({ full: 'all' })
  const patient = queue({ all: 1, perCaller: 1, waiting: { all: 1, perCaller: 1 } })
  const place = await patient.enter('a', waits)
  const gone = new AbortController()
  const left = patient.enter('b', gone.signal)
  expect(await patient.enter('c', waits)).toEqual({ full: 'all' })
  gone.abort()
  expect(await left).toEqual({ full: 'all' })
  // The place of who has gone is not lost.
  const next = patient.enter('d', waits)
  leave(place)
  leave(await next)
})
