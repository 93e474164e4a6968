import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorCode } from './errors.ts'

const SQLITE_BUSY = 5

/**
 * Runs `work` while holding an exclusive lock on a file, which is created. Waits as long as another holder lives.
 *
 * The lock is SQLite's on an empty database: the one lock in Node's own library that the system releases when the holder
 * dies, on every platform. A lock file with a process id in it needs a guess about dead holders, and two processes that
 * guess at once both win.
 */
export async function withFileLock<Result>(file: string, work: () => Promise<Result>): Promise<Result> {
  const lock = new DatabaseSync(file)
  try {
    for (;;) {
      try {
        lock.exec('begin exclusive')
        break
      } catch (error) {
        if (errorCode(error) !== 'ERR_SQLITE_ERROR' || (error as { errcode?: unknown }).errcode !== SQLITE_BUSY) throw error
        await sleep(25)
      }
    }
    return await work()
  } finally {
    lock.close()
  }
}
