/** Every query of the dashboards for Grafana against a real database with the demo records, under the logins that docs/operators/dashboards.md has an operator make. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { concludeAll } from '#correlate/conclude-all.ts'
import { createCorrelator } from '#correlate/index.ts'
import { readerQueries } from '#database/reader.ts'
import { importPaths } from '#ingest/import.ts'
import { type Chosen, type Query, interpolateSql, panelSql, variableSql } from './grafana.ts'
import { createTestDatabase } from './postgres.ts'
import type { TestDatabase } from './postgres.ts'

const ROOT = join(import.meta.dirname, '..')
/** Of the demo records (demo/README.md). */
const TENANT = '297ba008-ac9c-420b-9a02-2a8e3ea11350'
const WEATHER_AGENT = '39e3ea38-5904-436f-83c0-2b83b8445b22'
const OTHER = '99999999-0000-4000-8000-000000000001'
const PERIOD: Chosen = { from: new Date('2026-09-14T08:00:00.123Z'), to: new Date('2026-09-17T00:00:00Z') }
const BEFORE: Chosen = { from: new Date('2024-01-01T00:00:00Z'), to: new Date('2024-02-01T00:00:00Z') }
const NAME = `trailjoin_test_${randomBytes(4).toString('hex')}`

let database: TestDatabase
const logins: Record<'tenant' | 'other' | 'everything', pg.Pool> = {} as never

/** The commands of the page, for a login and its tenants. */
async function makeLogin(login: string, tenants: readonly string[] | 'everything'): Promise<pg.Pool> {
  const page = readFileSync(join(ROOT, 'docs/operators/dashboards.md'), 'utf8')
  const block = /```sql\n(CREATE ROLE trailjoin_grafana [^]*?)```/.exec(page)?.[1] ?? ''
  const commands = block.replaceAll('trailjoin_grafana', login).split('\n').filter(Boolean)
  expect(commands).toHaveLength(5)
  for (const command of commands) {
    if (tenants !== 'everything') await database.pool.query(command.replace(/\{.*\}/, `{${tenants.join(',')}}`))
    else if (!command.startsWith('INSERT')) await database.pool.query(command.replace('GRANT trailjoin_reader ', 'GRANT trailjoin_reader_all '))
  }
  const url = new URL(database.url)
  url.username = login
  url.password = 'choose-one'
  return new pg.Pool({ connectionString: url.href, max: 2 })
}

beforeAll(async () => {
  database = await createTestDatabase()
  await importPaths([join(ROOT, 'demo/records')], { sink: createCorrelator(database.pool) })
  await concludeAll(database.pool)
  // The demo has no grave finding.
  await database.pool.query(`update findings set severity = 'critical' where id = (select min(id::text)::uuid from findings where tenant_id = $1)`, [TENANT])
  for (const [source, tenant] of [
    ['entra', TENANT],
    ['theirs', OTHER],
    ['org-trail', null],
  ])
    await database.pool.query(`insert into source_status (source, part, kind, tenant_id, updated_at) values ($1, '', 'x', $2, now())`, [source, tenant])
  await database.pool.query(`insert into cursors (source, part, cursor, watermark_ns, updated_at) values ('entra', '', '{}', 1789000000000000000, now())`)
  logins.tenant = await makeLogin(`${NAME}_tenant`, [TENANT])
  logins.other = await makeLogin(`${NAME}_other`, [OTHER])
  logins.everything = await makeLogin(`${NAME}_all`, 'everything')
})
afterAll(async () => {
  await Promise.all(Object.values(logins).map((pool) => pool.end()))
  for (const login of ['tenant', 'other', 'all']) await database.pool.query(`drop role if exists ${NAME}_${login}`)
  await database.drop()
})

type Row = Readonly<Record<string, unknown>>
const ask = async (login: keyof typeof logins, { text, where }: Query, chosen: Chosen = PERIOD): Promise<readonly Row[]> => {
  const sql = interpolateSql(text, chosen)
  return logins[login].query<Row>(sql).then(
    ({ rows }) => rows,
    (error: unknown) => Promise.reject(new Error(`${where}: ${String(error)}\n${sql}`)),
  )
}
/** A number by itself that counts nothing is as good as no row. */
const empty = (rows: readonly Row[]): boolean => rows.every((row) => Object.values(row).every((value) => value === null || value === 0))
/** The demo has no use that its tenant alone cannot attribute: what is nobody's belongs to no tenant. */
const OF_NO_TENANT = /Use that no record attributes/

