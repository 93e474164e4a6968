/**
 * The roll-up against a slow recount: SQL over the stored facts and conclusions that shares nothing with the code under test, and the simulator's
 * truth. Random worlds, half of them tampered with, in any order, with repetitions and late parts.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { llmUsage, usageLines } from '#api/read-models/llm-usage.ts'
import { wholeStore } from '#api/read-models/store.ts'
import type { UsageCounts } from '#api/usage/contract.ts'
import { DIMENSIONS, UsageFilters } from '#api/usage/query.ts'
import type { JsonObject, RawRecord } from '#core/record.ts'
import { importPaths } from '#ingest/import.ts'
import { lawWorld } from '../../test/law/worlds.ts'
import { type TestDatabase, createTestDatabase } from '../../test/postgres.ts'
import { createRandom, type Random } from '../../simulate/random.ts'
import { simulateWorld } from '../../simulate/simulate.ts'
import { createCorrelator } from '../index.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

async function clear(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    `select quote_ident(c.relname) as name from pg_class c where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = 'public'::regnamespace
       and c.relname <> 'access_log'`,
  )
  await pool.query(`truncate ${rows.map(({ name }) => name).join(', ')}`)
}

/** Everything seen, counted anew in plain SQL. */
const RECOUNT = `
  with e as (
    select e.*, coalesce(c.tenant_id, e.tenant_id) as tenant, c.confidence, coalesce(e.request_key, e.event_id::text) as call,
      case when c.confidence in ('exact', 'derived', 'probable') then 'agent' when c.confidence = 'ambiguous' then 'ambiguous' else 'unattributed' end as share,
      case when c.confidence in ('exact', 'derived', 'probable') then c.agent_oid end as agent,
      case when c.confidence = 'ambiguous' then c.candidates else '{}' end as candidates,
      concat_ws('/', coalesce(c.tenant_id, e.tenant_id), c.agent_oid, c.confidence, c.candidates) as whose,
      e.outcome = 'failure' and ((e.source = 'aws' and e.error_code ~ '^(Throttl|TooManyRequests|429$)') or (e.source = 'gcp' and e.error_code = '8')) as throttled
    from events e join conclusions c using (time_ns, event_id) where e.kind in ('llm.invoked', 'llm.metered')
  ),
  logs as (select distinct on (call) * from e where kind = 'llm.metered' order by call, event_id),
  seen as (
    select *, case when bool_or(secondary is not true) over (partition by call) then secondary is not true else row_number() over (partition by call order by time_ns, event_id) = 1 end as counted
    from e where kind = 'llm.invoked'
  ),
  more as (
    select call, bool_or(outcome = 'failure') as failed, bool_or(throttled) as throttled, (array_agg(ran_region order by time_ns, event_id) filter (where ran_region is not null))[1] as ran_region,
      (array_agg(model_id order by time_ns, event_id) filter (where model_id is not null))[1] as model_id, (array_agg(model_name order by time_ns, event_id) filter (where model_id is not null))[1] as model_name
    from seen where not counted group by call
  ),
  calls as (select *, row_number() over (partition by call order by time_ns, event_id) as nth, min(whose) over (partition by call) = max(whose) over (partition by call) as one from seen where counted),
  lines as (
    select i.time_ns, i.tenant, i.share, i.agent, i.confidence, i.candidates, i.source, i.account, i.region, coalesce(i.ran_region, l.ran_region, m.ran_region) as ran_region,
      case when i.model_id is not null then i.model_name when l.model_id is not null then l.model_name when m.model_id is not null then m.model_name else i.model_name end as model,
      coalesce(i.model_id, l.model_id, m.model_id) as model_id, 1 as n, (i.outcome = 'failure' or coalesce(l.outcome = 'failure', false) or coalesce(m.failed, false))::int as failed,
      (i.throttled or coalesce(l.throttled, false) or coalesce(m.throttled, false))::int as throttled, l.input_tokens as it, l.output_tokens as ot, l.cache_read_tokens as cr, l.cache_write_tokens as cw
    from calls i left join logs l on l.call = i.call and i.nth = 1 and i.one left join more m on m.call = i.call and i.nth = 1
    union all
    select l.time_ns, l.tenant, l.share, l.agent, l.confidence, l.candidates, l.source, l.account, l.region, l.ran_region, l.model_name, l.model_id,
      (not exists (select from calls i where i.call = l.call))::int, (l.outcome = 'failure' and not exists (select from calls i where i.call = l.call))::int, (l.throttled and not exists (select from calls i where i.call = l.call))::int, l.input_tokens, l.output_tokens, l.cache_read_tokens, l.cache_write_tokens
    from logs l where not exists (select from calls i where i.call = l.call and i.one)
  )
  select (timestamp '1970-01-01' + floor(time_ns / 86400000000000.0)::int * interval '1 day')::date::text as day, tenant as "tenantId", share, agent as "agentOid", confidence, candidates, source as cloud, account, region, ran_region as "ranRegion", model, model_id as "modelId",
    case when coalesce(it, ot, cr, cw) is null then 'none' else 'metered' end as "tokenBasis", sum(n)::int as calls, sum(failed)::int as errors, sum(throttled)::int as throttles,
    coalesce(sum(it), 0)::int as "inputTokens", coalesce(sum(ot), 0)::int as "outputTokens", coalesce(sum(cr), 0)::int as "cacheReadTokens", coalesce(sum(cw), 0)::int as "cacheWriteTokens"
  from lines group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13`

