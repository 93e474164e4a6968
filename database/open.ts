/** The store: opened for who reads, stores, runs for long, migrates or only looks. */
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { migrate, schemaState } from '#migrations/migrate.ts'
import type { SchemaState } from '#migrations/migrate.ts'
import { startEmbedded } from './embedded.ts'
import type { EmbeddedServer } from './embedded.ts'
import { DatabaseError, errorCode } from './errors.ts'
import { defaultDataDir } from './folders.ts'
import { mustHaveRoom, roomIn } from './space.ts'
import { explainTrouble } from './trouble.ts'
import { beginWait, QUIET } from './waiting.ts'
import type { Patience } from './waiting.ts'
import { watch } from './watch.ts'

export interface Database {
  /** At most eight connections; `int8` comes as `bigint`, `int8[]` as `bigint[]`, `timestamptz` as `Date`. */
  readonly pool: pg.Pool
  /** With the password: not for messages. */
  readonly url: string
  readonly embedded: boolean
  /** The data folder of an embedded server, real path; null for another server. */
  readonly folder: string | null
  /** What is new in the migrations and not applied; only who looks sees more than 0. */
  readonly pending: number
  /** Roles, grants and policies of readers that are gone, in words; only who looks sees any. */
  readonly missing: readonly string[]
  /**
   * Does the work; ends it where the store cannot go on with it (the server is gone or hangs, a lock is held by somebody who does nothing).
   * @throws what the work throws; trouble of the database as `DatabaseError` in words for the user
   */
  readonly during: <Result>(work: () => Promise<Result>) => Promise<Result>
  /** Closes the connections, then leaves the embedded server. */
  close(): Promise<void>
}

/**
 * What the store is opened for:
 * - `read`: never makes a store in a folder;
 * - `store`: makes one; wants room on the disk;
 * - `role`: the same, for long: waits for a server or a schema that is not there yet, and starts an embedded server that ended again;
 * - `migrate`: makes one, and brings the schema of any server up to date;
 * - `look`: changes nothing, and takes an older schema as it is.
 *
 * The schema of the embedded server is brought up to date by whoever opens it (but `look`), that of another server by `migrate` only.
 */
export type Purpose = 'read' | 'store' | 'role' | 'migrate' | 'look'

export interface DatabaseOptions {
  /** `postgresql://user:password@host:port/database`; without it the embedded server is used. */
  readonly databaseUrl?: string | undefined
  /** Folder of the embedded server; `defaultDataDir()` without it. */
  readonly dataDir?: string | undefined
  readonly purpose?: Purpose
  readonly patience?: Patience
}

/** Opens the store. Throws `DatabaseError` with a message for the user. */
export async function openDatabase({ databaseUrl, dataDir, purpose = 'store', patience = QUIET }: DatabaseOptions): Promise<Database> {
  if (databaseUrl) {
    const pool = await openPool(databaseUrl, purpose === 'role' ? whileAway(patience) : whileStarting(patience))
    return await opened(pool, databaseUrl, null, { purpose, schema: purpose, patience })
  }
  const folder = dataDir ?? defaultDataDir()
  const makes = purpose === 'store' || purpose === 'role' || purpose === 'migrate'
  const server = await startEmbedded(folder, { make: makes, patience })
  return await orClose(
    async () => {
      if (makes) await mustHaveRoom(server.folder)
      const room = await roomIn(server.folder)
      if (room.state !== 'enough' && purpose !== 'look') patience.say(`The disk is getting full: ${room.message}.`)
      const pool = await openPool(server.url, whileStarting(patience))
      return await opened(pool, server.url, server, { purpose, schema: purpose === 'look' ? 'look' : 'migrate', patience })
    },
    () => server.stop(),
  )
}

/** Brings the schema to where `schema` wants it, and looks after the store from then on. */
async function opened(
  pool: pg.Pool,
  url: string,
  embedded: EmbeddedServer | null,
  { purpose, schema, patience }: { readonly purpose: Purpose; readonly schema: Purpose; readonly patience: Patience },
): Promise<Database> {
  const clients = clientsOf.get(pool) ?? new Set()
  let isLost = false
  const during = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    const { promise: lost, reject } = Promise.withResolvers<never>()
    const backends = (): number[] => [...clients].flatMap((client) => client.processID ?? [])
    const unwatch = watch({ url, embedded, backends, lasting: purpose === 'role' }, patience, (error) => {
      isLost = true
      reject(error)
    })
    const working = work()
    // One that fails when the work has been given up is told to nobody.
    working.catch(() => undefined)
    lost.catch(() => undefined)
    try {
      return await Promise.race([working, lost])
    } catch (error) {
      throw await explainTrouble(error, embedded, describe(url))
    } finally {
      await unwatch()
    }
  }
  const end = async (): Promise<void> => {
    // A query that waits for ever would keep its connection, and with it the pool, open.
    if (isLost) for (const client of clients) client.connection.stream.destroy()
    await (isLost ? Promise.race([pool.end(), sleep(LOST_MS, undefined, { ref: false })]) : pool.end())
  }
  const { pending, missing } = await orClose(() => during(() => schemaOf(pool, schema, patience)), end)
  const close = once(async () => {
    await end()
    await embedded?.stop()
  })
  return { pool, url, embedded: embedded !== null, folder: embedded?.folder ?? null, pending, missing, during, close }
}

/** What is given up need not end in order. */
const LOST_MS = 3_000

