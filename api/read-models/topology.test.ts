import { expect, test } from 'vitest'
import { formatTime } from '#core/time.ts'
import { periodsOf, type Way } from './topology.ts'

const way = (topology: Way['topology'], first: number, last: number): Way => ({ topology, firstNs: BigInt(first), lastNs: BigInt(last) })
const brief = (...ways: Way[]): string[] =>
  periodsOf(ways).map(({ topology, since, until }) => `${topology} ${since.slice(-4, -1)}-${until === null ? '' : until.slice(-4, -1)}`)

test('one way is one period that goes on', () => {
  expect(brief(way('option-1', 100, 200))).toEqual(['option-1 100-'])
  expect(periodsOf([way('option-2', 0, 0)])).toEqual([{ topology: 'option-2', since: formatTime(0n), until: null }])
  expect(brief()).toEqual([])
})

test('a migration that was finished has its date', () => {
  expect(brief(way('option-2', 300, 400), way('option-1', 100, 200))).toEqual(['option-1 100-300', 'option-2 300-'])
})

test('two ways at once are mixed from the begin of the second to the end of the first', () => {
  expect(brief(way('option-1', 100, 300), way('option-2', 200, 400))).toEqual(['option-1 100-200', 'mixed 200-301', 'option-2 301-'])
  expect(brief(way('option-1', 100, 400), way('option-2', 200, 300))).toEqual(['option-1 100-200', 'mixed 200-301', 'option-1 301-'])
  expect(brief(way('option-1', 100, 400), way('option-2', 100, 400))).toEqual(['mixed 100-'])
})

test('three ways are told in their order', () => {
  expect(brief(way('bridge', 100, 110), way('option-1', 120, 130), way('option-2', 140, 150))).toEqual(['bridge 100-120', 'option-1 120-140', 'option-2 140-'])
})