const textOf = (row: Readonly<Record<string, unknown>>): string => JSON.stringify(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1)))

async function rolledUp(pool: pg.Pool) {
  const lines = await Array.fromAsync(usageLines(pool))
  return lines.map(({ id: _id, type: _type, ...row }) => row)
}

/** The roll-up is what a recount gives, and the sum of its parts. */
async function expectRight(pool: pg.Pool, what: string): Promise<void> {
  const { rows } = await pool.query<Record<string, unknown>>(RECOUNT)
  expect((await rolledUp(pool)).map(textOf).toSorted(), what).toEqual(rows.map(textOf).toSorted())
  const { rows: parts } = await pool.query<{ wrong: bigint }>(
    `select count(*) as wrong from (select row_id as id, sum(calls) as calls, sum(errors) as errors, sum(throttles) as t, sum(input_tokens) as i, count(*) as n from usage_parts group by 1) p
     full join usage_daily u using (id) where (p.calls, p.errors, p.t, p.i, p.n) is distinct from (u.calls, u.errors, u.throttles, u.input_tokens, u.parts)`,
  )
  expect(parts[0]!.wrong, what).toBe(0n)
}

const NAMES = ['calls', 'errors', 'throttles', 'inputTokens', 'outputTokens', 'cacheReadTokens', 'cacheWriteTokens'] as const
const sumOf = (rows: readonly UsageCounts[]) => Object.fromEntries(NAMES.map((name) => [name, rows.reduce((sum, row) => sum + row[name], 0)]))

/** However it is cut and grouped, the report adds up to everything seen, and says what it leaves out. */
async function expectAddsUp(pool: pg.Pool, random: Random, what: string): Promise<void> {
  const { rows: seen } = await pool.query<UsageCounts & { readonly tenantId: string | null; readonly day: string }>(RECOUNT)
  const tenants = [...new Set(seen.flatMap((row) => row.tenantId ?? []))]
  const days = [...new Set(seen.map((row) => row.day))].toSorted()
  for (let round = 0; round < 6; round++) {
    const groupBy = DIMENSIONS.filter(() => random.chance(0.4))
    const tenant = tenants.length > 0 && random.chance(0.4) ? random.pick(tenants) : undefined
    const from = days.length > 0 && random.chance(0.4) ? random.pick(days) : undefined
    const report = await llmUsage(wholeStore(pool), UsageFilters.parse({ tenant, from, groupBy: groupBy.length > 0 ? groupBy.join() : undefined }))
    const inPeriod = seen.filter((row) => from === undefined || row.day >= from)
    const told = `${what}, grouped by ${groupBy.join()}, ${tenant ?? 'all'}, from ${from ?? 'the start'}`
    expect(sumOf(report.rows), told).toEqual(sumOf(inPeriod.filter((row) => tenant === undefined || row.tenantId === tenant)))
    expect(sumOf([report.coverage.total]), told).toEqual(sumOf(report.rows))
    expect(sumOf(Object.values(report.coverage.byConfidence)), told).toEqual(sumOf(report.rows))
    expect(report.coverage.total.calls + report.coverage.otherTenants, told).toBe(sumOf(inPeriod)['calls'])
    const shares = Object.values(report.coverage.byConfidence).map((one) => one.callShare ?? 0)
    expect(Math.abs(shares.reduce((sum, share) => sum + share, 0) - (report.coverage.total.calls > 0 ? 1 : 0)), told).toBeLessThan(1e-5)
    for (const share of ['ambiguous', 'unattributed'])
      expect(
        report.rows.some((row) => row.share === share),
        told,
      ).toBe(true)
  }
}

