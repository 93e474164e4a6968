import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { insertUsage, usageRow } from '#api/usage/fixture.ts'
import { sha256 } from '#core/record.ts'
import { openDatabase } from '#database/open.ts'
import { createTestDatabase, type TestDatabase } from '../../../test/postgres.ts'
import { startProgram } from '../../../test/program.ts'
import type { ScheduledReport } from '../../../config/reports-section.ts'
import { isSigned, webhookKey } from '../../webhook/sign.ts'
import { mustKeepRuns, runDue } from './run-due.ts'

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const ENVIRONMENT = { SECRET, BAD: 'hunter2' }
const NOW = Date.parse('2026-09-03T06:00:00Z')
// oxlint-disable-next-line typescript/unbound-method -- called with its own this below
const query = pg.Client.prototype.query
let database: TestDatabase
let folder: string

beforeAll(async () => {
  database = await createTestDatabase()
  await insertUsage(database.pool, [
    usageRow({ day: '2026-09-01', calls: 5 }),
    usageRow({ day: '2026-09-02', calls: 7 }),
    usageRow({ day: '2026-09-03', calls: 100 }),
    usageRow({ day: '2026-09-04', calls: 1000 }),
  ])
})
beforeEach(async () => {
  await database.pool.query('truncate report_runs')
  folder = await mkdtemp(join(tmpdir(), 'trailjoin-reports-'))
})
afterAll(() => database?.drop())

const daily = (fields: Partial<ScheduledReport> = {}): ScheduledReport => ({
  name: 'daily',
  every: 'day',
  afterMinutes: 360,
  format: 'ndjson',
  to: { folder },
  tenant: undefined,
  cloud: undefined,
  prices: undefined,
  madeBy: undefined,
  ...fields,
})
const run = (reports: readonly ScheduledReport[], now = NOW) =>
  runDue(database.pool, reports, { environment: ENVIRONMENT, now: () => now, pauseMs: 1, retries: 1 })
const files = async (): Promise<string[]> => (await readdir(folder)).toSorted()

test('each period is made once, whole, and what was missed is made up for', async () => {
  expect(await run([daily()])).toMatchObject([{ name: 'daily', period: { from: '2026-09-02', to: '2026-09-03' }, error: null }])
  expect(await run([daily()])).toEqual([])
  expect(await run([daily()], NOW + 2 * 86_400_000)).toHaveLength(2)
  expect(await files()).toEqual(['daily_2026-09-02.ndjson', 'daily_2026-09-03.ndjson', 'daily_2026-09-04.ndjson'])
  const calls = async (day: string): Promise<number> =>
    (JSON.parse((await readFile(join(folder, `daily_${day}.ndjson`), 'utf8')).split('\n')[0]!) as { calls: number }).calls
  expect([await calls('2026-09-02'), await calls('2026-09-04')]).toEqual([7, 1000])
  const { rows } = await database.pool.query<{ sha256: string; target: string }>('select sha256, target from report_runs order by period_from')
  for (const row of rows) expect(sha256(await readFile(row.target))).toBe(row.sha256)
})

test('a file that a run wrote before it was killed stays as it is', async () => {
  await writeFile(join(folder, 'daily_2026-09-02.ndjson'), 'written before')
  expect(await run([daily()])).toMatchObject([{ error: null }])
  expect(await readFile(join(folder, 'daily_2026-09-02.ndjson'), 'utf8')).toBe('written before')
  expect((await database.pool.query<{ sha256: string }>('select sha256 from report_runs')).rows).toEqual([{ sha256: sha256('written before') }])
  expect(await files()).toHaveLength(1)
})

test('of many processes at once one makes it', async () => {
  const outcomes = await Promise.all(Array.from({ length: 6 }, () => run([daily({ format: 'pdf' })])))
  expect(outcomes.flatMap((outcome) => outcome ?? [])).toHaveLength(1)
  expect(await files()).toEqual(['daily_2026-09-02.pdf'])
})

test('nothing of it falls under the limit of a minute that is for callers of the API', async () => {
  const begun: string[] = []
  const ask = vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...given: unknown[]) {
    if (typeof given[0] === 'string' && given[0].includes('set local')) begun.push(given[0])
    return Reflect.apply(query, this, given) as never
  })
  try {
    expect(await run([daily()])).toMatchObject([{ error: null }])
  } finally {
    ask.mockRestore()
  }
  expect(begun).toEqual([expect.stringContaining('set local role trailjoin_reader_all')])
  expect(begun[0]).not.toContain('timeout')
})

