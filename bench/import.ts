/**
 * The import rate against what cannot be beaten, on the same data in one run: a bare COPY of the same event rows into the same indexed and
 * partitioned table, a bare COPY into a plain table, and JSON.parse of the same bytes. `node bench/import.ts [--records 200000] [--rounds 3]
 * [--seed 1] [--agents 40] [--roll-minutes 1440]`. Everything is made in a temporary folder and removed; see bench/README.md for how to read it.
 */
import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { createCorrelator } from '#correlate/index.ts'
import { startEmbedded } from '#database/embedded.ts'
import { openPool } from '#database/open.ts'
import { importPaths } from '#ingest/import.ts'
import { findFiles } from '#ingest/paths.ts'
import { writeWorld } from '../simulate/write.ts'
import { copyRows, inDatabase, prepareForRows, takeEventRows } from './bare-copy.ts'
import type { EventRows } from './bare-copy.ts'

/** What one measurement gives; CPU seconds of this side and of PostgreSQL where they can be had. */
interface Measured {
  readonly seconds: number
  readonly nodeCpu: number
  readonly postgresCpu: number | null
  readonly peakRss: number | null
}

const MIB = 1024 * 1024
const URL_OF_CHILD = 'BENCH_IMPORT_URL'
const PATH_OF_CHILD = 'BENCH_IMPORT_PATH'

if (process.env[URL_OF_CHILD]) await child(process.env[URL_OF_CHILD], process.env[PATH_OF_CHILD]!)
else await main()

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      records: { type: 'string', default: '200000' },
      rounds: { type: 'string', default: '3' },
      seed: { type: 'string', default: '1' },
      agents: { type: 'string', default: '40' },
      'roll-minutes': { type: 'string', default: '1440' },
    },
  })
  const [records, rounds, seed, agents, rollMinutes] = [values.records, values.rounds, values.seed, values.agents, values['roll-minutes']].map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ]
  const folder = await mkdtemp(join(process.platform === 'win32' ? tmpdir() : '/tmp', 'trailjoin-bench-'))
  // As root the server runs as another user, who must reach its folder.
  await chmod(folder, 0o755)
  const server = await startEmbedded(join(folder, 'data'))
  try {
    const world = await writeWorld(join(folder, 'world'), { seed, agents, events: records, rollMinutes, truth: false })
    const path = join(folder, 'world', 'records')
    const data = await describeData(path)
    await describeRun(
      server.url,
      `${data.files} files, ${(data.bytes / 1e6).toFixed(1)} MB unpacked, ${world.records} records, seed ${seed}, ${agents} agents, sha256 ${data.hash.slice(0, 16)}`,
    )

    const bench = { folder, url: server.url, path, postmaster: postmasterOf(join(folder, 'data')) }
    // The first import is not counted: it gives the rows that COPY loads.
    const rows = await prepareRows(bench)
    console.log(`event rows: ${rows.count}, ${(rows.bytes / 1e6).toFixed(1)} MB as COPY text, ${rows.months.length} monthly partitions\n`)
    const measures: Readonly<Record<string, () => Promise<Measured>>> = {
      'trailjoin import': () => measureImport(bench),
      'COPY, same table': () => measureCopy(bench, rows, 'events'),
      'COPY, plain table': () => measureCopy(bench, rows, 'plain'),
      'JSON.parse': () => measureParse(data.texts),
    }
    const results = await rotate(measures, rounds)
    report(results, world.records, data.bytes)
  } finally {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Measures everything `rounds` times, each round beginning with another one: what a round does to the machine hits all of them. */
async function rotate(measures: Readonly<Record<string, () => Promise<Measured>>>, rounds: number): Promise<Map<string, Measured[]>> {
  const names = Object.keys(measures)
  const results = new Map<string, Measured[]>(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + turn) % names.length]!
      results.get(name)!.push(await measures[name]!())
    }
    console.log(
      `round ${round + 1}: ${names.map((name) => `${name} ${results.get(name)!.at(-1)!.seconds.toFixed(2)} s`).join(', ')} (load ${loadavg()[0]!.toFixed(1)})`,
    )
  }
  return results
}

