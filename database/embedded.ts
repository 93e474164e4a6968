/**
 * A real PostgreSQL under a data folder, started by whoever comes first and shared by all processes that come while it runs.
 *
 *   <dataDir>/lock        held while somebody starts or stops the server
 *   <dataDir>/password    of the only role, made with the cluster, mode 0600
 *   <dataDir>/postgres/   the cluster; server.log inside
 *   <dataDir>/clients/    who uses it (`processes.ts`)
 *
 * The server is no child of the program: it outlives a program that is killed, and the next one takes it over. The last user
 * to leave stops it. It listens on 127.0.0.1 only, on a free port that it notes in its own postmaster.pid.
 */
import { join, resolve } from 'node:path'
import { ask, type Cluster, runningServer, startServer, stopServer } from './cluster.ts'
import { DatabaseError } from './errors.ts'
import { prepareDataDir, reason } from './folders.ts'
import { withFileLock } from './lock.ts'
import { signIn, signOut } from './processes.ts'
import { findPrograms, serverUser } from './programs.ts'

const DATABASE = 'trailjoin'

export interface EmbeddedServer {
  /** With the password: not for messages. */
  readonly url: string
  /** True when the server ran already. */
  readonly attached: boolean
  /** Signs out; the last user stops the server. Close connections first. Calling it again does nothing. */
  stop(): Promise<void>
}

export interface EmbeddedOptions {
  /** Server settings beside or instead of the usual ones (tests turn fsync off). Without effect on a server that runs already. */
  readonly settings?: Readonly<Record<string, string>>
}

/** Starts the server of a data folder, or attaches to it. Throws `DatabaseError`. */
export async function startEmbedded(dataDir: string, options: EmbeddedOptions = {}): Promise<EmbeddedServer> {
  const user = await serverUser()
  const folder = await prepareDataDir(resolve(dataDir), user)
  const cluster: Cluster = { folder, path: join(folder, 'postgres'), user, programs: await findPrograms(user) }
  const { url, attached, client } = await locked(folder, async () => {
    const found = await runningServer(cluster)
    const url = found ?? (await startServer(cluster, options.settings ?? {}))
    await ensureDatabase(url)
    return { url, attached: found !== null, client: await signIn(folder) }
  })
  let stopped: Promise<void> | null = null
  const leave = (): Promise<void> =>
    locked(folder, async () => {
      if ((await signOut(folder, client)) === 0) await stopServer(cluster)
    })
  return { url: withDatabase(url, DATABASE), attached, stop: () => (stopped ??= leave()) }
}

async function locked<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await withFileLock(join(folder, 'lock'), work)
  } catch (error) {
    if (error instanceof DatabaseError) throw error
    throw new DatabaseError('DATA_DIR_UNUSABLE', `cannot use ${folder} as data folder: ${reason(error)}`, error)
  }
}

/** `create database` is no transaction and may be cut off after initdb: so it is made whenever it is missing. */
async function ensureDatabase(url: string): Promise<void> {
  const found = await ask(url, `select datname as value from pg_database where datname = '${DATABASE}'`)
  if (found === null) await ask(url, `create database ${DATABASE}`)
}

/** The same server's address with another database. */
export function withDatabase(url: string, database: string): string {
  const changed = new URL(url)
  changed.pathname = `/${database}`
  return changed.href
}
