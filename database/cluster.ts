/** One PostgreSQL cluster: making it, starting and stopping its server, and finding a server that runs. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, mkdir, open, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { DatabaseError, errorCode } from './errors.ts'
import { reason } from './folders.ts'
import { isAlive, isFrozen, processesIn } from './processes.ts'
import type { Programs } from './programs.ts'
import { fatal, SERVER_LOG, size } from './server-log.ts'
import type { ServerUser } from './server-user.ts'
import { FREE_UP, freeBytes } from './space.ts'
import { beginWait } from './waiting.ts'
import type { Patience } from './waiting.ts'

export interface Cluster {
  /** The data folder, real path. */
  readonly folder: string
  /** PostgreSQL's own folder in it. */
  readonly path: string
  readonly user: ServerUser
  readonly programs: Programs
}

const ROLE = 'trailjoin'
const MEBIBYTE = 1024 * 1024
/** Recovery after a crash replays up to max_wal_size: seconds on a disk of today, minutes on a poor one. Giving up early would help nobody. */
const START_SECONDS = 600
/** What a shutdown has to write is a checkpoint; on a full or broken disk it never ends. Then the next start recovers from the log, and nothing is lost. */
const FAST_STOP_SECONDS = 30
const IMMEDIATE_STOP_SECONDS = 10
/** Backends of a killed server hold its shared memory until they notice; PostgreSQL refuses to start before. */
const RETRY_START_MS = 30_000
/** A server refuses connections for a moment between writing its pid file and listening. */
const REFUSALS = 50
const LOG_LIMIT = 10 * MEBIBYTE
const SAY_EVERY_MS = 10_000
const MOST_WAL_MEBIBYTES = 4096

/**
 * Address (of the database `postgres`) of the server that runs on the cluster, or null. Waits out a start or a stop under way, and for a while a server that does not answer.
 * @throws DatabaseError
 */
export async function runningServer(cluster: Cluster, patience: Patience): Promise<string | null> {
  const starting = beginWait(patience, () => `PostgreSQL on ${cluster.folder}: it is starting or stopping`, START_HINT, START_SECONDS * 1000)
  const silent = beginWait(patience, () => silentServer(cluster), 'End these processes and try again: nothing that was stored is lost by that.')
  for (let refused = 0; ;) {
    const file = await readPidFile(cluster)
    if (file === null || !isAlive(file.pid)) return null
    // After a crash or a reboot the number may belong to any process.
    const certain = (await processesIn(cluster.path))?.includes(file.pid)
    if (certain === false) return null
    const url = address(file.port, await readPassword(cluster))
    try {
      return (await ask(url, `select current_setting('data_directory') as value`, patience.waitMs)) === cluster.path ? url : null
    } catch (error) {
      const code = errorCode(error)
      if (code === '28P01' && !certain) return null
      if (code === '28P01')
        throw new DatabaseError('DATA_DIR_UNUSABLE', `the password in ${join(cluster.folder, 'password')} does not open its database`, error)
      const comingOrGoing = code === '57P03' || code === '57P01'
      if (!comingOrGoing && ++refused > REFUSALS && !certain) return null
      await (comingOrGoing ? starting : silent).step(100)
    }
  }
}

const START_HINT = 'It may still come up: after a crash it first replays its log. Try again, and look at server.log in its folder.'

/** The server in words, with the processes that stand still. */
async function silentServer(cluster: Cluster): Promise<string> {
  const frozen = ((await processesIn(cluster.path)) ?? []).filter(isFrozen)
  const why = frozen.length === 0 ? '' : `; stopped by a signal: process${frozen.length === 1 ? '' : 'es'} ${frozen.join(', ')}`
  return `PostgreSQL on ${cluster.folder} (process ${(await readPidFile(cluster))?.pid ?? 'unknown'}): it runs and does not answer${why}`
}

/**
 * Starts the server, making the cluster if need be, and gives the address of its database `postgres`.
 * @param port that is tried first: that of a server that ended unexpectedly, which its clients still call
 * @throws DatabaseError
 */
