import { expect, test } from 'vitest'
import type { JsonObject } from '#core/record.ts'
import { formatTime } from '#core/time.ts'
import { formats } from '#correlate/formats/index.ts'
import { normalised, readRecord } from '#correlate/formats/reading.ts'
import { simulateWorld } from '../simulate/simulate.ts'

test('each simulated record is recognised by one format, and says what the truth says it says', () => {
  let checked = 0
  for (const { text, truth } of simulateWorld({ seed: 21, agents: 16, days: 2, duplicates: 0.3, delays: 'wild' })) {
    const value = JSON.parse(text) as JsonObject
    const matching = formats.filter(([, format]) => format.recognise(value))
    expect(matching.length, text).toBe(1)
    const reading = readRecord(value)!
    // A simulated record is spelled as its cloud writes it.
    expect([reading.changed, reading.unreadable], text).toEqual([false, []])
    const answer = normalised(reading, {})
    if ('reject' in answer) throw new Error(`${answer.reject}: ${text}`)
    const { event } = answer
    expect(
      { nativeId: event.nativeId, source: event.source, time: formatTime(event.timeNs), outcome: event.outcome, onBehalfOf: event.onBehalfOf },
      text,
    ).toEqual({
      nativeId: truth.nativeId,
      source: truth.source,
      time: truth.time,
      outcome: truth.outcome,
      onBehalfOf: truth.onBehalfOf,
    })
    expect(truth.kinds, text).toContain(event.kind)
    if (!truth.skip.includes('targets')) expect(event.targets, text).toEqual(expect.arrayContaining([...truth.targets]))
    checked++
  }
  expect(checked).toBeGreaterThan(3_000)
})
