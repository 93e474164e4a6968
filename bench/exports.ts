/**
 * Exports of one agent with a million events, over HTTP: time and memory of the serving process for each format, and an evidence bundle.
 * `npx node bench/exports.ts [events] [formats, comma-separated; bundle is one]`
 */
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApp } from '#api/app.ts'
import { EXPORT_FORMATS } from '#api/exports/formats.ts'
import { id, insertEvent, insertFact, repeatEvent, seen, TENANT } from '#api/fixture.ts'
import { startEmbedded } from '#database/embedded.ts'
import { openPool } from '#database/open.ts'
import { ensurePartitions } from '#database/partitions.ts'
import { migrate } from '#migrations/migrate.ts'

const EVENTS = Number(process.argv[2] ?? 1_000_000)
const CHOSEN = process.argv[3]?.split(',') ?? [...EXPORT_FORMATS, 'bundle']
const START = 1_780_000_000_000_000_000n
const AGENT = id('a')

/** Reads an answer and throws it away, in a process of its own: what it takes is not the server's. Prints bytes and the trailer's item count. */
const CLIENT = `
  require('http').get(process.argv[1], { headers: { authorization: 'Bearer bench' } }, (response) => {
    let bytes = 0
    response.on('data', (part) => (bytes += part.length)).on('end', () => {
      const manifest = response.trailers['trailjoin-manifest']
      console.log(JSON.stringify({ status: response.statusCode, bytes, items: manifest ? JSON.parse(manifest).items : null, whole: Boolean(response.trailers['repr-digest']) }))
    })
  })`

const folder = await mkdtemp(join(tmpdir(), 'trailjoin-bench-exports-'))
await chmod(folder, 0o755)
const server = await startEmbedded(folder, { settings: { fsync: 'off', synchronous_commit: 'off' } })
const pool = await openPool(server.url)
try {
  await migrate(pool)
  await insertFact(pool, TENANT, seen(AGENT, { kind: 'agent', name: 'Busy Agent' }))
  await ensurePartitions(
    pool,
    Array.from({ length: Math.ceil(EVENTS / 86_400) + 1 }, (_, day) => START + BigInt(day) * 86_400_000_000_000n),
  )
  await insertEvent(pool, {
    id: id('7', 1),
    time: START,
    userAgent: 'Boto3/1.34.1 md/Botocore#1.34.1',
    model: 'anthropic.claude',
    tokens: [571, 300],
    text: JSON.stringify({ eventID: id('7'), eventName: 'Converse', padding: 'x'.repeat(900) }),
    conclusion: { tenant: TENANT, subject: AGENT, agent: AGENT, confidence: 'exact', basis: ['federated-subject'], evidence: [id('7', 1)] },
    timeline: [{ oid: AGENT, role: 'actor' }],
  })
  await repeatEvent(pool, id('7', 1), EVENTS)
  await pool.query('vacuum analyze')
  const quiet = { info: () => undefined, error: console.error }
  const auth = () => Promise.resolve({ id: 'bench', name: null, roles: ['admin'], scope: 'everything' } as const)
  const http = createServer(createApp({ pool, auth, log: quiet }))
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(http.address() as AddressInfo).port}/v1/oids/${AGENT}`
  // Warm: code compiled, connections open.
  for (const format of EXPORT_FORMATS) await read(`${base}/timeline?format=${format}&limit=1000`)
  for (const [name, url] of [
    ...EXPORT_FORMATS.map((format) => [format, `${base}/timeline?format=${format}`] as const),
    ['bundle', `${base}/evidence`] as const,
  ]) {
    if (!CHOSEN.includes(name)) continue
    const rest = process.memoryUsage().rss
    let peak = rest
    const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 20)
    const started = performance.now()
    const answer = await read(url)
    clearInterval(watch)
    const seconds = (performance.now() - started) / 1000
    console.log(
      `${name.padEnd(10)} ${seconds.toFixed(1).padStart(6)} s ${Math.round(EVENTS / seconds)
        .toString()
        .padStart(7)} events/s  RSS ${mega(rest)} before, peak ${mega(peak)} MB  ${answer}`,
    )
  }
  http.close()
  http.closeAllConnections()
} finally {
  await pool.end()
  await server.stop()
  await rm(folder, { recursive: true, force: true })
}

function read(url: string): Promise<string> {
  const child = spawn(process.execPath, ['-e', CLIENT, url], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (part: Buffer) => (text += part.toString()))
  return new Promise((resolve) => child.on('close', () => resolve(text.trim())))
}

function mega(bytes: number): string {
  return String(Math.round(bytes / 1e6)).padStart(4)
}