interface Bench {
  readonly folder: string
  readonly url: string
  readonly path: string
  readonly postmaster: number
}

async function prepareRows(bench: Bench): Promise<EventRows> {
  return inDatabase(bench.url, async (url, pool) => {
    await runChild(url, bench.path)
    return await takeEventRows(pool, join(bench.folder, 'events.copy'))
  })
}

function measureCopy(bench: Bench, rows: EventRows, table: 'events' | 'plain'): Promise<Measured> {
  return inDatabase(bench.url, async (_url, pool) => {
    await prepareForRows(pool, rows)
    return await measure(bench.postmaster, () => copyRows(pool, rows, table))
  })
}

/** The import in a process of its own, so that its peak memory is its own. */
function measureImport(bench: Bench): Promise<Measured> {
  return inDatabase(bench.url, async (url) => {
    const before = postgresCpu(bench.postmaster)
    const { seconds, nodeCpu, peakRss } = await runChild(url, bench.path)
    return { seconds, nodeCpu, peakRss, postgresCpu: difference(before, postgresCpu(bench.postmaster)) }
  })
}

async function measureParse(texts: readonly (readonly Buffer[])[]): Promise<Measured> {
  return measure(null, async () => {
    let values = 0
    for (const file of texts) for (const text of file) values += JSON.parse(text.toString('utf8')) === undefined ? 0 : 1
    if (values === 0) throw new Error('nothing was parsed')
  })
}

async function measure(postmaster: number | null, work: () => Promise<void>): Promise<Measured> {
  const [cpu, before, start] = [process.cpuUsage(), postgresCpu(postmaster), performance.now()]
  await work()
  const seconds = (performance.now() - start) / 1000
  const used = process.cpuUsage(cpu)
  return { seconds, nodeCpu: (used.user + used.system) / 1e6, postgresCpu: difference(before, postgresCpu(postmaster)), peakRss: null }
}

type Answer = Pick<Measured, 'seconds' | 'nodeCpu'> & { readonly peakRss: number }

function runChild(url: string, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const forked = fork(import.meta.filename, { env: { ...process.env, [URL_OF_CHILD]: url, [PATH_OF_CHILD]: path } })
    let answer: Answer | null = null
    forked.on('message', (message) => (answer = message as Answer))
    forked.on('error', reject)
    forked.on('exit', (code) => (answer && code === 0 ? resolve(answer) : reject(new Error(`the import ended with ${code}`))))
  })
}

/** The importing process: what `trailjoin import` does between opening and closing the store, conclusions included. */
async function child(url: string, path: string): Promise<void> {
  const pool = await openPool(url)
  const [cpu, start] = [process.cpuUsage(), performance.now()]
  const summary = await importPaths([path], { sink: createCorrelator(pool) })
  const [seconds, used] = [(performance.now() - start) / 1000, process.cpuUsage(cpu)]
  await pool.end()
  if (summary.rejected > 0 || summary.errors.length > 0) throw new Error(`${summary.rejected} records rejected, ${summary.errors.length} files not read`)
  process.send!({ seconds, nodeCpu: (used.user + used.system) / 1e6, peakRss: process.resourceUsage().maxRSS * 1024 } satisfies Answer)
}

/** The bytes of all files, unpacked: whole files or lines, as JSON.parse can take them; with their hash. */
async function describeData(path: string): Promise<{ files: number; bytes: number; hash: string; texts: Buffer[][] }> {
  const { files } = await findFiles([path])
  const hash = createHash('sha256')
  let bytes = 0
  const texts = files.map((file) => {
    const packed = readFileSync(file.path)
    const content = packed[0] === 0x1f && packed[1] === 0x8b ? gunzipSync(packed) : packed
    hash.update(file.path.slice(path.length)).update(content)
    bytes += content.length
    return isOneValue(content) ? [content] : linesOf(content)
  })
  return { files: files.length, bytes, hash: hash.digest('hex'), texts }
}

