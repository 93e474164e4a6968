import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCorrelator } from '#correlate/index.ts'
import { createSourceStore } from '#ingest/engine/store.ts'
import { type TestDatabase, createTestDatabase } from '../../test/postgres.ts'
import { Coverage } from '../contract.ts'
import { coverage } from './coverage.ts'
import { scopedStore, wholeStore } from './store.ts'

describe('coverage', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createTestDatabase()
    const value = { time: '2026-09-01T10:00:00Z', requestId: 'r', oid: 'a0a0a0a0-1111-4222-8333-444444444444', status: 200 }
    await createCorrelator(database.pool).deliver(
      [{ text: JSON.stringify(value), value, masked: [], origin: { file: 'x', line: 1, index: 0 }, context: {} }],
      [],
    )
    await database.pool.query(
      `insert into source_status (source, part, kind, last_error_at, last_error_code, last_error, failures, records, gaps, updated_at)
       values ('prod', '1234/us-east-1', 'aws-cloudtrail-lookup', '2026-09-01T11:00:00Z', 'SOURCE_THROTTLED', 'slow down', 3, 7, '[{"from":"0","until":"1000000000","reason":"older than 90 days"}]', now())`,
    )
  })
  afterAll(() => database.drop())

  test('tells each source with its gaps and errors, and which logs are in the store, and what is not concluded from yet', async () => {
    const answer = await coverage(wholeStore(database.pool))
    expect(Coverage.parse(answer)).toEqual(answer)
    expect(answer).toMatchObject({
      sources: [
        {
          source: 'prod',
          part: '1234/us-east-1',
          watermark: null,
          records: 7,
          lastError: { code: 'SOURCE_THROTTLED', failures: 3 },
          gaps: [{ from: '1970-01-01T00:00:00.000000000Z', reason: 'older than 90 days' }],
        },
      ],
      logs: [{ source: 'app', kind: 'api.called', first: '2026-09-01T10:00:00.000000000Z', last: '2026-09-01T10:00:00.000000000Z' }],
      pending: 1,
    })
  })

  test('tells everybody of messages that were lost on the way to the store, until they are stored after all', async () => {
    await database.pool.query(
      `insert into log_gaps (log, partition, first_offset, last_offset, from_at, until_at, cause, closed_at) values
       ('trailjoin.records', 3, 140, 199, '2026-09-01T10:00:00Z', '2026-09-01T11:00:00Z', 'retention', null), ('trailjoin.records', 4, 1, 2, null, null, 'unreadable', now())`,
    )
    const lost = [{ log: 'trailjoin.records', partition: 3, firstOffset: '140', lastOffset: '199', from: '2026-09-01T10:00:00.000000000Z', cause: 'retention' }]
    for (const store of [wholeStore(database.pool), scopedStore(database.pool, []), scopedStore(database.pool, 'everything')]) {
      const answer = await coverage(store)
      expect(Coverage.parse(answer)).toEqual(answer)
      expect(answer.lost).toMatchObject(lost)
      expect(answer.lost).toHaveLength(1)
    }
    await database.pool.query('truncate log_gaps')
  })

  test('tells a caller bound to tenants of their own sources and events only, and not what waits', async () => {
    const tenant = '11111111-aaaa-4bbb-8ccc-222222222222'
    const store = createSourceStore(database.pool)
    await store.succeeded({ source: 'theirs', part: '', kind: 'entra-graph', tenantId: tenant })
    await store.failed({ source: 'others', part: '', kind: 'entra-graph', tenantId: '33333333-aaaa-4bbb-8ccc-222222222222' }, 'SOURCE_THROTTLED', 'slow down')
    await store.succeeded({ source: 'of-nobody', part: '', kind: 'aws-s3' })
    for (const bound of [scopedStore(database.pool, [tenant]), { ...wholeStore(database.pool), scope: [tenant] }]) {
      const answer = await coverage(bound)
      expect(answer.sources.map(({ source }) => source)).toEqual(['theirs'])
      expect([answer.logs, answer.pending]).toEqual([[], null])
    }
    expect((await coverage(scopedStore(database.pool, 'everything'))).sources).toHaveLength(4)
  })
})
