import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase } from '../../test/postgres.ts'
import type { TestDatabase } from '../../test/postgres.ts'
import { startTestServer } from '../exports/testing.ts'
import { id, insertEvent, insertFact, OTHER_TENANT, repeatEvent, seen, TENANT } from '../fixture.ts'
import { Resolution } from '../resolve/contract.ts'
import { resolve } from './resolve.ts'
import { scopedStore, wholeStore } from './store.ts'
import type { Store } from './store.ts'

const AGENT = id('a')
const OTHER_AGENT = id('b')
const UAMI = id('c')
const APP = id('d')
const REQUEST = id('e')
const START = 1_780_000_000_000_000_000n
const ARM = '/subscriptions/S/resourceGroups/G/providers/Microsoft.ManagedIdentity/userAssignedIdentities/mi'
const KEY = 'ASIAQWERTYUIOP123456'

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
  const { pool } = database
  await insertFact(pool, TENANT, seen(AGENT, { kind: 'agent', appId: APP, name: 'Weather Agent' }))
  await insertFact(pool, TENANT, seen(UAMI, { kind: 'managed-identity', name: 'mi', armId: ARM }))
  await insertFact(pool, OTHER_TENANT, seen(OTHER_AGENT, { kind: 'agent', name: 'Secret Agent' }))
  const conclusion = { tenant: TENANT, subject: AGENT, agent: AGENT, confidence: 'exact' } as const
  await insertEvent(pool, { id: id('7', 1), time: START, conclusion, timeline: [{ oid: AGENT, role: 'actor' }] })
  await repeatEvent(pool, id('7', 1), 7)
  await pool.query(
    `update events set request_id = $1, token_id = 'uti-1', uses = $2, source_ip = '192.0.2.7', principal = 'arn:aws:sts::123456789012:assumed-role/we_ther/s' || (time_ns % 2)`,
    [REQUEST, `aws:${KEY}`],
  )
  await insertEvent(pool, {
    id: id('8', 1),
    time: START - 5n,
    kind: 'token.exchanged',
    conclusion,
    timeline: [{ oid: AGENT, role: 'actor' }],
    resource: 'arn:aws:iam::123456789012:role/x/we_ther',
  })
  await pool.query(`update events set issues = $1 where event_id = $2`, [`aws:${KEY}`, id('8', 1)])
  // Of the other tenant, from the same address, by a role whose name differs where the first one has an underscore.
  await insertEvent(pool, {
    id: id('9', 1),
    time: START,
    conclusion: { tenant: OTHER_TENANT, subject: OTHER_AGENT, confidence: 'exact' },
    timeline: [{ oid: OTHER_AGENT, role: 'actor' }],
  })
  await pool.query(`update events set source_ip = '192.0.2.7', principal = 'arn:aws:sts::123456789012:assumed-role/weather/s' where event_id = $1`, [
    id('9', 1),
  ])
  await insertEvent(pool, { id: id('9', 2), time: START + 1n })
  await pool.query(`update events set source_ip = '192.0.2.7' where event_id = $1`, [id('9', 2)])
})

afterAll(async () => {
  await database?.drop()
})

const ask = (text: string) => resolve(wholeStore(database.pool), text)
const briefly = ({ occurrences }: Resolution) => occurrences.map(({ field, match, events }) => `${field} ${match} ${events}`)

describe('it is told what it is and where it occurs', () => {
  test.each([
    ['an event by our id', id('7', 2), ['id exact 1']],
    ['a record by its own id', `native-${id('7', 1)}`, ['nativeId exact 7']],
    ['a request', REQUEST.toUpperCase(), ['requestId exact 7']],
    ['a token', 'uti-1', ['tokenId exact 7']],
    ['an access key, where it was issued and used', KEY, ['credential exact 8']],
    ['a role with its sessions, and not one of a similar name', 'arn:aws:iam::123456789012:role/x/we_ther', ['resource exact 1', 'principal prefix 7']],
    ['a role session', 'arn:aws:sts::123456789012:assumed-role/we_ther/s0', ['principal exact 7']],
    ['an address', '192.0.2.7', ['sourceIp exact 9']],
    ['nothing', 'no-such-thing', []],
    ['what looks like a pattern', '%', []],
  ])('%s', async (_what, text, occurrences) => {
    const answer = await ask(text)
    expect(briefly(answer)).toEqual(occurrences)
    expect(Resolution.parse(answer)).toEqual(answer)
  })

  test('with time span, whom it is attributed to, and the latest events', async () => {
    const { occurrences } = await ask('192.0.2.7')
    expect(occurrences[0]).toMatchObject({
      atLeast: false,
      firstSeen: '2026-05-28T20:26:40.000000000Z',
      lastSeen: '2026-05-28T20:26:46.000000000Z',
      principals: [
        { tenantId: TENANT, subjectOid: AGENT, agentOid: AGENT, confidence: 'exact', events: 7 },
        { tenantId: OTHER_TENANT, subjectOid: OTHER_AGENT, agentOid: null, confidence: 'exact', events: 1 },
        { tenantId: null, subjectOid: null, agentOid: null, confidence: 'none', events: 1 },
      ],
    })
    expect(occurrences[0]!.sample.map((item) => item.id)).toEqual([7, 6, 5, 4, 3].map((number) => id('7', number)))
  })

  test.each([
    ['an oid', AGENT, 'oid', AGENT],
    ['an appId', APP, 'appId', AGENT],
    ['a resource id in another case', ARM.toUpperCase(), 'armId', UAMI],
    ['a name', 'weather agent', 'name', AGENT],
    ['a subject inside of a principal', `principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/subject/${AGENT}`, 'oid', AGENT],
  ])('%s', async (_what, text, as, oid) => {
    expect((await ask(text)).principals).toMatchObject([{ as, oid, tenantId: TENANT }])
  })

  test('a tenant, and that a masked key cannot be looked up', async () => {
    expect((await ask(TENANT)).others).toEqual([{ as: 'tenant', id: TENANT }])
    expect(await ask('AKIA****************')).toMatchObject({ refused: expect.stringContaining('masked') as string, occurrences: [], principals: [] })
  })
})

