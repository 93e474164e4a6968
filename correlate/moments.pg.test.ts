/**
 * Which moment counts (DESIGN §4.2): of what is done with a cloud credential everybody is a candidate who could have used the subject at some instant since its exchange. Each world is
 * delivered backwards, one by one, and with each of its records last, so that whatever comes late must find what it touches; and the oracle says the same.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { oracle } from '../test/oracle/oracle.ts'
import { difference } from '../test/law/compare.ts'
import { clear, exportOf } from '../test/law/deliver.ts'
import { createTestDatabase, type TestDatabase } from '../test/postgres.ts'
import { type Accepted, accept } from './accept.ts'
import { guid, keyOf, sessionIdentity, World } from './findings/testing/world.ts'
import { createCorrelator } from './index.ts'

const [A, B, C, UAMI, BRIDGE] = [guid('a'), guid('b'), guid('c'), guid('uami'), guid('bridge')]
const NAMES = new Map([
  [A, 'A'],
  [B, 'B'],
  [C, 'C'],
])

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

const add = (world: World, name: string, time: string, blueprint = 'blueprint'): World =>
  world.principal(`${name} created`, time, 'Add service principal', guid(name), { agent: true, blueprint: guid(`${blueprint}-app`) })
const remove = (world: World, name: string, time: string, blueprint = 'blueprint'): World =>
  world.principal(`${name} removed`, time, 'Remove service principal', guid(name), { agent: true, blueprint: guid(`${blueprint}-app`) })
/** Two agents of one Blueprint, whose managed identity the clouds trust. */
const base = (): World => add(add(new World().fics('fic', '06:00', [], [UAMI]), 'a', '06:01'), 'b', '06:02')

/** AssumeRole with one key, which issues another. */
const assume = (world: World, label: string, time: string, key: string, next: string): World =>
  world.aws(label, time, {
    service: 'sts',
    name: 'AssumeRole',
    identity: sessionIdentity(keyOf(key)),
    request: { roleArn: 'arn:aws:iam::914927984977:role/next', roleSessionName: 'session' },
    response: { credentials: { accessKeyId: keyOf(next), expiration: 'Jun 2, 2026, 10:29:06 AM' } },
  })

/** A mint that names nobody, from where an exchange came a moment before. */
const mint = (world: World, label: string, time: string): World =>
  world.gcp(label, time, {
    service: 'iamcredentials.googleapis.com',
    method: 'GenerateAccessToken',
    resource: 'projects/-/serviceAccounts/agent@agents-prod.iam.gserviceaccount.com',
    authentication: {},
    request: { name: 'projects/-/serviceAccounts/agent@agents-prod.iam.gserviceaccount.com' },
  })

type Said = Readonly<Record<string, string>>

/** Of each labelled record: its confidence and its agent, or candidates. */
function said(world: World, lines: readonly string[]): Said {
  return Object.fromEntries(
    lines.flatMap((line) => {
      const one = JSON.parse(line) as {
        type: string
        nativeId: string
        agentOid: string | null
        attribution: { confidence: string; candidates: string[] }
      }
      if (one.type !== 'event') return []
      const agents = one.agentOid === null ? one.attribution.candidates : [one.agentOid]
      const names = agents.map((oid) => NAMES.get(oid) ?? oid).toSorted()
      return [[world.labels.get(one.nativeId)!, [one.attribution.confidence, ...names].join(' ')]]
    }),
  )
}

async function deliver(parts: readonly World['records'][]): Promise<readonly string[]> {
  await clear(database.pool)
  const sink = createCorrelator(database.pool)
  for (const part of parts) {
    await sink.deliver(part, [])
    await sink.drain()
  }
  return exportOf(database.pool)
}

async function expectEverywhere(world: World, expected: Said): Promise<void> {
  const { records } = world
  const accepted = records.map((record) => accept(record) as Accepted)
  const { lines } = oracle(accepted)
  expect(said(world, lines)).toMatchObject(expected)
  const straight = await deliver([records])
  expect(said(world, straight)).toMatchObject(expected)
  expect(difference(straight, lines, ['event', 'session', 'trace'])).toBeNull()
  expect(difference(await deliver(records.map((record) => [record]).toReversed()), straight)).toBeNull()
  // Whatever something else rests on: the directory, exchanges, mints, calls with a usage log.
  const decisive = records.filter((_, index) => accepted[index]!.event.kind !== 'llm.metered' && accepted[index]!.event.kind !== 'token.issued')
  for (const last of decisive) {
    const late = await deliver([records.filter((one) => one !== last), [last]])
    expect([last.text, difference(late, straight)]).toEqual([last.text, null])
  }
}

