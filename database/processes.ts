/**
 * Who uses an embedded server, and whether it runs.
 *
 * Each user has an empty file under `clients/`, named after its process; the last one to leave stops the server. Files of dead
 * processes do not count. Called under the folder's lock.
 */
import { readFileSync } from 'node:fs'
import { readdir, readlink, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from './errors.ts'

let opened = 0

/** Signs in and gives the file's name. */
export async function signIn(dataDir: string): Promise<string> {
  const name = `${process.pid}.${startOf(process.pid) ?? ''}.${opened++}`
  await writeFile(join(dataDir, 'clients', name), '', { mode: 0o600 })
  return name
}

/** Signs out and gives the number of others that live. */
export async function signOut(dataDir: string, name: string): Promise<number> {
  const folder = join(dataDir, 'clients')
  await rm(join(folder, name), { force: true })
  let others = 0
  for (const other of await readdir(folder)) {
    const [pid, start] = other.split('.')
    if (isAlive(Number(pid)) && (startOf(Number(pid)) ?? '') === start) others++
    else await rm(join(folder, other), { force: true })
  }
  return others
}

/** True when a process of this number runs, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errorCode(error) === 'EPERM'
  }
}

/**
 * Processes that work in a folder, as all of a PostgreSQL server's do in its cluster; null where the system does not tell (no /proc).
 * Sees the processes of the same user, for root of everybody.
 */
export async function processesIn(folder: string): Promise<readonly number[] | null> {
  const pids = (await readdir('/proc').catch(() => null))?.filter((name) => /^\d+$/.test(name))
  if (pids === undefined || pids.length === 0) return null
  const folders = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => null)))
  return pids.filter((_, index) => folders[index] === folder).map(Number)
}

/** True for a process that a signal (SIGSTOP, a debugger) has stopped (proc(5) stat field 3); false where /proc is absent. */
export function isFrozen(pid: number): boolean {
  try {
    const state = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.[0]
    return state === 'T' || state === 't'
  } catch {
    return false
  }
}

/** When a process began (clock ticks since boot, proc(5) stat field 22), so that a recycled number is not taken for it; null where /proc is absent. */
function startOf(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19] ?? null
  } catch {
    return null
  }
}
