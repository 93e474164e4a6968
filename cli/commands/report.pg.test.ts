import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { id, insertFact, seen, TENANT } from '#api/fixture.ts'
import { insertUsage, usageRow } from '#api/usage/fixture.ts'
import { sha256 } from '#core/record.ts'
import { createTestDatabase } from '../../test/postgres.ts'
import type { TestDatabase } from '../../test/postgres.ts'
import { startProgram } from '../../test/program.ts'
import type { Ended } from '../../test/program.ts'

const AGENT = id('a')
let database: TestDatabase
let folder: string

beforeAll(async () => {
  database = await createTestDatabase()
  folder = await mkdtemp(join(tmpdir(), 'trailjoin-report-'))
  await insertFact(database.pool, TENANT, seen(AGENT, { kind: 'agent', name: 'Weather \u001b[31mAgent' }))
  await insertUsage(database.pool, [
    usageRow({ calls: 5, errors: 1, tokenBasis: 'metered', inputTokens: 1_000_000, outputTokens: 20 }),
    usageRow({ day: '2026-09-02', calls: 2, cloud: 'gcp', model: '=1+1', modelId: 'g' }),
    usageRow({ share: 'unattributed', tenantId: null, agentOid: null, confidence: 'none', calls: 3 }),
  ])
  await writeFile(join(folder, 'prices.yaml'), 'currency: USD\nper: 1000000\nprices:\n  - { model: nova-lite-v1, input: 0.1, output: 0.3 }\n')
  await writeFile(join(folder, 'wrong.yaml'), 'currency: USD\nper: 1000000\nprices:\n  - { model: nova-lite-v1, input: cheap }\n')
})
afterAll(async () => {
  await database?.drop()
  await rm(folder, { recursive: true, force: true })
})

/** Runs the program as a user would. */
const report = (...args: readonly string[]) => run('report', 'llm-usage', ...args)

const run = (...args: readonly string[]): Promise<Ended> => startProgram(args, folder, { DATABASE_URL: database.url }).ended

