/** Three brokers, a PostgreSQL, one world and what a direct import of it gives: what every scenario begins with and is compared with. */
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { startKafka } from '../../scripts/kafka-cluster.ts'
import type { KafkaCluster } from '../../scripts/kafka-cluster.ts'
import { difference } from '../law/compare.ts'
import { openLog } from './log.ts'
import type { KafkaLog } from './log.ts'
import { startPostgres } from './postgres-server.ts'
import type { PostgresServer } from './postgres-server.ts'
import { runCommand } from './roles.ts'
import { makeWorld, writeForImport } from './world.ts'
import type { World, WorldOptions } from './world.ts'

export interface Stage {
  readonly world: World
  readonly cluster: KafkaCluster
  readonly log: KafkaLog
  readonly postgres: PostgresServer
  /** Holds the logs of every process and the exports. */
  readonly folder: string
  readonly expected: Result
  /** An empty database, by name. */
  database(name: string): Promise<void>
  /** What the store holds now, the canonical export in a file beside. */
  result(database: string): Promise<Result>
  /** Null when both say the same; else what differs. */
  compare(result: Result): Promise<string | null>
  /** `keep`: the folder stays. */
  close(keep: boolean): Promise<void>
}

export interface Result extends Stored {
  readonly file: string
  readonly sha256: string
  readonly lines: number
}

export interface Stored {
  readonly events: number
  /** Distinct texts that are kept, those that speak for an event and the others. */
  readonly texts: number
  readonly rejected: number
}

export type Say = (line: string) => void

/** Environment that a process of the product gets beside its own settings. */
export const base = (): Record<string, string> => ({ PATH: process.env['PATH'] ?? '', HOME: tmpdir(), LOG_LEVEL: 'info' })

export async function openStage(options: WorldOptions, say: Say): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'trailjoin-faults-'))
  const began = performance.now()
  const world = makeWorld(options)
  const direct = join(folder, 'direct')
  await writeForImport(world, direct)
  say(`world: ${world.records} records of ${options.events} events (${Math.round(performance.now() - began)} ms)`)
  const starting = await Promise.allSettled([startKafka({ brokers: 3 }), startPostgres()])
  const [kafka, server] = starting
  if (kafka.status === 'rejected' || server.status === 'rejected') {
    if (kafka.status === 'fulfilled') await kafka.value.stop()
    if (server.status === 'fulfilled') await server.value.stop()
    throw kafka.status === 'rejected' ? kafka.reason : (server as PromiseRejectedResult).reason
  }
  const [cluster, postgres] = [kafka.value, server.value]
  const result = async (database: string): Promise<Result> => {
    const file = join(folder, `${database}.ndjson`)
    await runCommand(['export'], { ...base(), DATABASE_URL: postgres.directUrl(database) }, file)
    const bytes = await readFile(file)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    return { file, sha256, lines: countLines(bytes), ...(await stored(postgres, database)) }
  }
  const close = async (keep: boolean): Promise<void> => {
    await Promise.allSettled([cluster.stop(), postgres.stop()])
    if (!keep) await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
  try {
    await postgres.create('direct')
    const importing = performance.now()
    await runCommand(['import', direct, '--json'], { ...base(), DATABASE_URL: postgres.directUrl('direct') }, join(folder, 'import.json'))
    const expected = await result('direct')
    say(
      `direct import: ${expected.events} events, ${expected.texts} texts, ${expected.rejected} rejected, ${expected.lines} lines of export in ${seconds(importing)} s; sha256 ${expected.sha256}`,
    )
    if (expected.rejected > 0) throw new Error(`the direct import rejects ${expected.rejected} records: see ${folder}`)
    await mkdir(join(folder, 'logs'))
    return {
      world,
      cluster,
      log: openLog(cluster.brokers),
      postgres,
      folder,
      expected,
      database: (name) => postgres.create(name),
      result,
      async compare(other) {
        if (other.sha256 === expected.sha256) return null
        return difference(await linesOf(expected.file), await linesOf(other.file)) ?? 'the exports hold the same lines in another order'
      },
      close,
    }
  } catch (error) {
    await close(true)
    throw error
  }
}

export const seconds = (since: number): number => Math.round((performance.now() - since) / 1000)

const linesOf = async (file: string): Promise<string[]> => (await readFile(file, 'utf8')).trimEnd().split('\n')

function countLines(bytes: Buffer): number {
  let lines = 0
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines++
  return lines
}

/** Counts of a database, past the proxy; zeros while there are no tables yet. */
export async function stored(postgres: PostgresServer, database: string): Promise<Stored> {
  const rows = await query<Stored>(
    postgres,
    database,
    `select (select count(*) from heads)::int as events, (select count(*) from heads)::int + (select count(*) from variants)::int as texts,
       (select count(*) from rejected)::int as rejected`,
  ).catch((error: unknown) => {
    if ((error as { code?: string }).code === '42P01') return []
    throw error
  })
  return rows[0] ?? { events: 0, texts: 0, rejected: 0 }
}

/** One query on a connection of its own. */
export async function query<Row extends object>(postgres: PostgresServer, database: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: postgres.directUrl(database) })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return (await client.query<Row>(text)).rows
  } finally {
    await client.end().catch(() => undefined)
  }
}
