/**
 * One, two and four correlators on one topic: how they share the work, that the export is the same, and what they wait for.
 * `node bench/correlators.ts [--records 20000] [--correlators 1,2,4] [--seed 1]`. Starts a Kafka of one broker and a PostgreSQL in a temporary folder; every correlator is a process of the
 * product. See bench/README.md for how to read it.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type pg from 'pg'
import { canonicalExport } from '#api/read-models/canonical-export.ts'
import { knows } from '#correlate/accept.ts'
import { concludeAll } from '#correlate/conclude-all.ts'
import { createCorrelator } from '#correlate/index.ts'
import { startEmbedded } from '#database/embedded.ts'
import { importPaths } from '#ingest/import.ts'
import { createKafkaTransport } from '#transport/kafka.ts'
import { createTransportSink } from '#transport/sink.ts'
import { startKafka } from '../scripts/kafka-cluster.ts'
import { writeWorld } from '../simulate/write.ts'
import { copyRows, inDatabase, prepareForRows, takeEventRows } from './bare-copy.ts'

const PROGRAM = join(import.meta.dirname, '..', 'bin', 'trailjoin.ts')
const CLOCK_TICKS = 100
const SAMPLE_MS = 100
/** A member that comes is heard of by the others with their next heartbeat. */
const SHARED_OUT_MS = 8000

interface Figures {
  readonly correlators: number
  /** From the first published record to the last stored one, and to the last conclusion. */
  readonly storedPerSecond: number
  readonly concludedPerSecond: number
  /** CPU of all correlators in µs a record. */
  readonly cpu: number
  /** Share of the samples in which a correlator waited for another one's conclusions. */
  readonly waiting: number
  /** Records that the busiest of them took, as a share. */
  readonly busiest: number
  readonly hash: string
}

const { values } = parseArgs({
  options: { records: { type: 'string', default: '20000' }, correlators: { type: 'string', default: '1,2,4' }, seed: { type: 'string', default: '1' } },
})
const counts = values.correlators.split(',').map(Number)
const folder = await mkdtemp('/tmp/trailjoin-correlators-')
await chmod(folder, 0o755)
const server = await startEmbedded(join(folder, 'data'))
const kafka = await startKafka({ brokers: 1, dir: join(folder, 'kafka') })
try {
  const world = await writeWorld(join(folder, 'world'), {
    seed: Number(values.seed),
    agents: 40,
    events: Number(values.records),
    rollMinutes: 1440,
    truth: false,
  })
  const records = join(folder, 'world', 'records')
  console.log(
    `${world.records} records, seed ${values.seed}; Node ${process.versions.node}, ${cpus().length} processors, Kafka and PostgreSQL beside it, load ${loadavg()[0]!.toFixed(1)}`,
  )
  const direct = await inDatabase(server.url, async (_url, pool) => {
    const started = performance.now()
    await importPaths([records], { sink: createCorrelator(pool) })
    await concludeAll(pool)
    const rate = world.records / ((performance.now() - started) / 1000)
    return { rate, hash: await hashOf(pool), rows: await takeEventRows(pool, join(folder, 'events.copy')) }
  })
  const copy = await inDatabase(server.url, async (_url, pool) => {
    await prepareForRows(pool, direct.rows)
    const started = performance.now()
    await copyRows(pool, direct.rows, 'events')
    return direct.rows.count / ((performance.now() - started) / 1000)
  })
  console.log(
    `COPY of the ${direct.rows.count} event rows, same table: ${Math.round(copy)}/s; import in one process, without Kafka, findings included: ${Math.round(direct.rate)} records/s`,
  )
  const all: Figures[] = []
  for (const count of counts) {
    const figures = await inDatabase(server.url, (url, pool) => measure(url, pool, count, records))
    all.push(figures)
    const of = (value: number, base: number): string => (value / base).toFixed(2)
    console.log(
      `${count} correlators: stored ${Math.round(figures.storedPerSecond)}/s (${of(figures.storedPerSecond, all[0]!.storedPerSecond)} of ${counts[0]}, ${of(figures.storedPerSecond, copy)} of COPY), ` +
        `concluded ${Math.round(figures.concludedPerSecond)}/s (${of(figures.concludedPerSecond, all[0]!.concludedPerSecond)} of ${counts[0]}, ${of(figures.concludedPerSecond, copy)} of COPY), ` +
        `${Math.round(figures.cpu)} CPU µs a record, one waits for another's conclusions in ${Math.round(figures.waiting * 100)} % of the time, the busiest stored ${Math.round(figures.busiest * 100)} %, ` +
        `load ${loadavg()[0]!.toFixed(1)}, export ${figures.hash === direct.hash ? 'the same as the direct import' : 'DIFFERS'}`,
    )
  }
  if (all.some(({ hash }) => hash !== direct.hash)) process.exitCode = 1
} finally {
  await kafka.stop()
  await server.stop()
  await rm(folder, { recursive: true, force: true })
}

