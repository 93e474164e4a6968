/** `ingest` and `doctor` as a user runs them, against the fake cloud and a real database. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startFakeAws } from '../test/clouds/aws.ts'
import type { FakeAws } from '../test/clouds/aws.ts'
import { callerIdentity } from '../test/clouds/caller-identity.ts'
import { createTestDatabase } from '../test/postgres.ts'
import type { TestDatabase } from '../test/postgres.ts'
import { startProgram } from '../test/program.ts'
import type { StartedProgram } from '../test/program.ts'

const ACCOUNT = '111122223333'

let database: TestDatabase
let aws: FakeAws
let folder: string

beforeEach(async () => {
  database = await createTestDatabase()
  aws = await startFakeAws()
  aws.accounts.set('AKIAONE', ACCOUNT)
  folder = await mkdtemp(join(tmpdir(), 'trailjoin-ingest-'))
})
afterEach(async () => {
  await aws.close()
  await database.drop()
  await rm(folder, { recursive: true, force: true })
})

function start(args: readonly string[]): StartedProgram {
  const program = startProgram(args, folder, { DATABASE_URL: database.url, LOG_LEVEL: 'warn', KEY_ID: 'AKIAONE', KEY_SECRET: 'hunter2' })
  program.child.stdin.end()
  return program
}
const trailjoin = (...args: readonly string[]) => start(args).ended

/** Two sources over the same account: its events come by both roads. */
const configuration = (): string => `
sources:
  - kind: aws-cloudtrail-lookup
    name: lookup
    everySeconds: 1
    requestsPerSecond: 100
    endpoint: ${aws.url}
    accounts:
      - account: "${ACCOUNT}"
        regions: [us-east-1]
        credentials: {accessKeyId: {env: KEY_ID}, secretAccessKey: {env: KEY_SECRET}}
  - kind: aws-s3
    name: trail
    everySeconds: 1
    bucket: trail
    region: us-east-1
    endpoint: ${aws.url}
    credentials: {accessKeyId: {env: KEY_ID}, secretAccessKey: {env: KEY_SECRET}}
`

/** Ten minutes ago and earlier: inside of the half hour that is asked for again. */
const happen = (at: number): string => callerIdentity(aws, ACCOUNT, at, Date.now() - 600_000 - at * 1000)

async function fill(count: number): Promise<void> {
  const texts = Array.from({ length: count }, (_, at) => happen(at))
  const iso = new Date().toISOString()
  const key = `AWSLogs/${ACCOUNT}/CloudTrail/us-east-1/${iso.slice(0, 10).replaceAll('-', '/')}/${ACCOUNT}_CloudTrail_us-east-1_${iso.slice(0, 16).replaceAll(/[-:]/g, '')}Z_AAAAAAAAAAAAAAAA.json`
  aws.buckets.set('trail', new Map([[key, Buffer.from(`{"Records":[${texts.join(',')}]}`)]]))
  await writeFile(join(folder, 'trailjoin.yaml'), configuration())
}

const events = async (): Promise<number> => Number((await database.pool.query<{ count: bigint }>('select count(*) as count from events')).rows[0]?.count)

describe('ingest', () => {
  test('--once stores what both roads bring once, and a second time finds nothing new', async () => {
    await fill(120)
    const first = await trailjoin('ingest', '--once')
    expect(first).toMatchObject({ code: 0, stdout: '' })
    expect(first.stderr).toContain('240 records read: 120 stored, 120 known already, 0 rejected.')
    expect(await events()).toBe(120)
    const second = await trailjoin('ingest', '--once')
    expect(second.stderr).toMatch(/ 0 stored, /)
    expect(await events()).toBe(120)
  })

  test('--once fails when a source cannot be read, names it, and stores the other', async () => {
    await fill(10)
    aws.buckets.delete('trail')
    const { code, stderr } = await trailjoin('ingest', '--once')
    expect(code).toBe(1)
    expect(stderr).toMatch(/error: trail list: s3:\/\/trail: NoSuchBucket/)
    expect(stderr).toContain('1 of 2 parts could not be read to their end')
    expect(await events()).toBe(10)
  })

  test('goes on beside a source that is refused, and doctor says which permission is missing', async () => {
    await fill(10)
    aws.fault({ service: 's3', kind: 'denied', times: 1000 })
    const { child, ended } = start(['ingest'])
    await expect
      .poll(async () => (await database.pool.query(`select last_error_code from source_status where source = 'trail'`)).rows, { timeout: 30_000 })
      .toEqual([{ last_error_code: 'SOURCE_DENIED' }])
    await expect.poll(events, { timeout: 30_000 }).toBe(10)
    child.kill('SIGTERM')
    expect(await ended).toMatchObject({ code: 0 })
    const doctor = await trailjoin('doctor')
    expect(doctor.code).toBe(1)
    expect(doctor.stdout).toMatch(/trail list\n.*PROBLEM {2}reachable: [^\n]*AccessDenied[^\n]*\n +→ [^\n]*s3:ListBucket/)
    expect(doctor.stdout).toContain('polls failed in a row')
  })

  test('runs until it is stopped, sees what is new, and survives kill -9', async () => {
    await fill(50)
    const first = start(['ingest'])
    await expect.poll(events, { timeout: 30_000 }).toBe(50)
    first.child.kill('SIGKILL')
    await first.ended
    for (let at = 50; at < 60; at++) happen(at)
    const second = start(['ingest'])
    await expect.poll(events, { timeout: 30_000 }).toBe(60)
    second.child.kill('SIGTERM')
    const { code, stderr } = await second.ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'Collecting from lookup, trail (2 parts). Ctrl-C stops it.\n' })
  }, 200_000)

  test('a faulty configuration is told whole, with code 2 and without secrets', async () => {
    await writeFile(join(folder, 'trailjoin.yaml'), 'sources:\n  - {kind: aws-s3, name: A, bucket: b, credentials: hunter2}\n  - {kind: x, name: y}\n')
    const { code, stdout, stderr } = await trailjoin('ingest')
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    for (const path of ['sources[0].name', 'sources[0].bucket', 'sources[0].region', 'sources[0].credentials', 'sources[1].kind'])
      expect(stderr).toContain(path)
    expect(stderr).not.toMatch(/hunter2|\n\s+at /)
  })

  test('without a configuration it says what to do', async () => {
    expect(await trailjoin('ingest')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('trailjoin.yaml does not exist. Write one (docs/configuration.md has examples)'),
    })
  })
})

