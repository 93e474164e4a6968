import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import type { EventId } from '#core/keys.ts'
import { eventId } from '#core/record.ts'
import { contributionsOf, type UsageEvent, usageRowId } from './contribution.ts'

const START = 1_780_012_800_000_000_000n
const DAY = 86_400_000_000_000n

function event(name: string, fields: Partial<UsageEvent> = {}): UsageEvent {
  return {
    id: name as EventId,
    timeNs: START,
    kind: 'llm.invoked',
    outcome: 'success',
    errorCode: null,
    source: 'aws',
    requestKey: 'r',
    secondary: null,
    account: '111122223333',
    region: 'us-east-1',
    ranRegion: null,
    model: 'nova-lite-v1',
    modelId: 'amazon.nova-lite-v1:0',
    inputTokens: null,
    outputTokens: null,
    cacheReadTokens: null,
    cacheWriteTokens: null,
    tenantId: 't',
    agentOid: 'a',
    confidence: 'exact',
    candidates: [],
    ...fields,
  }
}
const log = (name: string, input: number | null, fields: Partial<UsageEvent> = {}): UsageEvent =>
  event(name, { kind: 'llm.metered', inputTokens: input, ...fields })
const brief = (events: readonly UsageEvent[]) =>
  contributionsOf(events).map(({ eventId: id, row, counts }) => [id, counts.calls, counts.errors, counts.inputTokens, row.share, row.agentOid, row.tokenBasis])

describe('a call', () => {
  test('and its usage log count once, under what is concluded about the call', () => {
    expect(brief([log('2', 7, { agentOid: 'other', timeNs: START + DAY }), event('1')])).toEqual([['1', 1, 0, 7, 'agent', 'a', 'metered']])
  })
  test('without a usage log has unknown tokens', () => {
    expect(brief([event('1')])).toEqual([['1', 1, 0, 0, 'agent', 'a', 'none']])
    expect(brief([event('1'), log('2', null)])).toEqual([['1', 1, 0, 0, 'agent', 'a', 'none']])
  })
  test('that only its usage log tells of is a call', () => {
    expect(brief([log('2', 7, { confidence: 'none', agentOid: null })])).toEqual([['2', 1, 0, 7, 'unattributed', null, 'metered']])
  })
  test('with several usage logs has the tokens of the one with the smallest id', () => {
    expect(brief([log('3', 100), log('2', 7), event('1')])).toEqual([['1', 1, 0, 7, 'agent', 'a', 'metered']])
    expect(brief([log('3', 100), log('2', 7)])).toEqual([['2', 1, 0, 7, 'agent', 'a', 'metered']])
  })
  test('failed when either of its records says so', () => {
    expect(brief([event('1', { outcome: 'failure' })])[0]).toEqual(['1', 1, 1, 0, 'agent', 'a', 'none'])
    expect(brief([event('1'), log('2', 7, { outcome: 'failure' })])[0]).toEqual(['1', 1, 1, 7, 'agent', 'a', 'metered'])
  })
  test('takes the name of its model from the log when it has none itself', () => {
    expect(contributionsOf([event('1', { model: null, modelId: null }), log('2', 7)])[0]?.row).toMatchObject({
      model: 'nova-lite-v1',
      modelId: 'amazon.nova-lite-v1:0',
    })
  })
  test('of a cloud without usage logs stands alone', () => {
    const calls = [event('1', { source: 'gcp', requestKey: null }), event('2', { source: 'gcp', requestKey: null })]
    expect(brief(calls)).toEqual([
      ['1', 1, 0, 0, 'agent', 'a', 'none'],
      ['2', 1, 0, 0, 'agent', 'a', 'none'],
    ])
  })
  test('counts for the UTC day it was made on', () => {
    expect(contributionsOf([event('1', { timeNs: START - 1n })])[0]?.row.day).toBe('2026-05-28')
    expect(contributionsOf([event('1')])[0]?.row.day).toBe('2026-05-29')
  })
})

