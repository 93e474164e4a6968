/**
 * Reading under a role that is not the owner of the tables: PostgreSQL itself then shows only rows of the tenants asked for, whatever a query forgets to say
 * (migrations: policies of `trailjoin_reader`). It guards against a missing condition in this program, not against somebody who can run SQL of their own.
 */
import type pg from 'pg'
import { isGuid } from '#core/keys.ts'
import { withSnapshot } from './snapshot.ts'

/** The database, as far as a query needs it. */
export type Queries = Pick<pg.Pool, 'query'>

/** Sees rows of the tenants in the setting `trailjoin.tenants`, and nothing without it. */
const BOUND = 'trailjoin_reader'
/** Sees every row of what the API reads. */
const UNBOUND = 'trailjoin_reader_all'

/** A question that takes longer is given up: whoever asked has gone, and others wait for the connection. */
const TIMEOUT_MS = 60_000

/**
 * Queries that each run in a read-only transaction of their own, under a role that may only read. No transaction outlives its query: whoever streams asks page
 * by page, so that a slow client holds neither a connection nor a snapshot.
 * @param tenants whose rows are seen (tenant ids); null: all, also those of no tenant
 * @param limitMs how long a question may take, in milliseconds; null: as long as the login allows
 * @throws TypeError for what is no tenant id. Queries reject as those of the pool do; a statement that writes is refused by the server.
 */
export function readerQueries(pool: pg.Pool, tenants: readonly string[] | null, limitMs: number | null = TIMEOUT_MS): Queries {
  const begin = `begin transaction read only; ${boundsOf(tenants, limitMs)}`
  const query = async (text: string, values?: unknown[]): Promise<pg.QueryResult> => {
    const client = await pool.connect()
    try {
      // Awaited: a query must not be sent before it is certain that it runs within the bounds.
      await client.query(begin)
      return await client.query(text, values)
    } finally {
      // The answer need not wait for the end of a transaction that wrote nothing. A connection that may still hold the role must not go back to the pool.
      client.query('rollback').then(
        () => client.release(),
        (error: unknown) => client.release(error instanceof Error ? error : new Error(String(error))),
      )
    }
  }
  return { query: query as pg.Pool['query'] }
}

/**
 * Does the work with queries under the same role and bounds that all see one moment of the store. For the one answer whose parts must fit together: it holds a connection
 * and a snapshot until the work ends.
 */
export function readerSnapshot<Result>(
  pool: pg.Pool,
  tenants: readonly string[] | null,
  work: (queries: Queries) => Promise<Result>,
  limitMs: number | null = TIMEOUT_MS,
): Promise<Result> {
  return withSnapshot(pool, boundsOf(tenants, limitMs), work)
}

/** Sent with the begin of the transaction: one message to the server, and so one round trip. */
function boundsOf(tenants: readonly string[] | null, limitMs: number | null): string {
  const limit = limitMs === null ? '' : `set local statement_timeout = ${limitMs}; `
  if (tenants === null) return `${limit}set local role ${UNBOUND}`
  // A setting takes no parameters. Only GUIDs, so nothing needs to be escaped.
  const wrong = tenants.find((tenant) => !isGuid(tenant))
  if (wrong !== undefined) throw new TypeError(`${JSON.stringify(wrong)} is no tenant id`)
  return `${limit}set local role ${BOUND}; set local trailjoin.tenants = '${tenants.join(',')}'`
}