describe('on AWS, from the exchange of the root credential', () => {
  test('an agent that was deleted since and one that was created since are candidates, also over further roles and in the usage log; the next exchange knows the deleted no more', async () => {
    let world = base().awsExchange('exchange', '10:00', { subject: UAMI, key: keyOf('k1') })
    world = remove(assume(world, 'hop', '10:01', 'k1', 'k2'), 'b', '10:05')
    world = world.converse('call', '10:10', { key: keyOf('k2') }).metered('usage', '10:11', { of: 'call', outputTokens: 5 })
    world = add(world, 'c', '10:12').converse('later', '10:15', { key: keyOf('k2') })
    world = remove(world, 'c', '10:20').converse('last', '10:30', { key: keyOf('k1') })
    await expectEverywhere(world.awsExchange('again', '10:31', { subject: UAMI, key: keyOf('k3') }).converse('new', '10:32', { key: keyOf('k3') }), {
      exchange: 'ambiguous A B',
      hop: 'ambiguous A B',
      call: 'ambiguous A B',
      usage: 'ambiguous A B',
      later: 'ambiguous A B C',
      last: 'ambiguous A B C',
      again: 'derived A',
      new: 'derived A',
    })
  })

  test('a usage log that is written after its call follows the call: whoever came between the two is no candidate', async () => {
    const world = base()
      .awsExchange('exchange', '10:00', { subject: UAMI, key: keyOf('k') })
      .converse('call', '10:10', { key: keyOf('k') })
    await expectEverywhere(add(world, 'c', '10:11').metered('usage', '10:12', { of: 'call', outputTokens: 5 }), {
      call: 'ambiguous A B',
      usage: 'ambiguous A B',
    })
  })

  test('agent, Blueprint and credential must have been there at one and the same instant', async () => {
    // C is gone before its Blueprint trusts the identity.
    let world = remove(add(base(), 'c', '06:03', 'other'), 'c', '10:05', 'other').fics('other fic', '10:10', [], [UAMI], 'other')
    world = remove(world, 'b', '09:00').awsExchange('exchange', '10:00', { subject: UAMI, key: keyOf('k') })
    await expectEverywhere(world.converse('call', '10:20', { key: keyOf('k') }), { exchange: 'derived A', call: 'derived A' })
  })

  test('a credential that was taken away and given again within the session leaves its agents candidates, as does a Blueprint that was deleted', async () => {
    const application = { id: guid('other-object'), type: 'Application', displayName: 'other' }
    let world = add(remove(base(), 'b', '09:00'), 'c', '06:03', 'other').fics('other fic', '06:04', [], [UAMI], 'other')
    world = world.awsExchange('exchange', '10:00', { subject: UAMI, key: keyOf('k') }).fics('fic removed', '10:01', [UAMI], [])
    world = world.audit('deleted', '10:02', 'Delete application', application).converse('call', '10:05', { key: keyOf('k') })
    world = world.awsExchange('nobody', '10:06', { subject: UAMI, key: keyOf('n') }).fics('fic again', '10:10', [], [UAMI])
    await expectEverywhere(world.converse('with n', '10:20', { key: keyOf('n') }), {
      exchange: 'ambiguous A C',
      call: 'ambiguous A C',
      nobody: 'none',
      'with n': 'derived A',
    })
  })

  test('a key that several exchanges issued counts from the first of them that came before', async () => {
    let world = base().awsExchange('first', '10:00', { subject: UAMI, key: keyOf('k') })
    world = remove(world, 'b', '10:05').awsExchange('second', '10:10', { subject: UAMI, key: keyOf('k') })
    world = world.converse('call', '10:15', { key: keyOf('k') })
    await expectEverywhere(remove(world, 'a', '10:20').awsExchange('third', '10:30', { subject: UAMI, key: keyOf('k') }), {
      second: 'derived A',
      call: 'ambiguous A B',
      third: 'none',
    })
  })

  test('what is used before it is issued, by another clock, counts at its own time', async () => {
    let world = base().converse('call', '10:00', { key: keyOf('k') })
    world = add(remove(world, 'b', '10:05'), 'c', '10:05')
    world = remove(remove(world, 'c', '10:07'), 'a', '10:06')
    await expectEverywhere(world.awsExchange('exchange', '10:10', { subject: UAMI, key: keyOf('k') }), {
      call: 'ambiguous A B',
      exchange: 'none',
    })
  })

  test('a chain of roles that goes on for days counts from its beginning, also when an agent of the first day comes to be known last', async () => {
    let world = remove(base(), 'b', '09:00').awsExchange('exchange', '-3 10:00', { subject: UAMI, key: keyOf('k1') })
    world = assume(assume(world, 'hop 1', '-2 10:00', 'k1', 'k2'), 'hop 2', '-1 10:00', 'k2', 'k3')
    world = add(remove(world.fics('fic of old', '-4 06:00', [], [UAMI]), 'c', '-3 12:00'), 'c', '-4 06:01')
    await expectEverywhere(world.converse('call', '10:00', { key: keyOf('k3') }), { call: 'ambiguous A B C' })
  })

  test('the bridge between the managed identity and the cloud is followed in the same way', async () => {
    let world = base().fics('bridge fic', '06:03', [], [UAMI], 'bridge')
    world = world.signIn('bridge sign-in', '09:59', { kind: 'service-principal', oid: BRIDGE, appId: guid('bridge-app') })
    world = remove(world.awsExchange('exchange', '10:00', { subject: BRIDGE, key: keyOf('k') }), 'b', '10:05')
    await expectEverywhere(world.converse('call', '10:10', { key: keyOf('k') }).awsExchange('again', '10:11', { subject: BRIDGE }), {
      call: 'ambiguous A B',
      again: 'derived A',
    })
  })
})