test('more than are counted are at least so many', async () => {
  const many = await createTestDatabase()
  await insertEvent(many.pool, { id: id('7', 1), time: START, conclusion: { tenant: TENANT, confidence: 'none' } })
  await repeatEvent(many.pool, id('7', 1), 10_500)
  await many.pool.query(`update events set source_ip = '192.0.2.8'`)
  expect((await resolve(wholeStore(many.pool), '192.0.2.8')).occurrences).toMatchObject([{ events: 10_000, atLeast: true, firstSeen: null }])
  await many.drop()
}, 60_000)

describe('what only stands inside of records', () => {
  const OWN = id('f', 1)
  const FOREIGN = id('f', 2)
  let store: TestDatabase
  beforeAll(async () => {
    store = await createTestDatabase()
    const of = (tenant: string) => ({ tenant, confidence: 'none' }) as const
    const text = JSON.stringify({
      requestParameters: { bucketName: 'made-up-bucket', path: 'a"b\\c', ip: '192.0.2.10', mail: 'a@b.example.net' },
      resources: [{ ARN: 'arn:aws:s3:::made-up-bucket/K' }],
    })
    await insertEvent(store.pool, { id: OWN, time: START, conclusion: of(TENANT), timeline: [{ oid: AGENT, role: 'actor' }], text })
    await insertEvent(store.pool, {
      id: FOREIGN,
      time: START + 1n,
      conclusion: of(OTHER_TENANT),
      timeline: [{ oid: OTHER_AGENT, role: 'actor', tenant: OTHER_TENANT }],
      text,
    })
    await insertEvent(store.pool, { id: id('f', 3), time: START + 2n, conclusion: of(TENANT), text: '{}' })
    await store.pool.query(`update events set account = '012345678901' where event_id = $1`, [OWN])
  })
  afterAll(() => store.drop())
  const events = async (text: string, asked: Store = wholeStore(store.pool)): Promise<string[]> =>
    (await resolve(asked, text)).occurrences.flatMap(({ field, match, sample }) =>
      field === 'record' && match === 'within' ? sample.map((one) => one.id) : [],
    )

  test.each([
    ['made-up-bucket', [FOREIGN, OWN]],
    ['arn:aws:s3:::made-up-bucket', [FOREIGN, OWN]],
    ['arn:aws:s3:::made-up-bucket/k', [FOREIGN, OWN]],
    ['ARN:AWS:S3:::MADE-UP-BUCKET/K', [FOREIGN, OWN]],
    ['a"b\\c', [FOREIGN, OWN]],
    ['192.0.2.10', [FOREIGN, OWN]],
    ['012345678901', [OWN]],
    // Parts of longer words and names are other things.
    ['192.0.2.1', []],
    ['up-bucket', []],
    ['made-up-buck', []],
    ['a@b.example', []],
    ['.*', []],
  ])('%s', async (text, found) => expect(await events(text)).toEqual(found))

  test('is searched back from the latest events so far as it says, and counts are then no totals', async () => {
    const answer = await resolve(wholeStore(store.pool), 'made-up-bucket', { most: 2 })
    expect(answer.occurrences).toMatchObject([{ field: 'record', events: 1, atLeast: true, firstSeen: null }])
    expect(answer.notSearched).toEqual(['The inside of the records of events before 2026-05-28T20:26:40.000000001Z: only the latest 2 were looked through.'])
    expect(await resolve(wholeStore(store.pool), 'made-up-bucket', { most: 3 })).toMatchObject({
      occurrences: [{ events: 2, atLeast: false }],
      notSearched: [],
    })
    expect(await resolve(wholeStore(store.pool), 'made-up-bucket', { most: null })).toMatchObject({
      occurrences: [{ events: 2, atLeast: false }],
      notSearched: [],
    })
  })

  test('is not searched where an index has found it, unless that is asked for: then it is told', async () => {
    const found = await resolve(wholeStore(store.pool), OWN)
    expect(briefly(found)).toEqual(['id exact 1'])
    expect(found.notSearched).toEqual([expect.stringMatching(/^The inside of records/)])
    expect((await resolve(wholeStore(store.pool), 'no-such-thing', { records: 'false' })).notSearched).toHaveLength(1)
    expect((await resolve(wholeStore(store.pool), OWN, { records: 'true' })).notSearched).toEqual([])
  })

  test('is found for a caller of a tenant in the records of that tenant alone', async () => {
    for (const asked of [scopedStore(store.pool, [TENANT]), { ...wholeStore(store.pool), scope: [TENANT] }]) {
      expect(await events('made-up-bucket', asked)).toEqual([OWN])
      expect((await resolve(asked, 'made-up-bucket')).notSearched).toEqual(['Records that you may not see.'])
    }
  })

  test('says that texts which were rejected are not searched', async () => {
    await store.pool.query(`insert into files (name) values ('f')`)
    await store.pool.query(
      `insert into rejected (id, file_id, index, reason, text, rejected_at) select $1, id, 0, 'r', 'made-up-bucket', now() from files limit 1`,
      [id('f', 9)],
    )
    expect((await resolve(wholeStore(store.pool), 'made-up-bucket')).notSearched).toEqual([expect.stringMatching(/^Texts that were rejected/)])
  })
})

