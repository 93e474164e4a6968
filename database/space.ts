/**
 * Room on the disk of a data folder. PostgreSQL on a full disk cannot even stop in an orderly way, and not start until somebody makes room: so storing ends a little earlier,
 * while reading still works.
 */
import { stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DatabaseError } from './errors.ts'

const MEBIBYTE = 1024 * 1024

/** Below this nothing is stored any more: what one batch and its conclusions write, and a checkpoint. */
const LEAST_FREE_BYTES = 128 * MEBIBYTE
/** What an empty store takes. */
const NEW_STORE_BYTES = 80 * MEBIBYTE
/** Below this whoever stores is warned. */
const SCARCE_BYTES = 1024 * MEBIBYTE

/** Room that this user may fill on the disk of a path, or of the nearest folder above it that is there; null where the system does not tell. */
export async function freeBytes(path: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  } catch {
    const above = dirname(path)
    return above === path || (await stat(path).catch(() => null)) !== null ? null : freeBytes(above)
  }
}

export type Room = { readonly state: 'enough' | 'scarce' | 'none'; readonly message: string }

/** Whether there is room to store in a data folder; `message` names folder and figures. */
export async function roomIn(folder: string, isNew = false): Promise<Room> {
  const free = await freeBytes(folder)
  const least = LEAST_FREE_BYTES + (isNew ? NEW_STORE_BYTES : 0)
  if (free === null) return { state: 'enough', message: `the system does not tell how much room there is on the disk of ${folder}` }
  const left = `${mebibytes(free)} free on the disk of ${folder}`
  if (free < least) return { state: 'none', message: `only ${left}, ${isNew ? 'a new store' : 'storing'} needs at least ${mebibytes(least)}` }
  return { state: free < SCARCE_BYTES ? 'scarce' : 'enough', message: left }
}

/** @throws DatabaseError `DISK_FULL` where there is no room to store */
export async function mustHaveRoom(folder: string, isNew = false): Promise<void> {
  const room = await roomIn(folder, isNew)
  if (room.state !== 'none') return
  throw new DatabaseError('DISK_FULL', `the disk is nearly full: ${room.message}. ${isNew ? 'Make room, or choose another folder with --data-dir.' : FREE_UP}`)
}

/** What to do about a full disk. */
export const FREE_UP = 'What was stored stays. Make room and run the same command again: it goes on where this one ended.'

const mebibytes = (bytes: number): string => `${Math.floor(bytes / MEBIBYTE).toLocaleString('en')} MB`
