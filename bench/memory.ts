/**
 * Whether memory stays flat: `ingest`, `correlate` and `api` as processes of the product, each at full speed for ten minutes. `node bench/memory.ts [--minutes 10] [--correlators 1]`.
 * A fake bucket always has a few unread files (new sessions, spread over sixty days), Kafka and PostgreSQL are real, four clients ask the API without a pause. Resident memory is read from /proc every five
 * seconds (Linux only). Prints the medians of each third and
 * the greatest value, and the least heap in use of each third, which is what stays alive after a collection (resident memory also follows the size of what is on its way). Exit code 1 when the heap's least
 * grows by more than a quarter from the middle third to the last: the first is the start.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startEmbedded } from '#database/embedded.ts'
import { openPool } from '#database/open.ts'
import { startFakeAws } from '../test/clouds/aws.ts'
import { freePort } from '../test/faults/free-port.ts'
import { startKafka } from '../scripts/kafka-cluster.ts'
import { callWith, newKey, rootOf } from './sessions.ts'

const PROGRAM = join(import.meta.dirname, '..', 'bin', 'trailjoin.ts')
const ACCOUNT = '111122223333'
const SAMPLE_MS = 5000
const MIB = 1024 * 1024
const DAY_MS = 86_400_000
const CALLS_A_SESSION = 50
const SESSIONS_A_FILE = 20
/** Files that wait to be read: the collector never idles, and this process stays small. */
const FILES_AHEAD = 4
const CLIENTS = 4
const GROWTH = 1.25

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' }, correlators: { type: 'string', default: '1' } } })
const until = performance.now() + Number(values.minutes) * 60_000
const folder = await mkdtemp('/tmp/trailjoin-memory-')
await chmod(folder, 0o755)
const server = await startEmbedded(join(folder, 'data'))
const kafka = await startKafka({ brokers: 1, dir: join(folder, 'kafka') })
const aws = await startFakeAws()
aws.accounts.set('AKIAONE', ACCOUNT)
const bucket = new Map<string, Buffer>()
aws.buckets.set('trail', bucket)
const children = new Map<string, ChildProcess>()
const ports = new Map<string, number>()
let published = 0
let oid = ''
try {
  await writeFile(
    join(folder, 'trailjoin.yaml'),
    `sources: [{kind: aws-s3, name: trail, everySeconds: 1, bucket: trail, region: us-east-1, endpoint: "${aws.url}", credentials: {accessKeyId: {env: KEY_ID}, secretAccessKey: {env: KEY_SECRET}}}]\n`,
  )
  feed()
  const pool = await openPool(server.url)
  await start('ingest', ['ingest', '--config', join(folder, 'trailjoin.yaml'), '--metrics'])
  for (let index = 1; index <= Number(values.correlators); index++) await start(`correlate ${index}`, ['correlate', '--metrics'])
  const api = await start('api', ['api', '--port'])
  const [, url = '', token = ''] = await printed(api, /(http:\/\/127\.0\.0\.1:\d+)\/#token=([\w-]+)/)
  let requests = 0
  const samples = new Map<string, { rss: number; heap: number }[]>([...children.keys()].map((name) => [name, []]))
  const clients = Array.from({ length: CLIENTS }, async (_, client) => {
    for (let turn = client; performance.now() < until; turn++) {
      await ask(url, token, turn).catch(() => sleep(100))
      requests++
    }
  })
  while (performance.now() < until) {
    await sleep(SAMPLE_MS)
    feed()
    for (const [name, child] of children) {
      if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}`)
      samples.get(name)!.push({ rss: rssOf(child), heap: await heapOf(name) })
    }
  }
  await Promise.all(clients)
  const { rows } = await pool.query<{ events: bigint; pending: bigint }>(
    'select (select count(*) from events) as events, (select count(*) from pending) as pending',
  )
  await pool.end()
  console.log(
    `${values.minutes} minutes; ${published} records in files, ${rows[0]!.events} events stored, ${rows[0]!.pending} batches not concluded, ${requests} requests answered; Node ${process.versions.node}, load ${loadavg()[0]!.toFixed(1)}`,
  )
  for (const [name, series] of samples) {
    const third = Math.floor(series.length / 3)
    const thirds = [series.slice(0, third), series.slice(third, -third), series.slice(-third)]
    const rss = thirds.map((part) => median(part.map((one) => one.rss)))
    const heap = thirds.map((part) => Math.min(...part.map((one) => one.heap)))
    const flat = heap[2]! <= heap[1]! * GROWTH
    if (!flat) process.exitCode = 1
    console.log(
      `${name.padEnd(12)} MiB: resident ${rss.map((one) => one.toFixed(0)).join(', ')} (most ${Math.max(...series.map((one) => one.rss)).toFixed(0)}), ` +
        `least heap ${heap.map((one) => one.toFixed(0)).join(', ')}, ${series.length} samples${flat ? '' : '  GROWS'}`,
    )
  }
} finally {
  for (const child of children.values()) child.kill('SIGTERM')
  for (const child of children.values()) if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  await aws.close()
  await kafka.stop()
  await server.stop()
  await rm(folder, { recursive: true, force: true })
}

/** The last argument's value is a free port: that of its metrics. */
async function start(name: string, args: readonly string[]): Promise<ChildProcess> {
  const port = await freePort()
  ports.set(name, port)
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    DATABASE_URL: server.url,
    KAFKA_BROKERS: kafka.brokers.join(','),
    KAFKA_NAMESPACE: 'bench',
    TRAILJOIN_DATA_DIR: join(folder, 'token'),
    LOG_LEVEL: 'warn',
    KEY_ID: 'AKIAONE',
    KEY_SECRET: 'x',
  }
  const child = spawn(process.execPath, [PROGRAM, ...args, String(port)], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  children.set(name, child)
  return child
}

async function printed({ stdout }: ChildProcess, words: RegExp): Promise<RegExpExecArray> {
  let text = ''
  for await (const chunk of stdout!) {
    text += String(chunk)
    const found = words.exec(text)
    if (found !== null) {
      stdout!.resume()
      return found
    }
  }
  throw new Error(`the API ended: ${text}`)
}

/** Keeps some unread files in the bucket, and takes away those that were read. The collector finds new ones because their names sort after the old ones. */
function feed(): void {
  const read = new Set(
    aws.requests.splice(0).flatMap(({ operation, detail }) => (operation === 'GetObject' ? [detail.split('?')[0]!.slice('/trail/'.length)] : [])),
  )
  for (const key of read) bucket.delete(key)
  while (bucket.size < FILES_AHEAD) {
    const now = new Date()
    const stamp = now.toISOString().slice(0, 16).replaceAll(/[-:]/g, '')
    const key = `AWSLogs/${ACCOUNT}/CloudTrail/us-east-1/${now.toISOString().slice(0, 10).replaceAll('-', '/')}/${ACCOUNT}_CloudTrail_us-east-1_${stamp}Z_${randomBytes(8).toString('hex')}.json`
    const texts = Array.from({ length: SESSIONS_A_FILE }, session).flat()
    published += texts.length
    bucket.set(key, Buffer.from(`{"Records":[${texts.join(',')}]}`))
  }
}

/** A session of its own, on one of the last sixty days. */
function session(): string[] {
  const key = newKey()
  const texts = [rootOf(key), ...Array.from({ length: CALLS_A_SESSION - 1 }, () => callWith(key))].map(({ text }) => text)
  oid ||= /"sub(?:ject)?[^"]*":\s?"([0-9a-f-]{36})"/.exec(texts[0]!)?.[1] ?? /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(texts[0]!)?.[0] ?? ''
  const earlier = Math.floor(Math.random() * 60) * DAY_MS
  return texts.map((text) =>
    text.replace(/"eventTime":\s?"([^"]+)"/, (_, time: string) => `"eventTime":"${new Date(Date.parse(time) - earlier).toISOString()}"`),
  )
}

/** One request, read to its end; each turn another kind. */
async function ask(url: string, token: string, turn: number): Promise<void> {
  const paths = [
    '/v1/agents',
    `/v1/oids/${oid}/timeline?limit=500`,
    '/v1/traces?limit=100',
    '/v1/reports/llm-usage',
    '/v1/coverage',
    `/v1/oids/${oid}`,
    '/metrics',
  ]
  const response = await fetch(`${url}${paths[turn % paths.length]!}`, { headers: { authorization: `Bearer ${token}` } })
  await response.arrayBuffer()
  if (response.status === 429) await sleep(200)
}

/** MiB. */
function rssOf({ pid }: ChildProcess): number {
  return (Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024) / MIB
}

/** MiB in use; infinite where the process has no time to answer. */
async function heapOf(name: string): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${ports.get(name)}/metrics`, { signal: AbortSignal.timeout(2000) }).catch(() => null)
  const text = (await answer?.text().catch(() => '')) ?? ''
  const [, bytes] = /^nodejs_heap_size_used_bytes (\d+)/m.exec(text) ?? []
  return bytes === undefined ? Number.POSITIVE_INFINITY : Number(bytes) / MIB
}

function median(list: readonly number[]): number {
  return list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0
}
