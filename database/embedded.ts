/**
 * A real PostgreSQL under a data folder, started by whoever comes first and shared by all processes that come while it runs.
 *
 *   <dataDir>/lock        held while somebody starts or stops the server
 *   <dataDir>/password    of the only role, made with the cluster, mode 0600
 *   <dataDir>/postgres/   the cluster; server.log inside
 *   <dataDir>/clients/    who uses it (`clients.ts`)
 *
 * The server is no child of the program: it outlives a program that is killed, and the next one takes it over. The last user
 * to leave stops it. It listens on 127.0.0.1 only, on a free port that it notes in its own postmaster.pid.
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, mkdir, open, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { isAlive, signIn, signOut } from './clients.ts'
import { DatabaseError, errorCode } from './errors.ts'
import { prepareDataDir, reason } from './folders.ts'
import { withFileLock } from './lock.ts'
import { findPrograms, type Programs } from './programs.ts'

const ROLE = 'trailjoin'
const DATABASE = 'trailjoin'
const MEBIBYTE = 1024 * 1024
/** Recovery after a crash replays up to max_wal_size: seconds on a disk of today, minutes on a poor one. Giving up early would help nobody. */
const START_SECONDS = 600
/** Backends of a killed server hold its shared memory until they notice; PostgreSQL refuses to start before. */
const RETRY_START_MS = 30_000
const LOG_LIMIT = 10 * MEBIBYTE

export interface EmbeddedServer {
  /** With the password: not for messages. */
  readonly url: string
  /** True when the server ran already. */
  readonly attached: boolean
  /** Signs out; the last user stops the server. Close connections first. Calling it again does nothing. */
  stop(): Promise<void>
}

export interface EmbeddedOptions {
  /** Server settings beside or instead of the usual ones (tests turn fsync off). */
  readonly settings?: Readonly<Record<string, string>>
}

