/** One PostgreSQL cluster: making it, starting and stopping its server, and finding a server that runs. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, mkdir, open, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { DatabaseError, errorCode } from './errors.ts'
import { reason } from './folders.ts'
import { isAlive, processesIn } from './processes.ts'
import type { Programs } from './programs.ts'
import type { ServerUser } from './server-user.ts'

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
const WAIT_SECONDS = 600
/** Backends of a killed server hold its shared memory until they notice; PostgreSQL refuses to start before. */
const RETRY_START_MS = 30_000
/** A server refuses connections for a moment between writing its pid file and listening. */
const REFUSALS = 50
const LOG_LIMIT = 10 * MEBIBYTE

/** Address (of the database `postgres`) of the server that runs on the cluster, or null. Waits out a start or a stop under way. */
export async function runningServer(cluster: Cluster): Promise<string | null> {
  const deadline = Date.now() + WAIT_SECONDS * 1000
  for (let refused = 0; ;) {
    const file = await readPidFile(cluster)
    if (file === null || !isAlive(file.pid)) return null
    // After a crash or a reboot the number may belong to any process.
    const certain = (await processesIn(cluster.path))?.includes(file.pid)
    if (certain === false) return null
    const url = address(file.port, await readPassword(cluster))
    try {
      return (await ask(url, `select current_setting('data_directory') as value`)) === cluster.path ? url : null
    } catch (error) {
      const code = errorCode(error)
      if (code === '28P01' && !certain) return null
      if (code === '28P01')
        throw new DatabaseError('DATA_DIR_UNUSABLE', `the password in ${join(cluster.folder, 'password')} does not open its database`, error)
      const comingOrGoing = code === '57P03' || code === '57P01'
      if (!comingOrGoing && ++refused > REFUSALS && !certain) return null
      if (Date.now() > deadline)
        throw new DatabaseError('START_FAILED', `the server on ${cluster.folder} (process ${file.pid}) does not answer: ${reason(error)}`, error)
      await sleep(100)
    }
  }
}

/** Starts the server, making the cluster if need be, and gives the address of its database `postgres`. Throws `DatabaseError`. */
export async function startServer(cluster: Cluster, settings: Readonly<Record<string, string>>): Promise<string> {
  const version = await readOrNull(join(cluster.path, 'PG_VERSION'))
  if (version === null) await createCluster(cluster)
  else if (Number(version) !== cluster.programs.major) {
    const found = `${cluster.folder} was made by PostgreSQL ${version.trim()}, this release brings ${cluster.programs.major}`
    throw new DatabaseError('DATA_DIR_VERSION', `${found}: choose a new folder with --data-dir and import again`)
  }
  const password = await readPassword(cluster)
  const log = join(cluster.path, 'server.log')
  if ((await size(log)) > LOG_LIMIT) await truncate(log)
  // PostgreSQL itself refuses to start while postmaster.pid names a live process, whichever that is.
  if ((await processesIn(cluster.path))?.length === 0) await rm(join(cluster.path, 'postmaster.pid'), { force: true })
  const deadline = Date.now() + RETRY_START_MS
  for (;;) {
    const port = await freePort()
    const before = await size(log)
    const code = await pgCtl(cluster, ['start', '-l', 'server.log', '-o', serverOptions(port, settings)])
    if (code === 0) return address(port, password)
    const said = ((await readOrNull(log)) ?? '').slice(before)
    if (!/shared memory block|Address already in use/i.test(said) || Date.now() > deadline) {
      throw new DatabaseError(
        'START_FAILED',
        `PostgreSQL does not start on ${cluster.folder}: ${fatal(said) ?? (said.trim().replaceAll(/\s+/g, ' ') || `pg_ctl ended with ${code}`)} (more in ${log})`,
      )
    }
    await sleep(500)
  }
}

/** Stops the server, ending whatever connections are left; resolves when it is down. */
export async function stopServer(cluster: Cluster): Promise<void> {
  const file = await readPidFile(cluster)
  if (file === null || !isAlive(file.pid)) return
  // pg_ctl signals whatever process the file names: after a crash that may be a stranger.
  if ((await processesIn(cluster.path))?.includes(file.pid) !== false) await pgCtl(cluster, ['stop', '-m', 'fast'])
}

/** Runs a query without parameters and gives the column `value` of its first row, or null. */
export async function ask(url: string, query: string): Promise<string | null> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<{ value: string }>(query)
    return rows[0]?.value ?? null
  } finally {
    await client.end().catch(() => undefined)
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
      fail(
        new DatabaseError('DATA_DIR_UNUSABLE', `cannot create a database in ${cluster.folder}: ${fatal(said) ?? (said.trim() || `initdb ended with ${code}`)}`),
      )
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
    max_wal_size: '4GB',
    checkpoint_timeout: '15min',
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
function pgCtl(cluster: Cluster, args: readonly string[]): Promise<number | null> {
  const env = environment(cluster.path)
  return new Promise((done, fail) => {
    const child = spawn(cluster.programs.pgCtl, [...args, '-s', '-w', '-t', String(WAIT_SECONDS)], {
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
async function readPidFile(cluster: Cluster): Promise<{ readonly pid: number; readonly port: number } | null> {
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

/** The reasons in PostgreSQL's own words, or null. */
function fatal(log: string): string | null {
  if (/No space left/i.test(log)) return 'the disk is full'
  const lines = log.split('\n').flatMap((line) => /(?:FATAL|PANIC|error):\s*(.*)/.exec(line)?.[1] ?? [])
  return lines.length > 0 ? lines.join('; ') : null
}

const address = (port: number, password: string): string => `postgresql://${ROLE}:${password}@127.0.0.1:${port}/postgres?sslmode=disable`

const size = async (file: string): Promise<number> => (await stat(file).catch(() => null))?.size ?? 0

async function readOrNull(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer()
    server.on('error', fail)
    server.listen(0, '127.0.0.1', () => {
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