describe('two invocations with one request id', () => {
  test('of one caller are two calls, the tokens beside the first', () => {
    expect(brief([event('2', { timeNs: START + 1n }), log('3', 7), event('1')])).toEqual([
      ['1', 1, 0, 7, 'agent', 'a', 'metered'],
      ['2', 1, 0, 0, 'agent', 'a', 'none'],
    ])
  })
  test('of two callers leave the tokens with nobody', () => {
    const events = [event('1'), event('2', { agentOid: 'b' }), log('3', 7, { agentOid: null, confidence: 'none', outcome: 'failure' })]
    expect(brief(events)).toEqual([
      ['1', 1, 0, 0, 'agent', 'a', 'none'],
      ['2', 1, 0, 0, 'agent', 'b', 'none'],
      ['3', 0, 0, 7, 'unattributed', null, 'metered'],
    ])
  })
})

describe('records that continue or repeat a request', () => {
  const later = (name: string, fields: Partial<UsageEvent> = {}): UsageEvent => event(name, { secondary: true, agentOid: null, confidence: 'none', ...fields })
  test('add no call to the one that they belong to, whichever comes first', () => {
    expect(brief([later('0', { timeNs: START - 1n }), event('1'), later('2')])).toEqual([['1', 1, 0, 0, 'agent', 'a', 'none']])
    expect(brief([later('0'), event('1'), log('3', 7)])).toEqual([['1', 1, 0, 7, 'agent', 'a', 'metered']])
  })
  test('are one call together where nothing else tells of it', () => {
    expect(brief([later('2'), later('1')])).toEqual([['1', 1, 0, 0, 'unattributed', null, 'none']])
    expect(brief([later('2', { requestKey: null })])).toEqual([['2', 1, 0, 0, 'unattributed', null, 'none']])
  })
  test('make the call a failed one when they say so, and name its model when it does not', () => {
    expect(brief([event('1'), later('2', { outcome: 'failure' })])).toEqual([['1', 1, 1, 0, 'agent', 'a', 'none']])
    expect(contributionsOf([event('1', { model: null, modelId: null }), later('2')])[0]?.row.modelId).toBe('amazon.nova-lite-v1:0')
  })
})

test.each([
  ['exact', 'agent', 'a'],
  ['derived', 'agent', 'a'],
  ['probable', 'agent', 'a'],
  ['ambiguous', 'ambiguous', null],
  ['asserted', 'unattributed', null],
  ['none', 'unattributed', null],
] as const)('what is %s is %s use: what a caller only wrote down charges nobody', (confidence, share, agentOid) => {
  const row = contributionsOf([event('1', { confidence, candidates: confidence === 'ambiguous' ? ['a', 'b'] : [] })])[0]?.row
  expect(row).toMatchObject({ confidence, share, agentOid, candidates: confidence === 'ambiguous' ? ['a', 'b'] : [] })
})

const anyEvent = fc.record({
  name: fc.integer({ min: 0, max: 9 }),
  kind: fc.constantFrom('llm.invoked' as const, 'llm.metered' as const),
  outcome: fc.constantFrom('success' as const, 'failure' as const),
  requestKey: fc.constantFrom('r', 's', null),
  secondary: fc.constantFrom(true, null),
  agentOid: fc.constantFrom('a', 'b'),
  inputTokens: fc.constantFrom(null, 1, 10, 100),
  time: fc.integer({ min: 0, max: 3 }),
})
const anyEvents = fc
  .uniqueArray(anyEvent, { selector: (one) => one.name, maxLength: 10 })
  .map((list) =>
    list.map(({ name, time, inputTokens, ...fields }) =>
      event(String(name), { ...fields, timeNs: START + BigInt(time), inputTokens: fields.kind === 'llm.metered' ? inputTokens : null }),
    ),
  )

test('the order of the records does not matter', () => {
  const sorted = (events: readonly UsageEvent[]) => contributionsOf(events).toSorted((a, b) => (a.eventId < b.eventId ? -1 : 1))
  const shuffled = anyEvents.chain((events) => fc.shuffledSubarray([...events], { minLength: events.length }).map((other) => [events, other] as const))
  fc.assert(
    fc.property(shuffled, ([events, other]) => {
      expect(sorted(other)).toEqual(sorted(events))
    }),
  )
})

