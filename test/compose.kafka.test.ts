/**
 * The start commands of docker-compose.yml, run here: same command, same environment, same health check, with the addresses of this machine in the place of the containers'. Records go from a fake
 * cloud through the collector, Kafka and the correlator into the store, and come out of the API.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, inject, test, vi } from 'vitest'
import { parse } from 'yaml'
import { startFakeAws } from './clouds/aws.ts'
import type { FakeAws } from './clouds/aws.ts'
import { callerIdentity } from './clouds/caller-identity.ts'
import { freePort } from './faults/free-port.ts'
import { testNamespace } from './kafka.ts'
import { createTestDatabase } from './postgres.ts'
import type { TestDatabase } from './postgres.ts'

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, '..')
const brokers = inject('kafkaBrokers')
const ACCOUNT = '111122223333'
const PATIENCE = { timeout: 120_000, interval: 200 }

interface Service {
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string | number>>
  readonly healthcheck: { readonly test: readonly [string, string, ...string[]] }
}

describe.skipIf(brokers.length === 0)('the roles of docker-compose.yml', () => {
  let database: TestDatabase
  let aws: FakeAws
  let folder = ''
  let namespace = ''
  const children: ChildProcess[] = []

  beforeEach(async () => {
    database = await createTestDatabase()
    aws = await startFakeAws()
    folder = await mkdtemp(join(tmpdir(), 'trailjoin-compose-'))
    namespace = testNamespace()
    aws.accounts.set('AKIAONE', ACCOUNT)
  })
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
    await aws.close()
    await database.drop()
    await rm(folder, { recursive: true, force: true })
  })

  async function role(name: string) {
    const compose = parse(await readFile(join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true }) as { services: Record<string, Service> }
    const { command, environment, healthcheck } = compose.services[name]!
    const port = String(await freePort())
    // Each container has its own ports; here they share the machine.
    const here = (text: string): string => text.replace('0.0.0.0:9464', `127.0.0.1:${port}`).replaceAll(/9464|8417/g, port)
    const known: Record<string, string> = {
      KAFKA_BROKERS: brokers.join(','),
      DATABASE_URL: database.url,
      TRAILJOIN_CONFIG: join(folder, 'trailjoin.yaml'),
      TRAILJOIN_PORT: port,
    }
    const env = {
      PATH: process.env['PATH'],
      HOME: folder,
      NODE_ENV: 'production',
      TRAILJOIN_DATA_DIR: join(folder, name),
      // Topics of this test alone, and the keys that .env.sources would hold.
      KAFKA_NAMESPACE: namespace,
      KEY_ID: 'AKIAONE',
      KEY_SECRET: 'x',
      ...Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, known[key] ?? String(value)])),
    }
    const child = spawn(process.execPath, [join(ROOT, 'bin', 'trailjoin.ts'), ...command.map(here)], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] })
    children.push(child)
    let log = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (log += chunk.toString()))
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
    const [, , ...args] = healthcheck.test
    const healthy = () => run(process.execPath, args.map(here))
    return { port, healthy, log: () => log, stop: () => (child.kill('SIGTERM'), ended), ended }
  }

  test('start as they are written, are healthy, carry records from the cloud to the API, and stop with code 0', async () => {
    for (let at = 0; at < 200; at++) happen(at, 3_600_000)
    await writeFile(
      join(folder, 'trailjoin.yaml'),
      `
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
`,
    )
    // All at once, as after a power cut: topics are made and the schema is brought up to date by whoever comes first.
    const [ingest, one, two, api] = await Promise.all(['ingest', 'correlate', 'correlate', 'api'].map(role))
    const roles = [ingest!, one!, two!, api!]
    const logs = (): string => roles.map(({ log }) => log()).join('\n---\n')
    for (const { healthy } of roles) await vi.waitFor(() => healthy().catch((error: unknown) => expect(error, logs()).toBeNull()), PATIENCE)
    const events = async (): Promise<number> => Number((await database.pool.query<{ count: bigint }>('select count(*) as count from events')).rows[0]?.count)
    await vi.waitFor(async () => expect(await events(), logs()).toBe(200), PATIENCE)
    const metrics = async (port: string): Promise<string> => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    expect(await metrics(ingest!.port)).toMatch(/trailjoin_source_records_total\{source="lookup"\} \d+/)
    const handled = (await Promise.all([one!, two!].map(({ port }) => metrics(port)))).map((text) =>
      Number(/trailjoin_correlator_records_total\{outcome="stored"\} (\d+)/.exec(text)?.[1] ?? 0),
    )
    expect(handled[0]! + handled[1]!).toBe(200)
    const [, token = ''] = /#token=([\w-]+)/.exec(api!.log()) ?? []
    const coverage = await fetch(`http://127.0.0.1:${api!.port}/v1/coverage`, { headers: { authorization: `Bearer ${token}` } })
    expect(await coverage.text(), logs()).toContain('lookup')
    // A collector that comes back goes on after what it has published.
    expect(await ingest!.stop(), logs()).toBe(0)
    for (let at = 200; at < 230; at++) happen(at, 60_000)
    const again = await role('ingest')
    await vi.waitFor(async () => expect(await events(), logs()).toBe(230), PATIENCE)
    for (const { stop, log } of [again, one!, two!, api!]) expect(await stop(), log()).toBe(0)
    for (const { log } of [...roles, again]) expect(log()).not.toMatch(/\n\s+at |Unhandled|uncaught/i)
  })

  test('end with code 1 and say why when Kafka is not there', async () => {
    const closed = `127.0.0.1:${await freePort()}`
    for (const [command, args] of [
      ['correlate', ['correlate']],
      ['ingest', ['ingest', '--once', '--config', join(folder, 'trailjoin.yaml')]],
    ] as const) {
      await writeFile(
        join(folder, 'trailjoin.yaml'),
        `sources: [{kind: aws-s3, name: trail, bucket: trail, region: us-east-1, endpoint: "${aws.url}", credentials: {accessKeyId: {env: KEY_ID}, secretAccessKey: {env: KEY_SECRET}}}]`,
      )
      const key = `AWSLogs/${ACCOUNT}/CloudTrail/us-east-1/${new Date().toISOString().slice(0, 10).replaceAll('-', '/')}/${ACCOUNT}_CloudTrail_us-east-1_${new Date().toISOString().slice(0, 16).replaceAll(/[-:]/g, '')}Z_AAAAAAAAAAAAAAAA.json`
      aws.buckets.set('trail', new Map([[key, Buffer.from('{"Records":[{"eventID":"a"}]}')]]))
      const env = { PATH: process.env['PATH'], HOME: folder, KAFKA_BROKERS: closed, DATABASE_URL: database.url, KEY_ID: 'AKIAONE', KEY_SECRET: 'x' }
      const outcome = await run(process.execPath, [join(ROOT, 'bin', 'trailjoin.ts'), ...args], { env, timeout: 100_000 }).catch(
        (error: unknown) => error as { code: number; stderr: string },
      )
      expect(outcome, command).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/No Kafka broker can be used \(KAFKA_BROKERS\)\.\s127\.0\.0\.1:\d+: connect ECONNREFUSED/),
      })
    }
  })

  const happen = (at: number, agoMs: number): unknown => callerIdentity(aws, ACCOUNT, at, Date.now() - agoMs - at * 1000)
})
