import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase } from '../../test/postgres.ts'
import type { TestDatabase } from '../../test/postgres.ts'
import { id, insertEvent, insertFact, OTHER_TENANT, seen, TENANT } from '../fixture.ts'
import { agentsPage } from './agents.ts'
import { explainUnknown, oidAnswer, oidBriefs } from './oid-info.ts'
import type { Store } from './store.ts'
import { scopedStore, wholeStore } from './store.ts'

const UAMI = id('1')
/** An agent of another tenant, whose Blueprint trusts this tenant's managed identity; one of several, so that it is a candidate only. */
const CANDIDATE = id('2')
const START = 1_790_000_000_000_000_000n

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
  const { pool } = database
  await insertFact(pool, TENANT, seen(UAMI, { kind: 'managed-identity', name: 'weather-uami' }))
  await insertFact(pool, OTHER_TENANT, seen(CANDIDATE, { kind: 'agent', name: 'Weather Agent', appId: id('3') }))
  const exchange = (number: number, outcome: 'success' | 'failure') =>
    insertEvent(pool, {
      id: id('e', number),
      time: START + BigInt(number) * 1_000_000_000n,
      kind: 'token.exchanged',
      outcome,
      conclusion: { tenant: TENANT, subject: UAMI, confidence: 'ambiguous', basis: ['federated-subject'], candidates: [CANDIDATE, id('4')] },
      timeline: [
        { oid: UAMI, role: 'actor' },
        { tenant: OTHER_TENANT, oid: CANDIDATE, role: 'candidate' },
      ],
    })
  await exchange(1, 'success')
  await exchange(2, 'failure')
  await exchange(3, 'success')
})
afterAll(() => database?.drop())

describe.each<[string, () => Store]>([
  ['who may see everything', () => wholeStore(database.pool)],
  ['a caller bound to the agent’s tenant', () => scopedStore(database.pool, [OTHER_TENANT])],
])('asked by %s', (_, store) => {
  test('the topology of a candidate of another tenant’s managed identity is the one that it has over time, in its own tenant', async () => {
    const [item] = (await oidAnswer(store(), CANDIDATE))!.items
    expect(item).toMatchObject({ tenantId: OTHER_TENANT, topology: { aws: 'option-1', gcp: null } })
    expect(item!.topologyOverTime.aws.map(({ topology, until }) => [topology, until])).toEqual([['option-1', null]])
    expect((await agentsPage(store(), { limit: 10 })).items).toMatchObject([{ oid: CANDIDATE, topology: { aws: 'option-1', gcp: null }, candidateEvents: 3 }])
  })

  test('an appId is explained, and a brief names who is meant and from when to when', async () => {
    expect(await explainUnknown(store(), CANDIDATE)).toBeNull()
    expect(await explainUnknown(store(), id('3'))).toBe(`${id('3')} is an application's appId, no oid. Ask for ${CANDIDATE} (Weather Agent).`)
    expect(await explainUnknown(store(), id('9'))).toContain('No record names')
    expect(await oidBriefs(store(), [id('9'), id('3')])).toMatchObject([
      {
        id: id('3'),
        resolvedFrom: 'appId',
        items: [
          { tenantId: OTHER_TENANT, oid: CANDIDATE, kind: 'agent', firstSeen: '2026-09-21T14:13:21.000000000Z', lastSeen: '2026-09-21T14:13:23.000000000Z' },
        ],
      },
    ])
  })
})

test('one oid is answered from its own timeline: exchanges of others are not read', async () => {
  const asked: string[] = []
  const whole = wholeStore(database.pool)
  const query = (async (text: string, values?: unknown[]) => {
    asked.push(text)
    return await whole.query(text, values)
  }) as Store['query']
  await oidAnswer({ ...whole, query }, CANDIDATE)
  expect(asked.filter((text) => /\b(?:events|conclusions)\b/.test(text) && !/\btimeline\b/.test(text))).toEqual([])
})
