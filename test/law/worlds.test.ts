import { expect, test } from 'vitest'
import type { Accepted } from '#correlate/accept.ts'
import { oracle, type OracleEvent, type OracleSession } from '../oracle/oracle.ts'
import { lawWorld } from './worlds.ts'

test('the first hundred worlds hold every situation that the law is about', () => {
  const seen = new Map<string, number>()
  const count = (what: string, is: boolean): void => void seen.set(what, (seen.get(what) ?? 0) + Number(is))
  for (let seed = 1; seed <= 100; seed++) {
    const world = lawWorld(seed)
    count('tampered', world.truth === null)
    count('complete', world.complete)
    count('contradicting itself', world.contradicts)
    const { events, sessions } = oracle(world.accepted)
    const { came, went } = changedInside(world.accepted, events, sessions)
    count('a candidate that came after the exchange', came)
    count('a candidate that was gone before the event', went)
    const texts = Map.groupBy(world.accepted, ({ event }) => event.id)
    count(
      'one event with several texts',
      [...texts.values()].some((list) => new Set(list.map(({ sha256 }) => sha256)).size > 1),
    )
    count('events at one instant', new Set(events.map(({ event }) => event.timeNs)).size < events.length)
    count(
      'on behalf of a user',
      events.some(({ attribution }) => attribution.onBehalfOf !== null),
    )
    count(
      'a mint without subject',
      events.some(({ event }) => event.proof.by === 'proximity'),
    )
    for (const confidence of ['exact', 'derived', 'probable', 'asserted', 'ambiguous', 'none'] as const)
      count(
        confidence,
        events.some(({ attribution }) => attribution.confidence === confidence),
      )
    for (const basis of ['bridge', 'request-id', 'blueprint', 'proximity'])
      count(
        basis,
        events.some(({ attribution }) => attribution.basis.includes(basis)),
      )
    for (const link of ['exact', 'time'] as const)
      count(
        `${link} link`,
        events.some(({ parent }) => parent?.link === link),
      )
    count(
      'unresolved session',
      sessions.some(({ resolved }) => !resolved),
    )
    count(
      'unanchored session',
      sessions.some(({ cloud, resolved }) => cloud === 'gcp' && !resolved),
    )
    const keys = Map.groupBy(
      events.filter(({ event }) => event.issues !== null && event.proof.by !== 'issued'),
      ({ event }) => event.issues,
    )
    count(
      'a key that two records issue',
      [...keys.values()].some((list) => list.length > 1),
    )
    count(
      'a key that issues itself',
      events.some(({ event }) => event.issues !== null && event.issues === event.uses),
    )
  }
  expect([...seen].filter(([, worlds]) => worlds < 2)).toEqual([])
}, 60_000)

/** Whether an event of a session leads to an agent that was created after the session began, or that was gone by then. */
function changedInside(accepted: readonly Accepted[], events: readonly OracleEvent[], sessions: readonly OracleSession[]) {
  const changes = accepted
    .flatMap(({ event }) => event.directory.flatMap((fact) => (fact.type === 'lifecycle' ? [{ ...fact, timeNs: event.timeNs }] : [])))
    .toSorted((a, b) => Number(a.timeNs - b.timeNs))
  let [came, went] = [false, false]
  for (const { event, attribution, sessionId } of events) {
    const start = sessions.find(({ id }) => id === sessionId)?.members[0]?.event.timeNs ?? null
    if (start === null || attribution.agentOid === attribution.subjectOid) continue
    for (const agent of attribution.agentOid ? [attribution.agentOid] : attribution.candidates) {
      const its = changes.filter(({ id, timeNs }) => id === agent && timeNs <= event.timeNs)
      came ||= its.some(({ change, timeNs }) => change === 'created' && timeNs > start)
      went ||= ['deleted', 'disabled'].includes(its.at(-1)?.change ?? '')
    }
  }
  return { came, went }
}
