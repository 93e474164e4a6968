/**
 * Traps of the sample records (test/fixtures/samples/TRAPS.md, first three sections): keys that must not join, identity of a record, times.
 * Each test is named after its row; what it needs beyond the samples is made by hand.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestDatabase, createTestDatabase } from './postgres.ts'
import {
  SAMPLES,
  events,
  eventsAt,
  exported,
  importInto,
  importRecords,
  inOwnStore,
  rawTexts,
  reasons,
  rejected,
  sampleRecord,
  sampleRecords,
} from './samples.ts'

const PANTHER = 'aws/panther-cloudtrail.half.ndjson'
const STRATUS = 'aws/stratus-detonation.ndjson'
const C7N = 'aws/c7n-eventbridge.ndjson'
const SIGNINS = 'entra/panther-azure-signin.half.ndjson'
const AUDIT = 'gcp/panther-audit.half.ndjson'
const ANALYTICS = 'gcp/security-analytics.ndjson'
const LOOKUPS = 'aws/plaso-lookupevents.ndjson'

let samples: TestDatabase
beforeAll(async () => {
  samples = await createTestDatabase()
  await importInto(samples.pool, 'aws', 'gcp', 'entra', 'other', 'containers')
})
afterAll(() => samples?.drop())

type Raw = Readonly<Record<string, unknown>>
const child = (record: Raw, key: string): Raw => (record[key] ?? {}) as Raw
const keyOf = (record: Raw): unknown => child(record, 'userIdentity')['accessKeyId']
/** An AssumeRole with everything in it, to be changed by hand. */
const assumeRole = (more: Raw): Raw => ({ ...sampleRecord(STRATUS, 32), ...more })
const withKey = (eventID: string, accessKeyId: string): Raw =>
  assumeRole({
    eventID,
    eventName: 'ListBuckets',
    eventSource: 's3.amazonaws.com',
    responseElements: null,
    userIdentity: { ...child(sampleRecord(STRATUS, 32), 'userIdentity'), accessKeyId },
  })

describe('Keys that must not join', () => {
  /** Keys on records of the file as the sample's list gives them, and that none of them joins anything. */
  async function joinsNothing(file: string, isPlaceholder: (key: string) => boolean, least: number): Promise<void> {
    const keys = sampleRecords(file)
      .map((record) => keyOf(record['detail'] ? child(record, 'detail') : record))
      .filter((key): key is string => typeof key === 'string' && isPlaceholder(key))
    expect(keys.length).toBeGreaterThanOrEqual(least)
    const credentials = [keys.map((key) => `aws:${key}`)]
    expect(await events(samples.pool, 'e.uses = any($1::text[]) or e.issues = any($1::text[])', credentials)).toEqual([])
    expect((await samples.pool.query('select key from sessions where key = any($1::text[])', credentials)).rows).toEqual([])
  }

  test('placeholder access keys shared by strangers', () =>
    joinsNothing(
      PANTHER,
      (key) => ['', '1', '1111', 'SAMPLE_ACCESS_KEY', 'ASIA-MOCKACCESSKEYID-1', 'EXAMPLEKEY', 'FAKE_ACCESS_KEY'].includes(key) || /^(X+|A+)$/.test(key),
      100,
    ))

  test('a placeholder that looks valid', () => joinsNothing(PANTHER, (key) => key === 'AKIAIOSFODNN7EXAMPLE' || key === 'ASIAIOSFODNN7EXAMPLE', 41))

  test('masked keys', async () => {
    await joinsNothing('aws/openshift-cad.ndjson', (key) => /redacted/i.test(key), 5)
    await joinsNothing(C7N, (key) => /^(notasecret|X+|x+|\d+)$/.test(key), 6)
    await inOwnStore(async (pool) => {
      const masked = ['AKIA****************', 'AKIA****WXYZ', 'ASIA...[REDACTED]', 'ASIAXXXXXXXXXXXXXXXX', '0123456789ABCDEFGHIJ', '***masked***']
      await importRecords(pool, ...masked.flatMap((key, index) => [withKey(`a${index}`, key), withKey(`b${index}`, key)]))
      const stored = await events(pool)
      expect(stored).toHaveLength(2 * masked.length)
      expect(stored.filter((event) => event.sessionId !== null || event.uses !== null)).toEqual([])
    })
    const stored = await events(samples.pool, 'f.name = any($1::text[])', [[join(SAMPLES, 'aws/keyless-kingdom.ndjson'), join(SAMPLES, LOOKUPS)]])
    expect(stored).toHaveLength(7)
    expect(stored.filter((event) => event.sessionId !== null)).toEqual([])
  })

  test('keys of the wrong length or alphabet', () =>
    joinsNothing(PANTHER, (key) => ['AKIAI123456789EXAMPLE', 'ASIA153151351351351', 'ABC1234'].includes(key), 3))

  test('keys that do join', async () => {
    const records = sampleRecords(STRATUS)
    const issued = new Map(
      records.flatMap((record) => {
        const key = child(child(record, 'responseElements'), 'credentials')['accessKeyId']
        return typeof key === 'string' ? [[key, record['eventID']] as const] : []
      }),
    )
    expect(issued.size).toBe(9)
    const users = records.filter((record) => issued.has(keyOf(record) as string))
    expect(users).toHaveLength(48)
    const stored = new Map((await events(samples.pool, `e.source = 'aws'`)).map((event) => [event.nativeId, event]))
    for (const user of users) {
      const [event, issuer] = [stored.get(user['eventID'] as string)!, stored.get(issued.get(keyOf(user) as string) as string)!]
      expect({ parent: event.parentId, link: event.link, session: event.sessionId }).toEqual({ parent: issuer.id, link: 'exact', session: issuer.sessionId })
    }
  })

  test('session names', async () => {
    const named = await events(samples.pool, `e.asserted <> '{}'`)
    expect(named.length).toBeGreaterThan(20)
    expect(named.filter((event) => event.confidence !== 'none')).toEqual([])
    // A name that is an agent's oid: a claim of the caller, no more.
    await inOwnStore(async (pool) => {
      const scenario = join(import.meta.dirname, 'fixtures', 'scenarios', 'option-2-three-agents', 'records')
      await importInto(pool, scenario)
      const [agent] = await events(pool, `c.confidence = 'exact' and c.agent_oid is not null`)
      await importRecords(
        pool,
        assumeRole({
          eventID: 'claim',
          requestParameters: { roleArn: 'arn:aws:iam::1:role/r', roleSessionName: agent!.agentOid },
          responseElements: null,
          errorCode: 'AccessDenied',
        }),
      )
      const [claim] = await events(pool, `e.native_id = 'claim'`)
      expect(claim).toMatchObject({ confidence: 'asserted', subjectOid: null })
      const { rows } = await pool.query<{ role: string; is_owner: boolean }>('select role, is_owner from timeline where event_id = $1', [claim!.id])
      expect(rows).toEqual([{ role: 'candidate', is_owner: false }])
    })
  })
})

