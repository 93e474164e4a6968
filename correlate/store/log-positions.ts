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
}
