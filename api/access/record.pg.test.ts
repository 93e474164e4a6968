import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestDatabase } from '../../test/postgres.ts'
import type { TestDatabase } from '../../test/postgres.ts'
import { createApp } from '../app.ts'
import { id, insertEvent, repeatEvent, TENANT } from '../fixture.ts'
import { listen } from '../listen.ts'
import type { Listening } from '../listen.ts'
import { authenticateBy } from './check.ts'
import type { AccessEntry } from './log-page.ts'
import { accessLogPage } from './log-page.ts'
import { oneToken } from './local-token.ts'
import { accessRecorder } from './record.ts'
import type { AccessRecorder } from './record.ts'
import { apiTokens, createToken } from './tokens.ts'

const TOKEN = 'local-token'
const AGENT = id('a')
const START = 1_780_000_000_000_000_000n
const OTHER = id('2')

let database: TestDatabase
let server: Listening
let recorder: AccessRecorder
const errors: { readonly fields: Readonly<Record<string, unknown>>; readonly message: string }[] = []

beforeAll(async () => {
  database = await createTestDatabase()
  const { pool } = database
  await insertEvent(pool, {
    id: id('7'),
    time: START,
    conclusion: { tenant: TENANT, subject: AGENT, agent: AGENT, confidence: 'exact' },
    timeline: [{ oid: AGENT, role: 'actor' }],
  })
  await repeatEvent(pool, id('7'), 3000)
  const log = { info: () => undefined, error: (fields: Readonly<Record<string, unknown>>, message: string) => void errors.push({ fields, message }) }
  recorder = accessRecorder(pool, log)
  server = await listen(createApp({ pool, auth: authenticateBy([oneToken(TOKEN), apiTokens(pool)]), log, recorder }), { host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await server?.close()
  await database?.drop()
})
beforeEach(async () => {
  // The end of an access is written after its answer: those of the test before must not come into this one.
  await new Promise((resolve) => setTimeout(resolve, 50))
  await recorder.settled()
  errors.length = 0
  // What is done in tests only: the table itself gives nothing up.
  await database.pool.query(
    'alter table access_log disable trigger access_log_append_only; delete from access_log; alter table access_log enable trigger access_log_append_only',
  )
})

const get = (path: string, token = TOKEN, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${token}`, ...headers } })

async function entries(count: number): Promise<readonly AccessEntry[]> {
  const read = async () => (await accessLogPage(database.pool, 'everything', { limit: 100 })).items
  await expect.poll(async () => (await read()).length).toBe(count)
  return await read()
}

describe('an access', () => {
  test('is on record with who, what, which filters, and how much was given', async () => {
    await (await get(`/v1/oids/${AGENT}/timeline?limit=7&text=bedrock&source=aws`)).json()
    expect(await entries(1)).toEqual([
      {
        id: expect.stringMatching(/^\d+$/) as string,
        time: expect.stringMatching(/^20\d\d-/) as string,
        caller: 'local',
        callerName: null,
        tenants: null,
        method: 'GET',
        route: '/v1/oids/{oid}/timeline',
        target: AGENT,
        filters: { limit: '7', text: 'bedrock', source: 'aws' },
        status: 200,
        rows: 7,
        cut: false,
        address: '127.0.0.1',
      },
    ])
  })

  test('that was refused or found nothing is on record, too', async () => {
    await get('/v1/agents?bogus=1')
    await get(`/v1/events/${id('9')}`)
    const { token, entry } = await createToken(database.pool, { name: 'm', roles: ['ingest'], scope: [TENANT], expiresAt: new Date(Date.now() + 60_000) })
    await get('/v1/agents', token)
    expect((await entries(3)).map(({ caller, tenants, status, rows }) => ({ caller, tenants, status, rows }))).toEqual([
      { caller: `token:${entry.id}`, tenants: [TENANT], status: 403, rows: 0 },
      { caller: 'local', tenants: null, status: 404, rows: 0 },
      { caller: 'local', tenants: null, status: 400, rows: 0 },
    ])
  })

  test('of strangers and of probes is not: nobody is known, nothing was shown', async () => {
    await get('/v1/agents', 'wrong')
    await get('/healthz')
    await get('/v1/agents')
    expect(await entries(1)).toHaveLength(1)
  })

  test('of an export counts what was given, at its end', async () => {
    await (await get(`/v1/oids/${AGENT}/timeline?format=ndjson`)).text()
    expect(await entries(1)).toMatchObject([{ status: 200, rows: 3000, cut: false, filters: { format: 'ndjson' } }])
    const { rows } = await database.pool.query<{ phase: string }>('select phase from access_log order by id')
    expect(rows.map(({ phase }) => phase)).toEqual(['begin', 'end'])
  })

  test('that the client broke off says so', async () => {
    const stop = new AbortController()
    const response = await fetch(`${server.url}/v1/oids/${AGENT}/timeline?format=ndjson`, {
      headers: { authorization: `Bearer ${TOKEN}` },
      signal: stop.signal,
    })
    await response.body?.getReader().read()
    stop.abort()
    await expect.poll(async () => (await entries(1))[0]?.cut).toBe(true)
    expect((await entries(1))[0]?.rows).toBeLessThanOrEqual(3000)
  })

  test('holds no credential that somebody pasted, wherever they did', async () => {
    const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzZWNyZXQifQ.c2lnbmF0dXJl'
    const own = `tj_${'a1B2'.repeat(11)}`
    await get(`/v1/resolve?q=${jwt}`)
    await get(`/v1/oids/${own}`)
    await get(`/v1/agents?access_token=hunter2hunter2`)
    const text = JSON.stringify(await entries(3))
    expect(text).not.toMatch(/eyJhbGci|c2lnbmF0|a1b2a1b2|hunter2/i)
    expect(text).toContain('***masked***')
  })

  test('holds texts that PostgreSQL could not, and cuts long ones', async () => {
    await get(`/v1/agents?text=a%00b&${'n'.repeat(2000)}=${'v'.repeat(2000)}`)
    const [entry] = await entries(1)
    expect(entry?.filters['text']).toBe('a\ufffdb')
    expect(Object.entries(entry?.filters ?? {}).every(([name, value]) => name.length <= 1000 && value.length <= 1000)).toBe(true)
    expect(errors).toEqual([])
  })
})

describe('where accesses cannot be recorded', () => {
  const without = async (work: () => Promise<void>): Promise<void> => {
    await database.pool.query('alter table access_log rename to access_log_away')
    try {
      await work()
    } finally {
      await database.pool.query('alter table access_log_away rename to access_log')
    }
  }

  test('raw records and exports are not given', async () => {
    await without(async () => {
      for (const path of [`/v1/events/${id('7')}/raw`, `/v1/oids/${AGENT}/timeline?format=ndjson`, `/v1/oids/${AGENT}/timeline?format=csv`]) {
        const response = await get(path)
        expect(response.status, path).toBe(503)
        expect(response.headers.get('retry-after')).not.toBeNull()
        expect(await response.text()).not.toContain(id('7'))
      }
      const response = await get(`/v1/oids/${AGENT}/timeline`, TOKEN, { accept: 'application/x-ndjson' })
      expect(response.status).toBe(503)
    })
  })

  test('a page is given, and the log of the server has the whole entry', async () => {
    await without(async () => {
      expect((await get(`/v1/oids/${AGENT}/timeline?limit=1`)).status).toBe(200)
      await expect.poll(() => errors.length).toBe(1)
    })
    expect(errors[0]).toMatchObject({ message: 'an access could not be recorded', fields: { access: { caller: 'local', target: AGENT, rows: 1 } } })
  })
})

test('the record takes rows and gives none up, not even to its owner', async () => {
  await get('/v1/agents')
  await entries(1)
  for (const statement of ['update access_log set caller = $$x$$', 'delete from access_log', 'truncate access_log'])
    await expect(database.pool.query(statement), statement).rejects.toThrow('new rows only')
  await entries(1)
})

test('a caller bound to tenants sees what callers did who could see no other tenants', async () => {
  const make = (scope: readonly string[] | 'everything') =>
    createToken(database.pool, { name: 'x', roles: ['admin'], scope, expiresAt: new Date(Date.now() + 60_000) })
  const [one, both, nobody] = [await make([TENANT]), await make([TENANT, OTHER]), await make([])]
  for (const token of [TOKEN, one.token, both.token, nobody.token]) await get('/v1/agents', token)
  await entries(4)
  const callers = async (token: string) => {
    const body = (await (await get('/v1/access-log', token)).json()) as { items: AccessEntry[] }
    return body.items.filter(({ route }) => route === '/v1/agents').map(({ caller }) => caller)
  }
  const name = ({ entry }: typeof one) => `token:${entry.id}`
  expect(await callers(one.token)).toEqual([name(one)])
  expect(await callers(both.token)).toEqual([name(both), name(one)])
  expect(await callers(nobody.token)).toEqual([])
  expect(await callers(TOKEN)).toHaveLength(4)
})

test('pages of the record give every entry once, filtered or not, while new ones are added', async () => {
  for (let number = 0; number < 5; number++) await get(`/v1/oids/${AGENT}`)
  await get('/v1/agents')
  await entries(6)
  const seen: string[] = []
  for (let cursor: string | null = ''; cursor !== null;) {
    const response = await get(`/v1/access-log?limit=2&target=${AGENT.toUpperCase()}${cursor === '' ? '' : `&cursor=${cursor}`}`)
    const body = (await response.json()) as { items: AccessEntry[]; next: string | null }
    seen.push(...body.items.map((entry) => entry.id))
    cursor = body.next
  }
  expect(new Set(seen).size).toBe(5)
  expect(seen).toHaveLength(5)
  expect(((await (await get('/v1/access-log?caller=nobody')).json()) as { items: unknown[] }).items).toEqual([])
  expect((await get('/v1/access-log?cursor=rubbish')).status).toBe(400)
})

test('a raw record has its hash as ETag, and whoever has it already gets 304', async () => {
  const first = await get(`/v1/events/${id('7')}/raw`)
  const etag = first.headers.get('etag') ?? ''
  expect(etag).toMatch(/^"[0-9a-f]{64}"$/)
  const again = await get(`/v1/events/${id('7')}/raw`, TOKEN, { 'if-none-match': etag, 'cache-control': 'max-age=0' })
  expect([again.status, await again.text()]).toEqual([304, ''])
  expect((await get(`/v1/events/${id('7')}/raw`, TOKEN, { 'if-none-match': '"other"' })).status).toBe(200)
  const log = await entries(3)
  // Written when each answer is over: in no order of their own.
  expect(log.map(({ rows }) => rows ?? -1).toSorted((a, b) => a - b)).toEqual([0, 1, 1])
})