/** The record with what the simulator does not make: calls that AWS handed on to another region, and refusals for too much use in other words. */
function enriched(record: RawRecord, random: Random): RawRecord {
  const { value } = record
  const change = changeOf(value, random)
  if (change === null) return record
  const changed = { ...value, ...change }
  return { ...record, value: changed, text: JSON.stringify(changed) }
}

function changeOf(value: JsonObject, random: Random): JsonObject | null {
  const region = random.pick(['us-west-2', 'eu-central-1'])
  if (value['eventSource'] === 'bedrock.amazonaws.com' && random.chance(0.5))
    return random.chance(0.4)
      ? { errorCode: random.pick(['ThrottlingException', 'TooManyRequestsException']) }
      : { additionalEventData: { inferenceRegion: region } }
  if (value['schemaType'] === 'ModelInvocationLog' && random.chance(0.5)) return random.chance(0.3) ? { status: 429 } : { inferenceRegion: region }
  const payload = value['protoPayload'] as JsonObject | undefined
  if (payload?.['serviceName'] === 'aiplatform.googleapis.com' && random.chance(0.3))
    return { protoPayload: { ...payload, status: { code: 8, message: 'Quota exceeded' } } }
  return null
}

function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const result = [...items]
  for (let index = result.length - 1; index > 0; index--) {
    const other = random.int(0, index)
    ;[result[index], result[other]] = [result[other]!, result[index]!]
  }
  return result
}

/** The record, and sometimes others that tell of the same request: an operation's end, a second part, the copy of a VPC endpoint's owner. */
function withParts(record: RawRecord, random: Random): RawRecord[] {
  const { value } = record
  const as = (change: JsonObject): RawRecord => {
    const changed = { ...value, ...change }
    return { ...record, value: changed, text: JSON.stringify(changed) }
  }
  const payload = value['protoPayload'] as JsonObject | undefined
  const insertId = value['insertId'] as string
  if (payload?.['serviceName'] === 'aiplatform.googleapis.com' && random.chance(0.5)) {
    const failed = random.chance(0.3) ? { protoPayload: { ...payload, status: { code: 13, message: 'internal' } } } : {}
    const parts = random.chance(0.5)
      ? [
          as({ operation: { id: insertId, producer: 'p', first: true } }),
          as({ operation: { id: insertId, producer: 'p', last: true }, insertId: `${insertId}-end`, ...failed }),
        ]
      : [0, 1, 2].map((index) => as({ split: { uid: insertId, index, totalSplits: 3 }, insertId: `${insertId}-${index}` }))
    return random.chance(0.3) ? parts.slice(1) : parts
  }
  if (value['eventSource'] === 'bedrock.amazonaws.com' && random.chance(0.3)) {
    const { requestParameters: _left, ...rest } = value
    const changed = {
      ...rest,
      eventID: `copy-${value['eventID'] as string}`,
      eventType: 'AwsVpceEvent',
      eventCategory: 'NetworkActivity',
      sourceIPAddress: '10.0.0.7',
    }
    const copy = { ...record, value: changed, text: JSON.stringify(changed) }
    return random.chance(0.3) ? [copy] : [record, copy]
  }
  return [record]
}

const FIRST = Number(process.env['USAGE_SEED'] ?? 1)
const WORLDS = Number(process.env['USAGE_WORLDS'] ?? 16)

test('is what a recount gives after every part of a random world, in any order, with repetitions', { timeout: 600_000 }, async () => {
  const { pool } = database
  let [calls, throttles, elsewhere] = [0, 0, 0]
  for (let seed = FIRST; seed < FIRST + WORLDS; seed++) {
    await clear(pool)
    const random = createRandom(seed, 'usage')
    const records = lawWorld(seed).records.flatMap((record) => withParts(enriched(record, random), random))
    const order = shuffled([...records, ...records.filter(() => random.chance(0.2))], random)
    const correlator = createCorrelator(pool)
    const largest = random.pick([5, 20, 60])
    for (let start = 0; start < order.length;) {
      const size = random.int(1, largest)
      await correlator.deliver(order.slice(start, start + size), [])
      start += size
      if (!random.chance(0.3)) continue
      await correlator.drain()
      await expectRight(pool, `world ${seed} after ${start} records`)
    }
    await correlator.drain()
    await expectRight(pool, `world ${seed}`)
    await expectAddsUp(pool, random, `world ${seed}`)
    const { rows } = await pool.query<Record<'calls' | 'throttles' | 'elsewhere', bigint | null>>(
      'select sum(calls)::bigint as calls, sum(throttles)::bigint as throttles, sum(calls) filter (where ran_region is not null)::bigint as elsewhere from usage_daily',
    )
    calls += Number(rows[0]?.calls ?? 0)
    throttles += Number(rows[0]?.throttles ?? 0)
    elsewhere += Number(rows[0]?.elsewhere ?? 0)
  }
  expect(calls).toBeGreaterThan(WORLDS)
  // Worlds in which nothing of it happened would prove nothing.
  expect(throttles).toBeGreaterThan(WORLDS / 4)
  expect(elsewhere).toBeGreaterThan(WORLDS / 4)
})

