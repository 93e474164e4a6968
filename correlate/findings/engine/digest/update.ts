/** Brings the days' sums up to date with what a transaction sees. */
import type pg from 'pg'
import { DAY } from '#core/time.ts'
import { daySql, NOTED } from '../../../store/touched-days.ts'
import { SUM_UP, VERSION } from './slice.ts'

/** Days in a row that are summed up by one statement. */
const DAYS_AT_ONCE = 8
/** Where `progress` says up to which round the sums are. */
const SUMMED = 'digests'

/**
 * Sums up the days that changed since the last time, or every day: when told to, when nobody noted which ones changed, and when the sums were made in another way. The caller holds the findings' lock.
 * @returns how many days
 */
export async function updateDigests(client: pg.ClientBase, whole: boolean): Promise<number> {
  const { rows } = await client.query<{ name: string; round: bigint }>('select name, round from progress where name = any($1::text[])', [
    ['conclusions', SUMMED, NOTED.last, NOTED.since],
  ])
  const round = (name: string): bigint => rows.find((row) => row.name === name)?.round ?? 0n
  const now = round('conclusions')
  const known = rows.some((row) => row.name === SUMMED) && round(NOTED.last) === now && round(NOTED.since) <= round(SUMMED) + 1n
  const days = whole || !known ? await allDays(client) : await changedDays(client)
  await client.query('delete from digests where day = any($1::integer[])', [days.map(({ day }) => day)])
  for (const [first, last] of stretches(days.map(({ day }) => day))) await client.query(SUM_UP, [BigInt(first) * DAY, BigInt(last + 1) * DAY])
  await client.query(
    `insert into digest_days (day, round, version) select d.*, '${VERSION}' from unnest($1::integer[], $2::bigint[]) d
     on conflict (day) do update set round = excluded.round, version = excluded.version`,
    [days.map(({ day }) => day), days.map((day) => day.round)],
  )
  await client.query(
    `insert into progress as p (name, round) values ('${SUMMED}', $1) on conflict (name) do update set round = excluded.round where p.round <> excluded.round`,
    [now],
  )
  return days.length
}

interface Day {
  readonly day: number
  /** The last round that changed it or the day before, into which exchanges look back. */
  readonly round: bigint
}

const LAST_ROUND = `greatest((select round from touched_days t where t.day = d.day), (select round from touched_days t where t.day = d.day - 1), 0)`

/** Every day of the store, and every day that is summed up. */
async function allDays(client: pg.ClientBase): Promise<readonly Day[]> {
  const { rows } = await client.query<Day>(
    `select day, ${LAST_ROUND} as round from (select distinct ${daySql('time_ns')} as day from events union select day from digest_days) d order by day`,
  )
  return rows
}

async function changedDays(client: pg.ClientBase): Promise<readonly Day[]> {
  const { rows } = await client.query<Day>(
    `select * from (select day, ${LAST_ROUND} as round from (select day from touched_days union select day from digest_days) d) n
     where not exists (select from digest_days k where k.day = n.day and k.round = n.round and k.version = '${VERSION}') order by day`,
  )
  return rows
}

/** Days that follow one another, together; each stretch as its first and last day. */
function stretches(days: readonly number[]): [number, number][] {
  const found: [number, number][] = []
  for (const day of days) {
    const last = found.at(-1)
    if (last && last[1] === day - 1 && day - last[0] < DAYS_AT_ONCE) last[1] = day
    else found.push([day, day])
  }
  return found
}
