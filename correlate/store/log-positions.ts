/** Positions and gaps of logs (Kafka topics), in the tables `log_positions` and `log_gaps`. */
import type pg from 'pg'
import { type LogGap, type LogPlace, type LogPosition, type LogPositions, StalePosition } from '#core/transport.ts'

type Client = Pick<pg.ClientBase, 'query'>

/**
 * Moves the position to the end of a batch, inside the transaction that stores it.
 * @throws StalePosition when it was moved from outside since the batch was read
 */
export async function storePlace(client: Client, { log, partition, next, epoch, at, gaps }: LogPlace): Promise<void> {
  for (const gap of gaps) await insertGap(client, gap)
  await move(client, log, partition, { next, epoch, at })
}

/** What consumers of a log begin with, and where they note what is lost. */
export function createLogPositions(pool: pg.Pool): LogPositions {
  return {
    async read(log) {
      const { rows } = await pool.query<LogPosition & { readonly partition: number }>(
        'select partition, next, epoch, paused, at from log_positions where log = $1',
        [log],
      )
      return new Map(rows.map(({ partition, ...position }) => [partition, position]))
    },

    async pass(gap, { next, epoch }) {
      const client = await pool.connect()
      let broken: Error | undefined
      try {
        await client.query('begin')
        await insertGap(client, gap)
        await move(client, gap.log, gap.partition, { next, epoch, at: null }, gap.cause === 'recreated')
        await client.query('commit')
      } catch (error) {
        broken = error instanceof Error ? error : new Error(String(error))
        throw error
      } finally {
        // A connection in an unknown state is thrown away; the server rolls back.
        client.release(broken)
      }
    },
  }
}

/** A position never goes back by itself: of two consumers that overlap while partitions are shared out anew, the one that is further is right. */
async function move(
  client: Client,
  log: string,
  partition: number,
  { next, epoch, at }: { readonly next: bigint; readonly epoch: number; readonly at: Date | null },
  back = false,
): Promise<void> {
  const { rowCount } = await client.query(
    `insert into log_positions as p (log, partition, next, epoch, at) values ($1, $2, $3, $4, $5)
     on conflict (log, partition) do update
     set next = case when $6 then excluded.next else greatest(p.next, excluded.next) end, at = greatest(p.at, excluded.at), updated_at = now()
     where p.epoch = excluded.epoch`,
    [log, partition, next, epoch, at, back],
  )
  if (rowCount === 0) throw new StalePosition(`The position of ${log}, partition ${partition} was moved while a batch was on its way.`)
}

/** The same gap once; one that is found again with more of it is widened. */
async function insertGap(client: Client, { log, partition, firstOffset, lastOffset, from, until, cause, detail }: LogGap): Promise<void> {
  await client.query(
    `insert into log_gaps as g (log, partition, first_offset, last_offset, from_at, until_at, cause, detail) values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (log, partition, first_offset) do update
     set last_offset = greatest(g.last_offset, excluded.last_offset), until_at = greatest(g.until_at, excluded.until_at), closed_at = null`,
    [log, partition, firstOffset, lastOffset, from, until, cause, detail],
  )
  // What findings say of absence changes with it: they are computed again, without a new record.
  await client.query(`delete from progress where name = 'findings'`)
}

/** What an operator does to one partition, from outside of the consumers: they follow within seconds. */
export interface LogOrder {
  readonly log: string
  readonly partition: number
}

/** Stops or lets on the reading of partitions. A partition that nobody has read yet is paused before it is begun, at `next`. */
export async function setPaused(pool: Pick<pg.Pool, 'query'>, orders: readonly (LogOrder & { readonly next: bigint })[], paused: boolean): Promise<void> {
  await pool.query(
    `insert into log_positions as p (log, partition, next, paused) select * from unnest($1::text[], $2::integer[], $3::bigint[], $4::boolean[])
     on conflict (log, partition) do update set paused = excluded.paused, updated_at = now()`,
    [orders.map((one) => one.log), orders.map((one) => one.partition), orders.map((one) => one.next), orders.map(() => paused)],
  )
}

/**
 * Moves positions. What is left out by a move forward becomes a gap (`skipped`); gaps that a move back leads to again are closed, for
 * they are read now, or noted again. What consumers have on its way is refused, so nothing slips past.
 */
export async function moveLogs(pool: pg.Pool, moves: readonly (LogOrder & { readonly from: bigint; readonly next: bigint })[], why: string): Promise<void> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    await client.query('begin')
    for (const { log, partition, from, next } of moves) {
      const { rows } = await client.query<{ next: bigint }>('select next from log_positions where log = $1 and partition = $2 for update', [log, partition])
      const before = rows[0]?.next ?? from
      await client.query(
        `insert into log_positions as p (log, partition, next, epoch) values ($1, $2, $3, 1)
         on conflict (log, partition) do update set next = excluded.next, epoch = p.epoch + 1, updated_at = now()`,
        [log, partition, next],
      )
      if (next > before)
        await insertGap(client, { log, partition, firstOffset: before, lastOffset: next - 1n, from: null, until: new Date(), cause: 'skipped', detail: why })
      else
        await client.query('update log_gaps set closed_at = now() where log = $1 and partition = $2 and first_offset >= $3 and closed_at is null', [
          log,
          partition,
          next,
        ])
    }
    await client.query(`delete from progress where name = 'findings'`)
    await client.query('commit')
  } catch (error) {
    broken = error instanceof Error ? error : new Error(String(error))
    throw error
  } finally {
    client.release(broken)
  }
}

/** The gap of a batch that was read after all. */
export async function closeGap(pool: Pick<pg.Pool, 'query'>, { log, partition, firstOffset }: LogOrder & { readonly firstOffset: bigint }): Promise<void> {
  await pool.query('update log_gaps set closed_at = now() where log = $1 and partition = $2 and first_offset = $3', [log, partition, firstOffset])
  await pool.query(`delete from progress where name = 'findings'`)
}
