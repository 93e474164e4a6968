/**
 * A real Apache Kafka for development: `node scripts/kafka.ts start --brokers 1|3 [--dir D]`, `stop [--dir D]`, `clean [--dir D]`.
 * Tests and fault runs use `startKafka` from kafka-cluster.ts.
 */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startKafka } from './kafka-cluster.ts'
import { MissingProgram } from './kafka-programs.ts'

const USAGE = 'usage: node scripts/kafka.ts start [--brokers 1|3] [--dir FOLDER] | stop [--dir FOLDER] | clean [--dir FOLDER]'
const STOP_TIMEOUT_MS = 20_000

interface Running {
  readonly brokers: readonly string[]
  readonly pids: readonly number[]
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { brokers: { type: 'string', default: '1' }, dir: { type: 'string' } } })
  const dir = resolve(values.dir ?? join(import.meta.dirname, '..', '.cache', 'kafka', 'cluster'))
  switch (positionals.join(' ')) {
    case 'start':
      return await start(values.brokers, dir)
    case 'stop':
      await stop(dir)
      return 0
    case 'clean':
      await stop(dir)
      // Only what `start` has made: the folder may be anybody's.
      await Promise.all([1, 2, 3].map((id) => rm(join(dir, `broker-${id}`), { recursive: true, force: true })))
      return 0
    default:
      process.stderr.write(`${USAGE}\n`)
      return 2
  }
}

async function start(count: string, dir: string): Promise<number> {
  if (count !== '1' && count !== '3') {
    process.stderr.write(`--brokers is 1 or 3, not "${count}".\n`)
    return 2
  }
  const given = process.env['KAFKA_BROKERS']
  if (given) {
    process.stderr.write('KAFKA_BROKERS is set: that cluster is used, none is started.\n')
    process.stdout.write(`KAFKA_BROKERS=${given}\n`)
    return 0
  }
  const running = await runningIn(dir)
  if (running !== null && running.pids.length > 0) {
    process.stderr.write(`A cluster runs in ${dir} already.\n`)
    process.stdout.write(`KAFKA_BROKERS=${running.brokers.join(',')}\n`)
    return 0
  }
  const cluster = await startKafka({ brokers: count === '1' ? 1 : 3, dir, detached: true })
  await writeFile(stateFile(dir), JSON.stringify({ brokers: cluster.brokers, pids: cluster.pids() } satisfies Running))
  process.stdout.write(`KAFKA_BROKERS=${cluster.brokers.join(',')}\n`)
  return 0
}

async function stop(dir: string): Promise<void> {
  const pids = (await runningIn(dir))?.pids ?? []
  for (const pid of pids) process.kill(pid, 'SIGTERM')
  const until = performance.now() + STOP_TIMEOUT_MS
  let left = pids
  while (left.length > 0 && performance.now() < until) {
    await sleep(200)
    left = (await runningIn(dir))?.pids ?? []
    // The last controllers of a quorum wait for the others for minutes.
    if (performance.now() > until - STOP_TIMEOUT_MS / 2) for (const pid of left) process.kill(pid, 'SIGKILL')
  }
  await rm(stateFile(dir), { force: true })
  process.stderr.write(pids.length === 0 ? `No cluster runs in ${dir}.\n` : `${pids.length} brokers stopped.\n`)
}

const stateFile = (dir: string): string => join(dir, 'cluster.json')

/** What `start` has left running; only processes that are still these brokers, because a number is given out again. */
async function runningIn(dir: string): Promise<Running | null> {
  const text = await readFile(stateFile(dir), 'utf8').catch(() => null)
  if (text === null) return null
  const { brokers, pids } = JSON.parse(text) as Running
  const own = await Promise.all(pids.map(async (pid) => (await commandOf(pid)).includes(dir)))
  return { brokers, pids: pids.filter((_, index) => own[index]) }
}

async function commandOf(pid: number): Promise<string> {
  return await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`${error instanceof MissingProgram ? error.message : String(error)}\n`)
  process.exitCode = 1
}
