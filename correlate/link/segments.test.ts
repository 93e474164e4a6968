import { expect, test } from 'vitest'
import type { EventId } from '#core/keys.ts'
import type { Source } from '#core/event.ts'
import { joinSegments, type Part, withContents } from './segments.ts'
import { QUIET_NS } from './sessions.ts'

/** The longest gap that holds a trace together. */
const QUIET_MINUTES = Number(QUIET_NS / 60_000_000_000n)

const event = (minutes: number, source: Source, id = `${minutes}`): Part => {
  const at = BigInt(minutes) * 60_000_000_000n
  return { start: at, end: at, first: id as EventId, events: 1n, sources: [source] }
}

const shown = ({ first, events, sources }: Part): readonly unknown[] => [first, events, sources]

test('segments hold what lies in them, their edges too, sources in one order and once', () => {
  const parts = [event(0, 'gcp'), event(QUIET_MINUTES, 'aws'), event(1, 'gcp'), event(200, 'app'), event(201, 'entra')]
  expect(withContents(joinSegments(parts), parts).map(shown)).toEqual([
    ['0', 3n, ['aws', 'gcp']],
    ['200', 2n, ['entra', 'app']],
  ])
})

test('what was counted before adds up with what joins, in any order', () => {
  const parts = [event(0, 'aws'), event(1, 'gcp'), event(20, 'aws'), event(45, 'entra')]
  const [whole] = withContents(joinSegments(parts), parts)
  for (const order of [
    [0, 1, 2, 3],
    [3, 2, 1, 0],
    [1, 3, 0, 2],
    [0, 3, 1, 2],
  ]) {
    let traces: readonly Part[] = []
    for (const index of order) {
      const all = [...traces, parts[index]!]
      traces = withContents(joinSegments(all), all)
    }
    expect(traces).toEqual([whole])
  }
})

test('nothing makes no segment', () => {
  expect(withContents(joinSegments([]), [])).toEqual([])
})
