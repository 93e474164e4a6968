import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { id, insertEvent, insertFact, repeatEvent, seen, TENANT } from '#api/fixture.ts'
import { createTestDatabase } from '../test/postgres.ts'
import type { TestDatabase } from '../test/postgres.ts'
import { startProgram } from '../test/program.ts'
import type { Ended, StartedProgram } from '../test/program.ts'

const AGENT = id('a')

let database: TestDatabase
let folder: string

beforeAll(async () => {
  database = await createTestDatabase()
  folder = await mkdtemp(join(tmpdir(), 'trailjoin-cli-'))
  await insertFact(database.pool, TENANT, seen(AGENT, { kind: 'agent', appId: id('d'), name: 'Weather \u001b[31mAgent' }))
  await insertEvent(database.pool, {
    id: id('7', 1),
    time: 1_780_000_000_000_000_000n,
    userAgent: '=1+1',
    conclusion: { tenant: TENANT, subject: AGENT, agent: AGENT, confidence: 'exact', basis: ['federated-subject'] },
    timeline: [{ oid: AGENT, role: 'actor' }],
  })
  await repeatEvent(database.pool, id('7', 1), 1500)
}, 120_000)

afterAll(async () => {
  await database?.drop()
  await rm(folder, { recursive: true, force: true })
})

/** Runs the program as a user would, against the test's database unless the environment says otherwise. */
function trailjoin(args: readonly string[], options: { readonly env?: Readonly<Record<string, string>>; readonly input?: string } = {}): Promise<Ended> {
  const { child, ended } = start(args, options.env)
  child.stdin.end(options.input ?? '')
  return ended
}

const start = (args: readonly string[], env: Readonly<Record<string, string>> = {}): StartedProgram =>
  startProgram(args, folder, { DATABASE_URL: database.url, TRAILJOIN_DATA_DIR: join(folder, 'data'), ...env })

describe('what is typed wrong ends with 2, a message on stderr and nothing on stdout', () => {
  test.each([
    [['timeline', 'not-an-oid'], 'OID: "not-an-oid" is no GUID'],
    [['timeline'], "missing required argument 'oid'"],
    [['timeline', AGENT, '--from', 'yesterday'], '--from: "yesterday" is no time'],
    [['timeline', AGENT, '--from', '2026-02-02', '--to', '2026-02-01'], '--from: is later than "to"'],
    [['timeline', AGENT, '--to', '2026-02-30', '--source', 'azure', '--limit', '0'], '--limit'],
    [['timeline', AGENT, '--format', 'xml'], 'Allowed choices are table, json, ndjson, csv'],
    [['timeline', AGENT, '--manifest', 'm.json'], '--manifest: is of an export'],
    [['timeline', AGENT, '--colour', 'red'], "unknown option '--colour'"],
    [['timelin', AGENT], "unknown command 'timelin'"],
    [['import'], "missing required argument 'path'"],
    [['import', '.', '--tenant', 'contoso'], '--tenant: "contoso" is no GUID'],
    [['up', '--port', 'http'], '--port: "http" is no port'],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await trailjoin(args)
    expect(stderr).toContain(message)
    expect(stderr).not.toMatch(/\n\s+at /)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  })

  test('faulty settings of the environment are all named, without their values', async () => {
    const { code, stderr } = await trailjoin(['agents'], { env: { DATABASE_URL: 'mysql://hunter2@x/y', LOG_LEVEL: 'loud' } })
    expect(code).toBe(2)
    expect(stderr).toMatch(/DATABASE_URL [^]*LOG_LEVEL /)
    expect(stderr).not.toContain('hunter2')
  })
})

