import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { linkedEvents } from '../cli/sigma/events.ts'
import { readRules } from '../cli/sigma/rule.ts'
import { createRun } from '../cli/sigma/run.ts'
import { findingsOf } from '../correlate/findings/testing/evaluate.ts'
import { createRole, guid, keyOf, TENANT, userIdentity, World } from '../correlate/findings/testing/world.ts'
import { createTestDatabase, type TestDatabase } from '../test/postgres.ts'

const AGENT = guid('agent')
const OTHER = guid('other-agent')
const NOBODY = guid('nobody')

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

/** Minutes after ten, as the world writes times. */
const at = (minute: number): string => `${10 + Math.floor(minute / 60)}:${String(minute % 60).padStart(2, '0')}`
const repeat = (world: World, count: number, step: (world: World, index: number) => World): World => {
  for (let index = 0; index < count; index++) step(world, index)
  return world
}
const base = (): World =>
  new World()
    .principal('created', '-3 06:00', 'Add service principal', AGENT, { agent: true })
    .principal('other-created', '-3 06:00', 'Add service principal', OTHER, { agent: true })
    .awsExchange('exchange', '09:59', { subject: AGENT, key: keyOf('k') })

interface Case {
  readonly fires: () => World
  /** Labels of the events of each match. */
  readonly on: readonly (readonly string[])[]
  readonly silent: () => World
}

const labels = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, index) => `${prefix}${index}`)

const CASES: Readonly<Record<string, Case>> = {
  'refused-model-calls': {
    fires: () =>
      repeat(
        repeat(base(), 6, (world, index) => world.converse(`aws${index}`, at(index), { key: keyOf('k'), error: 'AccessDeniedException' })),
        4,
        (world, index) => world.generate(`gcp${index}`, at(index + 5), { subject: AGENT, code: 7 }),
      ),
    on: [['aws0', 'aws1', 'aws2', 'aws3', 'aws4', 'aws5', 'gcp0', 'gcp1', 'gcp2', 'gcp3']],
    silent: () =>
      repeat(
        repeat(base(), 9, (world, index) => world.converse(`denied${index}`, at(index), { key: keyOf('k'), error: 'AccessDeniedException' })),
        9,
        (world, index) => world.converse(`throttled${index}`, at(index), { key: keyOf('k'), error: 'ThrottlingException' }),
      ),
  },
  'many-models': {
    fires: () => repeat(base(), 5, (world, index) => world.converse(`call${index}`, at(index * 10), { key: keyOf('k'), model: `vendor.model-${index}-v1:0` })),
    on: [labels('call', 5)],
    silent: () => repeat(base(), 9, (world, index) => world.converse(`call${index}`, at(index * 20), { key: keyOf('k'), model: `vendor.model-${index}-v1:0` })),
  },
  'exchange-from-many-addresses': {
    fires: () =>
      repeat(new World(), 2, (world, index) => world.awsExchange(`aws${index}`, at(index), { subject: AGENT, ip: `192.0.2.${index}` }))
        .principal('created', '-3 06:00', 'Add service principal', AGENT, { agent: true })
        .gcpExchange('gcp0', at(5), AGENT, { ip: '192.0.2.10' })
        .gcpExchange('gcp1', at(6), AGENT, { ip: '192.0.2.11' }),
    on: [['aws0', 'aws1', 'gcp0', 'gcp1']],
    silent: () =>
      repeat(base(), 8, (world, index) =>
        world.awsExchange(`one${index}`, at(index), { subject: index % 2 ? AGENT : OTHER, ip: `192.0.2.${Math.floor(index / 4)}` }),
      ),
  },
  'exchange-after-refusals': {
    fires: () => base().awsExchange('refused', at(1), { subject: OTHER, refused: true }).gcpExchange('accepted', at(90), OTHER),
    on: [['refused', 'accepted']],
    silent: () =>
      base()
        .awsExchange('accepted', at(1), { subject: OTHER })
        .awsExchange('refused', at(2), { subject: OTHER, refused: true })
        .awsExchange('another', at(3), { subject: AGENT }),
  },
  'trust-change-then-exchange': {
    fires: () =>
      new World()
        .aws('role', at(0), createRole('agent-role', [{ StringEquals: { [`sts.windows.net/${TENANT}/:sub`]: AGENT } }]))
        .awsExchange('use', at(20), { subject: AGENT }),
    on: [['role', 'use']],
    silent: () =>
      new World()
        .aws('role', at(0), createRole('agent-role', [{ StringEquals: { [`sts.windows.net/${TENANT}/:sub`]: AGENT } }]))
        .awsExchange('another', at(20), { subject: OTHER })
        .awsExchange('later', at(90), { subject: AGENT }),
  },
  'model-call-by-no-agent': {
    fires: () =>
      base()
        .awsExchange('stranger', at(0), { subject: NOBODY, key: keyOf('n') })
        .converse('call', at(1), { key: keyOf('n') }),
    on: [['call']],
    silent: () =>
      base()
        .converse('agents', at(1), { key: keyOf('k') })
        .converse('unknown-key', at(2), { key: keyOf('never-seen') }),
  },
  'model-call-with-static-key': {
    fires: () =>
      base()
        .aws('user', at(1), {
          service: 'bedrock',
          name: 'Converse',
          identity: userIdentity('dev', 'AKIAIOSFODNN7EXAMPL2'),
          request: { modelId: 'amazon.nova-lite-v1:0' },
        })
        .generate('key', at(2), { byKey: true }),
    on: [['user'], ['key']],
    silent: () =>
      base()
        .converse('federated', at(1), { key: keyOf('k') })
        .aws('no-model', at(2), { service: 's3', name: 'ListBuckets', identity: userIdentity('dev', 'AKIAIOSFODNN7EXAMPL2') }),
  },
  'large-answers': {
    fires: () => repeat(base(), 20, (world, index) => metered(world, `call${index}`, at(index), 9000)),
    on: [labels('call', 20)],
    silent: () => repeat(base(), 30, (world, index) => metered(world, `call${index}`, at(index), index % 2 ? 9000 : 100)),
  },
}