/** A client of `pg`, with what @types/pg does not tell. */
type Client = pg.PoolClient & { readonly processID?: number | null; readonly connection: { readonly stream: { destroy: () => void } } }

/** The connections of each pool. */
const clientsOf = new WeakMap<pg.Pool, Set<Client>>()

/** Brings the schema up to date, or makes sure that it is, as the purpose has it. @returns what it lacks */
async function schemaOf(pool: pg.Pool, purpose: Purpose, patience: Patience): Promise<SchemaState> {
  if (purpose === 'migrate') {
    await migrate(pool, undefined, patience)
    return { pending: 0, missing: [] }
  }
  let why = ''
  const wait = beginWait(patience, () => `the database schema: ${why}, until somebody runs \`trailjoin migrate\``, 'Run it, then try again.')
  for (;;) {
    const { pending, missing } = await schemaState(pool)
    if (purpose === 'look' || (pending === 0 && missing.length === 0)) return { pending, missing }
    why = pending > 0 ? 'it is older than this release, or not there yet' : `it lacks ${listed(missing)}`
    if (purpose !== 'role' && pending === 0) throw new DatabaseError('NOT_MIGRATED', lacksAccess(missing))
    if (purpose !== 'role')
      throw new DatabaseError(
        'NOT_MIGRATED',
        `the database in DATABASE_URL lacks ${pending} migration${pending === 1 ? '' : 's'} of this release: run \`trailjoin migrate\` first. No other command changes its schema.`,
      )
    await wait.step(1_000)
  }
}

/** What a store that was restored without its roles is told as, with the way out. */
export function lacksAccess(missing: readonly string[]): string {
  return `the database lacks ${listed(missing)}, as after restoring a dump into a server without the roles: run \`trailjoin migrate\`, which repairs it`
}

const listed = (missing: readonly string[]): string =>
  missing.length > 2 ? `${missing.slice(0, 2).join(', ')} and ${missing.length - 2} more` : missing.join(' and ')

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

/** Whether to wait after a connection has failed; the wait ends by throwing. */
type Again = (code: string | null, target: string) => Promise<boolean>

/** A server that says that it is starting is waited for by everybody. */
function whileStarting(patience: Patience): Again {
  let wait: ReturnType<typeof beginWait> | null = null
  return async (code, target) => {
    if (code !== '57P03') return false
    wait ??= beginWait(patience, () => `PostgreSQL at ${target}: it is starting`, 'Try again later.')
    await wait.step(250)
    return true
  }
}

/** What a server that is not there yet says: roles are started together with it. */
const AWAY: Readonly<Record<string, string>> = {
  '57P03': 'it is starting',
  '57P01': 'it is stopping',
  '53300': 'it has no free connections',
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'it cuts the connection',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'the way to it is closed',
  ENOTFOUND: 'its host name is unknown',
  EAI_AGAIN: 'its host name is unknown',
}
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 5_000

/** Roles wait for everything that passes, with pauses that grow. */
function whileAway(patience: Patience): Again {
  let why = ''
  let pauseMs = FIRST_PAUSE_MS
  let wait: ReturnType<typeof beginWait> | null = null
  return async (code, target) => {
    const passes = AWAY[code ?? '']
    if (passes === undefined) return false
    why = passes
    wait ??= beginWait(patience, () => `PostgreSQL at ${target}: ${why}`, 'Start it, or correct DATABASE_URL.')
    await wait.step(pauseMs)
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
    return true
  }
}

/** A pool whose first connection has succeeded. Throws `BAD_URL`, `CONNECTION_FAILED` or `WAITED_TOO_LONG`. */
export async function openPool(url: string, again: Again = () => Promise.resolve(false)): Promise<pg.Pool> {
  const target = describe(url)
  const pool = new pg.Pool({ connectionString: url, max: 8, types, application_name: 'trailjoin', connectionTimeoutMillis: 10_000, keepAlive: true })
  // An idle connection that breaks is no news until somebody needs one; without a listener it would end the process.
  pool.on('error', () => undefined)
  // Neither is one that breaks while it is in use and silent (a server killed while its client computes): the next query tells.
  pool.on('connect', (client) => void client.on('error', () => undefined))
  const clients = new Set<Client>()
  clientsOf.set(pool, clients)
  pool.on('connect', (client) => void clients.add(client as Client))
  pool.on('remove', (client) => void clients.delete(client as Client))
  try {
    for (;;) {
      try {
        const client = await pool.connect()
        // The next one who wants it gets it.
        client.release()
        return pool
      } catch (error) {
        if (!(await again(isTimeout(error) ? 'ETIMEDOUT' : errorCode(error), target)))
          throw new DatabaseError('CONNECTION_FAILED', `cannot connect to PostgreSQL at ${target}: ${whyNot(error)}`, error)
      }
    }
  } catch (error) {
    await pool.end()
    throw error
  }
}

const isTimeout = (error: unknown): boolean => error instanceof Error && /timeout/i.test(error.message)

/** Host, port and database without user and password. */
function describe(text: string): string {
  const url = URL.parse(text)
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw new DatabaseError('BAD_URL', 'DATABASE_URL is no PostgreSQL address: it must look like postgresql://user:password@host:5432/database')
  }
  return `${url.hostname || 'localhost'}:${url.port || '5432'}${url.pathname}`
}

function whyNot(error: unknown): string {
  if (isTimeout(error)) return 'it does not answer within 10 seconds'
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
    case '57P03':
      return 'it is starting'
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