test('is what a recount gives when a better text of the same record says that it was another request, day, kind or failed', { timeout: 600_000 }, async () => {
  const { pool } = database
  const world = [...simulateWorld({ seed: 11, agents: 3, days: 1 })].map(({ text, truth }) => ({ text, truth }))
  const calls = world.filter(({ truth }) => truth.kinds[0] === 'llm.invoked')
  const aws = calls
    .filter(({ truth, text }) => truth.source === 'aws' && text.includes('"Converse"'))
    .slice(0, 2)
    .map(({ text }) => text)
  const gcp = calls.find(({ truth }) => truth.source === 'gcp')!.text
  const requests = aws.map((text) => (JSON.parse(text) as { requestID: string }).requestID)
  const logs = world.filter(({ truth }) => truth.kinds[0] === 'llm.metered' && requests.includes(truth.nativeId)).map(({ text }) => text)
  expect([aws.length, logs.length]).toEqual([2, 2])
  // Which text speaks is decided by its hash: with several spellings each of these takes over from each other one somewhere.
  const spelled = (text: string): string[] => [text, ...[1, 2].map((number) => text.replace('{', `{"spelling":${number},`))]
  const texts = [
    aws[0]!,
    aws[0]!.replace(requests[0]!, requests[1]!),
    aws[0]!.replace('"Converse"', '"GetFoundationModel"'),
    aws[0]!.replace(/"eventTime":"\d{4}/, '"eventTime":"2025'),
    aws[0]!.replace('{"eventVersion"', '{"errorCode":"AccessDenied","eventVersion"'),
    gcp,
    gcp.replace(/"methodName":"[^"]*"/, '"methodName":"google.cloud.aiplatform.v1.ModelService.GetModel"'),
  ].flatMap(spelled)
  const all = [...texts, ...aws.slice(1), ...logs].map((text, index): RawRecord => ({
    text,
    value: JSON.parse(text) as JsonObject,
    masked: [],
    origin: { file: 'texts', line: null, index },
    context: {},
  }))
  const results = new Set<string>()
  for (let seed = 1; seed <= 8; seed++) {
    await clear(pool)
    const correlator = createCorrelator(pool)
    const random = createRandom(seed, 'texts')
    for (const [index, record] of shuffled(all, random).entries()) {
      await correlator.deliver([record], [])
      if (!random.chance(0.7)) continue
      await correlator.drain()
      await expectRight(pool, `order ${seed} after ${index + 1}`)
    }
    await correlator.drain()
    await expectRight(pool, `order ${seed}`)
    results.add((await rolledUp(pool)).map(textOf).join('\n'))
  }
  expect(results.size).toBe(1)
})

const TRUE_WORLDS = [
  { seed: 12, agents: 5, days: 1, turnsPerDay: 40 },
  { seed: 13, agents: 7, days: 3, turnsPerDay: 12 },
  { seed: Number(process.env['USAGE_SEED'] ?? 14), agents: 4, days: 2, turnsPerDay: 20 },
  // The last and largest: the test of the migration goes on with it.
  { seed: 11, agents: 9, days: 2, turnsPerDay: 30 },
]

// What the simulator knows, not what the store holds: calls, failures, throttles and tokens, by agent and confidence.
test.each(TRUE_WORLDS)('is what really happened in the whole world $seed, in any order, half of it late', { timeout: 600_000 }, async ({ seed, ...size }) => {
  const { pool } = database
  await clear(pool)
  const world = [...simulateWorld({ seed, ...size, duplicates: 0.2, late: 0.2 })]
  const records = world.map(({ text }, index): RawRecord => ({
    text,
    value: JSON.parse(text) as JsonObject,
    masked: [],
    origin: { file: 'world', line: null, index },
    context: {},
  }))
  const correlator = createCorrelator(pool)
  const order = shuffled(records, createRandom(seed, 'order'))
  for (let start = 0; start < order.length; start += 300) {
    await correlator.deliver(order.slice(start, start + 300), [])
    // Concluded with half of the records missing: everything after that repairs.
    if (start <= order.length / 2 && start + 300 > order.length / 2) await correlator.drain()
  }
  await correlator.drain()
  await expectRight(pool, 'the whole world')

  const truths = new Map(world.map((one) => [one.truth.nativeId, one]))
  const expected = new Map<string, number>()
  const add = (key: string, count: number): void => void (count > 0 && expected.set(key, (expected.get(key) ?? 0) + count))
  const callers = new Map<string, string>()
  for (const { truth, text } of truths.values()) {
    if (truth.kinds[0] !== 'llm.invoked') continue
    const who = `${truth.confidence} ${truth.confidence === 'ambiguous' ? truth.candidates.join() : truth.agentOid}`
    add(`calls ${who}`, 1)
    if (truth.outcome === 'failure') add(`errors ${who}`, 1)
    if (/"errorCode":\s?"ThrottlingException"/.test(text) || (truth.source === 'gcp' && /"status":\s?\{"code":\s?8\b/.test(text))) add(`throttles ${who}`, 1)
    const requestId = (JSON.parse(text) as { requestID?: string }).requestID
    if (requestId) callers.set(requestId, who)
  }
  for (const { truth, text } of truths.values()) {
    if (truth.kinds[0] !== 'llm.metered') continue
    const { requestId, input, output } = JSON.parse(text) as { requestId: string; input: Record<string, number>; output: Record<string, number> }
    const who = callers.get(requestId)!
    add(`tokens ${who}`, input['inputTokenCount']! + output['outputTokenCount']!)
    add(`cached ${who}`, input['cacheReadInputTokenCount']!)
  }
  const found = new Map<string, number>()
  for (const row of await rolledUp(pool)) {
    const who = `${row.confidence} ${row.share === 'ambiguous' ? row.candidates.join() : row.agentOid}`
    for (const [what, count] of [
      ['calls', row.calls],
      ['errors', row.errors],
      ['throttles', row.throttles],
      ['tokens', row.inputTokens + row.outputTokens],
      ['cached', row.cacheReadTokens],
    ] as const) {
      if (count > 0) found.set(`${what} ${who}`, (found.get(`${what} ${who}`) ?? 0) + count)
    }
  }
  expect(expected.size).toBeGreaterThan(10)
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected))
})