export async function startServer(cluster: Cluster, settings: Readonly<Record<string, string>>, patience: Patience, port?: number): Promise<string> {
  const version = await readOrNull(join(cluster.path, 'PG_VERSION'))
  if (version === null) await createCluster(cluster)
  else if (Number(version) !== cluster.programs.major) {
    const found = `${cluster.folder} was made by PostgreSQL ${version.trim()}, this release brings ${cluster.programs.major}`
    throw new DatabaseError('DATA_DIR_VERSION', `${found}: choose a new folder with --data-dir and import again`)
  }
  const password = await readPassword(cluster)
  const log = join(cluster.path, SERVER_LOG)
  if ((await size(log)) > LOG_LIMIT) await truncate(log)
  // PostgreSQL itself refuses to start while postmaster.pid names a live process, whichever that is.
  if ((await processesIn(cluster.path))?.length === 0) await rm(join(cluster.path, 'postmaster.pid'), { force: true })
  const wait = beginWait(patience, () => `PostgreSQL on ${cluster.folder}: what is left of the server before has not ended yet`, START_HINT, RETRY_START_MS)
  for (let preferred = port; ; preferred = undefined) {
    const chosen = await freePort(preferred)
    const before = await size(log)
    const options = serverOptions(chosen, { ...(await walLimit(cluster)), ...settings })
    const code = await whileSaying(patience, `Waiting for PostgreSQL on ${cluster.folder} to start: after a crash it first replays its log`, () =>
      pgCtl(cluster, ['start', '-l', SERVER_LOG, '-o', options], START_SECONDS),
    )
    if (code === 0) return address(chosen, password)
    const said = ((await readOrNull(log)) ?? '').slice(before)
    if (/No space left|Disk quota exceeded/i.test(said))
      throw new DatabaseError('DISK_FULL', `PostgreSQL does not start on ${cluster.folder}: the disk is full (more in ${log}). ${FREE_UP}`)
    const why = fatal(said) ?? (said.trim().replaceAll(/\s+/g, ' ') || `pg_ctl ended with ${code}`)
    const failed = new DatabaseError('START_FAILED', `PostgreSQL does not start on ${cluster.folder}: ${why} (more in ${log})`)
    if (!/shared memory block|Address already in use/i.test(said)) throw failed
    await wait.step(500).catch((error: unknown) => {
      throw error instanceof DatabaseError ? failed : error
    })
  }
}

/**
 * Stops the server, ending whatever connections are left; resolves when it is down. One that cannot stop in an orderly way (a full disk, a frozen process) is stopped at
 * once, and killed where that does not help, either: what was committed is in its log, and the next start recovers it.
 */
export async function stopServer(cluster: Cluster, { say }: Pick<Patience, 'say'>): Promise<void> {
  const file = await readPidFile(cluster)
  if (file === null || !isAlive(file.pid)) return
  // pg_ctl signals whatever process the file names: after a crash that may be a stranger.
  const processes = await processesIn(cluster.path)
  if (processes?.includes(file.pid) === false) return
  const frozen = (processes ?? []).some(isFrozen)
  if (!frozen) await recovered(cluster, file.port)
  if (!frozen && (await pgCtl(cluster, ['stop', '-m', 'fast'], FAST_STOP_SECONDS)) === 0) return
  if (!isAlive(file.pid)) return
  if (!frozen) {
    say(
      `PostgreSQL on ${cluster.folder} does not stop within ${FAST_STOP_SECONDS} seconds: it is stopped at once. The next start recovers it; nothing that was stored is lost.`,
    )
    if ((await pgCtl(cluster, ['stop', '-m', 'immediate'], IMMEDIATE_STOP_SECONDS)) === 0) return
  }
  say(`PostgreSQL on ${cluster.folder} hangs: its processes are killed. The next start recovers it; nothing that was stored is lost.`)
  await killAll(cluster)
}

