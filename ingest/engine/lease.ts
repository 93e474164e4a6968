import type pg from 'pg'

/** Two-number advisory locks are apart from the one-number locks of the other folders. */
const SPACE = 7_264_510

/** Says which process polls a part when several run: whoever holds its lease. Nothing depends on it but the clouds' rate limits: repeats are absorbed. */
export interface Leases {
  /** True when this process holds the lease of the part, now or already. Rejects when the database is away. */
  hold(source: string, part: string): Promise<boolean>
  /** Gives all leases back. */
  close(): Promise<void>
}

/** Leases as session locks of one connection: a process that dies loses them with its connection, without any clock. */
export function createLeases(pool: pg.Pool): Leases {
  let session: { readonly client: pg.PoolClient; readonly held: Set<string>; broken: boolean } | null = null
  let queue: Promise<unknown> = Promise.resolve()

  async function hold(key: string): Promise<boolean> {
    if (session?.broken) {
      session.client.release(true)
      session = null
    }
    if (session === null) {
      const client = await pool.connect()
      const fresh = { client, held: new Set<string>(), broken: false }
      client.on('error', () => (fresh.broken = true))
      session = fresh
    }
    const mine = session
    try {
      // The lease of a machine that lost its power is free after a minute, not after the system's two hours.
      if (mine.held.size === 0) await mine.client.query("set tcp_keepalives_idle = '30s'; set tcp_keepalives_interval = '10s'; set tcp_keepalives_count = 3")
      // Asked also for what is held: that the answer comes shows that the session still lives.
      const sql = mine.held.has(key) ? 'select true as held' : 'select pg_try_advisory_lock($1, hashtext($2)) as held'
      const { rows } = await mine.client.query<{ held: boolean }>(sql, mine.held.has(key) ? [] : [SPACE, key])
      if (rows[0]?.held === true) mine.held.add(key)
      return mine.held.has(key)
    } catch (error) {
      mine.broken = true
      throw error
    }
  }

  return {
    hold(source, part) {
      const answer = queue.then(() => hold(`${source}/${part}`))
      queue = answer.catch(() => undefined)
      return answer
    },
    async close() {
      await queue
      // Closed, not put back: its locks go with it.
      session?.client.release(true)
      session = null
    },
  }
}
