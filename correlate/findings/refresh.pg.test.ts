import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createCorrelator } from '#correlate/index.ts'
import { eventId, type RawRecord } from '#core/record.ts'
import { createTestDatabase, type TestDatabase } from '../../test/postgres.ts'
import { refresh } from './engine/refresh.ts'
import type { FindingRule } from './engine/rule.ts'
import { refreshFindings } from './index.ts'
import { emptyStore } from './testing/evaluate.ts'
import { GRAPH, guid, keyOf, World } from './testing/world.ts'

const AGENT = guid('agent')

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
beforeEach(() => emptyStore(database.pool))
afterAll(() => database.drop())

async function deliver(records: readonly RawRecord[]): Promise<void> {
  const sink = createCorrelator(database.pool)
  await sink.deliver(records, [])
  await sink.drain()
}

async function stored(): Promise<{ id: string; rule: string; evidence: string[] }[]> {
  return (await database.pool.query<{ id: string; rule: string; evidence: string[] }>('select id, rule, evidence from findings order by id')).rows
}

const world = (): World =>
  new World()
    .principal('created', '-3 06:00', 'Add service principal', AGENT, { agent: true })
    .signIn('log', '-2 07:00', { kind: 'blueprint', oid: guid('blueprint'), appId: guid('blueprint-app') })
    .awsExchange('exchange', '10:00', { subject: AGENT })

test('a refresh that finds nothing new reads no events and writes nothing', async () => {
  await deliver(world().records)
  expect(await refreshFindings(database.pool)).toMatchObject({ findings: 1, written: 1, removed: 0 })
  expect(await refreshFindings(database.pool)).toEqual({ findings: 1, written: 0, removed: 0, days: 0 })
})

test('more evidence keeps the id of a finding', async () => {
  await deliver(world().records)
  await refreshFindings(database.pool)
  const [before] = await stored()
  await deliver(new World().awsExchange('again', '11:00', { subject: AGENT }).records)
  expect(await refreshFindings(database.pool)).toMatchObject({ findings: 1, written: 1, removed: 0 })
  const [after] = await stored()
  expect(after).toMatchObject({ id: before!.id, rule: 'exchange-without-issuance' })
  expect([before!.evidence.length, after!.evidence.length]).toEqual([1, 2])
})

test('a late record takes back the finding that its absence led to', async () => {
  await deliver(world().records)
  await refreshFindings(database.pool)
  await deliver(new World().signIn('late', '09:55', { kind: 'agent', oid: AGENT, resource: guid('blueprint-app') }).records)
  expect(await refreshFindings(database.pool)).toMatchObject({ findings: 0, written: 0, removed: 1, days: 1 })
})

test('a token of the evening before counts for an exchange after midnight, also when it comes late and nothing is concluded differently on that day', async () => {
  const held = async (): Promise<unknown[]> =>
    (await database.pool.query(`select profile->'held' as held from digests where topic = 'exchange' and profile->>'source' = 'gcp'`)).rows as unknown[]
  await deliver(
    world()
      .gcpProvider('provider', '-2 06:00', { condition: `assertion.sub == '${AGENT}'` })
      .signIn('graph', '00:01', { kind: 'agent', oid: AGENT, resource: GRAPH })
      .gcpExchange('after midnight', '00:05', AGENT).records,
  )
  await refreshFindings(database.pool)
  expect([await held(), (await stored()).filter((one) => one.rule === 'audience-trap').length]).toEqual([[{ held: [GRAPH] }], 1])
  await deliver(new World().signIn('dedicated', '-1 23:50', { kind: 'agent', oid: AGENT, resource: guid('blueprint-app') }).records)
  await refreshFindings(database.pool)
  expect([await held(), (await stored()).filter((one) => one.rule === 'audience-trap').length]).toEqual([
    [{ held: [GRAPH, guid('blueprint-app')].toSorted() }],
    0,
  ])
})

test('what changed is noted once, in order, and the last state of what is gone is kept', async () => {
  await deliver(world().records)
  await refreshFindings(database.pool)
  await refreshFindings(database.pool)
  await deliver(new World().awsExchange('again', '11:00', { subject: AGENT }).records)
  await refreshFindings(database.pool)
  await deliver(new World().signIn('late', '09:55', { kind: 'agent', oid: AGENT, resource: guid('blueprint-app') }).records)
  await refreshFindings(database.pool)
  const { rows } = await database.pool.query<{ change: string; count: number; rule: string }>(
    `select change, (body->>'evidenceCount')::integer as count, body->>'rule' as rule from finding_changes order by id`,
  )
  expect(rows).toEqual([
    { change: 'new', count: 1, rule: 'exchange-without-issuance' },
    { change: 'changed', count: 2, rule: 'exchange-without-issuance' },
    { change: 'gone', count: 2, rule: 'exchange-without-issuance' },
  ])
})

