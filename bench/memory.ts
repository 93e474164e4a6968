/**
 * Whether memory stays flat: `ingest`, `correlate` and `api` as processes of the product, each at full speed for ten minutes. `node bench/memory.ts [--minutes 10] [--correlators 1]`.
 * A fake bucket always has a few unread files (new sessions, spread over sixty days), Kafka and PostgreSQL are real, four clients ask the API without a pause. Resident memory is read from /proc every five
 * seconds (Linux only). Prints the medians of each third and the greatest value, and what is alive at the end of each third: heap and buffers after a collection that the inspector asks for (resident memory
 * also follows the size of what is on its way, and what V8 and the allocator have not given back). Exit code 1 when what is alive, or what is resident, grows by more than a quarter from the middle third to
 * the last: the first is the start.
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
import { openDatabase, openPool } from '#database/open.ts'
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
await (await openDatabase({ databaseUrl: server.url, purpose: 'migrate' })).close()
const kafka = await startKafka({ brokers: 1, dir: join(folder, 'kafka') })
const aws = await startFakeAws()
aws.accounts.set('AKIAONE', ACCOUNT)
const bucket = new Map<string, Buffer>()
aws.buckets.set('trail', bucket)
const children = new Map<string, ChildProcess>()
const inspectors = new Map<string, number>()
let published = 0
let oid = ''
try {
  await writeFile(
    join(folder, 'trailjoin.yaml'),
    `sources: [{kind: aws-s3, name: trail, everySeconds: 1, bucket: trail, region: us-east-1, endpoint: "${aws.url}", credentials: {accessKeyId: {env: KEY_ID}, secretAccessKey: {env: KEY_SECRET}}}]\n`,
  )
  feed()
  const pool = await openPool(server.url)
  await start('ingest', ['ingest', '--config', join(folder, 'trailjoin.yaml')])
  for (let index = 1; index <= Number(values.correlators); index++) await start(`correlate ${index}`, ['correlate'])
  const api = await start('api', ['api', '--port', '0'])
  const [, url = '', token = ''] = await printed(api, /(http:\/\/127\.0\.0\.1:\d+)\/#token=([\w-]+)/)
  let requests = 0
  const samples = new Map<string, number[]>([...children.keys()].map((name) => [name, []]))
  const alive = new Map<string, number[]>([...children.keys()].map((name) => [name, []]))
  const begun = performance.now()
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
      samples.get(name)!.push(rssOf(child))
    }
    const third = Math.floor((3 * (performance.now() - begun)) / (until - begun))
    for (const [name, list] of alive) if (list.length < third) list.push(await aliveOf(name))
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
    const rss = thirds.map(median)
    const left = alive.get(name)!
    const grows = [rss, left].some(([, middle = 0, last = 0]) => last > middle * GROWTH)
    if (grows) process.exitCode = 1
    console.log(
      `${name.padEnd(12)} MiB: resident ${rss.map((one) => one.toFixed(0)).join(', ')} (most ${Math.max(...series).toFixed(0)}), ` +
        `alive ${left.map((one) => one.toFixed(1)).join(', ')}, ${series.length} samples${grows ? '  GROWS' : ''}`,
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

async function start(name: string, args: readonly string[]): Promise<ChildProcess> {
  const inspector = await freePort()
  inspectors.set(name, inspector)
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
  const child = spawn(process.execPath, [`--inspect=127.0.0.1:${inspector}`, PROGRAM, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] })
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

/** MiB of heap and of buffers that are in use after a collection, by the inspector (the DevTools protocol's HeapProfiler and Runtime). */
async function aliveOf(name: string): Promise<number> {
  const [target] = (await (await fetch(`http://127.0.0.1:${inspectors.get(name)}/json/list`)).json()) as readonly { readonly webSocketDebuggerUrl: string }[]
  const socket = new WebSocket(target!.webSocketDebuggerUrl)
  await once(socket, 'open')
  const call = async (id: number, method: string): Promise<Record<string, number>> => {
    const answered = once(socket, 'message') as Promise<[MessageEvent<string>]>
    socket.send(JSON.stringify({ id, method }))
    const { result } = JSON.parse((await answered)[0].data) as { readonly result: Record<string, number> }
    return result
  }
  await call(1, 'HeapProfiler.collectGarbage')
  const usage = await call(2, 'Runtime.getHeapUsage')
  socket.close()
  return ((usage['usedSize'] ?? 0) + (usage['backingStorageSize'] ?? 0)) / MIB
}

function median(list: readonly number[]): number {
  return list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0
}