describe('a caller bound to tenants learns nothing of others', () => {
  test.each([
    ['192.0.2.7', ['sourceIp exact 1']],
    [KEY, []],
    [REQUEST, []],
    [id('7', 2), []],
    ['arn:aws:iam::123456789012:role/x/we_ther', []],
  ])('%s', async (text, occurrences) => {
    for (const store of [scopedStore(database.pool, [OTHER_TENANT]), { ...wholeStore(database.pool), scope: [OTHER_TENANT] }]) {
      const answer = await resolve(store, text)
      expect(briefly(answer)).toEqual(occurrences)
      expect(JSON.stringify({ ...answer, query: null })).not.toContain(TENANT)
      expect(JSON.stringify({ ...answer, query: null })).not.toContain(AGENT)
    }
  })
  test.each([AGENT, APP, ARM, 'Weather Agent', TENANT])('%s is unknown', async (text) => {
    expect(await resolve(scopedStore(database.pool, [OTHER_TENANT]), text)).toMatchObject({ principals: [], others: [], occurrences: [] })
  })
})

describe('is found by an index', () => {
  // A tenant's caller, whose queries row-level security bounds: only what is leakproof may use an index then.
  test.each([
    ['unbounded', 'everything' as const],
    ['bound to a tenant', [OTHER_TENANT]],
  ])('for a caller who is %s', async (_who, scope) => {
    const statements: { text: string; values: unknown[] }[] = []
    const asked = scopedStore(database.pool, scope)
    const store: Store = {
      scope,
      query: ((text: string, values: unknown[]) => {
        if (text.includes('hits as materialized')) statements.push({ text, values })
        return asked.query(text, values)
      }) as Store['query'],
    }
    for (const text of [id('7'), 'x', KEY, 'arn:aws:iam::123456789012:role/x', '192.0.2.9']) await resolve(store, text, { records: 'false' })
    expect(statements.length).toBeGreaterThan(9)
    // A table of a few rows is read whole unless that is dear.
    const role = scope === 'everything' ? 'trailjoin_reader_all' : 'trailjoin_reader'
    const client = await database.pool.connect()
    try {
      await client.query(`begin; set local enable_seqscan = off; set local role ${role}; set local trailjoin.tenants = '${OTHER_TENANT}'`)
      for (const { text, values } of statements) {
        const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values)
        const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
        expect(plan, text).not.toMatch(
          /Seq Scan on events|Index (?:Only )?Scan (?:Backward )?using events_\w+_pkey on events_\w+ e(?:_\d+)?\n\s+(?!Index Cond)/,
        )
        expect(plan).toMatch(/native_id|request_id|token_id|uses|issues|principal|resource|source_ip|heads/)
      }
    } finally {
      await client.query('rollback')
      client.release()
    }
  })
})

test('a record with a name longer than an index holds is kept', async () => {
  const long = Array.from({ length: 4000 }, (_, index) => String.fromCharCode(0x4e00 + ((index * 7919) % 20_000))).join('')
  await database.pool.query(
    `update events set principal = $1, resource = $1, source_ip = $1, native_id = $1, request_id = $1, kind = 'trust.changed' where event_id = $2`,
    [long, id('9', 2)],
  )
})

test('over HTTP one identifier is asked for, with nothing beside it', async () => {
  const server = await startTestServer(database)
  const get = (query: string) => fetch(`${server.url}/v1/resolve${query}`, { headers: server.headers })
  expect(Resolution.parse(await (await get(`?q=${encodeURIComponent(` ${AGENT} `)}`)).json())).toMatchObject({ query: AGENT })
  for (const query of ['', '?q=', '?q=%20', '?q=a&q=b', '?q=a&x=1', `?q=${'a'.repeat(513)}`, '?q=a%00b']) expect((await get(query)).status, query).toBe(400)
  await server.close()
})
