import pg from 'pg'
import { migrate } from '#migrations/migrate.ts'
import { startEmbedded } from './embedded.ts'
import { DatabaseError, errorCode } from './errors.ts'
import { defaultDataDir } from './folders.ts'

export interface Database {
  /** At most eight connections; `int8` comes as `bigint`, `int8[]` as `bigint[]`, `timestamptz` as `Date`. */
  readonly pool: pg.Pool
  /** With the password: not for messages. */
  readonly url: string
  readonly embedded: boolean
  /** Closes the connections, then leaves the embedded server. */
  close(): Promise<void>
}

export interface DatabaseOptions {
  /** `postgresql://user:password@host:port/database`; without it the embedded server is used. */
  readonly databaseUrl?: string | undefined
  /** Folder of the embedded server; `defaultDataDir()` without it. */
  readonly dataDir?: string | undefined
}

/** Opens the store and brings its schema up to date. Throws `DatabaseError` with a message for the user. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  if (options.databaseUrl) {
    const pool = await openPool(options.databaseUrl)
    await orClose(
      () => migrate(pool),
      () => pool.end(),
    )
    return { pool, url: options.databaseUrl, embedded: false, close: once(() => pool.end()) }
  }
  const server = await startEmbedded(options.dataDir ?? defaultDataDir())
  const pool = await orClose(
    () => openPool(server.url),
    () => server.stop(),
  )
  const close = once(async () => {
    await pool.end()
    await server.stop()
  })
  await orClose(() => migrate(pool), close)
  return { pool, url: server.url, embedded: true, close }
}

const INT8 = 20
/** `_int8`; @types/pg-types does not list the array types. */
const INT8_ARRAY = 1016 as number
const parseTexts = pg.types.getTypeParser(INT8_ARRAY, 'text') as (text: string) => (string | null)[]

/** Nanoseconds do not fit a JavaScript number. Set for a pool only: the process-wide setting would change other users of `pg`. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (format !== 'binary' && oid === INT8) return BigInt
    if (format !== 'binary' && oid === INT8_ARRAY) return (text: string) => parseTexts(text).map((item) => (item === null ? null : BigInt(item)))
    return pg.types.getTypeParser(oid, format)
  }) as pg.CustomTypesConfig['getTypeParser'],
}

/** A pool whose first connection has succeeded. Throws `BAD_URL` or `CONNECTION_FAILED`. */
export async function openPool(url: string): Promise<pg.Pool> {
  const target = describe(url)
  const pool = new pg.Pool({ connectionString: url, max: 8, types, application_name: 'trailjoin', connectionTimeoutMillis: 10_000, keepAlive: true })
  // An idle connection that breaks is no news until somebody needs one; without a listener it would end the process.
  pool.on('error', () => undefined)
  // Neither is one that breaks while it is in use and silent (a server killed while its client computes): the next query tells.
  pool.on('connect', (client) => void client.on('error', () => undefined))
  try {
    const client = await pool.connect()
    client.release()
    return pool
  } catch (error) {
    await pool.end()
    throw new DatabaseError('CONNECTION_FAILED', `cannot connect to PostgreSQL at ${target}: ${whyNot(error)}`, error)
  }
}

/** Host, port and database without user and password. */
function describe(text: string): string {
  const url = URL.parse(text)
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw new DatabaseError('BAD_URL', 'DATABASE_URL is no PostgreSQL address: it must look like postgresql://user:password@host:5432/database')
  }
  return `${url.hostname || 'localhost'}:${url.port || '5432'}${url.pathname}`
}

function whyNot(error: unknown): string {
  switch (errorCode(error)) {
    case 'ECONNREFUSED':
      return 'nothing listens there'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name is unknown'
    case '28P01':
    case '28000':
      return 'user or password is refused'
    case '3D000':
      return 'this database does not exist on the server'
    case '53300':
      return 'the server has no free connections'
    default:
      return error instanceof Error ? error.message : String(error)
  }
}

async function orClose<Result>(work: () => Promise<Result>, close: () => Promise<void>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    await close()
    throw error
  }
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | null = null
  return () => (done ??= work())
}
