/** Findings from the sums of days that changed are those of a recount of everything, after every order, repetition, late record and better text. */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { concludeAll } from '#correlate/conclude-all.ts'
import { createCorrelator } from '#correlate/index.ts'
import type { JsonObject, RawRecord } from '#core/record.ts'
import { createRandom } from '../../simulate/random.ts'
import { simulateWorld } from '../../simulate/simulate.ts'
import { rawRecord } from '../../test/law/worlds.ts'
import { createTestDatabase, type TestDatabase } from '../../test/postgres.ts'
import { refreshFindings } from './index.ts'
import { emptyStore } from './testing/evaluate.ts'
import { logs, PLANTS } from './testing/plants.ts'
import { World } from './testing/world.ts'

const RULES = Object.keys(PLANTS)

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

/** Another text of the same sign-in or call, of another address and another day: by the smaller hash one of the two speaks, and the event may change its day. */
function otherText({ text, ...record }: RawRecord, index: number): RawRecord | null {
  const changed = text
    .replaceAll(/2026-09-(09|10)T/g, (time, day: string) => (index % 2 === 0 ? `2026-09-${Number(day) + 3}T` : time))
    .replaceAll(/"(ipAddress|sourceIPAddress|callerIp|sourceIp)":"[^"]+"/g, `"$1":"192.0.2.${index % 250}"`)
  return changed === text || /mapped_principal|"insertId"/.test(text) ? null : { ...record, text: changed, value: JSON.parse(changed) as JsonObject }
}

/** The records with all their times moved: so that what belongs together lies around midnight, and cases lie on different days. */
function moved(records: readonly RawRecord[], hours: number): RawRecord[] {
  return records.map((record) => {
    const text = record.text.replaceAll(/20\d\d-\d\d-\d\dT[\d:]{8}Z/g, (time) =>
      new Date(Date.parse(time) + hours * 3_600_000).toISOString().replace('.000', ''),
    )
    return { ...record, text, value: JSON.parse(text) as JsonObject }
  })
}

function recordsOf(seed: number, rules: readonly string[]): RawRecord[] {
  const random = createRandom(seed, 'digests')
  const frame = new World()
  logs(frame)
  const planted = rules.flatMap((rule) => {
    const world = new World()
    PLANTS[rule]!.fires(world, `${rule} case`, random)
    PLANTS[rule]!.near(world, `${rule} near`, random)
    return moved(world.records, random.int(0, 30) - 24)
  })
  const others = planted.flatMap((record, index) => (random.chance(0.3) ? (otherText(record, index) ?? []) : []))
  const simulated =
    seed % 3 > 0 ? [] : [...simulateWorld({ seed, agents: 6, days: 1, turnsPerDay: 2, noisePerDay: 2 })].map(({ text }, index) => rawRecord(text, index))
  const all = [...frame.records, ...planted, ...others, ...simulated]
  return [...all, ...all.filter(() => random.chance(0.1))]
}

/** What befalls sums in a store that is updated or put right by hand; each is met by the next refresh. */
const MISHAPS: Readonly<Record<string, string>> = {
  none: 'select 1',
  // What is stored came before days were noted.
  'updated store': `delete from touched_days; delete from digest_days; delete from digests; delete from progress where name in ('digests', 'noted-days', 'noted-days-since')`,
  'days and rounds forgotten': `delete from touched_days; delete from progress where name like 'noted-days%'`,
  'sums emptied': 'delete from digests; delete from digest_days',
  'sums emptied after an update': 'delete from touched_days; delete from digests; delete from digest_days',
  'days emptied': 'delete from digest_days',
  'told to recount': `delete from progress where name in ('digests', 'findings')`,
  'summed up in another way': `update digest_days set version = 'another'; update digests set profile = '{}' where topic = 'exchange'`,
}

interface Stored {
  readonly findings: readonly unknown[]
  readonly digests: readonly unknown[]
}

async function stored(): Promise<Stored> {
  const ask = async (sql: string): Promise<readonly unknown[]> => (await database.pool.query(sql)).rows as unknown[]
  return {
    findings: [
      ...(await ask(
        'select id, rule, severity, confidence, tenant_id, oids, evidence, first_ns, last_ns, explanation, details, evidence_hash, content_hash from findings order by id',
      )),
      ...(await ask('select tenant_id, oid, body from revocations order by 1, 2')),
    ],
    digests: await ask('select * from digests order by topic, key, day'),
  }
}

async function deliver(records: readonly RawRecord[]): Promise<void> {
  const sink = createCorrelator(database.pool)
  await sink.deliver(records, [])
  await sink.drain()
}

