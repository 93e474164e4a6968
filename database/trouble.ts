/** What went wrong with the database while somebody worked with it, in words for the user. */
import pg from 'pg'
import type { EmbeddedServer } from './embedded.ts'
import { DatabaseError, errorCode, isUnavailable } from './errors.ts'
import { FREE_UP } from './space.ts'
import { brokenOff } from './watch.ts'

const FULL = /No space left on device|Disk quota exceeded|File too large/i

/**
 * The error to show in the place of one that work with the store has thrown; what is no trouble of the database is given back as it is.
 * @param embedded null for a server of `DATABASE_URL`
 * @param target the server's address without user and password
 */
export async function explainTrouble(error: unknown, embedded: EmbeddedServer | null, target: string): Promise<unknown> {
  if (error instanceof DatabaseError) return error
  const code = errorCode(error)
  const message = error instanceof Error ? error.message : ''
  const where = embedded?.folder ?? target
  if (error instanceof pg.DatabaseError && (code === '53100' || FULL.test(message)))
    return new DatabaseError('DISK_FULL', `PostgreSQL on ${where} cannot store any more: ${fullWords(message)}. ${FREE_UP}`, error)
  if (error instanceof pg.DatabaseError && ['53200', '58030', 'XX001', 'XX002'].includes(code ?? ''))
    return new DatabaseError('SERVER_LOST', `PostgreSQL on ${where} has trouble with its machine: ${message} (SQLSTATE ${code}). What was stored stays.`, error)
  if (error instanceof pg.DatabaseError && (code === '42501' || code === '25006'))
    return new DatabaseError('CONNECTION_FAILED', `the login of the database at ${where} may not do this: ${message}`, error)
  if (!isUnavailable(error) || !(await isOfDatabase(error, embedded))) return error
  if (embedded === null)
    return new DatabaseError(
      'SERVER_LOST',
      `PostgreSQL at ${where} is gone: ${message || code}. What was stored stays; run the same command again when it answers.`,
      error,
    )
  return Object.assign(brokenOff(where, await embedded.lastWords()), { cause: error })
}

/** A refused or cut connection may be one to somebody else: a broker, a webhook. */
async function isOfDatabase(error: unknown, embedded: EmbeddedServer | null): Promise<boolean> {
  if (!(error instanceof Error) || error instanceof pg.DatabaseError) return error instanceof pg.DatabaseError
  if (
    /^(?:timeout exceeded when trying to connect|Connection terminated)/.test(error.message) ||
    /[\\/]node_modules[\\/]pg(?:-pool)?[\\/]/.test(error.stack ?? '')
  )
    return true
  return embedded !== null && !(await embedded.state()).alive
}

const fullWords = (message: string): string =>
  /quota/i.test(message)
    ? 'the quota of its disk is used up'
    : /File too large/i.test(message)
      ? 'the system lets no file grow further (ulimit -f)'
      : 'the disk is full'
