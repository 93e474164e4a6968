import { readFile, rm, writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { errorCode } from './errors.ts'
import { isAlive } from './processes.ts'
import { beginWait, QUIET } from './waiting.ts'
import type { Patience } from './waiting.ts'

const SQLITE_BUSY = 5

/**
 * Runs `work` while holding an exclusive lock on a file, which is created. While another holder lives it waits as long as the patience lasts, and says for whom: the holder's
 * process stands in a file beside, `<file>.holder`.
 *
 * The lock is SQLite's on an empty database: the one lock in Node's own library that the system releases when the holder
 * dies, on every platform. A lock file with a process id in it needs a guess about dead holders, and two processes that
 * guess at once both win.
 * @throws DatabaseError `WAITED_TOO_LONG`
 */
export async function withFileLock<Result>(file: string, work: () => Promise<Result>, patience: Patience = QUIET): Promise<Result> {
  const lock = new DatabaseSync(file)
  const holder = `${file}.holder`
  try {
    const wait = beginWait(patience, () => whom(file, holder), 'End that process if it hangs, and try again.')
    for (;;) {
      try {
        // Nothing is ever written; but SQLite prepares for it, and could not on a full disk.
        lock.exec('pragma journal_mode = memory; begin exclusive')
        break
      } catch (error) {
        if (errorCode(error) !== 'ERR_SQLITE_ERROR' || (error as { errcode?: unknown }).errcode !== SQLITE_BUSY) throw error
        await wait.step(25)
      }
    }
    // Only for messages: that it cannot be written is no reason to fail.
    await writeFile(holder, `${process.pid}\n`, { mode: 0o600 }).catch(() => undefined)
    try {
      return await work()
    } finally {
      await rm(holder, { force: true }).catch(() => undefined)
    }
  } finally {
    lock.close()
  }
}

async function whom(file: string, holder: string): Promise<string> {
  const pid = Number(await readFile(holder, 'utf8').catch(() => ''))
  const who = pid > 0 && isAlive(pid) ? `process ${pid}` : 'another process'
  return `the lock ${file}: ${who} is starting or stopping the database of this folder`
}