describe('what cannot be done ends with 1 and a message', () => {
  test('an oid that no record names, and an appId in the place of an oid', async () => {
    expect(await trailjoin(['timeline', id('f')])).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('No record names the oid') })
    expect(await trailjoin(['timeline', id('d')])).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(`Ask for ${AGENT}`) })
  })

  test('a database that does not answer, without the password', async () => {
    const { code, stderr } = await trailjoin(['agents'], { env: { DATABASE_URL: 'postgresql://u:hunter2@127.0.0.1:1/x' } })
    expect(code).toBe(1)
    expect(stderr).toContain('127.0.0.1:1')
    expect(stderr).not.toMatch(/hunter2|\n\s+at /)
  })

  test('a data folder that is a file', async () => {
    await writeFile(join(folder, 'file'), '')
    const { code, stderr } = await trailjoin(['agents', '--data-dir', join(folder, 'file')])
    expect(code).toBe(1)
    expect(stderr).toContain(join(folder, 'file'))
    expect(stderr).not.toMatch(/\n\s+at /)
  })

  test('an address beyond this machine', async () => {
    expect(await trailjoin(['up', '--host', '0.0.0.0'])).toMatchObject({ code: 1, stderr: expect.stringContaining('Refusing to listen on 0.0.0.0') })
  })
})

describe('timeline', () => {
  test('prints every event in order of time, as lines of JSON', async () => {
    const { code, stdout, stderr } = await trailjoin(['timeline', AGENT, '--format', 'ndjson'])
    const times = stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { time: string }).time)
    expect({ code, stderr, count: times.length }).toEqual({ code: 0, stderr: '', count: 1500 })
    expect(times).toEqual(times.toSorted())
  })

  test('prints one JSON document over all pages', async () => {
    const { stdout } = await trailjoin(['timeline', AGENT, '--format', 'json'])
    expect((JSON.parse(stdout) as { items: unknown[]; next: null }).items).toHaveLength(1500)
  })

  test('keeps the newest with --limit, and says what it left out', async () => {
    const { stdout, stderr } = await trailjoin(['timeline', AGENT, '--format', 'ndjson', '--limit', '2'])
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { id: string }).id),
    ).toEqual([id('7', 1499), id('7', 1500)])
    expect(stderr).toContain('1498 older events left out')
  })

  test('prints csv with a header and without formulas', async () => {
    const lines = (await trailjoin(['timeline', AGENT, '--format', 'csv', '--limit', '1'])).stdout.split('\r\n')
    expect(lines).toHaveLength(3)
    expect(lines[0]).toMatch(/^time,source,kind,action/)
    expect(lines[1]).toContain(",'=1+1,")
  })

  test('prints a table of at most 120 columns without colours into a pipe', async () => {
    const { stdout } = await trailjoin(['timeline', AGENT])
    const lines = stdout.trimEnd().split('\n')
    expect(lines).toHaveLength(1501)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(120)
    expect(stdout).not.toContain('\u001b')
    expect(lines[1]).toMatch(/^2026-05-28 20:26:40\.000 aws +llm\.invoked +bedrock:Converse +ok +exact aaaaaaaa/)
  })

  test('says so when the oid is known and nothing matches', async () => {
    expect(await trailjoin(['timeline', AGENT, '--source', 'gcp'])).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('nothing matches') })
  })

  test('ends quietly when the reader of its output goes away', async () => {
    const { child, ended } = start(['timeline', AGENT, '--format', 'ndjson'])
    child.stdout.once('data', () => child.stdout.destroy())
    expect(await ended).toMatchObject({ code: 0, stderr: '' })
  })
})

test('agents are listed, and no log text drives the terminal', async () => {
  const { code, stdout } = await trailjoin(['agents'])
  expect(code).toBe(0)
  expect(stdout).toContain(AGENT)
  expect(stdout).toContain('Weather  [31m')
  expect(stdout).not.toContain('\u001b')
})

test('rejected and unmapped answer also when there is nothing', async () => {
  for (const command of ['rejected', 'unmapped'])
    expect(await trailjoin([command, '--format', 'json'])).toMatchObject({ code: 0, stdout: '{"items":[\n],"next":null}\n' })
})