test('every call, failure and token is counted, and once', () => {
  fc.assert(
    fc.property(anyEvents, (events) => {
      const parts = contributionsOf(events)
      const sum = (of: (part: (typeof parts)[number]) => number): number => parts.reduce((total, part) => total + of(part), 0)
      const requests = [...Map.groupBy(events, (one) => one.requestKey ?? one.id).values()]
      const invoked = (list: readonly UsageEvent[]) => list.filter((one) => one.kind === 'llm.invoked' && !one.secondary).length
      const logOf = (list: readonly UsageEvent[]) => list.filter((one) => one.kind === 'llm.metered').toSorted((a, b) => (a.id < b.id ? -1 : 1))[0]
      expect(sum(({ counts }) => counts.calls)).toBe(requests.reduce((total, list) => total + Math.max(1, invoked(list)), 0))
      expect(sum(({ counts }) => counts.inputTokens)).toBe(requests.reduce((total, list) => total + (logOf(list)?.inputTokens ?? 0), 0))
      expect(parts.every(({ counts }) => counts.errors <= counts.calls)).toBe(true)
      expect(new Set(parts.map((part) => part.eventId)).size).toBe(parts.length)
    }),
  )
})

test('a row has an id of its own for everything that it is told apart by', () => {
  const { row } = contributionsOf([event('1')])[0]!
  const other = {
    day: 'x',
    tenantId: null,
    share: 'ambiguous',
    agentOid: null,
    confidence: 'none',
    candidates: ['b'],
    cloud: 'gcp',
    account: null,
    region: null,
    ranRegion: 'us-west-2',
    model: null,
    modelId: null,
    tokenBasis: 'metered',
  } as const
  const ids = [usageRowId(row), ...Object.entries(other).map(([name, value]) => usageRowId({ ...row, [name]: value }))]
  expect(new Set(ids).size).toBe(Object.keys(row).length + 1)
  expect(ids[0]).toBe(
    eventId('usage', '2026-05-29', 't', 'agent', 'a', 'exact', '', 'aws', '111122223333', 'us-east-1', '', 'nova-lite-v1', 'amazon.nova-lite-v1:0', 'none'),
  )
})

describe('a throttled call', () => {
  test.each([
    ['aws', 'ThrottlingException', 1],
    ['aws', 'TooManyRequestsException', 1],
    ['aws', '429', 1],
    ['gcp', '8', 1],
    ['aws', 'AccessDenied', 0],
    ['aws', 'ServiceQuotaExceededException', 0],
    ['aws', '8', 0],
    ['gcp', '7', 0],
    ['gcp', '429', 0],
  ] as const)('of %s with %s counts %d times, and always among the errors', (source, errorCode, throttles) => {
    const [one] = contributionsOf([event('1', { source, errorCode, outcome: 'failure' })])
    expect([one!.counts.errors, one!.counts.throttles]).toEqual([1, throttles])
  })
  test('counts once when both of its records say so, or only one', () => {
    const refused = { errorCode: 'ThrottlingException', outcome: 'failure' } as const
    for (const events of [
      [event('1', refused), log('2', null, refused)],
      [event('1', refused), log('2', 1)],
      [event('1'), log('2', 1, refused)],
    ])
      expect(contributionsOf(events).map(({ counts }) => [counts.calls, counts.errors, counts.throttles])).toEqual([[1, 1, 1]])
  })
  test('is none where the record says success whatever else stands there', () => {
    expect(contributionsOf([event('1', { errorCode: 'ThrottlingException' })])[0]!.counts.throttles).toBe(0)
  })
})

test('where a call ran is what its own record says, else what its usage log says', () => {
  const ran = (events: readonly UsageEvent[]) => contributionsOf(events).map(({ row }) => [row.region, row.ranRegion])
  expect(ran([event('1', { ranRegion: 'us-west-2' }), log('2', 1, { ranRegion: 'us-east-2' })])).toEqual([['us-east-1', 'us-west-2']])
  expect(ran([event('1'), log('2', 1, { ranRegion: 'us-east-2' })])).toEqual([['us-east-1', 'us-east-2']])
  expect(ran([event('1'), log('2', 1)])).toEqual([['us-east-1', null]])
})