describe('Identity of a record', () => {
  test('same id, different content', async () => {
    const pairs = [
      [sampleRecord(C7N, 16), sampleRecord(C7N, 17)],
      [sampleRecord(C7N, 10), sampleRecord(C7N, 22)],
      [sampleRecord(ANALYTICS, 7), sampleRecord(ANALYTICS, 8)],
      [sampleRecord(ANALYTICS, 10), sampleRecord(ANALYTICS, 11)],
      // Fifty-two contents under the event id `1`.
      sampleRecords(PANTHER).filter((record) => record['eventID'] === '1'),
    ] as const
    for (const contents of pairs) {
      const results = await Promise.all(
        [contents, contents.toReversed()].map((order) =>
          inOwnStore(async (pool) => {
            const summary = await importRecords(pool, ...order)
            const [event, ...others] = await events(pool)
            const kept = await rawTexts(pool, event!.id)
            return { export: await exported(pool), rejected: summary.rejected, others, kept: kept[0]!, evidence: kept.slice(1).toSorted() }
          }),
        ),
      )
      const distinct = new Set(
        contents.map((record) => JSON.stringify(record['detail'] ?? record).replace(/"sessionToken":"[^"]+"/, '"sessionToken":"***masked***"')),
      )
      expect(results[0]).toEqual(results[1])
      expect(results[0]).toMatchObject({ rejected: 0, others: [] })
      expect([results[0]!.kept, ...results[0]!.evidence].toSorted()).toEqual([...distinct].toSorted())
    }
  })

  test('same record twice', async () => {
    await inOwnStore(async (pool) => {
      const summary = await importRecords(pool, sampleRecord(PANTHER, 10), sampleRecord(PANTHER, 13))
      expect(summary).toMatchObject({ stored: 1, duplicates: 1 })
    })
    await inOwnStore(async (pool) => {
      const summary = await importRecords(pool, sampleRecord(PANTHER, 59), sampleRecord(STRATUS, 143))
      expect(summary).toMatchObject({ stored: 1, duplicates: 1 })
    })
  })

  test('same record by two roads', async () => {
    const roads = [
      ['containers/218007301253_CloudTrail_us-east-1_20230710T1145Z_7xgocspSowgK0Gto.json.gz', 'aws/invictus-slices.ndjson', 29, 124],
      ['containers/lookup-events.plaso.jsonl', LOOKUPS, 6, 6],
      ['containers/AADAuditEvents.Zip', 'entra/otrf-goldensaml-auditlogs.ndjson', 3, 3],
      ['containers/eventbridge-envelope.c7n.json', C7N, 1, 21],
    ] as const
    for (const [container, lines, inContainer, inLines] of roads) {
      expect(await inOwnStore(async (pool) => [(await importInto(pool, container)).stored, (await importInto(pool, lines)).stored])).toEqual([
        inContainer,
        inLines - inContainer,
      ])
      expect(await inOwnStore(async (pool) => [(await importInto(pool, lines)).stored, (await importInto(pool, container)).stored])).toEqual([inLines, 0])
    }
  })

  test('two GCP entries of one operation', async () => {
    const operations = sampleRecords('gcp/plaso-gcp-logging.ndjson').flatMap((record) =>
      record['operation'] ? [child(record, 'operation')['id'] as string] : [],
    )
    expect(operations).toHaveLength(7)
    expect(new Set(operations).size).toBe(4)
    const stored = await events(samples.pool, 'f.name = $1', [join(SAMPLES, 'gcp/plaso-gcp-logging.ndjson')])
    expect(stored.filter((event) => /^compute\.googleapis\.com:(?:instances|networks|firewalls)\.insert$/.test(event.action))).toHaveLength(7)
    expect(new Set(stored.map((event) => event.id)).size).toBe(11)
  })

  test('id missing', async () => {
    const without = [sampleRecord(PANTHER, 54), sampleRecord(PANTHER, 235), sampleRecord(PANTHER, 238), sampleRecord(AUDIT, 4), sampleRecord(AUDIT, 9)]
    await inOwnStore(async (pool) => {
      // Between neighbours, twice, and once with its keys in another order.
      const turned = Object.fromEntries(Object.entries(without[0]!).toReversed())
      const summary = await importRecords(pool, sampleRecord(STRATUS, 1), ...without, sampleRecord(PANTHER, 53), ...without, turned, sampleRecord(STRATUS, 2))
      expect(summary).toMatchObject({ stored: 7, duplicates: 6, rejected: 1 })
      expect(reasons(summary)).toEqual({ 'cloudtrail: no event time (eventTime)': 1 })
      const own = (await events(pool)).filter((event) => event.nativeId === event.id)
      expect(own).toHaveLength(5)
    })
  })

  test('account missing', async () => {
    const stored = await events(samples.pool, `e.source = 'aws' and e.account is null`)
    expect(stored.length).toBeGreaterThanOrEqual(3)
    expect((await eventsAt(samples.pool, C7N, 6, 7, 19)).map((event) => event.account)).toEqual([null, null, null])
  })

  test('ids that are not unique by nature', async () => {
    await inOwnStore(async (pool) => {
      const signIn = sampleRecord(SIGNINS, 16)
      const other = { ...signIn, properties: { ...child(signIn, 'properties'), id: '36658c78-02d9-4d8f-84ee-5ca4a3fd0000' } }
      expect(await importRecords(pool, signIn, other)).toMatchObject({ stored: 2, duplicates: 0 })
      const { rows } = await pool.query<{ token_id: string }>('select distinct token_id from events')
      expect(rows).toEqual([{ token_id: child(signIn, 'properties')['uniqueTokenIdentifier'] }])
    })
    // In the samples the five also share their id: one event, and every text of it kept.
    const [event] = await events(samples.pool, `e.native_id = '36658c78-02d9-4d8f-84ee-5ca4a3fdefef'`)
    expect(await rawTexts(samples.pool, event!.id)).toHaveLength(5)
  })

  test('`sharedEventID`', async () => {
    await inOwnStore(async (pool) => {
      const source = sampleRecord(PANTHER, 63)
      const target = { ...source, eventID: '044e210e-6c5e-3f3e-8f04-000000000000', recipientAccountId: '444455556666' }
      expect(target['sharedEventID' as keyof typeof target]).toBe(source['sharedEventID'])
      expect(await importRecords(pool, source, target)).toMatchObject({ stored: 2, duplicates: 0 })
    })
  })
})

describe('Times', () => {
  test('no time at all', async () => {
    expect((await rejected(samples.pool, 'gcp/stratus-docs.ndjson')).map(({ line }) => line)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    expect((await rejected(samples.pool, 'gcp/google-docs-federation.ndjson')).map(({ reason }) => reason)).toEqual(
      Array(8).fill('gcp-audit: no event time (timestamp)'),
    )
    expect(await rejected(samples.pool, C7N)).toEqual([{ line: 5, reason: 'cloudtrail: no event time (eventTime)' }])
    expect((await rejected(samples.pool, 'aws/openshift-cad.ndjson')).map(({ line }) => line)).toEqual([1, 2, 3, 5, 10, 12, 13])
    // Never "now": no event has the time of its import.
    const { rows } = await samples.pool.query(`select from events where abs(time_ns / 1e9 - extract(epoch from ingested_at)) < 86400`)
    expect(rows).toEqual([])
  })

  test('not ISO', async () => {
    expect((await eventsAt(samples.pool, PANTHER, 9)).map(({ time }) => time)).toEqual(['2025-01-21T17:49:47.000000000Z'])
    expect((await eventsAt(samples.pool, AUDIT, 4, 36)).map(({ time }) => time)).toEqual(['2024-01-24T14:30:05.207884000Z', '2024-08-29T19:30:36.339983306Z'])
    expect((await eventsAt(samples.pool, SIGNINS, 3, 4)).map(({ time }) => time)).toEqual(['2025-01-15T08:15:23.456000000Z', '2025-01-15T09:30:45.123000000Z'])
    expect(await rejected(samples.pool, PANTHER)).toContainEqual({
      line: 170,
      reason: 'cloudtrail: eventTime must be an instant (ISO 8601 or since 1970), got "redacted"',
    })
  })

  test('offset outside, Z inside', async () => {
    const inner = sampleRecords(LOOKUPS).map((record) => (JSON.parse(record['CloudTrailEvent'] as string) as Raw)['eventTime'] as string)
    expect(sampleRecord(LOOKUPS, 1)['EventTime']).toBe('2022-02-08 09:23:37+11:00')
    const stored = await eventsAt(samples.pool, LOOKUPS, 1, 2, 3, 4, 5, 6)
    expect(stored.map(({ time }) => time)).toEqual(inner.map((time) => time.replace('Z', '.000000000Z')))
    expect(stored[0]!.time).toBe('2022-02-07T22:23:37.000000000Z')
  })

  test('fractions of 3, 6, 7 and 9 digits', async () => {
    const stored = await eventsAt(samples.pool, ANALYTICS, 1, 2, 3)
    expect(stored.map(({ time }) => time)).toEqual(['2022-03-22T22:12:58.916000000Z', '2024-02-22T04:55:11.116811865Z', '2023-04-03T20:17:41.985083000Z'])
    expect((await eventsAt(samples.pool, SIGNINS, 9)).map(({ time }) => time)).toEqual(['2025-01-15T14:23:10.123456700Z'])
    await inOwnStore(async (pool) => {
      const entry = sampleRecord(ANALYTICS, 1)
      const times = ['2022-03-22T22:12:58.916Z', '2022-03-22T22:12:58.91600Z', '2022-03-22T22:12:58.9160Z', '2022-03-22T22:12:58.916000000Z']
      expect(await importRecords(pool, ...times.map((timestamp) => ({ ...entry, timestamp })))).toMatchObject({ stored: 1, duplicates: 3, variants: 3 })
    })
  })

  test('three styles of `expiration`', async () => {
    expect(JSON.stringify(sampleRecord(PANTHER, 77))).toContain('Jan 01, 2019 0:00:00 PM')
    expect((await eventsAt(samples.pool, STRATUS, 32)).map(({ time }) => time)).toEqual([
      (sampleRecord(STRATUS, 32)['eventTime'] as string).replace('Z', '.000000000Z'),
    ])
    await inOwnStore(async (pool) => {
      await importRecords(pool, sampleRecord(PANTHER, 77))
      expect((await events(pool)).map(({ time }) => time)).toEqual(['2019-01-01T00:00:00.000000000Z'])
    })
    const broken = await events(samples.pool, 'f.name = $1', [join(SAMPLES, 'containers/broken-array.opensearch.json')])
    // Ten records stand in that file; what is damaged between them costs none of them.
    expect(new Set(broken.map(({ time }) => time.slice(0, 10)))).toEqual(new Set(['2021-12-02']))
    expect(broken).toHaveLength(10)
  })

  test('event time ≠ row time', async () => {
    const [event] = await events(samples.pool, `e.native_id = '36658c78-02d9-4d8f-84ee-5ca4a3fdefef'`)
    expect(sampleRecord(SIGNINS, 16)['time']).toBe('2023-07-26 23:00:20.889')
    expect(event!.time).toBe('2023-07-26T22:58:30.983201900Z')
  })
})
