/** Taking old entries out of the record of who looked at what: for the owner of its table alone, and itself on record. */
import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { formatTime } from '#core/time.ts'

/** How a pruning stands in the record. Entries with this method are never pruned: what is gone, and who took it away, stays known. */
const METHOD = 'PRUNE'
const ROUTE = 'trailjoin access-log prune'

/** Entries that one transaction takes out: writers wait while it runs. */
const MOST = 10_000

export interface Pruning {
  /** Entries of requests that came before this instant go (nanoseconds since 1970). */
  readonly before: bigint
  /** Who does it, as the record says it. */
  readonly by: { readonly id: string; readonly name: string | null }
  readonly signal?: AbortSignal | undefined
}

/** The database login is not the owner of the table. */
export class NotTheOwner extends Error {
  override readonly name = 'NotTheOwner'
}

/** How many entries would go. */
export async function prunable(pool: pg.Pool, before: bigint): Promise<number> {
  const { rows } = await pool.query<{ entries: bigint }>(`select count(*) as entries from access_log where ${CONDITION}`, [formatTime(before)])
  return Number(rows[0]!.entries)
}

const CONDITION = `started_at < $1::timestamptz and method <> '${METHOD}'`

/**
 * Takes the entries out. That it begins is on record before the first of them goes, and how many went when it ends; one that was interrupted stays without an end, and may be run again.
 * @returns how many went
 * @throws NotTheOwner before anything is done; what the database says
 */
export async function pruneAccessLog(pool: pg.Pool, { before, by, signal }: Pruning): Promise<number> {
  const { rows } = await pool.query<{ login: string; owns: boolean }>(
    `select current_user as login, pg_has_role(current_user, relowner, 'USAGE') as owns from pg_class where oid = 'access_log'::regclass`,
  )
  const { login, owns } = rows[0]!
  if (!owns) throw new NotTheOwner(login)
  const entry = [randomUUID(), new Date(), by.id, by.name, JSON.stringify({ before: formatTime(before), login })]
  const record = (phase: 'begin' | 'end', gone: number | null): Promise<unknown> =>
    pool.query(
      `insert into access_log (request_id, phase, started_at, caller, caller_name, tenants, method, route, target, filters, status, rows, cut, address)
       values ($1, $6, $2, $3, $4, null, '${METHOD}', '${ROUTE}', null, $5, $7, $8, false, null)`,
      [...entry, phase, phase === 'end' ? 200 : null, gone],
    )
  await record('begin', null)
  let gone = 0
  let last = 0n
  for (let more = true; more;) {
    signal?.throwIfAborted()
    // Looked for without a lock, and from where the last part ended: no index knows the times, so this may read much.
    const { rows: found } = await pool.query<{ id: bigint }>(`select id from access_log where ${CONDITION} and id > $2 order by id limit ${MOST}`, [
      formatTime(before),
      last,
    ])
    more = found.length === MOST
    last = found.at(-1)?.id ?? last
    if (found.length > 0)
      gone += await pruneSome(
        pool,
        found.map(({ id }) => id),
      )
  }
  await record('end', gone)
  return gone
}

/** The trigger is back before anybody else can see the table without it: taking it away locks the table for writers until the transaction ends. */
async function pruneSome(pool: pg.Pool, ids: readonly bigint[]): Promise<number> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await client.query('alter table access_log disable trigger access_log_append_only')
    const { rowCount } = await client.query('delete from access_log where id = any($1::bigint[])', [ids])
    await client.query('alter table access_log enable trigger access_log_append_only')
    await client.query('commit')
    client.release()
    return rowCount ?? 0
  } catch (error) {
    // A connection that is in the middle of something is not given back; what it had begun is undone.
    client.release(true)
    throw error
  }
}
