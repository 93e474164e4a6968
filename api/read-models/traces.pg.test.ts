import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RawRecord } from '#core/record.ts'
import { createCorrelator } from '#correlate/index.ts'
import { type TestDatabase, createTestDatabase } from '../../test/postgres.ts'
import { traceById, tracePage } from './traces.ts'
import { wholeStore } from './store.ts'

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
