/** What an explanation must not claim: that a chain begins where the reading ends, or that something is not there because the caller may not see it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/postgres.ts'
import { id, insertEvent, insertFact, OTHER_TENANT, seen, TENANT } from '../fixture.ts'
import { explainEvent } from '../read-models/explain.ts'
import { scopedStore, wholeStore } from '../read-models/store.ts'
import type { Explanation } from './contract.ts'

const AGENT = id('a')
const UAMI = id('c')
const FOREIGN = id('d')
const START = 1_780_000_000_000_000_000n
const HOUR = 3_600_000_000_000n
const LONG = 30

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
  const { pool } = database
  await insertFact(pool, TENANT, seen(UAMI, { kind: 'managed-identity', name: 'mi-own' }))
  await insertFact(pool, OTHER_TENANT, seen(FOREIGN, { kind: 'managed-identity', name: 'mi-foreign' }))
  // A chain that somebody made longer than anybody reads.
  for (let n = 0; n < LONG; n++)
    await insertEvent(pool, {
      id: id('5', n),
      time: START + BigInt(n) * HOUR,
      kind: n === 0 ? 'token.exchanged' : 'credential.minted',
      action: n === 0 ? 'sts:AssumeRoleWithWebIdentity' : 'sts:AssumeRole',
      conclusion: {
        tenant: TENANT,
        subject: UAMI,
        agent: AGENT,
        confidence: 'derived',
        basis: ['credential'],
        evidence: n === LONG - 1 ? Array.from({ length: 120 }, (_, index) => id('6', index)) : [],
        ...(n === 0 ? {} : { parent: id('5', n - 1) }),
      },
      timeline: [
        { oid: AGENT, role: 'actor' },
        { oid: UAMI, role: 'actor' },
      ],
    })
  // A managed identity of another tenant signs in there, and its token is exchanged; the sign-in log of the own tenant reaches back far enough.
  await insertEvent(pool, {
    id: id('7', 1),
    time: START - 48n * HOUR,
    source: 'entra',
    kind: 'token.issued',
    action: 'entra:ManagedIdentitySignIn',
    conclusion: { tenant: TENANT, subject: UAMI, confidence: 'none' },
    timeline: [{ oid: UAMI, role: 'actor' }],
  })
  await pool.query('update events set tenant_id = $1 where event_id = $2', [TENANT, id('7', 1)])
  await insertEvent(pool, {
    id: id('7', 2),
    time: START - HOUR,
    source: 'entra',
    kind: 'token.issued',
    action: 'entra:ManagedIdentitySignIn',
    conclusion: { tenant: OTHER_TENANT, subject: FOREIGN, confidence: 'none' },
    timeline: [{ oid: FOREIGN, role: 'actor' }],
  })
  const exchange = {
    kind: 'token.exchanged',
    action: 'sts:AssumeRoleWithWebIdentity',
    conclusion: { tenant: TENANT, subject: UAMI, agent: AGENT, confidence: 'derived', basis: ['federated-subject'], parent: id('7', 2) },
    timeline: [
      { oid: UAMI, role: 'actor' },
      { oid: AGENT, role: 'actor' },
    ],
  } as const
  await insertEvent(pool, { ...exchange, id: id('7', 3), time: START })
  // Nobody issued the token of this one, as far as any record says.
  await insertEvent(pool, { ...exchange, id: id('7', 4), time: START + 1n, conclusion: { ...exchange.conclusion, parent: undefined } as never })
  // Subject, agent and candidates of another tenant.
  const shared = { tenant: TENANT, subject: FOREIGN } as const
  const inBoth = [
    { oid: UAMI, role: 'target', tenant: TENANT },
    { oid: FOREIGN, role: 'actor', tenant: OTHER_TENANT },
  ] as const
  await insertEvent(pool, {
    id: id('8', 1),
    time: START,
    conclusion: { ...shared, agent: id('e'), confidence: 'derived', basis: ['federated-subject', 'federated-credential'] },
    timeline: inBoth,
  })
  await insertEvent(pool, {
    id: id('8', 2),
    time: START + 1n,
    conclusion: { ...shared, confidence: 'ambiguous', basis: ['federated-subject', 'federated-credential'], candidates: [id('e'), AGENT] },
    timeline: [...inBoth, { oid: AGENT, role: 'candidate', tenant: TENANT }],
  })
  await insertEvent(pool, { id: id('8', 3), time: START + 2n, conclusion: { ...shared, confidence: 'none', basis: ['federated-subject'] }, timeline: inBoth })
  // Two strangers behind one address within two seconds, none of whom leads to an agent (correlate/attribute.ts): nobody is proven.
  const nobody = { kind: 'credential.minted', action: 'GenerateAccessToken', conclusion: { tenant: TENANT, confidence: 'none', basis: ['proximity'] } } as const
  await insertEvent(pool, { ...nobody, id: id('8', 4), time: START + 3n, source: 'gcp' })
  // A single stranger, who leads to no agent either: one of the tenant, and one of another.
  const likely = { tenant: TENANT, confidence: 'none', basis: ['proximity', 'federated-subject'] } as const
  await insertEvent(pool, {
    ...nobody,
    id: id('8', 5),
    time: START + 4n,
    source: 'gcp',
    conclusion: { ...likely, subject: UAMI },
    timeline: [{ oid: UAMI, role: 'actor' }],
  })
  await insertEvent(pool, { ...nobody, id: id('8', 6), time: START + 5n, source: 'gcp', conclusion: { ...likely, subject: FOREIGN }, timeline: inBoth })
  await pool.query(`update events set proof = 'proximity' where event_id = any($1)`, [[4, 5, 6].map((n) => id('8', n))])
}, 60_000)
afterAll(() => database?.drop())

const explain = async (event: string, tenants: readonly string[] | null): Promise<Explanation> =>
  (await explainEvent(tenants === null ? wholeStore(database.pool) : scopedStore(database.pool, tenants), event))!
const words = ({ summary, confidence, missing }: Explanation): string => [summary, ...[...confidence.because, ...missing].map((one) => one.words)].join('\n')

describe('a chain that is longer than an explanation', () => {
  test('is marked as cut, and no hop of it is taken for the first', async () => {
    const explanation = await explain(id('5', LONG - 1), null)
    expect([explanation.hops.length, explanation.hopsCut]).toEqual([24, true])
    expect(explanation.hops[0]?.eventId).toBe(id('5', LONG - 24))
    expect(explanation.summary).toContain('It goes back over more than 23 hops; the first that is shown is sts:AssumeRole')
    expect(explanation.missing[0]).toEqual({ words: expect.stringContaining('The hops before the first one here') as string, evidence: [id('5', LONG - 24)] })
  })

  test('of evidence says how much of it was looked at', async () => {
    expect(words(await explain(id('5', LONG - 1), null))).toContain('It rests on 120 events; the first 100 were looked at here.')
  })

  test('goes on in the explanation of its first hop, and to its end is not cut', async () => {
    const explanation = await explain(id('5', 23), null)
    expect([explanation.hops.length, explanation.hopsCut, explanation.hops[0]?.eventId]).toEqual([24, false, id('5', 0)])
    expect(explanation.summary).toContain('It goes back over 23 hops to sts:AssumeRoleWithWebIdentity')
  })
})

describe('for a caller bound to a tenant', () => {
  test('a sign-in that another tenant has is not said to be absent, and neither is it said to be there', async () => {
    expect((await explain(id('7', 3), null)).hops.map((hop) => hop.eventId)).toEqual([id('7', 2), id('7', 3)])
    const [hidden, absent] = [await explain(id('7', 3), [TENANT]), await explain(id('7', 4), [TENANT])]
    for (const explanation of [hidden, absent]) {
      expect(words(explanation)).not.toMatch(/has none|finding of its own/)
      expect(words(explanation)).toContain('you may see none in it within 25 hours before')
      expect(explanation.missing.at(-1)?.words).toContain('among the records that you may see')
    }
    // Word for word the same: whether there is one is the other tenant's to know.
    expect(words(hidden)).toBe(words(absent))
    expect(words(await explain(id('7', 4), null))).toContain('has none within 25 hours before. That can be a finding of its own')
  })

  test('subject, agent and candidates of another tenant are not said to be nobody', async () => {
    const [derived, ambiguous, none] = await Promise.all([1, 2, 3].map((n) => explain(id('8', n), [TENANT])))
    for (const explanation of [derived!, ambiguous!, none!]) {
      expect(words(explanation)).not.toMatch(/nobody|no agent|do not prove|no credential/)
      expect(words(explanation)).not.toContain(FOREIGN)
    }
    expect(derived!.summary).toContain('was done by an agent that you may not see (derived)')
    expect(ambiguous!.summary).toContain('was done by one of several agents, of which you may see 1; the records do not say which (ambiguous)')
    expect(none!.summary).toContain('was done by somebody that you may not see (none)')
    expect(words(await explain(id('8', 2), null))).toContain('2 agents could have done it')
  })
})

test.each([
  ['a caller bound to a tenant', [TENANT]],
  ['a caller who sees everything', null],
])('strangers behind one address are no proof of anybody, for %s, and are not said to be absent', async (_who, tenants) => {
  const explanation = await explain(id('8', 4), tenants)
  expect(explanation.summary).toContain('the records do not prove who did it (none)')
  expect(words(explanation)).not.toMatch(/is proven|may not see|no exchange/)
  expect(words(explanation)).toContain('Several subjects exchanged tokens from the same address and user agent in the two seconds before')
})

test('whom time and address lead to is likely, and not said to be proven', async () => {
  const [own, hidden] = [words(await explain(id('8', 5), [TENANT])), words(await explain(id('8', 6), [TENANT]))]
  expect(own).toMatch(/was probably done as .*mi-own/)
  expect(hidden).toContain('was probably done by somebody that you may not see (none)')
  for (const text of [own, hidden]) {
    expect(text).not.toContain('is proven')
    expect(text).toContain('Time and address lead to this subject, which is no proof: ')
  }
})
