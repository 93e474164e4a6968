import { describe, expect, test } from 'vitest'
import { formatTime } from '#core/time.ts'
import { answerTo } from '../golden.ts'
import { expectedRecords, recognisers, sample, scenarioRecords } from './fixtures.ts'

describe.each(['option-1-one-agent', 'option-1-shared-uami', 'option-2-three-agents', 'role-chain'])('%s', (name) => {
  test('every Entra record gives the expected event, and no other', () => {
    const events = scenarioRecords(name).map((value) => {
      const [format, ...others] = recognisers(value)
      expect(others).toEqual([])
      const answer = answerTo(format!, value)
      if (!('event' in answer)) throw new Error(answer.reject)
      return answer.event
    })
    const expected = expectedRecords(name)
    expect(events.map((event) => event.nativeId).toSorted()).toEqual(expected.map((record) => record.nativeId).toSorted())
    for (const record of expected) {
      const event = events.find((one) => one.nativeId === record.nativeId)!
      expect(event).toMatchObject({
        source: 'entra',
        kind: record.kind,
        onBehalfOf: record.onBehalfOf,
        tenantId: record.tenantId,
      })
      expect(formatTime(event.timeNs)).toBe(record.time)
      expect(event.targets).toEqual(expect.arrayContaining([...record.targets]))
      if (!record.skip.includes('subject')) expect(event.proof).toMatchObject({ by: 'principal', oid: record.subjectOid })
    }
  })
})

describe('public samples', () => {
  test.each([
    ['msticpy-signinlogs.first30.ndjson', { 'token.issued success': 28, 'token.issued failure': 2 }],
    ['otrf-goldensaml-auditlogs.ndjson', { 'trust.changed success': 2, 'identity.changed success': 2 }],
    [
      'panther-azure-signin.half.ndjson',
      {
        'token.issued success': 7,
        'token.issued failure': 8,
        'trust.changed success': 1,
        'identity.changed success': 1,
        'other success': 5,
      },
    ],
    ['stratus-docs.ndjson', { 'no event time (activityDateTime, timeGenerated)': 3 }],
  ])('%s: each record is recognised once and gives an event or a reason', (file, totals) => {
    const found: Record<string, number> = {}
    for (const value of sample(file)) {
      const formats = recognisers(value)
      expect(formats).toHaveLength(1)
      const answer = answerTo(formats[0]!, value)
      const key = 'event' in answer ? `${answer.event.kind} ${answer.event.outcome}` : answer.reject
      found[key] = (found[key] ?? 0) + 1
    }
    expect(found).toEqual(totals)
  })
})