describe('import', () => {
  const record = {
    time: '2026-05-12T08:20:11.250Z',
    api: 'weather',
    requestId: id('5'),
    method: 'GET',
    path: '/forecast',
    status: 200,
    durationMs: 12,
    tid: TENANT,
    oid: AGENT,
    appid: id('d'),
    aud: id('e'),
    idtyp: 'app',
    uti: 'u',
    sourceIp: '192.0.2.7',
    userAgent: 'x',
  }

  test('prints one summary object with --json, and knows on the second run what it has', async () => {
    const file = join(folder, 'access.ndjson')
    await writeFile(file, `${JSON.stringify(record)}\n{"broken\n`)
    const first = await trailjoin(['import', file, '--json'])
    expect(first.stderr).toContain(`${file}:2`)
    expect(first.code).toBe(0)
    expect(JSON.parse(first.stdout)).toMatchObject({ read: 2, stored: 1, duplicates: 0, rejected: 1, files: 1, errors: [] })
    const second = await trailjoin(['import', '--json', '--strict', file])
    expect(JSON.parse(second.stdout)).toMatchObject({ read: 2, stored: 0, duplicates: 1, rejected: 1 })
    expect(second.code).toBe(1)
  }, 60_000)

  test('reads standard input', async () => {
    const { code, stdout } = await trailjoin(['import', '-', '--json'], { input: `${JSON.stringify({ ...record, requestId: id('5', 2) })}\n` })
    expect(JSON.parse(stdout)).toMatchObject({ read: 1, stored: 1 })
    expect(code).toBe(0)
  })

  test('fails for a path that does not exist, names it, and reads the others', async () => {
    const file = join(folder, 'other.ndjson')
    await writeFile(file, JSON.stringify({ ...record, requestId: id('5', 3) }))
    const { code, stdout, stderr } = await trailjoin(['import', join(folder, 'missing'), file, '--json'])
    expect(code).toBe(1)
    expect(stderr).toContain(join(folder, 'missing'))
    expect(JSON.parse(stdout)).toMatchObject({ stored: 1, errors: [{ file: join(folder, 'missing') }] })
  })
})

test('up serves the API behind the token it prints, and SIGTERM ends it well', async () => {
  const { child, ended, stdoutSoFar } = start(['up', '--port', '0'])
  await expect.poll(stdoutSoFar, { timeout: 30_000 }).toMatch(/Ctrl-C/)
  const [, url, token] = /(http:\/\/127\.0\.0\.1:\d+)\/#token=([\w-]+)/.exec(stdoutSoFar()) ?? []
  expect((await fetch(`${url}/v1/agents`)).status).toBe(401)
  expect(((await (await fetch(`${url}/v1/agents`, { headers: { authorization: `Bearer ${token}` } })).json()) as { items: unknown[] }).items).not.toHaveLength(
    0,
  )
  expect((await readFile(join(folder, 'data', 'token'), 'utf8')).trim()).toBe(token)
  child.kill('SIGTERM')
  expect(await ended).toMatchObject({ code: 0 })
}, 60_000)

describe('sigma', () => {
  const rule = (title: string, product: string): string =>
    `title: ${title}\nlogsource: { product: ${product}, service: cloudtrail }\ndetection: { s: { eventName: StopLogging }, condition: s }\n`
  beforeAll(async () => {
    await mkdir(join(folder, 'rules'))
    await writeFile(join(folder, 'rules', 'stopped.yml'), rule('stopped', 'aws'))
    await writeFile(join(folder, 'rules', 'other.yml'), rule('other', 'okta'))
  })

  test('check says which rules are refused and why, and ends with 1', async () => {
    const { code, stdout, stderr } = await trailjoin(['sigma', 'check', join(folder, 'rules'), '--format', 'json'])
    expect(code).toBe(1)
    expect((JSON.parse(stdout) as { items: unknown[] }).items).toMatchObject([
      { rule: 'stopped', accepted: true, logsource: 'aws/cloudtrail' },
      { accepted: false, reason: expect.stringContaining('logs of the product "okta" are not read') as string },
    ])
    expect(stderr).toContain('1 rules are accepted, and 1 files hold one that is refused')
  })

  test('run stops at a refused rule, or runs the others and names it', async () => {
    expect(await trailjoin(['sigma', 'run', join(folder, 'rules')])).toMatchObject({ code: 2, stdout: '' })
    const { code, stderr } = await trailjoin(['sigma', 'run', join(folder, 'rules'), '--skip-refused'])
    expect(code).toBe(0)
    expect(stderr).toContain('Refused: ')
    expect(stderr).toContain('No match of 1 rule.')
  })
})
