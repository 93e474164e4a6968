/** Why the database could not be used. The message is for the user: it names the folder or host and what to do, never a password. */
export type DatabaseErrorCode =
  /** The data folder cannot be created, written or reached. */
  | 'DATA_DIR_UNUSABLE'
  /** The data folder was made by another major version of PostgreSQL. */
  | 'DATA_DIR_VERSION'
  /** No PostgreSQL programs for this platform, or they cannot be run. */
  | 'NO_SERVER_PROGRAMS'
  /** The embedded server did not start. */
  | 'START_FAILED'
  /** No connection to the server (address, credentials, database name). */
  | 'CONNECTION_FAILED'
  /** `DATABASE_URL` is no PostgreSQL address. */
  | 'BAD_URL'
  /** The database was migrated by a newer release of the program. */
  | 'DATABASE_NEWER'
  /** A migration is missing below a later one, or was edited after it was applied. */
  | 'MIGRATIONS_DIFFER'
  /** A migration failed. */
  | 'MIGRATION_FAILED'
  /** The schema is older than this release, and whoever asked may not change it. */
  | 'NOT_MIGRATED'
  /** There is no store in the data folder, and whoever asked only reads. */
  | 'NO_STORE'
  /** The disk is full, or so nearly that storing would end in a server that cannot even stop. */
  | 'DISK_FULL'
  /** The server ended, or does not answer any more, while it was used. */
  | 'SERVER_LOST'
  /** Somebody else held what was needed for longer than the patience lasted. */
  | 'WAITED_TOO_LONG'

/** Trouble with the database as a whole, as opposed to a failed statement (those stay `pg.DatabaseError`). */
export class DatabaseError extends Error {
  readonly code: DatabaseErrorCode

  constructor(code: DatabaseErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'DatabaseError'
    this.code = code
  }
}

/** The system's error code (`ENOENT`) or SQLSTATE (`57P03`) of anything thrown, or null. */
export function errorCode(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null
  return typeof error.code === 'string' ? error.code : null
}

/** Connection refused or cut; server starting, stopping, out of connections (SQLSTATE classes 08, 57P and 53300). */
const AWAY = /^(?:ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|08\w{3}|57P0[123]|53300)$/

/** Whether the database could not be asked at this moment: it is away, or all connections of the pool are busy. The same question may be answered later. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof DatabaseError) return error.code === 'DISK_FULL' || error.code === 'SERVER_LOST' || error.code === 'WAITED_TOO_LONG'
  if (AWAY.test(errorCode(error) ?? '')) return true
  // What `pg` says without a code, when a connection was waited for too long, or ended under a query.
  return error instanceof Error && /^(?:timeout exceeded when trying to connect|Connection terminated)/.test(error.message)
}