describe.each([...panelSql(), ...variableSql()])('$where', (query) => {
  test('has an answer for whoever may see everything, and for the tenant', async () => {
    expect(empty(await ask('everything', query))).toBe(false)
    expect(empty(await ask('tenant', query))).toBe(OF_NO_TENANT.test(query.where))
  })
  test('has none under a login of another tenant, whatever it sets', async () => {
    const rows = await ask('other', query)
    if (query.where.includes('Each part')) expect(rows.map(({ source }) => source)).toEqual(['theirs'])
    else expect(empty(rows), JSON.stringify(rows.slice(0, 3))).toBe(true)
    const client = await logins.other.connect()
    try {
      await client.query(`select set_config('trailjoin.tenants', $1, false)`, [TENANT])
      expect((await client.query(interpolateSql(query.text, PERIOD))).rows).toEqual(rows)
    } finally {
      client.release(true)
    }
  })
  test('takes choices, and values with quotes for values', async () => {
    const everything = await ask('everything', query)
    const chosen = await ask('everything', query, { ...PERIOD, values: { tenant: [TENANT, 'none'], agent: [WEATHER_AGENT], cloud: ['aws', 'gcp'] } })
    expect(chosen.length).toBeLessThanOrEqual(everything.length)
    const hostile = { tenant: ["') or true --"], agent: ["\\' or ''='"], cloud: ["'; select 1; --", "'*'"] }
    const rows = await ask('everything', query, { ...PERIOD, values: hostile })
    if (query.text.includes(':sqlstring}')) expect(empty(rows), JSON.stringify(rows)).toBe(true)
  })
  test('asks for the time in view', async () => {
    if (query.text.includes('$__')) expect(empty((await ask('everything', query, BEFORE)).filter((row) => !('__value' in row)))).toBe(true)
    else expect(query.where).toContain('Each part')
  })
})

test('choosing an agent leaves that agent', async () => {
  const values = { agent: [WEATHER_AGENT] }
  for (const query of panelSql()) {
    const rows = await ask('tenant', query, { ...PERIOD, values })
    for (const row of rows) if ('oid' in row) expect(row['oid'], query.where).toBe(WEATHER_AGENT)
  }
  const [calls] = panelSql().filter(({ where }) => where === 'agents: Calls A')
  const sum = await database.pool.query<{ calls: number }>(`select sum(calls)::float8 as calls from usage_daily where agent_oid = $1`, [WEATHER_AGENT])
  expect(await ask('tenant', calls!, { ...PERIOD, values })).toEqual([{ calls: sum.rows[0]!.calls }])
})

test('what is shown by agent, model, cloud and certainty adds up to all of it', async () => {
  const sum = async (title: string, column: string): Promise<number> =>
    (
      await ask(
        'everything',
        panelSql().find(({ where }) => where === `agents: ${title} A`)!,
      )
    ).reduce((total, row) => total + Number(row[column]), 0)
  const calls = await sum('Calls', 'calls')
  for (const title of ['Calls by agent', 'Calls by cloud', 'How sure', 'By agent, model, cloud and day']) expect(await sum(title, 'calls'), title).toBe(calls)
  expect(await sum('Tokens by model', 'tokens')).toBe(await sum('Tokens', 'tokens'))
  // One more agent than has a place by name.
  await database.pool.query(
    `insert into usage_daily (id, day, tenant_id, share, agent_oid, confidence, candidates, cloud, model, token_basis, calls, input_tokens)
     select gen_random_uuid(), '2026-09-15', $1, 'agent', gen_random_uuid(), 'exact', '{}', 'aws', 'model-' || n, 'metered', 1, 1 from generate_series(1, 25) n`,
    [TENANT],
  )
  expect(await sum('Calls by agent', 'calls')).toBe(calls + 25)
  const named = async (title: string): Promise<Set<unknown>> =>
    new Set(
      (
        await ask(
          'everything',
          panelSql().find(({ where }) => where === `agents: ${title} A`)!,
        )
      ).map(({ metric }) => metric),
    )
  expect(await named('Calls by agent')).toContain('other agents')
  expect(await named('Tokens by model')).toContain('other models')
  expect((await named('Tokens by model')).size).toBe(21)
})