test('a bridge that was deleted leads to nobody, and what was exchanged through it before still does', async () => {
  let world = base().fics('bridge fic', '06:03', [], [UAMI], 'bridge')
  world = world.signIn('bridge sign-in', '09:59', { kind: 'service-principal', oid: BRIDGE, appId: guid('bridge-app') })
  world = world.awsExchange('exchange', '10:00', { subject: BRIDGE, key: keyOf('k') })
  world = world.audit('bridge deleted', '10:05', 'Delete application', { id: guid('bridge-object'), type: 'Application', displayName: 'bridge' })
  await expectEverywhere(world.converse('call', '10:10', { key: keyOf('k') }).awsExchange('again', '10:11', { subject: BRIDGE }), {
    exchange: 'ambiguous A B',
    call: 'ambiguous A B',
    again: 'none',
  })
})

describe('on Google Cloud, from the exchange of the session', () => {
  test('mints and calls, also refused ones, keep the deleted agent; the next session does not', async () => {
    let world = remove(mint(base().gcpExchange('exchange', '10:00:00', UAMI), 'mint', '10:00:01'), 'b', '10:05')
    world = world.generate('call', '10:10', { subject: UAMI }).generate('refused', '10:11', { subject: UAMI, code: 7 })
    world = add(world, 'c', '10:12').generate('later', '10:13', { subject: UAMI })
    world = remove(world, 'c', '10:14').generate('last', '11:05', { subject: UAMI })
    await expectEverywhere(world.gcpExchange('again', '11:10', UAMI).generate('new', '11:11', { subject: UAMI }), {
      exchange: 'ambiguous A B',
      mint: 'ambiguous A B',
      call: 'ambiguous A B',
      refused: 'ambiguous A B',
      later: 'ambiguous A B C',
      last: 'ambiguous A B C',
      again: 'derived A',
      new: 'derived A',
    })
  })

  test('an agent that was there for two minutes of a session is a candidate of what follows, on either cloud', async () => {
    let world = remove(add(base(), 'c', '06:03'), 'c', '09:00')
      .gcpExchange('gcp', '10:00', UAMI)
      .awsExchange('aws', '10:00', { subject: UAMI, key: keyOf('k') })
    world = world.principal('c restored', '10:12', 'Restore service principal', C, { agent: true })
    world = world.principal('c deleted', '10:14', 'Delete service principal', C, { agent: true })
    await expectEverywhere(world.generate('gcp call', '11:00', { subject: UAMI }).converse('aws call', '11:00', { key: keyOf('k') }), {
      gcp: 'ambiguous A B',
      aws: 'ambiguous A B',
      'gcp call': 'ambiguous A B C',
      'aws call': 'ambiguous A B C',
    })
  })

  test('where no exchange is near enough, the own time of the event counts', async () => {
    let world = remove(base().gcpExchange('exchange', '10:00', UAMI), 'b', '10:05')
    world = world.generate('near', '11:05', { subject: UAMI }).generate('far', '11:06', { subject: UAMI })
    await expectEverywhere(world, { near: 'ambiguous A B', far: 'derived A' })
  })

  test('a mint that names nobody follows the exchanges it may belong to, one or several, though an agent goes in the second between', async () => {
    let world = base().fics('fic of c', '06:03', [], [guid('other uami')], 'other')
    world = add(world, 'c', '06:04', 'other').gcpExchange('one', '10:00:00', UAMI)
    world = remove(mint(remove(world, 'b', '10:00:01'), 'mint', '10:00:02'), 'a', '11:59:59')
    world = world.gcpExchange('two', '12:00:00', UAMI).gcpExchange('three', '12:00:00', guid('other uami'))
    await expectEverywhere(mint(remove(world, 'c', '12:00:01', 'other'), 'collision', '12:00:02'), {
      mint: 'ambiguous A B',
      two: 'none',
      three: 'derived C',
      collision: 'ambiguous C',
    })
  })
})

test('sign-ins, and what an agent does as itself, know no moment but their own', async () => {
  let world = base().signIn('mi', '10:00', { kind: 'managed-identity', oid: UAMI, msiType: 'userAssigned' })
  world = remove(world.awsExchange('itself', '10:01', { subject: A, key: keyOf('k') }), 'b', '10:05')
  world = world.signIn('mi later', '10:06', { kind: 'managed-identity', oid: UAMI, msiType: 'userAssigned' })
  await expectEverywhere(world.converse('call', '10:10', { key: keyOf('k') }), {
    mi: 'ambiguous A B',
    itself: 'exact A',
    'mi later': 'derived A',
    call: 'exact A',
  })
})
