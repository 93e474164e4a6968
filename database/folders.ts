import { access, constants, mkdir, realpath, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { DatabaseError, errorCode } from './errors.ts'
import type { ServerUser } from './server-user.ts'

/**
 * Where the embedded database lives when nobody says otherwise: `$TRAILJOIN_DATA_DIR`, else `trailjoin` below `$XDG_DATA_HOME` or
 * `~/.local/share`. For root it is `/var/lib/trailjoin`: the server then runs as the user "postgres", which may not enter root's home.
 */
export function defaultDataDir(): string {
  const { TRAILJOIN_DATA_DIR, XDG_DATA_HOME, LOCALAPPDATA } = process.env
  if (TRAILJOIN_DATA_DIR) return resolve(TRAILJOIN_DATA_DIR)
  if (process.platform === 'win32') return join(LOCALAPPDATA ?? homedir(), 'trailjoin')
  if (process.getuid?.() === 0) return '/var/lib/trailjoin'
  return join(XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'trailjoin')
}

/**
 * Creates the data folder and checks that it can be written, and that the server's user can reach it. Gives its real path (one
 * folder must not have two names here). Throws `DATA_DIR_UNUSABLE` with what is wrong.
 */
export async function prepareDataDir(dataDir: string, user: ServerUser): Promise<string> {
  let real: string
  try {
    // The server's user must pass through; what is secret inside has modes of its own.
    await makeFolder(dataDir, user.uid === undefined ? 0o700 : 0o755)
    await mustBeOwn(dataDir, user)
    await access(dataDir, constants.W_OK | constants.X_OK)
    await makeFolder(join(dataDir, 'clients'), 0o700)
    real = await realpath(dataDir)
  } catch (error) {
    if (error instanceof DatabaseError) throw error
    throw new DatabaseError('DATA_DIR_UNUSABLE', `cannot use ${dataDir} as data folder: ${reason(error)}`, error)
  }
  const closed = user.uid === undefined ? null : await firstClosedFolder(real, user)
  if (closed === null) return real
  throw new DatabaseError(
    'DATA_DIR_UNUSABLE',
    `cannot use ${dataDir} as data folder: PostgreSQL does not run as root but as the user "postgres", which may not enter ${closed}. ` +
      `Choose another folder with --data-dir (for root the default is /var/lib/trailjoin), or run: chmod o+x ${closed}`,
  )
}

/**
 * Looks whether there is a store in a data folder, and changes nothing.
 * @param make whether one may be made there
 * @returns true where one has to be made
 * @throws DatabaseError `NO_STORE` where there is none and none may be made
 */
export async function mustHaveStore(dataDir: string, make: boolean): Promise<boolean> {
  const found = await stat(join(dataDir, 'postgres', 'PG_VERSION')).catch((error: unknown) => {
    // What may not be looked into is told by `prepareDataDir`.
    return ['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '') ? 'none' : null
  })
  if (found !== 'none') return false
  if (make) return true
  const there = await stat(dataDir).catch(() => null)
  if (there !== null && !there.isDirectory())
    throw new DatabaseError('DATA_DIR_UNUSABLE', `cannot use ${dataDir} as data folder: something else is in its place`)
  throw new DatabaseError(
    'NO_STORE',
    `there is no store in ${dataDir}${there === null ? ', which does not exist' : ''}. Reading makes none: name another folder with --data-dir, or make one: trailjoin import PATH --data-dir ${dataDir}`,
  )
}

/** PostgreSQL serves only what its own user owns. Told before anything is written into somebody else's folder. */
async function mustBeOwn(dataDir: string, user: ServerUser): Promise<void> {
  const cluster = join(dataDir, 'postgres')
  const version = await stat(join(cluster, 'PG_VERSION')).catch((error: unknown) => errorCode(error))
  // Something else of that name is told by whoever stumbles over it.
  const owner = version === 'ENOENT' ? undefined : (await stat(cluster).catch(() => null))?.uid
  const own = user.uid ?? process.getuid?.()
  if (owner === undefined || own === undefined || owner === own) return
  const who = user.uid === undefined ? `this user is number ${own}` : `root's PostgreSQL runs as the user "postgres" (number ${own})`
  throw new DatabaseError(
    'DATA_DIR_UNUSABLE',
    `cannot use ${dataDir} as data folder: the database in it belongs to user number ${owner}, and ${who}. Run trailjoin as its owner, or choose another folder with --data-dir.`,
  )
}

/** mkdir with `recursive` never ends where the system says ENOENT although the parent is there (below /proc; Node 24.21). */
async function makeFolder(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode })
  } catch (error) {
    if ((await stat(path).catch(() => null))?.isDirectory()) return
    if (errorCode(error) !== 'ENOENT' || (await stat(dirname(path)).catch(() => null)) !== null) throw error
    await makeFolder(dirname(path), mode)
    await makeFolder(path, mode)
  }
}

/** What a file system error means to a user. */
export function reason(error: unknown): string {
  switch (errorCode(error)) {
    case 'EACCES':
    case 'EPERM':
      return 'no permission to write there'
    case 'EROFS':
      return 'the file system is read-only'
    case 'ENOSPC':
    case 'EDQUOT':
      return 'the disk is full'
    case 'ENOENT':
      return 'it cannot be created'
    case 'ENOTDIR':
    case 'EEXIST':
    case 'ENOTEMPTY':
      return 'something else is in its place'
    default:
      return error instanceof Error ? error.message : String(error)
  }
}

/** The topmost folder on the way to `path` (itself included) that the user may not enter, or null. Judged by mode bits. */
export async function firstClosedFolder(path: string, user: ServerUser): Promise<string | null> {
  const above = dirname(path)
  if (above !== path) {
    const closed = await firstClosedFolder(above, user)
    if (closed !== null) return closed
  }
  const { mode, uid, gid } = await stat(path)
  const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
  return (mode & bit) === 0 ? path : null
}