test('one that fails is told and stays due; the others go on', async () => {
  const broken = join(folder, 'file')
  await writeFile(broken, '')
  const reports = [
    daily({ name: 'broken', to: { folder: broken } }),
    daily({ name: 'secret', to: { url: 'https://x.example/', secret: { env: 'BAD' } } }),
    daily(),
  ]
  const outcomes = await run(reports)
  expect(outcomes?.map(({ name, error }) => [name, error === null])).toEqual([
    ['broken', false],
    ['secret', false],
    ['daily', true],
  ])
  expect(JSON.stringify(outcomes)).not.toContain('hunter2')
  await rm(broken)
  await mkdir(broken)
  expect((await run(reports))?.map(({ name, error }) => [name, error === null])).toEqual([
    ['broken', true],
    ['secret', false],
  ])
})

test('a webhook gets it signed, under the same id when it is sent again', async () => {
  const received: { readonly id: unknown; readonly signed: boolean; readonly type: unknown; readonly body: Buffer }[] = []
  let answer = 500
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const body = Buffer.concat(parts)
      received.push({
        id: request.headers['webhook-id'],
        signed: isSigned(webhookKey(SECRET), request.headers, body),
        type: request.headers['content-type'],
        body,
      })
      response.writeHead(answer).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const report = daily({ format: 'pdf', to: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/?key=hunter2`, secret: { env: 'SECRET' } } })
    expect((await run([report]))?.map(({ error }) => error)).toEqual([expect.stringContaining('answered 500')])
    answer = 200
    expect(await run([report])).toMatchObject([{ error: null }])
    expect(await run([report])).toEqual([])
    expect(received.map(({ id, signed, type }) => [id, signed, type])).toEqual(
      Array.from({ length: 3 }, () => ['report-daily-2026-09-02-2026-09-03', true, 'application/pdf']),
    )
    expect(new Set(received.map(({ body }) => sha256(body))).size).toBe(1)
    expect(JSON.stringify((await database.pool.query('select * from report_runs')).rows)).not.toContain('hunter2')
  } finally {
    server.closeAllConnections()
    server.close()
  }
})

test(
  'an API under a login of its own makes them with the rights that docs/operators/access.md names, and is told where one is missing, by doctor too',
  { timeout: 60_000 },
  async () => {
    const guide = await readFile(new URL('../../../docs/operators/access.md', import.meta.url), 'utf8')
    const rights = /^GRANT USAGE ON SCHEMA drizzle[^]*?(?=^```)/m.exec(guide)![0]
    const name = `trailjoin_test_${randomBytes(4).toString('hex')}`
    await database.pool.query(`create role ${name} login password 'only-for-this-test'`)
    await database.pool.query(`grant trailjoin_reader, trailjoin_reader_all to ${name} with inherit false, set true`)
    await database.pool.query(rights.replaceAll('trailjoin_api', name))
    const url = new URL(database.url)
    url.username = name
    url.password = 'only-for-this-test'
    const own = await openDatabase({ databaseUrl: url.href })
    try {
      await mustKeepRuns(own.pool)
      for (const format of ['ndjson', 'pdf', 'focus'] as const)
        expect(await runDue(own.pool, [daily({ name: format, format })], { environment: ENVIRONMENT, now: () => NOW })).toMatchObject([
          { name: format, error: null },
        ])
      expect(await files()).toHaveLength(3)
      await writeFile(join(folder, 'trailjoin.yaml'), `reports:\n  - {name: monthly, every: month, format: csv, folder: out}\n`)
      const doctor = () => startProgram(['doctor'], folder, { DATABASE_URL: url.href }).ended
      expect((await doctor()).stdout).toMatch(/^ {2}ok +database: answers\n[^]*^ {2}ok +monthly: can be made, and goes to /m)
      await database.pool.query(`revoke insert on report_runs from ${name}`)
      await expect(mustKeepRuns(own.pool)).rejects.toThrow(`GRANT SELECT, INSERT ON report_runs TO ${name}`)
      const refused = await doctor()
      expect(refused.stdout).toMatch(
        /^ {2}PROBLEM +database: Reports are configured, but .*GRANT SELECT, INSERT ON report_runs TO [^]*^ {2}ok +monthly: goes to /m,
      )
      expect(refused.code).toBe(1)
    } finally {
      await own.close()
      await database.pool.query(`drop owned by ${name}; drop role ${name}`)
    }
  },
)
