/**
 * Many readers while records come in: a real `trailjoin api` process, a real `trailjoin import` beside it, and readers that each ask one thing after
 * another until the import ends. `node bench/readers.ts [--readers 200] [--events 60000]`. Prints what they asked, how long it took and every kind of failure;
 * ends with 1 if there was any. The readers share the machine with the servers.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { Agent, get, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startEmbedded } from '#database/embedded.ts'
import { openDatabase } from '#database/open.ts'
import { testDataDir } from '../test/postgres.ts'
import { percentile } from './percentile.ts'

const { values } = parseArgs({ options: { readers: { type: 'string', default: '200' }, events: { type: 'string', default: '60000' } } })
const READERS = Number(values.readers)
const PROGRAM = join(import.meta.dirname, '..', 'bin', 'trailjoin.ts')

const folder = await testDataDir()
const server = await startEmbedded(join(folder, 'store'))
await (await openDatabase({ databaseUrl: server.url, purpose: 'migrate' })).close()
const environment = { ...process.env, DATABASE_URL: server.url, TRAILJOIN_DATA_DIR: join(folder, 'api'), LOG_LEVEL: 'error' }
const agent = new Agent({ keepAlive: true, maxSockets: READERS })
const took = new Map<string, number[]>()
const failures = new Map<string, number>()
try {
  await ended(trailjoin(['simulate', '--out', join(folder, 'first'), '--seed', '1', '--agents', '12', '--events', '10000', '--no-truth']))
  await ended(trailjoin(['simulate', '--out', join(folder, 'second'), '--seed', '2', '--agents', '24', '--events', values.events, '--no-truth']))
  await ended(trailjoin(['import', join(folder, 'first')]))
  const api = trailjoin(['api', '--port', '0'])
  let printed = ''
  api.stdout!.on('data', (chunk: Buffer) => (printed += String(chunk)))
  while (!/page +(http\S+)\/#/.test(printed)) await once(api.stdout!, 'data')
  const address = /page +(http\S+)\/#/.exec(printed)![1]!
  const token = (await readFile(join(folder, 'api', 'token'), 'utf8')).trim()
  const paths = await pathsToAsk(address, token)

  const begun = performance.now()
  const importing = trailjoin(['import', join(folder, 'second')])
  const stop = new AbortController()
  const reading = Array.from({ length: READERS }, (_, reader) => readUntil(stop.signal, address, token, paths, reader))
  const memory = watchMemory(api.pid!)
  await ended(importing)
  stop.abort()
  await Promise.all(reading)
  const seconds = (performance.now() - begun) / 1000
  const peak = memory()
  api.kill('SIGTERM')
  await ended(api)

  const all = [...took.values()].flat()
  console.log(`${READERS} readers for ${seconds.toFixed(0)} s beside an import of ${values.events} events; peak memory of the api ${peak} MiB`)
  console.log('question                |  answers |      p50 |      p99')
  for (const [name, list] of [...took, ['all', all] as const])
    console.log(
      `${name.padEnd(23)} | ${String(list.length).padStart(8)} | ${percentile(list, 50).toFixed(0).padStart(5)} ms | ${percentile(list, 99).toFixed(0).padStart(5)} ms`,
    )
  for (const [failure, times] of failures) console.log(`FAILED ${times} times: ${failure}`)
  if (failures.size > 0) process.exitCode = 1
} finally {
  agent.destroy()
  await server.stop()
  await rm(folder, { recursive: true, force: true })
}

function trailjoin(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [PROGRAM, ...args], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] })
}

async function ended(child: ChildProcess): Promise<void> {
  child.stdout?.resume()
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`${child.spawnargs.slice(2).join(' ')} ended with ${code}`)
}

/** What a responder's afternoon looks like: timelines above all, then single events, agents, traces, findings. */
async function pathsToAsk(address: string, token: string): Promise<readonly string[]> {
  const agents = JSON.parse(await ask(address, token, '/v1/agents')) as { items: { oid: string }[] }
  const oids = agents.items.map(({ oid }) => oid)
  const events: string[] = []
  for (const oid of oids.slice(0, 5)) {
    const page = JSON.parse(await ask(address, token, `/v1/oids/${oid}/timeline?limit=20`)) as { items: { id: string }[] }
    events.push(...page.items.map(({ id }) => id))
  }
  return [
    ...oids.flatMap((oid) => [
      `/v1/oids/${oid}/timeline`,
      `/v1/oids/${oid}/timeline?kind=llm.invoked&limit=50`,
      `/v1/oids/${oid}/timeline?text=bedrock`,
      `/v1/oids/${oid}`,
    ]),
    ...events.map((id) => `/v1/events/${id}`),
    '/v1/agents',
    '/v1/traces',
    '/v1/findings',
    '/v1/reports/llm-usage',
  ]
}

async function readUntil(signal: AbortSignal, address: string, token: string, paths: readonly string[], reader: number): Promise<void> {
  for (let turn = reader * 7; !signal.aborted; turn++) {
    const path = paths[turn % paths.length]!
    const name = path.replaceAll(/[\da-f-]{36}/g, '{id}').replace(/\?.*/, '')
    const began = performance.now()
    try {
      await ask(address, token, path)
      record(name, performance.now() - began)
    } catch (error) {
      const failure = `${name}: ${error instanceof Error ? error.message : String(error)}`
      failures.set(failure, (failures.get(failure) ?? 0) + 1)
    }
  }
}

async function ask(address: string, token: string, path: string): Promise<string> {
  const request = get(`${address}${path}`, { agent, headers: { authorization: `Bearer ${token}` } })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk)
  if (response.statusCode !== 200) throw new Error(`${response.statusCode} ${text.slice(0, 200)}`)
  return text
}

/** Peak resident memory of a process in MiB from now on (Linux only; 0 elsewhere). */
function watchMemory(pid: number): () => number {
  let peak = 0
  const look = setInterval(
    () =>
      void readFile(`/proc/${pid}/status`, 'utf8').then(
        (text) => (peak = Math.max(peak, Math.round(Number(/VmRSS:\s+(\d+)/.exec(text)?.[1] ?? 0) / 1024))),
        () => undefined,
      ),
    500,
  )
  return () => {
    clearInterval(look)
    return peak
  }
}

function record(name: string, milliseconds: number): void {
  const list = took.get(name)
  if (list) list.push(milliseconds)
  else took.set(name, [milliseconds])
}