test('is filled by the migration for a store that was made before there was a roll-up', async () => {
  const { pool } = database
  const before = (await rolledUp(pool)).map(textOf)
  expect(before.length).toBeGreaterThan(20)
  const again = async (name: string): Promise<void> => {
    const migration = readFileSync(join(import.meta.dirname, '../../migrations', name), 'utf8')
    await pool.query(migration.slice(migration.indexOf('INSERT INTO "pending"')))
    await createCorrelator(pool).drain()
    expect((await rolledUp(pool)).map(textOf), name).toEqual(before)
  }
  await pool.query('truncate usage_daily, usage_parts')
  await again('0002_usage.sql')
  // Counted before there were throttles.
  await pool.query('update usage_parts set throttles = 0; update usage_daily set throttles = 0')
  await again('0005_usage-and-reports.sql')
})

interface ExpectedUsage {
  readonly share: string
  readonly agentOid: string | null
  readonly model: string
  readonly modelIds: readonly string[]
  readonly cloud: string
  readonly day: string
  readonly calls: number
}

describe.each(['option-1-one-agent', 'option-1-shared-uami', 'option-2-three-agents', 'role-chain'])('scenario %s', (name) => {
  test('gives exactly the expected usage', async () => {
    const { pool } = database
    await clear(pool)
    const folder = join(import.meta.dirname, '../../test/fixtures/scenarios', name)
    await importPaths([join(folder, 'records')], { sink: createCorrelator(pool) })
    const { usage } = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as { usage: readonly (ExpectedUsage & { readonly callsMin: number })[] }
    const { rows } = await pool.query<ExpectedUsage>(
      `select share, agent_oid as "agentOid", model, array_agg(distinct model_id) as "modelIds", cloud, day::text as day, sum(calls)::int as calls, sum(errors)::int as errors, sum(input_tokens)::int as "inputTokens",
         sum(output_tokens)::int as "outputTokens", sum(cache_read_tokens)::int as "cacheReadTokens", sum(cache_write_tokens)::int as "cacheWriteTokens"
       from usage_daily group by share, agent_oid, model, cloud, day`,
    )
    expect(rows.map((row) => textOf({ ...row })).toSorted()).toEqual(
      usage.map(({ callsMin: _callsMin, ...row }) => textOf(row as unknown as Record<string, unknown>)).toSorted(),
    )
    await expectRight(pool, name)
  })
})
