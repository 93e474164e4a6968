/** A PostgreSQL of its own behind a proxy, which can be killed and started again without its address changing. */
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { openDatabase } from '#database/open.ts'
import { startEmbedded, withDatabase } from '#database/embedded.ts'
import type { EmbeddedServer } from '#database/embedded.ts'
import { testDataDir } from '../postgres.ts'
import { startProxy } from './proxy.ts'

export interface PostgresServer {
  /** Through the proxy; refuses when it refuses. */
  url(database: string): string
  /** Past the proxy. */
  directUrl(database: string): string
  create(database: string): Promise<void>
  /** kill -9 of the postmaster; resolves when it is gone. */
  kill(): Promise<void>
  /** Starts it on its data again; resolves when it has recovered. */
  restart(): Promise<void>
  refuse(): Promise<void>
  accept(): Promise<void>
  stop(): Promise<void>
}

/**
 * Commits stay synchronous, because they are what is tested. `fsync` is off: a killed process loses nothing that it has handed to the system, and nobody
 * pulls the machine's plug here.
 */
const SETTINGS = { fsync: 'off', shared_buffers: '128MB', log_min_messages: 'fatal' } as const

export async function startPostgres(): Promise<PostgresServer> {
  const folder = await testDataDir()
  const servers: EmbeddedServer[] = [await startEmbedded(folder, { settings: SETTINGS })]
  const current = (): string => servers.at(-1)!.url
  const proxy = await startProxy(portOf(current()))
  const pidOf = async (): Promise<number> => Number((await readFile(join(folder, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0])
  return {
    url(database) {
      const url = new URL(withDatabase(current(), database))
      url.port = String(proxy.port)
      return url.href
    },
    directUrl: (database) => withDatabase(current(), database),
    async create(database) {
      const client = new pg.Client({ connectionString: withDatabase(current(), 'postgres') })
      await client.connect()
      await client.query(`create database ${database}`)
      await client.end()
      // No role does that.
      await (await openDatabase({ databaseUrl: withDatabase(current(), database), purpose: 'migrate' })).close()
    },
    async kill() {
      const pid = await pidOf()
      process.kill(pid, 'SIGKILL')
      while (isAlive(pid)) await sleep(20)
    },
    async restart() {
      servers.push(await startEmbedded(folder, { settings: SETTINGS }))
      proxy.target = portOf(current())
    },
    refuse: () => proxy.refuse(),
    accept: () => proxy.accept(),
    async stop() {
      await proxy.close()
      for (const server of servers) await server.stop()
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

const portOf = (url: string): number => Number(new URL(url).port)

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