test('the table shows names, what is unknown as unknown, and says below how sure it is', async () => {
  const { code, stdout, stderr } = await report('--prices', join(folder, 'prices.yaml'))
  expect(code).toBe(0)
  const lines = stdout.trimEnd().split('\n')
  expect(lines[1]).toMatch(/^Weather {2}?\[31mAgent +exact +aws +nova-lite-v1 +5 +1 +1,000,000 +20 +0\.10$/)
  expect(lines[2]).toMatch(/gcp +=1\+1 +2 +0 +– +– +unknown$/)
  expect(lines[3]).toMatch(/^nobody +none +aws/)
  expect(lines[4]).toMatch(/^one of several +ambiguous/)
  expect(stderr).toContain('10 calls: exact 70 %')
  expect(stdout).not.toContain('\u001b')
})

test('the HTML report is the same bytes every time, and its hash that of the rows that its command prints', async () => {
  const [html, again, ndjson] = await Promise.all([
    report('--format', 'html', '--from', '2026-09-01'),
    report('--format', 'html', '--from', '2026-09-01'),
    report('--format', 'ndjson', '--from', '2026-09-01'),
  ])
  expect([html.code, ndjson.code]).toEqual([0, 0])
  expect(again.stdout).toBe(html.stdout)
  expect(html.stdout).toContain('trailjoin report llm-usage --format ndjson --from 2026-09-01<')
  expect(html.stdout).toContain(sha256(ndjson.stdout))
})

test('the PDF report is the same bytes every time, on a pipe as in a file', async () => {
  const file = join(folder, 'report.pdf')
  const [one, two] = await Promise.all([report('--format', 'pdf', '--made-by', 'Zoë'), report('--format', 'pdf', '--made-by', 'Zoë', '--output', file)])
  expect([one.code, two.code, two.stdout]).toEqual([0, 0, ''])
  const bytes = await readFile(file)
  expect(bytes.subarray(0, 5).toString()).toBe('%PDF-')
  expect(bytes.toString()).toBe(one.stdout)
})

test('the report has the findings of its period and the hash of what their command prints', async () => {
  const insert = (number: number, title: string, day: string) =>
    database.pool.query(
      `insert into findings (id, rule, severity, confidence, title, tenant_id, oids, evidence, first_ns, last_ns, explanation, remediation, content_hash)
       values ($1, 'audience-trap', 'high', 'exact', $2, $3, $4, '{}', $5, $5, 'Because.', 'Do.', 'x')`,
      [id('5', number), title, TENANT, [AGENT], BigInt(Date.parse(day)) * 1_000_000n],
    )
  await insert(1, 'Found <i>within</i>', '2026-09-01')
  await insert(2, 'Found later', '2026-10-01')
  const [html, listed] = await Promise.all([
    report('--format', 'html', '--from', '2026-09-01', '--to', '2026-10-01'),
    run('findings', '--format', 'ndjson', '--from', '2026-09-01', '--to', '2026-10-01'),
  ])
  expect(html.stdout).toContain('Found &lt;i&gt;within&lt;/i&gt;')
  expect(html.stdout).not.toContain('Found later')
  expect(listed.stdout.split('\n')).toHaveLength(2)
  expect(html.stdout).toContain('trailjoin findings --format ndjson --from 2026-09-01 --to 2026-10-01<')
  expect(html.stdout).toContain(sha256(listed.stdout))
})

test('json, csv and FOCUS carry costs as exact decimals', async () => {
  const prices = join(folder, 'prices.yaml')
  const [json, csv, focus] = await Promise.all(['json', 'csv', 'focus'].map((format) => report('--format', format, '--prices', prices)))
  const { rows } = JSON.parse(json!.stdout) as { rows: { cost: unknown }[] }
  expect(rows[0]!.cost).toEqual({ currency: 'USD', amount: '0.100006', unpricedCalls: 0 })
  expect(csv!.stdout).toContain(',0.100006,USD,0\r\n')
  expect(csv!.stdout).toContain(",'=1+1,")
  expect(focus!.stdout).toMatch(/^BilledCost,.*\r\n0\.0,111122223333/)
})

test.each([
  [['--from', 'soon'], 2, '--from: "soon" is no day'],
  [['--group-by', 'planet'], 2, 'is not one of day'],
  [['--group-by', 'day', '--format', 'html'], 2, '--group-by: html has its own rows'],
  [['--format', 'odt'], 2, 'Allowed choices are table, json, ndjson, csv, focus, html, pdf'],
  [['--group-by', 'day', '--format', 'pdf'], 2, '--group-by: pdf has its own rows'],
  [['--cur', 'x.csv', '--format', 'pdf'], 2, '--cur: the comparison is printed as table, json, ndjson, csv'],
  [['--cur', 'x.csv', '--cloud', 'gcp'], 2, '--cur goes with --from and --to only, not with --cloud'],
  [['--cur', 'nowhere.csv'], 1, 'nowhere.csv: cannot be read'],
  [['--prices', 'nowhere.yaml'], 1, 'nowhere.yaml: does not exist'],
])('%j ends with %d and says why', async (args, code, message) => {
  const ended = await report(...args)
  expect([ended.code, ended.stdout]).toEqual([code, ''])
  expect(ended.stderr).toContain(message)
})

test('a price that is no number ends with 1 and its place', async () => {
  const ended = await report('--prices', join(folder, 'wrong.yaml'))
  expect(ended.code).toBe(1)
  expect(ended.stderr).toContain('wrong.yaml: prices #1 input is no price')
})

test('--cur compares with the bill of AWS', async () => {
  const cur = join(folder, 'cur.csv')
  const head =
    'line_item_usage_start_date,line_item_iam_principal,line_item_usage_type,line_item_usage_amount,pricing_unit,line_item_unblended_cost,line_item_currency_code'
  await writeFile(cur, `${head}\n2026-09-01T00:00:00Z,arn:aws:iam::111122223333:user/\u001b[31mbob,USE1-x-input-tokens,1.5,1K tokens,0.25,USD\n`)
  const [table, ndjson] = await Promise.all([report('--cur', cur), report('--cur', cur, '--format', 'ndjson')])
  expect([table.code, ndjson.code]).toEqual([0, 0])
  expect(table.stdout).toMatch(/^2026-09-01 111122223333:user\/.{1,2}\[31mbob +bill only – +1,500 +– +0\.25$/m)
  expect(table.stderr).toContain('1 days of callers: 0 same, 0 differs, 1 bill only, 0 logs only, 0 unknown. Billed in the file: 0.25 USD.')
  expect(JSON.parse(ndjson.stdout)).toMatchObject({ verdict: 'only-billed', logged: null, billed: { inputTokens: 1500, cost: '0.25' } })
})

describe('reports of the configuration', () => {
  const configured = async (name: string): Promise<string> => {
    const file = join(folder, `${name}.yaml`)
    await writeFile(file, `reports:\n  - { name: ${name}, every: month, format: csv, folder: ${name} }\n`)
    return file
  }
  test('are made once by `report run`, which tells of them', async () => {
    const file = await configured('monthly')
    const list = async (): Promise<string> => (await run('report', 'run', '--list', '--config', file)).stdout
    expect(await list()).toMatch(/^monthly {2}every month as csv; never made; \d{4}-\d\d-01_\d{4}-\d\d-\d\d is due /)
    const first = await run('report', 'run', '--config', file)
    expect([first.code, first.stderr]).toEqual([0, expect.stringMatching(/monthly \d{4}-\d\d-01_\S+: to .*monthly_\S+\.csv/)])
    const second = await run('report', 'run', '--config', file)
    expect([second.code, second.stderr]).toEqual([0, expect.stringContaining('No report is due.')])
    expect(await readdir(join(folder, 'monthly'))).toHaveLength(1)
    expect(await list()).toContain('last made ')
  })
  test('that cannot be made end with 1', async () => {
    const file = join(folder, 'bad.yaml')
    await writeFile(file, 'reports:\n  - { name: bad, every: day, format: csv, folder: out, prices: nowhere.yaml }\n')
    const ended = await run('report', 'run', '--config', file)
    expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining('nowhere.yaml: does not exist')])
  })
  test('are made by the running program, too', { timeout: 60_000 }, async () => {
    const file = await configured('served')
    const { child, ended } = startProgram(['api', '--port', '0', '--config', file], folder, { DATABASE_URL: database.url })
    try {
      await expect.poll(() => readdir(join(folder, 'served')).catch(() => []), { timeout: 50_000 }).toEqual([expect.stringMatching(/^served_\S+\.csv$/)])
    } finally {
      child.kill('SIGINT')
      expect((await ended).code).toBe(0)
    }
  })
})