test('an acknowledged finding is open no more', async () => {
  const query = panelSql().find(({ where }) => where === 'agents: Open findings by severity A')!
  const count = async (): Promise<number> => (await ask('tenant', query)).reduce((sum, row) => sum + Number(row['findings']), 0)
  const before = await count()
  await database.pool.query(
    `insert into finding_decisions (finding_id, tenant_id, acknowledged, reason, by, decided_at, evidence_hash) select id, tenant_id, true, 'known', 'local', now(), evidence_hash from findings where tenant_id = $1 limit 1`,
    [TENANT],
  )
  expect(await count()).toBe(before - 1)
})

test('series have a time, a name and a number, sorted by time', async () => {
  for (const query of panelSql().filter(({ text }) => / as time,/.test(text))) {
    const rows = await ask('everything', query)
    for (const row of rows) {
      expect(Object.keys(row).slice(0, 2), query.where).toEqual(['time', 'metric'])
      expect(Object.values(row).map((value) => (value instanceof Date ? 'time' : typeof value))).toEqual(['time', 'string', 'number'])
    }
    const times = rows.map((row) => Number(row['time']))
    expect(times).toEqual(times.toSorted((a, b) => a - b))
  }
})

test('a login of Grafana reads what readers read, and changes nothing', async () => {
  for (const login of ['tenant', 'everything'] as const) {
    for (const table of ['access_log', 'api_tokens', 'webhook_outbox', 'live_departures_nowhere'])
      await expect(logins[login].query(`select from ${table}`), table).rejects.toThrow(/permission denied|does not exist/)
    const client = await logins[login].connect()
    await client.query('set default_transaction_read_only = off')
    for (const change of ['delete from findings', `insert into login_tenants values (session_user, '{}')`, `update login_tenants set tenants = '{${OTHER}}'`])
      await expect(client.query(change), change).rejects.toThrow('permission denied')
    client.release(true)
    await expect(logins[login].query('set role trailjoin_reader_all; select 1')).rejects.toThrow('permission denied')
  }
  expect((await logins.tenant.query('select login from login_tenants')).rows).toEqual([{ login: `${NAME}_tenant` }])
})

test('a login of Grafana gets no raw record, whose reading would be on no record, and no name of a file by an event', async () => {
  const { rows } = await database.pool.query<{ event: string; chunk: bigint; file: number }>(
    'select h.event_id as event, h.chunk_id as chunk, h.file_id as file from heads h join conclusions c using (time_ns, event_id) where c.tenant_id = $1 limit 1',
    [TENANT],
  )
  const [{ event, chunk, file }] = rows as [(typeof rows)[number]]
  await database.pool.query(
    `insert into rejected (id, file_id, line, index, reason, text, rejected_at) values (gen_random_uuid(), $1, 1, 0, 'no record', 'whose text nobody knows', now())`,
    [file],
  )
  const question = 'select trailjoin_chunk($1, $2) as body, trailjoin_file($1, $3) as name'
  const reader = await readerQueries(database.pool, [TENANT]).query<{ body: unknown; name: unknown }>(question, [event, chunk, file])
  expect(reader.rows[0]).toEqual({ body: expect.any(Buffer), name: expect.any(String) })
  for (const login of ['tenant', 'everything'] as const) {
    const client = await logins[login].connect()
    await client.query(`select set_config('trailjoin.tenants', $1, false)`, [TENANT])
    expect((await client.query(question, [event, chunk, file])).rows, login).toEqual([{ body: null, name: null }])
    for (const table of ['chunks', 'rejected']) expect((await client.query(`select from ${table}`)).rowCount, `${login} ${table}`).toBe(0)
    client.release(true)
  }
  // The API loses nothing by it.
  for (const table of ['chunks', 'rejected']) expect((await readerQueries(database.pool, null).query(`select from ${table}`)).rowCount).toBeGreaterThan(0)
})

test('a login that nobody wrote down in login_tenants sees nothing, whatever it sets', async () => {
  const forgotten = `${NAME}_tenant`
  await database.pool.query('update login_tenants set login = $2 where login = $1', [forgotten, `${forgotten}_renamed`])
  const client = await logins.tenant.connect()
  try {
    for (const tenants of ['', TENANT]) {
      await client.query(`select set_config('trailjoin.tenants', $1, false)`, [tenants])
      for (const table of ['findings', 'usage_daily', 'directory_facts', 'timeline', 'conclusions', 'events'])
        expect((await client.query(`select from ${table}`)).rowCount, `${table} with ${tenants}`).toBe(0)
    }
  } finally {
    client.release(true)
    await database.pool.query('update login_tenants set login = $1 where login = $2', [forgotten, `${forgotten}_renamed`])
  }
  expect((await logins.tenant.query('select from findings')).rowCount).toBeGreaterThan(0)
})