/** Starts the server of a data folder, or attaches to it. Throws `DatabaseError`. */
export async function startEmbedded(dataDir: string, options: EmbeddedOptions = {}): Promise<EmbeddedServer> {
  const folder = resolve(dataDir)
  const programs = await findPrograms()
  await prepareDataDir(folder, programs.user)
  const { url, attached, client } = await locked(folder, async () => {
    const found = await runningUrl(folder)
    const url = found ?? (await start(folder, programs, options.settings ?? {}))
    await ensureDatabase(url)
    return { url, attached: found !== null, client: await signIn(folder) }
  })
  let stopped: Promise<void> | null = null
  const leave = (): Promise<void> =>
    locked(folder, async () => {
      if ((await signOut(folder, client)) === 0) await stopServer(folder, programs)
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

/** Address (of the database `postgres`) of the server that runs on the folder, or null. Waits out a start or stop under way. */
async function runningUrl(folder: string): Promise<string | null> {
  const deadline = Date.now() + START_SECONDS * 1000
  let refused = 0
  for (;;) {
    const server = await readPidFile(folder)
    if (server === null || !isAlive(server.pid)) return null
    const url = address(server.port, await readPassword(folder))
    try {
      // The number in a stale postmaster.pid may belong to anything by now: only an answer for this folder counts.
      return (await ask(url, `select current_setting('data_directory') as value`)) === join(folder, 'postgres') ? url : null
    } catch (error) {
      const code = errorCode(error)
      if (code === '28P01') throw new DatabaseError('DATA_DIR_UNUSABLE', `the password file in ${folder} does not open its database`, error)
      const comingOrGoing = code === '57P03' || code === '57P01'
      // Between writing its pid file and listening a server refuses connections: shortly.
      if (!comingOrGoing && ++refused > 50) return null
      if (Date.now() > deadline) throw new DatabaseError('START_FAILED', `the server on ${folder} (process ${server.pid}) does not answer: ${reason(error)}`, error)
      await sleep(100)
    }
  }
}

/** Process and port from postmaster.pid (lines 1 and 4; PostgreSQL's miscadmin.h), or null. */
async function readPidFile(folder: string): Promise<{ readonly pid: number; readonly port: number } | null> {
  try {
    const lines = (await readFile(join(folder, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')
    const [pid, port] = [Number(lines[0]), Number(lines[3])]
    return pid > 0 && port > 0 ? { pid, port } : null
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}

async function readPassword(folder: string): Promise<string> {
  try {
    return (await readFile(join(folder, 'password'), 'utf8')).trim()
  } catch (error) {
    throw new DatabaseError('DATA_DIR_UNUSABLE', `cannot read the database password ${join(folder, 'password')}: ${reason(error)}`, error)
  }
}

async function start(folder: string, programs: Programs, settings: Readonly<Record<string, string>>): Promise<string> {
  const cluster = join(folder, 'postgres')
  const version = await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch((error: unknown) => (errorCode(error) === 'ENOENT' ? null : Promise.reject(error)))
  if (version === null) await createCluster(folder, programs)
  else if (Number(version) !== programs.major) {
    throw new DatabaseError('DATA_DIR_VERSION', `${folder} was made by PostgreSQL ${version.trim()}, this release brings ${programs.major}: choose a new folder with --data-dir and import again`)
  }
  const password = await readPassword(folder)
  const log = join(cluster, 'server.log')
  if (((await stat(log).catch(() => null))?.size ?? 0) > LOG_LIMIT) await truncate(log)
  const deadline = Date.now() + RETRY_START_MS
  for (;;) {
    const port = await freePort()
    const logged = (await stat(log).catch(() => null))?.size ?? 0
    const code = await pgCtl(programs, cluster, ['start', '-w', '-t', String(START_SECONDS), '-l', log, '-o', serverOptions(port, settings)])
    if (code === 0) return address(port, password)
    const said = (await readFile(log, 'utf8').catch(() => '')).slice(logged)
    if (/shared memory block|Address already in use/i.test(said) && Date.now() < deadline) {
      await sleep(500)
      continue
    }
    const fatal = said.split('\n').filter((line) => /FATAL|PANIC/.test(line)).map((line) => line.replace(/^.*?(FATAL|PANIC):\s*/, '')).join('; ')
    const hint = /No space left/i.test(said) ? 'the disk is full' : fatal || `pg_ctl ended with ${code}`
    throw new DatabaseError('START_FAILED', `PostgreSQL does not start on ${folder}: ${hint} (see ${log})`)
  }
}

/** initdb in a folder beside, renamed when it is whole: a killed initdb leaves nothing that looks like a cluster. */
async function createCluster(folder: string, programs: Programs): Promise<void> {
  const half = join(folder, 'postgres.new')
  const passwordFile = join(folder, 'password')
  const { uid, gid } = programs.user
  try {
    await rm(half, { recursive: true, force: true })
    await mkdir(half, { mode: 0o700 })
    await rm(passwordFile, { force: true })
    await writeFile(passwordFile, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 })
    if (uid !== undefined && gid !== undefined) {
      // initdb reads the password as the server's user.
      await chown(passwordFile, uid, gid)
      await chown(half, uid, gid)
    }
    await initdb(programs, half, passwordFile)
    await syncFile(passwordFile)
    await rename(half, join(folder, 'postgres'))
  } catch (error) {
    if (error instanceof DatabaseError) throw error
    throw new DatabaseError('DATA_DIR_UNUSABLE', `cannot create a database in ${folder}: ${reason(error)}`, error)
  }
}

/** One role, password only, UTF-8, and texts ordered by code point whatever the machine's locale. */
function initdb(programs: Programs, cluster: string, passwordFile: string): Promise<void> {
  const flags = [`--pgdata=${cluster}`, `--username=${ROLE}`, '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--encoding=UTF8']
  flags.push('--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8')
  return new Promise((done, fail) => {
    const child = spawn(programs.initdb, flags, { cwd: cluster, ...programs.user, stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.on('data', (text: Buffer) => (said += text.toString()))
    child.on('error', fail)
    child.on('close', (code) => {
      if (code === 0) return done()
      const disk = /No space left/i.test(said) ? 'the disk is full' : said.trim()
      fail(new DatabaseError('DATA_DIR_UNUSABLE', `cannot create a database in ${cluster}: ${disk || `initdb ended with ${code}`}`))
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
    log_checkpoints: 'off',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
  }
  return Object.entries({ ...usual, ...settings }).map(([name, value]) => `-c ${name}='${value}'`).join(' ')
}

/** Runs pg_ctl to its end; output goes nowhere, because the server would inherit a pipe and keep it open. */
function pgCtl(programs: Programs, cluster: string, args: readonly string[]): Promise<number | null> {
  return new Promise((done, fail) => {
    const child = spawn(programs.pgCtl, ['-D', cluster, '-s', ...args], { cwd: cluster, ...programs.user, stdio: 'ignore', detached: true })
    child.on('error', fail)
    child.on('close', done)
  })
}

async function stopServer(folder: string, programs: Programs): Promise<void> {
  const server = await readPidFile(folder)
  if (server === null || !isAlive(server.pid)) return
  await pgCtl(programs, join(folder, 'postgres'), ['stop', '-w', '-t', String(START_SECONDS), '-m', 'fast'])
}

/** `create database` is no transaction and may be cut off after initdb: so it is made whenever it is missing. */
async function ensureDatabase(url: string): Promise<void> {
  const found = await ask(url, `select datname as value from pg_database where datname = '${DATABASE}'`)
  if (found === null) await ask(url, `create database ${DATABASE}`)
}

async function ask(url: string, query: string): Promise<string | null> {
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

const address = (port: number, password: string): string => `postgresql://${ROLE}:${password}@127.0.0.1:${port}/postgres`

/** The same server's address with another database. */
export function withDatabase(url: string, database: string): string {
  const changed = new URL(url)
  changed.pathname = `/${database}`
  return changed.href
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

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
