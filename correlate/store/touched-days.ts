/**
 * On which UTC days facts or conclusions changed, and in which round last: what is summed up day by day (`correlate/findings/engine/digest/`) is summed up again for these
 * days only. Written under the deriver's lock, so that nobody waits for anybody here and a round is a position that nothing is committed behind.
 */
import type pg from 'pg'
import { DAY } from '#core/time.ts'

/** The number of the UTC day of a time (nanoseconds since 1970), also before 1970. */
const dayOf = (timeNs: bigint): number => Number((timeNs - (((timeNs % DAY) + DAY) % DAY)) / DAY)

/** The same in SQL. */
export const daySql = (time: string): string => `((${time} - (${time} % ${DAY} + ${DAY}) % ${DAY}) / ${DAY})::integer`

/** Rounds of whose days all is noted, as `progress` has them: the last one, and the first one of those without a gap before it. */
export const NOTED = { last: 'noted-days', since: 'noted-days-since' } as const

/**
 * Notes that facts or conclusions at these times changed in the round, of every round. Rounds only grow under the lock, so the last one to write a day is the last one that changed it. The caller holds the deriver's lock until its transaction ends. A round that somebody
 * drew who knows nothing of this (an older version) shows as a gap.
 */
export async function noteDays(client: pg.ClientBase, round: bigint, times: Iterable<bigint>): Promise<void> {
  const days = new Set<number>()
  for (const time of times) days.add(dayOf(time))
  await client.query(
    `insert into touched_days (day, round) select *, $2::bigint from unnest($1::integer[]) on conflict (day) do update set round = excluded.round`,
    [[...days], round],
  )
  await client.query(
    `with last as (select round from progress where name = '${NOTED.last}')
     insert into progress as p (name, round) select '${NOTED.last}', $1::bigint
     union all select '${NOTED.since}', $1::bigint where not exists (select from last where round >= $1::bigint - 1)
     on conflict (name) do update set round = excluded.round`,
    [round],
  )
}
