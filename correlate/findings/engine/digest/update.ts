/** Brings the days' sums up to date with what a transaction sees. */
import type pg from 'pg'
import { DAY } from '#core/time.ts'
import { daySql, NOTED } from '../../../store/touched-days.ts'
import { SUM_UP, VERSION } from './slice.ts'

/** Days in a row are summed up by one statement up to so many events: more are written to disk on the way (measured at a million events: 50 s with eight days of 36,000 at once, 39 s one by one). */
const EVENTS_AT_ONCE = 40_000
/** Where `progress` says up to which round the sums are. */
const SUMMED = 'digests'

/**
 * Sums up the days that changed since the last time, or every day and without belief in what is there: when told to, when nobody noted which ones changed, and when no day is
 * summed up (of what was stored before days were noted, `touched_days` knows nothing). Days whose sums were made in another way are summed up again. The caller holds the findings' lock.
 * @returns how many days
 */
export async function updateDigests(client: pg.ClientBase, whole: boolean): Promise<number> {
  const { rows } = await client.query<{ name: string; round: bigint }>('select name, round from progress where name = any($1::text[])', [
    ['conclusions', SUMMED, NOTED.last, NOTED.since],
  ])
  const round = (name: string): bigint => rows.find((row) => row.name === name)?.round ?? 0n
  const now = round('conclusions')
  const known = rows.some((row) => row.name === SUMMED) && round(NOTED.last) === now && round(NOTED.since) <= round(SUMMED) + 1n
  const all = whole || !known || (await client.query('select from digest_days limit 1')).rowCount === 0
  const days = all ? await allDays(client) : await changedDays(client)
  if (all) await client.query('with days as (delete from digest_days) delete from digests')
  else await client.query('delete from digests where day = any($1::integer[])', [days.map(({ day }) => day)])
  for (const { first, last } of stretches(days)) await client.query(SUM_UP, [BigInt(first) * DAY, BigInt(last + 1) * DAY])
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

/** True when `trailjoin` has never summed up what is concluded, was told to do so again, or sums up in another way now. */
export async function mustSumUp(client: Pick<pg.ClientBase, 'query'>): Promise<boolean> {
  const { rows } = await client.query<{ must: boolean }>(
    `select exists (select from progress where name = 'conclusions')
       and (not exists (select from progress where name = '${SUMMED}') or exists (select from digest_days where version <> '${VERSION}')) as must`,
  )
  return rows[0]!.must
}

interface Day {
  readonly day: number
  /** The last round that changed it or the day before, into which exchanges look back. */
  readonly round: bigint
  /** Of a day that changed nobody has counted them. */
  readonly events: number
}

const LAST_ROUND = `greatest((select round from touched_days t where t.day = d.day), (select round from touched_days t where t.day = d.day - 1), 0)`

/** Every day of the store. Those that changed until they were empty are noted as summed up, too: else they would seem to have changed since. */
async function allDays(client: pg.ClientBase): Promise<readonly Day[]> {
  const { rows } = await client.query<Day>(
    `select day, ${LAST_ROUND} as round, events from (
       select day, sum(events)::float8 as events from (select ${daySql('time_ns')} as day, count(*) as events from events group by 1 union all select day, 0 from touched_days) n group by day) d order by day`,
  )
  return rows
}

async function changedDays(client: pg.ClientBase): Promise<readonly Day[]> {
  const { rows } = await client.query<Day>(
    `select * from (select day, ${LAST_ROUND} as round, ${EVENTS_AT_ONCE}::float8 as events from (select day from touched_days union select day from digest_days) d) n
     where not exists (select from digest_days k where k.day = n.day and k.round = n.round and k.version = '${VERSION}') order by day`,
  )
  return rows
}

/** Days that follow one another, together as long as they are small. */
function stretches(days: readonly Day[]): readonly { readonly first: number; readonly last: number }[] {
  const found: { first: number; last: number; events: number }[] = []
  for (const { day, events } of days) {
    const open = found.at(-1)
    if (open && open.last === day - 1 && open.events + events <= EVENTS_AT_ONCE) {
      open.last = day
      open.events += events
    } else found.push({ first: day, last: day, events })
  }
  return found
}