/** An orderly stop in the middle of recovery after a crash hangs (PostgreSQL 18.4: the process that replays the log does not hear it). */
async function recovered(cluster: Cluster, port: number): Promise<void> {
  const url = address(port, await readPassword(cluster))
  for (const until = performance.now() + FAST_STOP_SECONDS * 1000; performance.now() < until; await sleep(100)) {
    const code = await ask(url, 'select 1 as value').then(
      () => 'answers',
      (error: unknown) => errorCode(error),
    )
    // While it starts anew it cuts connections, or says that it is not ready.
    if (code === 'answers' || code === 'ECONNREFUSED') return
  }
}

/** The first process first: it would start the others anew. */
async function killAll(cluster: Cluster): Promise<void> {
  const first = (await readPidFile(cluster))?.pid
  for (let attempt = 0; attempt < 50; attempt++) {
    const left = (await processesIn(cluster.path)) ?? (first !== undefined && isAlive(first) ? [first] : [])
    if (left.length === 0) return
    for (const pid of left.toSorted((a, b) => Number(b === first) - Number(a === first))) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It has ended meanwhile.
      }
    }
    await sleep(100)
  }
}

/** Does the work; while it takes long, says so from time to time. */
async function whileSaying<Result>({ say }: Pick<Patience, 'say'>, line: string, work: () => Promise<Result>): Promise<Result> {
  const began = performance.now()
  const timer = setInterval(() => say(`${line} (${Math.round((performance.now() - began) / 1000)} seconds so far, ${START_SECONDS} at most) …`), SAY_EVERY_MS)
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}

/** On a small disk the log of changes must not take the room of the data: it is kept to an eighth of what is free. */
async function walLimit(cluster: Cluster): Promise<Readonly<Record<string, string>>> {
  const free = await freeBytes(cluster.path)
  if (free === null || free / 8 >= MOST_WAL_MEBIBYTES * MEBIBYTE) return {}
  const most = Math.max(64, Math.floor(free / 8 / MEBIBYTE))
  return { max_wal_size: `${most}MB`, min_wal_size: `${Math.min(80, most)}MB` }
}

/** Runs a query without parameters and gives the column `value` of its first row, or null. */
export async function ask(url: string, query: string, waitMs = 10_000): Promise<string | null> {
  const limit = Math.min(10_000, waitMs)
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: limit, query_timeout: limit })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<{ value: string }>(query)
    return rows[0]?.value ?? null
  } finally {
    // A server that does not answer does not say goodbye, either.
    void client.end().catch(() => undefined)
  }
}

/** initdb in a folder beside, renamed when it is whole: a killed initdb leaves nothing that looks like a cluster. */
async function createCluster(cluster: Cluster): Promise<void> {
  const half = join(cluster.folder, 'postgres.new')
  const passwordFile = join(cluster.folder, 'password')
  const { uid, gid } = cluster.user
  try {
    // What stands there without a PG_VERSION is no cluster, but perhaps somebody's: rename below fails unless it is empty.
    await rm(half, { recursive: true, force: true })
    await rm(passwordFile, { force: true })
    await mkdir(half, { mode: 0o700 })
    await writeFile(passwordFile, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 })
    if (uid !== undefined && gid !== undefined) {
      // initdb reads the password as the server's user.
      await chown(passwordFile, uid, gid)
      await chown(half, uid, gid)
    }
    await sync(passwordFile)
    await initdb(cluster, half, passwordFile)
    await rename(half, cluster.path)
  } catch (error) {
    await rm(half, { recursive: true, force: true }).catch(() => undefined)
    if (error instanceof DatabaseError) throw error
    throw new DatabaseError('DATA_DIR_UNUSABLE', `cannot create a database in ${cluster.folder}: ${reason(error)}`, error)
  }
}