/** They have joined and shared the partitions out before anything is published: otherwise the first one takes all that is there. Publishing is many times faster than they are. */
async function measure(url: string, pool: pg.Pool, count: number, records: string): Promise<Figures> {
  const namespace = `bench-${randomBytes(4).toString('hex')}`
  const children = Array.from({ length: count }, () => startCorrelator(url, namespace))
  try {
    while (!children.every(({ log }) => log().includes('"correlating"'))) {
      if (children.some(({ child }) => child.exitCode !== null)) throw new Error(`a correlator ended: ${children.map(({ log }) => log()).join('\n')}`)
      await sleep(SAMPLE_MS)
    }
    await sleep(SHARED_OUT_MS)
    const transport = createKafkaTransport({ brokers: kafka.brokers, namespace })
    const began = performance.now()
    const sent = await importPaths([records], { sink: createTransportSink(transport, knows) })
    await transport.close()
    const number = async (sql: string): Promise<number> => Number((await pool.query<{ number: bigint }>(sql)).rows[0]?.number)
    let [stored, samples, waits] = [0, 0, 0]
    for (;;) {
      await sleep(SAMPLE_MS)
      if (children.some(({ child }) => child.exitCode !== null)) throw new Error(`a correlator ended: ${children.map(({ log }) => log()).join('\n')}`)
      const handled = (await Promise.all(children.map(({ handled: of }) => of()))).reduce((sum, one) => sum + one, 0)
      samples++
      waits += (await number(`select count(*) as number from pg_stat_activity where datname = current_database() and wait_event = 'advisory'`)) > 0 ? 1 : 0
      if (handled < sent.read) continue
      stored ||= performance.now()
      if ((await number('select count(*) as number from pending')) === 0) break
    }
    const [concluded, cpu, shares] = [
      performance.now(),
      children.reduce((sum, { child }) => sum + cpuOf(child), 0),
      await Promise.all(children.map(({ handled }) => handled())),
    ]
    await concludeAll(pool)
    return {
      correlators: count,
      storedPerSecond: sent.read / ((stored - began) / 1000),
      concludedPerSecond: sent.read / ((concluded - began) / 1000),
      cpu: (cpu * 1e6) / sent.read,
      waiting: waits / samples,
      busiest: Math.max(...shares) / sent.read,
      hash: await hashOf(pool),
    }
  } finally {
    await Promise.all(
      children.map(({ child, ended }) => {
        child.kill('SIGTERM')
        return ended
      }),
    )
  }
}

function startCorrelator(url: string, namespace: string) {
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    DATABASE_URL: url,
    KAFKA_BROKERS: kafka.brokers.join(','),
    KAFKA_NAMESPACE: namespace,
    LOG_LEVEL: 'info',
  }
  const child = spawn(process.execPath, [PROGRAM, 'correlate', '--metrics', '0'], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let text = ''
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()))
  return {
    child,
    log: () => text,
    ended: new Promise((resolve) => child.on('close', resolve)),
    /** Records and rejections that it has stored. */
    handled: async (): Promise<number> => {
      const address = /"metrics":"([^"]+)"/.exec(text)?.[1]
      if (address === undefined) return 0
      const metrics = await (await fetch(`${address}/metrics`)).text()
      return [...metrics.matchAll(/^trailjoin_correlator_records_total\{.*\} (\d+)/gm)].reduce((sum, [, value]) => sum + Number(value), 0)
    },
  }
}

/** Seconds of processor time, user and system. */
function cpuOf({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS
}

async function hashOf(pool: pg.Pool): Promise<string> {
  const hash = createHash('sha256')
  for await (const line of canonicalExport(pool)) hash.update(line).update('\n')
  return hash.digest('hex')
}