describe('up', () => {
  test('collects from the sources that the configuration names, tells so, counts it in /metrics, and stops well', async () => {
    await fill(30)
    const { child, ended, stdoutSoFar } = start(['up', '--port', '0'])
    await expect.poll(stdoutSoFar, { timeout: 60_000 }).toContain('Ctrl-C')
    expect(stdoutSoFar()).toContain('collecting from lookup, trail (2 parts), as trailjoin.yaml says')
    await expect.poll(events, { timeout: 60_000 }).toBe(30)
    const [, url, token] = /(http:\/\/127\.0\.0\.1:\d+)\/#token=([\w-]+)/.exec(stdoutSoFar()) ?? []
    await fetch(`${url}/v1/oids/11111111-0000-4000-8000-000000000001/timeline`, { headers: { authorization: `Bearer ${token}` } })
    const metrics = async (): Promise<string> => await (await fetch(`${url}/metrics`)).text()
    await expect.poll(metrics, { timeout: 30_000 }).toMatch(/trailjoin_source_records_total\{source="trail"\} 30\n/)
    expect(await metrics()).toMatch(/trailjoin_http_request_duration_seconds_count\{route="\/v1\/oids\/:oid\/timeline",method="GET",status="\d+"\} 1\n/)
    expect(await metrics()).not.toContain('11111111-0000')
    for (const header of ['x-forwarded-for', 'forwarded', 'via'])
      expect((await fetch(`${url}/metrics`, { headers: { [header]: '192.0.2.1' } })).status).toBe(403)
    child.kill('SIGTERM')
    expect(await ended).toMatchObject({ code: 0, stderr: '' })
  })

  test('serves without collecting where no source is named, and refuses a faulty file', async () => {
    const { child, ended, stdoutSoFar } = start(['up', '--port', '0'])
    await expect.poll(stdoutSoFar, { timeout: 60_000 }).toContain('Ctrl-C')
    expect(stdoutSoFar()).not.toContain('collecting')
    child.kill('SIGTERM')
    expect((await ended).code).toBe(0)
    await writeFile(join(folder, 'trailjoin.yaml'), 'sources:\n  - {kind: aws-s3, name: A}\n')
    const refused = await trailjoin('up', '--port', '0')
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toContain('trailjoin.yaml:2: sources[0].name')
  })
})

describe('doctor', () => {
  test('prints one object with --json; all is well after a collection', async () => {
    await fill(5)
    await trailjoin('ingest', '--once')
    const { code, stdout } = await trailjoin('doctor', '--json')
    const report = JSON.parse(stdout) as { ok: boolean; sources: { subject: string; part: string; findings: { check: string; level: string }[] }[] }
    expect(code).toBe(0)
    expect(report.ok).toBe(true)
    expect(report.sources.map(({ subject, part }) => [subject, part])).toEqual([
      ['configuration', ''],
      ['store', ''],
      ['lookup', `${ACCOUNT}/us-east-1`],
      ['trail', 'list'],
    ])
    expect(report.sources[2]?.findings).toContainEqual(expect.objectContaining({ check: 'lag', level: 'ok' }))
    expect(stdout).not.toContain('hunter2')
  })

  test('names every fault of the configuration as a problem', async () => {
    await writeFile(join(folder, 'trailjoin.yaml'), 'sources:\n  - {kind: aws-s3, name: A}\n')
    const { code, stdout, stderr } = await trailjoin('doctor')
    expect(code).toBe(1)
    expect(stdout).toContain('PROBLEM  trailjoin.yaml:2: sources[0].name')
    expect(stderr).toContain('3 problems found.')
  })
})