/** One role, password only, UTF-8, and texts ordered by code point whatever the machine's locale. */
function initdb(cluster: Cluster, path: string, passwordFile: string): Promise<void> {
  const flags = [`--pgdata=${path}`, `--username=${ROLE}`, '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--encoding=UTF8']
  flags.push('--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8')
  return new Promise((done, fail) => {
    const child = spawn(cluster.programs.initdb, flags, { cwd: path, ...cluster.user, env: environment(path), stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.on('data', (text: Buffer) => (said += text.toString()))
    child.on('error', fail)
    child.on('close', (code) => {
      if (code === 0) return done()
      if (/No space left|Disk quota exceeded/i.test(said))
        return fail(new DatabaseError('DISK_FULL', `cannot create a database in ${cluster.folder}: the disk is full`))
      const why = fatal(said) ?? (said.trim() || `initdb ended with ${code}`)
      fail(new DatabaseError('DATA_DIR_UNUSABLE', `cannot create a database in ${cluster.folder}: ${why}`))
    })
  })
}

/**
 * Bulk loads want few checkpoints (max_wal_size, checkpoint_timeout) and cheap plans (no JIT). Commits stay synchronous: a receipt says
 * "durable". The log names no statements and no values, because records are in them.
 */
function serverOptions(port: number, settings: Readonly<Record<string, string>>): string {
  const usual: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    shared_buffers: `${Math.round(Math.min(512, Math.max(64, totalmem() / MEBIBYTE / 8)))}MB`,
    max_wal_size: `${MOST_WAL_MEBIBYTES}MB`,
    checkpoint_timeout: '15min',
    // A program that was killed while it waited for a lock must not hold its own locks until it gets that one.
    client_connection_check_interval: '10s',
    wal_level: 'minimal',
    max_wal_senders: '0',
    maintenance_work_mem: '128MB',
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_checkpoints: 'off',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
  }
  return Object.entries({ ...usual, ...settings })
    .map(([name, value]) => `-c ${name}='${value}'`)
    .join(' ')
}

/**
 * Runs pg_ctl until the server is up or down. Paths go by the environment and the working folder, because pg_ctl puts its arguments into a
 * shell command; output goes nowhere, because the server would inherit a pipe and keep it open.
 */
function pgCtl(cluster: Cluster, args: readonly string[], seconds: number): Promise<number | null> {
  const env = environment(cluster.path)
  return new Promise((done, fail) => {
    const child = spawn(cluster.programs.pgCtl, [...args, '-s', '-w', '-t', String(seconds)], {
      cwd: cluster.path,
      ...cluster.user,
      env,
      stdio: 'ignore',
      detached: true,
    })
    child.on('error', fail)
    child.on('close', done)
  })
}

/** The caller's PG… variables and locale are none of the server's business. */
function environment(path: string): NodeJS.ProcessEnv {
  const { PATH, SystemRoot, TEMP, TMPDIR } = process.env
  return Object.fromEntries(Object.entries({ PATH, SystemRoot, TEMP, TMPDIR, PGDATA: path, LC_ALL: 'C' }).filter(([, value]) => value !== undefined))
}

/** Process and port from postmaster.pid (its lines 1 and 4; PostgreSQL's pidfile.h), or null. */
export async function readPidFile(cluster: Pick<Cluster, 'path'>): Promise<{ readonly pid: number; readonly port: number } | null> {
  const lines = (await readOrNull(join(cluster.path, 'postmaster.pid')))?.split('\n') ?? []
  const [pid, port] = [Number(lines[0]), Number(lines[3])]
  return pid > 0 && port > 0 ? { pid, port } : null
}

async function readPassword(cluster: Cluster): Promise<string> {
  const file = join(cluster.folder, 'password')
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    throw new DatabaseError(
      'DATA_DIR_UNUSABLE',
      `cannot read the database password in ${file}: ${errorCode(error) === 'ENOENT' ? 'it is gone' : reason(error)}`,
      error,
    )
  }
}

const address = (port: number, password: string): string => `postgresql://${ROLE}:${password}@127.0.0.1:${port}/postgres?sslmode=disable`

async function readOrNull(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}

/** The preferred port where nobody has it, else any free one. */
async function freePort(preferred = 0): Promise<number> {
  try {
    return await portThatIsFree(preferred)
  } catch (error) {
    if (preferred === 0) throw error
    return portThatIsFree(0)
  }
}

function portThatIsFree(wanted: number): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer()
    server.on('error', fail)
    server.listen(wanted, '127.0.0.1', () => {
      const bound = server.address()
      server.close(() => (bound !== null && typeof bound === 'object' ? done(bound.port) : fail(new Error('no free port'))))
    })
  })
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
