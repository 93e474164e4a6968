/** Several queries whose answers are all of one moment. */
import type pg from 'pg'

/** As far as a query needs it. */
type Queries = Pick<pg.Pool, 'query'>

/**
 * Does the work in one read-only transaction with one snapshot, whatever is written meanwhile. Until the work ends it holds one connection, and the server keeps
 * what others have replaced: bound how long it may take. Queries that are asked at once are sent one after the other.
 * @param settings more statements for the begin of the transaction (`set local …`)
 */
export async function withSnapshot<Result>(pool: pg.Pool, settings: string, work: (queries: Queries) => Promise<Result>): Promise<Result> {
  const client = await pool.connect()
  try {
    await client.query(`begin transaction isolation level repeatable read read only; ${settings}`)
    const result = await work(inTurn(client))
    await client.query('commit')
    client.release()
    return result
  } catch (error) {
    // A connection that is in the middle of something is not given back.
    client.release(true)
    throw error
  }
}

/** One connection takes one query at a time; `pg` itself keeps others waiting, but means to stop that. */
function inTurn(client: pg.PoolClient): Queries {
  let last: Promise<unknown> = Promise.resolve()
  const query = (text: string, values?: unknown[]): Promise<pg.QueryResult> => {
    const result = last.then(() => client.query(text, values))
    last = result.catch(() => undefined)
    return result
  }
  return { query: query as pg.Pool['query'] }
}
