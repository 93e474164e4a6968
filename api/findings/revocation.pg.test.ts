import { afterAll, beforeAll, expect, test } from 'vitest'
import { findingsOf } from '#correlate/findings/testing/evaluate.ts'
import { guid, TENANT, World } from '#correlate/findings/testing/world.ts'
import { createTestDatabase, type TestDatabase } from '../../test/postgres.ts'
import { OidAnswer } from '../contract.ts'
import { oidAnswer } from '../read-models/oid-info.ts'
import { scopedStore, wholeStore } from '../read-models/store.ts'

const [AGENT, UAMI] = [guid('agent'), guid('uami')]

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
  await findingsOf(
    database.pool,
    new World()
      .fics('fic', '-3 06:00', [], [UAMI])
      .principal('created', '-3 06:00', 'Add service principal', AGENT, { agent: true })
      .awsExchange('through', '09:00', { subject: UAMI })
      .awsExchange('itself', '10:00', { subject: AGENT })
      .gcpExchange('google', '10:30', AGENT)
      .principal('deleted', '11:00', 'Remove service principal', AGENT, { agent: true })
      .signIn('after', '12:00', { kind: 'agent', oid: AGENT })
      .awsExchange('left', '12:30', { subject: UAMI }),
  )
})
afterAll(() => database.drop())

test('an oid tells how it federated over time, with the date of change, and the proof of its revocation', async () => {
  const answer = OidAnswer.parse(await oidAnswer(wholeStore(database.pool), AGENT))
  expect(answer.items[0]!.topologyOverTime).toEqual({
    aws: [
      { topology: 'option-1', since: '2026-09-10T09:00:00.000000000Z', until: '2026-09-10T10:00:00.000000000Z' },
      { topology: 'option-2', since: '2026-09-10T10:00:00.000000000Z', until: null },
    ],
    gcp: [{ topology: 'option-2', since: '2026-09-10T10:30:00.000000000Z', until: null }],
  })
  expect(answer.items[0]!.revocation).toMatchObject({ verdict: 'broken', change: 'deleted', revokedAt: '2026-09-10T11:00:00.000000000Z' })
  expect(answer.items[0]!.revocation!.identities).toEqual([
    {
      oid: UAMI,
      otherAgents: 0,
      exchanges: 1,
      exchangesOfNobody: 1,
      lastExchange: [{ cloud: 'aws', at: '2026-09-10T12:30:00.000000000Z', event: expect.any(String) as string }],
    },
  ])
})

test('to its own tenant it tells the same, to others nothing', async () => {
  expect(await oidAnswer(scopedStore(database.pool, [TENANT]), AGENT)).toEqual(await oidAnswer(wholeStore(database.pool), AGENT))
  expect(await oidAnswer(scopedStore(database.pool, [guid('other-tenant')]), AGENT)).toBeNull()
})