test('a decision about a finding survives that it changes, goes and comes again, and its evidence tells that it changed', async () => {
  await deliver(world().records)
  await refreshFindings(database.pool)
  const state = async (): Promise<unknown> =>
    (await database.pool.query('select d.evidence_hash <> f.evidence_hash as changed from finding_decisions d left join findings f on f.id = d.finding_id'))
      .rows
  await database.pool.query(
    `insert into finding_decisions (finding_id, tenant_id, acknowledged, reason, by, decided_at, evidence_hash) select id, tenant_id, true, 'known', 'test', now(), evidence_hash from findings`,
  )
  await refreshFindings(database.pool)
  expect(await state()).toEqual([{ changed: false }])
  await deliver(new World().awsExchange('again', '11:00', { subject: AGENT }).records)
  await refreshFindings(database.pool)
  expect(await state()).toEqual([{ changed: true }])
  await deliver(new World().signIn('late', '09:55', { kind: 'agent', oid: AGENT, resource: guid('blueprint-app') }).records)
  await refreshFindings(database.pool)
  expect(await state()).toEqual([{ changed: null }])
  await deliver(new World().awsExchange('much later', '23:00', { subject: AGENT }).records)
  await refreshFindings(database.pool)
  expect(await state()).toEqual([{ changed: true }])
})

test('two processes that refresh at once agree', async () => {
  await deliver(world().records)
  const results = await Promise.all([refreshFindings(database.pool), refreshFindings(database.pool), refreshFindings(database.pool)])
  expect(results.reduce((sum, result) => sum + result.written, 0)).toBe(1)
  expect(await stored()).toHaveLength(1)
})

const rule = (evaluate: FindingRule['evaluate']): FindingRule => ({
  id: 'test',
  title: 'A title',
  severity: 'low',
  why: '',
  remediation: '',
  falsePositives: [],
  evaluate,
})

test('a finding lists the first thousand of its events and says how many there are', async () => {
  const evidence = Array.from({ length: 1500 }, (_, index) => ({ id: eventId(String(index)), timeNs: BigInt(1500 - index) }))
  await refresh(database.pool, [
    rule(() => Promise.resolve([{ key: ['x'], confidence: 'exact', tenantId: null, oids: [], evidence, explanation: 'So it is.' }])),
  ])
  const { rows } = await database.pool.query<{ evidence: string[]; explanation: string; first_ns: bigint; last_ns: bigint }>(
    'select evidence, explanation, first_ns, last_ns from findings',
  )
  expect(rows[0]!.evidence).toEqual(
    evidence
      .slice(500)
      .map((one) => one.id)
      .toSorted(),
  )
  expect(rows[0]).toMatchObject({ first_ns: 1n, last_ns: 1500n, explanation: 'So it is. It rests on 1500 events, of which the first 1000 are listed.' })
})

test('a stolen session and a secret that are used more than a thousand times list the first thousand uses, and count all of them and their sessions', async () => {
  const [first, second, blueprint] = [keyOf('first'), keyOf('second'), guid('blueprint')]
  const many = new World()
    .principal('created', '-3 06:00', 'Add service principal', AGENT, { agent: true })
    .signIn('log', '-2 07:00', { kind: 'agent', oid: AGENT, ip: '203.0.113.10' })
    .awsExchange('exchange', '10:00', { subject: AGENT, key: first, ip: '203.0.113.10' })
    .awsExchange('exchange again', '10:01', { subject: AGENT, key: second, ip: '203.0.113.10' })
    .converse('last', '11:00', { key: second, ip: '198.51.100.77' })
    .signIn('refused', '12:00', { kind: 'blueprint', oid: blueprint, appId: guid('blueprint-app'), credential: 'ClientSecret', error: '7000222' })
  for (let index = 0; index < 1100; index++) {
    many.converse(`use ${index}`, '10:30', { key: first, ip: '198.51.100.77' })
    many.signIn(`secret ${index}`, '09:00', { kind: 'blueprint', oid: blueprint, appId: guid('blueprint-app'), credential: 'ClientSecret' })
  }
  await deliver(many.records)
  await refreshFindings(database.pool)
  const { rows } = await database.pool.query<{ rule: string; listed: number; explanation: string }>(
    `select rule, cardinality(evidence) as listed, explanation from findings where rule in ('credential-used-from-new-address', 'secret-where-federation-expected') order by rule`,
  )
  expect(rows).toEqual([
    {
      rule: 'credential-used-from-new-address',
      listed: 1000,
      explanation: expect.stringMatching(/^2 sessions .* \(1101 events\).* rests on 1101 events, of which the first 1000/),
    },
    {
      rule: 'secret-where-federation-expected',
      listed: 1000,
      explanation: expect.stringMatching(/signed in 1100 times .* was refused 1 time .*\(7000222\).* rests on 1101 events/),
    },
  ])
})

test('a rule that gives two findings one key is a fault, and nothing is changed', async () => {
  const draft = { key: ['x'], confidence: 'exact', tenantId: null, oids: [], evidence: [{ id: eventId('1'), timeNs: 1n }], explanation: '' } as const
  await refresh(database.pool, [rule(() => Promise.resolve([draft]))])
  await expect(refresh(database.pool, [rule(() => Promise.resolve([draft, draft]))])).rejects.toThrow('two findings with one key')
  expect(await stored()).toHaveLength(1)
})
