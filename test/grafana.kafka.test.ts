/** Every metric and label that a dashboard or an alert asks for is one that the running roles expose: collectors, correlators and API, with a Kafka between them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { startFakeAws } from './clouds/aws.ts'
import type { FakeAws } from './clouds/aws.ts'
import { callerIdentity } from './clouds/caller-identity.ts'
import { freePort } from './faults/free-port.ts'
import { inspectPromql, promQueries } from './grafana.ts'
import { testNamespace } from './kafka.ts'
import { createTestDatabase } from './postgres.ts'
import type { TestDatabase } from './postgres.ts'
import { startProgram } from './program.ts'
import type { StartedProgram } from './program.ts'

const brokers = inject('kafkaBrokers')
const ACCOUNT = '111122223333'
const PATIENCE = { timeout: 120_000, interval: 300 }

/** Labels by name of the series, from the text that Prometheus scrapes. */
function seriesOf(text: string): Map<string, Set<string>> {
  const series = new Map<string, Set<string>>()
  for (const [, name = '', labels = ''] of text.matchAll(/^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$/gm)) {
    const known = series.get(name) ?? new Set()
    for (const [, label = ''] of labels.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)) known.add(label)
    series.set(name, known)
  }
  return series
}

/** What Prometheus adds by itself. */
const PROMETHEUS = new Map([
  ['up', new Set<string>()],
  ['ALERTS', new Set(['alertname', 'alertstate', 'severity'])],
])
const TARGET_LABELS = ['job', 'instance']

describe.skipIf(brokers.length === 0)('what dashboards and alerts ask for', () => {
  let database: TestDatabase
  let aws: FakeAws
  let folder = ''
  const programs: StartedProgram[] = []
  let series = new Map<string, Set<string>>()

  beforeAll(async () => {
    database = await createTestDatabase()
    aws = await startFakeAws()
    aws.accounts.set('AKIAONE', ACCOUNT)
    for (let at = 0; at < 20; at++) callerIdentity(aws, ACCOUNT, at, Date.now() - 3_600_000 - at * 1000)
    folder = await mkdtemp(join(tmpdir(), 'trailjoin-grafana-'))
    // One source that works, and one whose bucket is not there.
    const keys = 'credentials: {accessKeyId: {env: KEY_ID}, secretAccessKey: {env: KEY_SECRET}}'
    await writeFile(
      join(folder, 'trailjoin.yaml'),
      `sources:
  - {kind: aws-cloudtrail-lookup, name: lookup, everySeconds: 1, requestsPerSecond: 100, endpoint: "${aws.url}", accounts: [{account: "${ACCOUNT}", regions: [us-east-1], ${keys}}]}
  - {kind: aws-s3, name: trail, everySeconds: 1, bucket: trail, region: us-east-1, endpoint: "${aws.url}", ${keys}}
`,
    )
    const namespace = testNamespace()
    const start = async (args: readonly string[]): Promise<() => Promise<string>> => {
      const port = await freePort()
      const options = args[0] === 'api' ? ['--port', String(port)] : ['--metrics', String(port)]
      const program = startProgram([...args, ...options], folder, {
        DATABASE_URL: database.url,
        KAFKA_BROKERS: brokers.join(','),
        KAFKA_NAMESPACE: namespace,
        LOG_LEVEL: 'warn',
        KEY_ID: 'AKIAONE',
        KEY_SECRET: 'x',
      })
      programs.push(program)
      return async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    }
    const scrapes = await Promise.all([['ingest'], ['correlate'], ['api']].map(start))
    const logs = (): string => programs.map(({ stderrSoFar }) => stderrSoFar()).join('\n')
    await vi.waitFor(async () => {
      const text = (await Promise.all(scrapes.map((scrape) => scrape()))).join('\n')
      expect(text, logs()).toMatch(/trailjoin_source_errors_total\{source="trail"\} [1-9]/)
      expect(text, logs()).toMatch(/trailjoin_correlator_records_total\{outcome="stored"\} 20\n/)
      expect(text, logs()).toMatch(/trailjoin_kafka_behind_messages 0\n/)
      expect(text, logs()).toMatch(/trailjoin_conclusions_round [1-9]/)
      series = seriesOf(text)
    }, PATIENCE)
  }, 200_000)
  afterAll(async () => {
    for (const { child } of programs) child.kill('SIGTERM')
    await Promise.all(programs.map(({ ended }) => ended))
    await aws?.close()
    await database?.drop()
    await rm(folder, { recursive: true, force: true })
  })

  test.each(promQueries())('$where is exposed', ({ text }) => {
    const { selectors, grouping } = inspectPromql(text)
    const asked = selectors.map(({ metric, labels }) => {
      const known = PROMETHEUS.get(metric) ?? series.get(metric)
      expect(known, metric).toBeDefined()
      for (const label of labels) expect([...known!, ...TARGET_LABELS], metric).toContain(label)
      return known!
    })
    for (const label of grouping) expect([...asked.flatMap((known) => [...known]), ...TARGET_LABELS], text).toContain(label)
  })

  test('names no oid, no account and no record', () => {
    const labels = new Set([...series.values()].flatMap((names) => [...names]))
    expect([...labels].filter((label) => /oid|tenant|account|principal|event|part/.test(label))).toEqual([])
  })
})
