import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RawRecord } from '#core/record.ts'
import { createCorrelator } from '#correlate/index.ts'
import { type TestDatabase, createTestDatabase } from '../../test/postgres.ts'
import type { TracePosition } from '../cursor.ts'
import { decodeTraceCursor } from '../cursor.ts'
import { scopedStore, type Store, wholeStore } from './store.ts'
import { traceById, type TraceFilters, tracePage } from './traces.ts'

const TENANT = '11111111-aaaa-4bbb-8ccc-222222222222'
const AGENT = 'a0a0a0a0-1111-4222-8333-444444444444'

/** A line of an API's access log: the shortest record that proves an agent. */
function call(time: string, requestId: string): RawRecord {
  const value = {
    time,
    api: 'weather',
    requestId,
    method: 'GET',
    path: '/forecast',
    status: 200,
    tid: TENANT,
    oid: AGENT,
    appid: AGENT,
    idtyp: 'app',
    xms_par_app_azp: 'b0b0b0b0-1111-4222-8333-444444444444',
  }
  return { text: JSON.stringify(value), value, masked: [], origin: { file: 'access.log', line: 1, index: 0 }, context: {} }
}

describe('a trace', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createTestDatabase()
  })
  afterAll(() => database.drop())

  async function deliver(...records: RawRecord[]): Promise<void> {
    const correlator = createCorrelator(database.pool)
    await correlator.deliver(records, [])
    await correlator.drain()
  }

  test('id once given out keeps resolving after a late record has joined its trace with another (I8)', async () => {
    await deliver(call('2026-09-01T10:00:00Z', 'first'), call('2026-09-01T10:50:00Z', 'last'))
    const apart = await tracePage(wholeStore(database.pool), { oid: AGENT }, 10)
    expect(apart.items.map((trace) => [trace.start.slice(11, 16), trace.events])).toEqual([
      ['10:50', 1],
      ['10:00', 1],
    ])
    await deliver(call('2026-09-01T10:25:00Z', 'between'))
    const joined = await tracePage(wholeStore(database.pool), { oid: AGENT }, 10)
    expect(joined.items.map((trace) => [trace.start.slice(11, 16), trace.end.slice(11, 16), trace.events])).toEqual([['10:00', '10:50', 3]])
    for (const { id } of apart.items)
      expect(await traceById(wholeStore(database.pool), id)).toMatchObject({ id: joined.items[0]!.id, events: 3, truncated: false })
  })

  test('that does not exist is null', async () => {
    expect(await traceById(wholeStore(database.pool), TENANT)).toBeNull()
  })

  test('list is filtered by period: a trace that touches it counts', async () => {
    const at = (time: string): bigint => BigInt(Date.parse(time)) * 1_000_000n
    expect((await tracePage(wholeStore(database.pool), { from: at('2026-09-01T10:50:00Z'), to: at('2026-09-01T12:00:00Z') }, 10)).items).toHaveLength(1)
    expect((await tracePage(wholeStore(database.pool), { from: at('2026-09-01T10:51:00Z') }, 10)).items).toHaveLength(0)
    expect((await tracePage(wholeStore(database.pool), { to: at('2026-09-01T10:00:00Z') }, 10)).items).toHaveLength(0)
  })
})

describe('a list of traces', () => {
  const [A, B, C] = ['a', 'b', 'c'].map((letter) => `${letter.repeat(8)}-1111-4222-8333-444444444444`) as [string, string, string]
  let database: TestDatabase
  beforeAll(async () => {
    database = await createTestDatabase()
    // Thousands in turn, so that the planner has something to choose; every third starts when the one before it does.
    await database.pool.query(
      `insert into traces (id, tenant_id, owner_oid, start_ns, end_ns, first_event, events, sources)
       select gen_random_uuid(), ($1::uuid[])[1 + n % 3], gen_random_uuid(), n - n % 3 / 2, n + 5, gen_random_uuid(), 7, '{entra,gcp}' from generate_series(1, 6000) n`,
      [[A, B, C]],
    )
    await database.pool.query('vacuum analyze traces')
  })
  afterAll(() => database.drop())

  async function walked(store: Store, filters: TraceFilters, size: number): Promise<readonly string[]> {
    const ids: string[] = []
    for (let after: TracePosition | undefined; ;) {
      const page = await tracePage(store, filters, size, after)
      ids.push(...page.items.map((trace) => trace.id))
      if (page.next === null) return ids
      after = decodeTraceCursor(page.next)!
    }
  }

  test.each<[string, readonly string[] | null, TraceFilters]>([
    ['of all tenants', null, {}],
    ['of one tenant', null, { tenant: B }],
    ['of a caller of one tenant', [A], {}],
    ['of a caller of two tenants', [A, C], {}],
    ['of a caller of two tenants who asks for one', [A, C], { tenant: C }],
    ['of a caller who asks for another tenant', [A], { tenant: C }],
    ['of nobody', [], {}],
    ['of a period', [A, B], { from: 100n, to: 300n }],
  ])('%s has every trace once, the latest first, over any number of pages', async (_, scope, filters) => {
    const tenants = (scope ?? [A, B, C]).filter((tenant) => filters.tenant === undefined || filters.tenant === tenant)
    const { rows } = await database.pool.query<{ id: string }>(
      `select id from traces where tenant_id = any($1::uuid[]) and ($2::bigint is null or end_ns >= $2::bigint) and ($3::bigint is null or start_ns < $3::bigint) order by start_ns desc, id desc`,
      [tenants, filters.from ?? null, filters.to ?? null],
    )
    const store = scope === null ? wholeStore(database.pool) : scopedStore(database.pool, scope)
    expect(await walked(store, filters, 311)).toEqual(rows.map((row) => row.id))
  })

  test.each<[string, readonly string[] | null, string]>([
    ['all tenants', null, 'traces_start'],
    ['one tenant', [A], 'traces_tenant_start'],
    ['two tenants', [A, B], 'traces_tenant_start'],
  ])('of %s walks an index and stops after a page', async (_, scope, index) => {
    const store = scope === null ? wholeStore(database.pool) : scopedStore(database.pool, scope)
    const plans: string[] = []
    const query = (async (text: string, values?: unknown[]) => {
      const { rows } = await store.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values)
      plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'))
      return await store.query(text, values)
    }) as Store['query']
    expect((await tracePage({ ...store, query }, {}, 50)).items[0]).toMatchObject({ events: 7, sources: ['entra', 'gcp'], sessions: 0 })
    expect(plans).toHaveLength(1)
    expect(plans[0]).toMatch(new RegExp(`Index (?:Only )?Scan Backward using ${index} `))
    expect(plans[0]).not.toContain('Seq Scan on traces')
  })
})
