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
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, type Cluster, readPidFile, runningServer, startServer, stopServer } from './cluster.ts'
import { DatabaseError } from './errors.ts'
import { mustHaveStore, prepareDataDir, reason } from './folders.ts'
import { withFileLock } from './lock.ts'
import { isAlive, isFrozen, processesIn, signIn, signOut } from './processes.ts'
import { findPrograms, serverUser } from './programs.ts'
import { logSince, SERVER_LOG, size, whyItBroke } from './server-log.ts'
import { mustHaveRoom } from './space.ts'
import { QUIET } from './waiting.ts'
import type { Patience } from './waiting.ts'

const DATABASE = 'trailjoin'

export interface EmbeddedServer {
  /** With the password: not for messages. */
  readonly url: string
  /** True when the server ran already. */
  readonly attached: boolean
  /** The data folder, real path. */
  readonly folder: string
  /** Whether the server's first process runs, and which of its processes a signal has stopped. */
  readonly state: () => Promise<{ readonly alive: boolean; readonly frozen: readonly number[] }>
  /** Why the server broke off since it was opened here, as a part of a sentence. */
  readonly lastWords: () => Promise<string>
  /**
   * Starts a server that ended unexpectedly again, unless somebody else did.
   * @throws DatabaseError where that fails, or it would not answer at the same address
   */
  readonly revive: () => Promise<void>
  /** Signs out; the last user stops the server. Close connections first. Calling it again does nothing. */
  stop(): Promise<void>
}

export interface EmbeddedOptions {
  /** Server settings beside or instead of the usual ones (tests turn fsync off). Without effect on a server that runs already. */
  readonly settings?: Readonly<Record<string, string>>
  /** Whether a store is made where there is none; default true. Who only reads must not: a mistyped folder would answer "no record". */
  readonly make?: boolean
  readonly patience?: Patience
}

/** Starts the server of a data folder, or attaches to it. Throws `DatabaseError`. */
export async function startEmbedded(dataDir: string, { settings = {}, make = true, patience = QUIET }: EmbeddedOptions = {}): Promise<EmbeddedServer> {
  const user = await serverUser()
  const given = resolve(dataDir)
  const isNew = await mustHaveStore(given, make)
  if (isNew) await mustHaveRoom(given, true)
  const folder = await prepareDataDir(given, user)
  const cluster: Cluster = { folder, path: join(folder, 'postgres'), user, programs: await findPrograms(user) }
  const log = join(cluster.path, SERVER_LOG)
  const logBegan = await size(log)
  const start = async (port?: number): Promise<string> => {
    const url = await startServer(cluster, settings, patience, port)
    await ensureDatabase(url)
    return url
  }
  const { url, attached, client } = await locked(folder, patience, async () => {
    const found = await runningServer(cluster, patience)
    if (found !== null) await ensureDatabase(found)
    const url = found ?? (await start())
    return { url, attached: found !== null, client: await signIn(folder) }
  })
  let stopped: Promise<void> | null = null
  // Leaving must not fail for want of patience, nor be cut short by the signal that led to it.
  const leaving: Patience = { ...patience, waitMs: Math.max(patience.waitMs, QUIET.waitMs), signal: undefined }
  const leave = (): Promise<void> =>
    locked(folder, leaving, async () => {
      if ((await signOut(folder, client)) === 0) await stopServer(cluster, patience)
    })
  const revive = (): Promise<void> =>
    locked(folder, patience, async () => {
      const again = (await runningServer(cluster, patience)) ?? (await start(Number(new URL(url).port)))
      if (new URL(again).port !== new URL(url).port)
        throw new DatabaseError('SERVER_LOST', `PostgreSQL on ${folder} runs again, but at another port: start this program anew`)
    })
  const state = async (): ReturnType<EmbeddedServer['state']> => {
    const pid = (await readPidFile(cluster))?.pid
    const processes = await processesIn(cluster.path)
    // Where the system does not tell (no /proc) a process of that number has to do.
    const alive = pid !== undefined && isAlive(pid) && processes?.includes(pid) !== false
    return { alive, frozen: (processes ?? []).filter(isFrozen) }
  }
  const lastWords = async (): Promise<string> => {
    // The server notes the end of a process a moment after its connections have noticed.
    for (let attempt = 0; attempt < 5; attempt++) {
      const why = whyItBroke(await logSince(log, logBegan))
      if (why !== null) return why
      await sleep(100)
    }
    return (await state()).alive ? 'a connection was cut' : 'its first process was killed (kill -9, or the system ran out of memory)'
  }
  return { url: withDatabase(url, DATABASE), attached, folder, state, lastWords, revive, stop: () => (stopped ??= leave()) }
}

async function locked<Result>(folder: string, patience: Patience, work: () => Promise<Result>): Promise<Result> {
  try {
    return await withFileLock(join(folder, 'lock'), work, patience)
  } catch (error) {
    if (error instanceof DatabaseError || patience.signal?.aborted) throw error
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
