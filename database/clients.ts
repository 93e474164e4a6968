/**
 * Who uses an embedded server: one empty file a user under `clients/`, named after its process. The last one to leave stops the
 * server. Files of dead processes do not count. Called under the folder's lock.
 */
import { readFileSync } from 'node:fs'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

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
    return (error as NodeJS.ErrnoException).code === 'EPERM'
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
