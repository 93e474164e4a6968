/**
 * How long a record takes from the moment that Kafka has it until it stands in the timeline, and until the live stream tells it. `node bench/latency.ts [--seconds 20] [--rates 0.5,30,200,1000]
 * [--correlators 1]`. `correlate` and `api` are processes of the product, Kafka and PostgreSQL are real. Records are log lines of an own API, sent evenly at each rate; the clock of a record begins when its
 * publish resolves. Prints p50, p95 and the greatest value of both, in milliseconds, and how many records had not come ten seconds after the last.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { RawRecord } from '#core/record.ts'
import { startEmbedded } from '#database/embedded.ts'
import { openPool } from '#database/open.ts'
import { knows } from '#correlate/accept.ts'
import { migrate } from '#migrations/migrate.ts'
import { createKafkaTransport } from '#transport/kafka.ts'
import { createTransportSink } from '#transport/sink.ts'
import { startKafka } from '../scripts/kafka-cluster.ts'
import { openStream } from '../test/stream-client.ts'
import { percentile } from './percentile.ts'

const PROGRAM = join(import.meta.dirname, '..', 'bin', 'trailjoin.ts')
const TENANT = '8b3b1038-1ba0-46aa-9121-e8db34476a93'
const OID = 'd1becabc-cdb8-465c-a235-c346cd27be7a'
/** How often the store is asked which records are concluded about. */
const LOOK_MS = 20
const PATIENCE_MS = 10_000
/** Sends are made this often; at higher rates each takes several records. */
const TICK_MS = 20

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '20' }, rates: { type: 'string', default: '0.5,30,200,1000' }, correlators: { type: 'string', default: '1' } },
})
const folder = await mkdtemp('/tmp/trailjoin-latency-')
await chmod(folder, 0o755)
const server = await startEmbedded(join(folder, 'data'))
const kafka = await startKafka({ brokers: 1, dir: join(folder, 'kafka') })
const children: ChildProcess[] = []
const pool = await openPool(server.url)
const transport = createKafkaTransport({ brokers: kafka.brokers, namespace: 'bench' })
try {
  await migrate(pool)
  for (let index = 0; index < Number(values.correlators); index++) start('correlate')
  const [, url = '', token = ''] = await printed(start('api', '--port', '0'), /(http:\/\/127\.0\.0\.1:\d+)\/#token=([\w-]+)/)
  const stream = await openStream(`${url}/v1/oids/${OID}/stream?tenant=${TENANT}`, token)
  // The consumers have joined when the first record is through.
  await measure(1, 1, stream)
  console.log(`Node ${process.versions.node}, ${values.correlators} correlator(s), load ${loadavg()[0]!.toFixed(1)}\n`)
  console.log('  records/s    sent   timeline p50     p95     max     stream p50     p95     max   missing')
  for (const rate of values.rates.split(',').map(Number)) {
    const { sent, timeline, told } = await measure(rate, Number(values.seconds), stream)
    const row = (times: readonly number[]): string => [50, 95, 100].map((percent) => percentile(times, percent).toFixed(0).padStart(7)).join(' ')
    console.log(
      `${String(rate).padStart(11)} ${String(sent).padStart(7)}   ${row(timeline)}        ${row(told)} ${String(sent - Math.min(timeline.length, told.length)).padStart(9)}`,
    )
  }
  stream.close()
} finally {
  await transport.close()
  await pool.end()
  for (const child of children) child.kill('SIGTERM')
  for (const child of children) if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  await kafka.stop()
  await server.stop()
  await rm(folder, { recursive: true, force: true })
}

function start(...args: readonly string[]): ChildProcess {
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    DATABASE_URL: server.url,
    KAFKA_BROKERS: kafka.brokers.join(','),
    KAFKA_NAMESPACE: 'bench',
    TRAILJOIN_DATA_DIR: join(folder, 'token'),
    LOG_LEVEL: 'warn',
  }
  const child = spawn(process.execPath, [PROGRAM, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
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

interface Measured {
  readonly sent: number
  /** Milliseconds of each record. */
  readonly timeline: readonly number[]
  readonly told: readonly number[]
}

/** Sends records evenly and waits until each is seen, or patience ends. */
async function measure(rate: number, seconds: number, stream: Awaited<ReturnType<typeof openStream>>): Promise<Measured> {
  const sink = createTransportSink(transport, knows)
  const delivered = new Map<string, number>()
  const inTimeline = new Map<string, number>()
  const inStream = new Map<string, number>()
  const begun = performance.now()
  const total = Math.max(1, Math.round(rate * seconds))
  let sent = 0
  let read = stream.messages.length
  const looked = { over: false }
  const looking = (async () => {
    while (!looked.over) {
      const { rows } = await pool.query<{ id: string }>(
        `select e.request_id as id from timeline l join events e on e.time_ns = l.time_ns and e.event_id = l.event_id
         where l.tenant_id = $1 and l.oid = $2 and l.time_ns >= $3`,
        [TENANT, OID, BigInt(Math.floor(performance.timeOrigin + begun)) * 1_000_000n],
      )
      const now = performance.now()
      for (const { id } of rows) if (!inTimeline.has(id)) inTimeline.set(id, now)
      await sleep(Math.max(LOOK_MS, rows.length / 50))
    }
  })()
  const listening = setInterval(() => {
    const now = performance.now()
    for (; read < stream.messages.length; read++) {
      const { event, data } = stream.messages[read]!
      const id = event === 'item' ? (data as { requestId: string }).requestId : null
      if (id !== null && !inStream.has(id)) inStream.set(id, now)
    }
  }, 5)
  const publishes: Promise<void>[] = []
  while (sent < total) {
    const due = Math.min(total, Math.floor(((performance.now() - begun) * rate) / 1000) + 1)
    if (due > sent) {
      const records = Array.from({ length: due - sent }, (_, index) => record(`${begun}-${sent + index}`))
      sent = due
      publishes.push(sink.deliver(records, []).then(() => records.forEach(({ value }) => delivered.set(value['requestId'] as string, performance.now()))))
    }
    await sleep(Math.max(TICK_MS, rate < 1 ? 200 : 0))
  }
  await Promise.all(publishes)
  const patience = performance.now() + PATIENCE_MS
  while (performance.now() < patience && (inTimeline.size < total || inStream.size < total)) await sleep(LOOK_MS)
  looked.over = true
  clearInterval(listening)
  await looking
  const times = (seen: ReadonlyMap<string, number>): number[] =>
    [...seen].flatMap(([id, at]) => (delivered.has(id) ? [Math.max(0, at - delivered.get(id)!)] : []))
  return { sent: total, timeline: times(inTimeline), told: times(inStream) }
}

/** A line of an own API's log, of now. */
function record(requestId: string): RawRecord {
  const value = { time: new Date().toISOString(), requestId, tid: TENANT, oid: OID, method: 'GET', path: '/weather', status: 200 }
  return { text: JSON.stringify(value), value, masked: [], origin: { file: 'bench', line: null, index: 0 }, context: {} }
}
