import { expect, test } from 'vitest'
import { oracle } from '../oracle/oracle.ts'
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