/** A call and its usage log. */
function metered(world: World, label: string, time: string, outputTokens: number): World {
  return world.converse(`${label}-call`, time, { key: keyOf('k') }).metered(label, time, { of: `${label}-call`, outputTokens })
}

async function found(rule: string, world: World): Promise<string[][]> {
  // Also brings conclusions up to date.
  await findingsOf(database.pool, world)
  const run = createRun(readRules(readFileSync(join(import.meta.dirname, `${rule}.yml`), 'utf8'), rule))
  const matches = []
  for await (const event of linkedEvents(database.pool, run, { fromNs: null, toNs: null, sources: null })) matches.push(...run.offer(event))
  matches.push(...run.finish())
  const { rows } = await database.pool.query<{ id: string; native: string }>('select event_id as id, native_id as native from events')
  const label = new Map(rows.map((row) => [row.id, world.labels.get(row.native) ?? row.native]))
  return matches.map((match) => match.events.map((id) => label.get(id)!))
}

test('every rule that is shipped has its case, an id of its own, and says what it is for', () => {
  const files = globSync('*.yml', { cwd: import.meta.dirname })
  expect(files.map((file) => basename(file, '.yml')).toSorted()).toEqual(Object.keys(CASES).toSorted())
  const all = files.flatMap((file) => readRules(readFileSync(join(import.meta.dirname, file), 'utf8'), file))
  const ids = all.flatMap((rule) => rule.id ?? [])
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids).toHaveLength(files.length)
  // They can all be run at once.
  createRun(all)
})

describe.each(Object.entries(CASES))('%s', (rule, { fires, on, silent }) => {
  test('fires on what it is for', async () => {
    expect((await found(rule, fires())).map((events) => events.toSorted())).toEqual(on.map((events) => [...events].toSorted()))
  })
  test('stays silent on what is near to it', async () => {
    expect(await found(rule, silent())).toEqual([])
  })
})
