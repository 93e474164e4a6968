import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/postgres.ts'
import { findingsOf } from './testing/evaluate.ts'
import { guid, keyOf, World } from './testing/world.ts'

const AGENT = guid('agent')

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

const deleted = (): World =>
  new World()
    .principal('created', '-3 06:00', 'Add service principal', AGENT, { agent: true })
    .signIn('log', '-2 07:00', { kind: 'blueprint', oid: guid('blueprint'), appId: guid('blueprint-app') })
    .principal('deleted', '10:00', 'Remove service principal', AGENT, { agent: true })

async function proofOf(world: World): Promise<unknown> {
  await findingsOf(database.pool, world, { reversed: true })
  const reversed = await database.pool.query('select oid, body from revocations')
  await findingsOf(database.pool, world)
  const { rows } = await database.pool.query<{ oid: string; body: unknown }>('select oid, body from revocations')
  expect(reversed.rows).toEqual(rows)
  expect(rows.map((row) => row.oid)).toEqual([AGENT])
  return rows[0]!.body
}

test('of an agent that did nothing any more the proof says until when what it held was good', async () => {
  const proof = await proofOf(
    deleted()
      .signIn('before', '09:50', { kind: 'agent', oid: AGENT })
      .awsExchange('session', '09:55', { subject: AGENT, key: keyOf('k') }),
  )
  expect(proof).toMatchObject({
    verdict: 'quiet',
    revokedAt: '2026-09-10T10:00:00.000000000Z',
    change: 'deleted',
    takenBackAt: null,
    lastSuccess: [],
    unexplained: { tokens: 0, exchanges: 0, other: 0 },
    aliveUntil: '2026-09-10T18:50:00.000000000Z',
  })
  // The test's exchange says that its key ran out in June, so only the token outlives the deletion.
  expect(proof).toMatchObject({
    credentials: [{ cloud: 'entra', issued: 1, issuedAfterRevocation: 0, aliveUntil: '2026-09-10T18:50:00.000000000Z', basis: 'longest life' }],
  })
})

test('a session from before that is still used is running out, and is no finding', async () => {
  const world = deleted()
    .signIn('before', '09:50', { kind: 'agent', oid: AGENT })
    .awsExchange('tail', '10:10', { subject: AGENT, key: keyOf('tail') })
    .converse('call', '10:20', { key: keyOf('tail') })
  expect(await proofOf(world)).toMatchObject({
    verdict: 'running-out',
    lastSuccess: [{ cloud: 'aws', at: '2026-09-10T10:20:00.000000000Z', action: 'bedrock:Converse' }],
  })
  expect((await findingsOf(database.pool, world)).map((finding) => finding.rule)).not.toContain('activity-after-revocation')
})

test('a token after the deletion breaks it, and the finding holds the proof', async () => {
  const world = deleted().signIn('after', '12:00', { kind: 'agent', oid: AGENT })
  const proof = await proofOf(world)
  expect(proof).toMatchObject({
    verdict: 'broken',
    unexplained: { tokens: 1, exchanges: 0, other: 0 },
    aliveUntil: '2026-09-10T21:00:00.000000000Z',
    signInLog: { from: '2026-09-08T07:00:00.000000000Z', until: '2026-09-10T12:00:00.000000000Z' },
    auditLogUntil: '2026-09-10T10:00:00.000000000Z',
  })
  const { rows } = await database.pool.query<{ details: unknown; explanation: string }>(
    `select details, explanation from findings where rule = 'activity-after-revocation'`,
  )
  expect(rows[0]!.details).toEqual(proof)
  expect(rows[0]!.explanation).toContain('No later change of the directory is stored')
})

const UAMI = guid('uami')

test('of an agent on a managed identity the proof tells what that still exchanges, and that its revocation is not complete', async () => {
  const world = deleted()
    .fics('fic', '-3 06:00', [], [UAMI])
    .awsExchange('own', '09:00', { subject: UAMI })
    .awsExchange('left 1', '11:00', { subject: UAMI })
    .gcpExchange('left 2', '11:30', UAMI)
    .awsExchange('refused', '12:00', { subject: UAMI, refused: true })
  expect(await proofOf(world)).toMatchObject({
    verdict: 'incomplete',
    lastSuccess: [],
    identities: [
      {
        oid: UAMI,
        otherAgents: 0,
        exchanges: 2,
        exchangesOfNobody: 2,
        lastExchange: [
          { cloud: 'aws', at: '2026-09-10T11:00:00.000000000Z' },
          { cloud: 'gcp', at: '2026-09-10T11:30:00.000000000Z' },
        ],
      },
    ],
  })
})

test('where other agents can use the managed identity, its exchanges are counted and blame nobody', async () => {
  const world = deleted()
    .fics('fic', '-3 06:00', [], [UAMI])
    .principal('other', '-3 06:01', 'Add service principal', guid('other'), { agent: true })
    .awsExchange('after', '11:00', { subject: UAMI })
  expect(await proofOf(world)).toMatchObject({ verdict: 'quiet', identities: [{ oid: UAMI, otherAgents: 1, exchanges: 1, exchangesOfNobody: 0 }] })
})

test('a managed identity that the agent could not use any more when it was deleted is none of its', async () => {
  const world = deleted().fics('fic', '-3 06:00', [], [UAMI]).fics('fic removed', '09:00', [UAMI], []).awsExchange('after', '11:00', { subject: UAMI })
  expect(await proofOf(world)).toMatchObject({ verdict: 'quiet', identities: [] })
})