function isOneValue(content: Buffer): boolean {
  try {
    JSON.parse(content.toString('utf8'))
    return true
  } catch {
    return false
  }
}

function linesOf(content: Buffer): Buffer[] {
  const lines: Buffer[] = []
  for (let start = 0; start < content.length;) {
    const end = content.indexOf(10, start)
    const stop = end < 0 ? content.length : end
    if (stop > start) lines.push(content.subarray(start, stop))
    start = stop + 1
  }
  return lines
}

async function describeRun(url: string, data: string): Promise<void> {
  const pool = await openPool(url)
  const { rows } = await pool.query<{ version: string; settings: string }>(
    `select version(), (select string_agg(name || ' ' || current_setting(name), ', ' order by name) from pg_settings
       where name in ('shared_buffers', 'fsync', 'synchronous_commit', 'full_page_writes', 'wal_level', 'max_wal_size', 'jit')) as settings`,
  )
  await pool.end()
  console.log(
    `${cpus()[0]?.model.trim()}, ${availableParallelism()} processors, ${Math.round(totalmem() / MIB / 1024)} GiB; Node ${process.version}; ${rows[0]!.version.split(' on ')[0]}`,
  )
  console.log(`settings: ${rows[0]!.settings}\ndata: ${data}`)
}

function report(results: ReadonlyMap<string, readonly Measured[]>, records: number, bytes: number): void {
  const rates = (name: string): readonly number[] => results.get(name)!.map(({ seconds }) => records / seconds)
  const imports = rates('trailjoin import')
  console.log(
    `\n${'median of the rounds (least to most)'.padEnd(38)}${'records/s'.padStart(26)}${'MB/s'.padStart(8)}${'of it the import'.padStart(20)}${'CPU µs/record node, PG'.padStart(26)}`,
  )
  for (const [name, measured] of results) {
    const ratios = rates(name).map((rate, round) => imports[round]! / rate)
    const cpu = (pick: (one: Measured) => number | null): string => {
      const values = measured.map(pick).filter((value) => value !== null)
      return values.length === 0 ? '–' : ((median(values) * 1e6) / records).toFixed(1)
    }
    const [rate, megabytes] = [spread(rates(name), 0), ((median(rates(name)) / records) * bytes) / 1e6]
    console.log(
      `${name.padEnd(38)}${rate.padStart(26)}${megabytes.toFixed(1).padStart(8)}${spread(ratios, 3).padStart(20)}${`${cpu((one) => one.nodeCpu)}, ${cpu((one) => one.postgresCpu)}`.padStart(26)}`,
    )
  }
  const peaks = results.get('trailjoin import')!.map(({ peakRss }) => (peakRss ?? 0) / MIB)
  console.log(`peak memory of the importing process: ${spread(peaks, 0)} MiB`)
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

function spread(values: readonly number[], digits: number): string {
  const text = (value: number): string => value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return `${text(median(values))} (${text(Math.min(...values))}–${text(Math.max(...values))})`
}

function postmasterOf(dataDir: string): number {
  return Number(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0])
}

/** CPU seconds that the server has used: its own, its live processes' and those of the ended ones (proc(5), stat). Null without /proc. */
function postgresCpu(postmaster: number | null): number | null {
  if (postmaster === null || process.platform !== 'linux') return null
  const own = statOf(String(postmaster))
  if (!own) return null
  let ticks = own.used + own.ended
  for (const name of readdirSync('/proc')) {
    const found = /^\d+$/.test(name) ? statOf(name) : null
    if (found?.parent === postmaster) ticks += found.used
  }
  // USER_HZ is 100 on every Linux that Node runs on.
  return ticks / 100
}

function statOf(pid: string): { parent: number; used: number; ended: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name in parentheses may hold blanks; what follows begins with field 3.
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    return { parent: fields[1]!, used: fields[11]! + fields[12]!, ended: fields[13]! + fields[14]! }
  } catch {
    // The process has ended meanwhile.
    return null
  }
}

function difference(before: number | null, after: number | null): number | null {
  return before === null || after === null ? null : after - before
}