test('findings of the days that changed are those of a recount, in whatever order and parts the records came', async () => {
  const met = new Set<string>()
  const scene = fc.record({
    seed: fc.nat({ max: 1000 }),
    rules: fc.subarray(RULES, { minLength: 3, maxLength: 8 }),
    order: fc.infiniteStream(fc.nat()),
    late: fc.integer({ min: 1, max: 12 }),
    eventsARound: fc.constantFrom(2, 20, 40_000),
    // What may have happened to the sums, and before which part.
    mishap: fc.constantFrom(...Object.keys(MISHAPS)),
    before: fc.nat({ max: 5 }),
    beside: fc.nat({ max: 3 }),
  })
  await fc.assert(
    fc.asyncProperty(scene, async ({ seed, rules, order, late, eventsARound, mishap, before, beside }) => {
      const records = recordsOf(seed, rules)
      const keys = [...order.take(records.length)]
      const shuffled = records.map((record, index) => [keys[index]!, record] as const).toSorted(([a], [b]) => a - b)
      await emptyStore(database.pool)
      // Most of them in two parts, then some one by one: what comes late repairs other days, and must not be helped by what comes with it.
      const most = Math.max(0, shuffled.length - late)
      const half = Math.ceil(most / 2)
      const parts = [[0, half], [half, most], ...Array.from({ length: late }, (_, index) => [most + index, most + index + 1])] as [number, number][]
      for (const [index, [from, to]] of parts.entries()) {
        if (index === before) await database.pool.query(MISHAPS[mishap]!)
        const sink = createCorrelator(database.pool, { eventsARound })
        await sink.deliver(
          shuffled.slice(from, to).map(([, record]) => record),
          [],
        )
        // Also between the facts and the conclusions about them.
        if (from % 2 === 0) await refreshFindings(database.pool)
        // Or between two rounds of them.
        await Promise.all([sink.drain(), index === beside ? refreshFindings(database.pool) : null])
        await refreshFindings(database.pool)
      }
      const byDays = await stored()
      for (const { rule } of byDays.findings as { rule?: string }[]) if (rule) met.add(rule)
      expect(await refreshFindings(database.pool)).toMatchObject({ written: 0, removed: 0, days: 0 })
      expect(await refreshFindings(database.pool, { whole: true })).toMatchObject({ written: 0, removed: 0 })
      expect(await stored()).toEqual(byDays)
      // And of the records in their own order, at once.
      await emptyStore(database.pool)
      const sink = createCorrelator(database.pool)
      await sink.deliver(records, [])
      await sink.drain()
      await refreshFindings(database.pool, { whole: true })
      expect((await stored()).findings).toEqual(byDays.findings)
    }),
    { numRuns: Number(process.env['FINDINGS_RUNS'] ?? 12) },
  )
  // Rules that were never met would prove nothing.
  expect(met.size).toBeGreaterThan(10)
}, 600_000)

test('conclusions that somebody drew without noting their days make the next refresh a recount', async () => {
  await emptyStore(database.pool)
  const world = new World()
  logs(world)
  await deliver(world.records)
  await refreshFindings(database.pool)
  const { rows } = await database.pool.query(`select * from touched_days order by day`)
  const late = new World()
  PLANTS['unknown-subject']!.fires(late, 'late', createRandom(1, 'late'))
  // An older version beside this one: the round goes on, the days do not.
  await database.pool.query(`create table kept as select * from progress where name like 'noted-days%'`)
  await deliver(late.records)
  await database.pool.query('delete from touched_days')
  for (const { day, round } of rows as { day: number; round: bigint }[])
    await database.pool.query('insert into touched_days (day, round) values ($1, $2)', [day, round])
  await database.pool.query(`update progress p set round = kept.round from kept where kept.name = p.name`)
  await database.pool.query('drop table kept')
  expect(await refreshFindings(database.pool)).toMatchObject({ findings: 1, written: 1 })
})

test('who empties the sums of an updated store loses nothing, and of days without events nothing stays', async () => {
  await emptyStore(database.pool)
  const world = new World()
  logs(world)
  PLANTS['unknown-subject']!.fires(world, 'old', createRandom(1, 'old'))
  await deliver(world.records)
  await refreshFindings(database.pool)
  const before = await stored()
  expect(before.findings).toHaveLength(1)
  await database.pool.query('delete from touched_days')
  await refreshFindings(database.pool)
  await database.pool.query('delete from digests; delete from digest_days')
  await refreshFindings(database.pool)
  expect(await stored()).toEqual(before)
  // Somebody emptied one of the two tables only, and left sums of a day that has no events.
  await database.pool.query(
    `delete from digest_days; insert into digests select topic, key, day - 400, profile, events, first_ns, last_ns, times, ids from digests`,
  )
  await refreshFindings(database.pool)
  expect(await stored()).toEqual(before)
})

test('a recount comes without a new record: when somebody asks for it, after an update, and when this release sums up in another way', async () => {
  await emptyStore(database.pool)
  expect(await concludeAll(database.pool)).toBe(false)
  const world = new World()
  logs(world)
  PLANTS['unknown-subject']!.fires(world, 'some', createRandom(1, 'some'))
  await deliver(world.records)
  expect(await concludeAll(database.pool)).toBe(true)
  expect(await concludeAll(database.pool)).toBe(false)
  const before = await stored()
  for (const change of [
    `delete from progress where name in ('digests', 'findings')`,
    `delete from progress where name in ('digests', 'noted-days', 'noted-days-since')`,
    `update digest_days set version = 'another'`,
  ]) {
    await database.pool.query(`update digests set profile = '{}'`)
    await database.pool.query(change)
    expect([change, await concludeAll(database.pool), await stored()]).toEqual([change, true, before])
    expect(await concludeAll(database.pool)).toBe(false)
  }
})
