import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatTime } from '#core/time.ts'
import { oracle, type OracleEvent } from './oracle.ts'
import { SCENARIOS, acceptedOf, expectedOf } from './scenario.ts'

const setsOf = (lists: Iterable<readonly string[]>): string[] => [...lists].map((list) => list.toSorted().join(' ')).toSorted()

describe.each(SCENARIOS)('%s', async (scenario) => {
  const expected = expectedOf(scenario)
  const accepted = await acceptedOf(scenario)
  const { lines, events, sessions, traces } = oracle(accepted)
  const byNativeId = new Map(events.map((one) => [one.event.nativeId, one]))
  const nativeIds = new Map(events.map((one) => [one.event.id, one.event.nativeId]))
  const eventOf = (nativeId: string): OracleEvent => {
    const found = byNativeId.get(nativeId)
    if (!found) throw new Error(`no event ${nativeId}`)
    return found
  }

  test('holds exactly the expected records', () => {
    expect(setsOf([events.map(({ event }) => event.nativeId)])).toEqual(setsOf([expected.records.map(({ nativeId }) => nativeId)]))
  })

  test.each(expected.records)('$source $nativeId is attributed as expected', (record) => {
    const { event, attribution } = eventOf(record.nativeId)
    const says = (name: string): boolean => !record.skip.includes(name)
    expect(event.source).toBe(record.source)
    expect(formatTime(event.timeNs)).toBe(record.time)
    expect([record.kind].flat()).toContain(event.kind)
    expect(attribution.onBehalfOf).toBe(record.onBehalfOf)
    if (says('tenant')) expect(attribution.tenantId).toBe(record.tenantId)
    if (says('subject')) expect(attribution.subjectOid).toBe(record.subjectOid)
    if (says('agent')) expect(attribution).toMatchObject({ agentOid: record.agentOid, confidence: record.confidence, candidates: record.candidates })
    if (says('targets')) expect(event.targets).toEqual(expect.arrayContaining([...record.targets]))
  })

  test.each(expected.records.filter(({ skip }) => !skip.includes('parent')))('$source $nativeId has the expected parent', (record) => {
    const { parent } = eventOf(record.nativeId)
    if (record.parents.length === 0) expect(parent).toBeNull()
    else {
      expect(record.parents).toContain(nativeIds.get(parent!.id))
      expect(parent!.link).toBe(record.link)
    }
  })

  test('has the expected sessions', () => {
    expect(setsOf(sessions.map(({ members }) => members.map(({ event }) => event.nativeId)))).toEqual(setsOf(expected.sessions))
    for (const record of expected.records.filter(({ skip }) => !skip.includes('session')))
      expect([record.nativeId, eventOf(record.nativeId).sessionId !== null]).toEqual([record.nativeId, record.session !== null])
  })

  test.each(expected.sessionRoots)('the session of $member starts from $root', ({ member, root, resolved }) => {
    const session = sessions.find(({ id }) => id === eventOf(member).sessionId)
    expect(session).toMatchObject({ rootNativeId: root, resolved })
  })

  test('has the expected traces', () => {
    const named = traces.map(({ ownerOid, members }) => [ownerOid, ...members.map(({ event }) => event.nativeId)])
    expect(setsOf(named)).toEqual(setsOf(expected.traces.map((trace) => [trace.owner, ...trace.nativeIds])))
  })

  test('any order and any repetition of the records gives the same lines', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...accepted], { minLength: accepted.length }), fc.subarray([...accepted]), (shuffled, repeated) => {
        expect(oracle([...repeated, ...shuffled, ...repeated]).lines).toEqual(lines)
      }),
      { numRuns: 10 },
    )
  })

  test('prints one line for each event, session and trace, sorted and with sorted keys', () => {
    expect(lines).toHaveLength(events.length + sessions.length + traces.length)
    const parsed = lines.map((line) => JSON.parse(line) as { readonly type: string; readonly id: string; readonly eventIds?: readonly string[] })
    expect(parsed.map(({ type, id }) => `${type} ${id}`)).toEqual(parsed.map(({ type, id }) => `${type} ${id}`).toSorted())
    for (const line of parsed) expect(Object.keys(line)).toEqual(Object.keys(line).toSorted())
    for (const { eventIds = [] } of parsed) expect(eventIds).toEqual(eventIds.toSorted())
  })
})
