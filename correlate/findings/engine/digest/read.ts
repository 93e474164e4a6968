/** What rules read of the days' sums. */
import type pg from 'pg'
import type { EventId } from '#core/keys.ts'
import { MOST_EVIDENCE } from '../rule.ts'
import type { Topic } from './topic.ts'

/** Events of the whole store that have a profile in common. */
export interface Group<Profile> {
  readonly key: string
  readonly profile: Profile
  readonly events: number
  readonly firstNs: bigint
  readonly lastNs: bigint
}

/** Where an event is. */
export interface Ref {
  readonly id: EventId
  readonly timeNs: bigint
}

/** The groups of a topic, in order of their first event. Primary key of digests. */
export async function groupsOf<Profile>(client: pg.ClientBase, { name }: Topic<Profile>): Promise<readonly Group<Profile>[]> {
  const { rows } = await client.query<Group<Profile>>(
    `select key, (array_agg(profile))[1] as profile, sum(events)::float8 as events, min(first_ns) as "firstNs", max(last_ns) as "lastNs" from digests where topic = $1
     group by key order by min(first_ns), key`,
    [name],
  )
  return rows
}

/** All events of these groups, of a topic that lists them, each with the key of its group. */
export async function refsOf<Profile>(
  client: pg.ClientBase,
  { name }: Topic<Profile>,
  groups: readonly Group<Profile>[],
): Promise<readonly (Ref & { readonly key: string })[]> {
  if (groups.length === 0) return []
  const { rows } = await client.query<Ref & { key: string }>(
    `select d.key, r.t as "timeNs", r.i as id from digests d, unnest(d.times, d.ids) r(t, i) where d.topic = $1 and d.key = any($2::uuid[])`,
    [name, groups.map(({ key }) => key)],
  )
  return rows
}

/** The first thousand events of each of these groups, in order of time, by key. Days that lie behind them are not read. */
export async function firstsOf<Profile>(
  client: pg.ClientBase,
  { name }: Topic<Profile>,
  groups: readonly Group<Profile>[],
): Promise<ReadonlyMap<string, readonly Ref[]>> {
  if (groups.length === 0) return new Map()
  const { rows } = await client.query<Ref & { key: string }>(
    `select d.key, r.t as "timeNs", r.i as id from (
       select key, day, times, ids, sum(events) over (partition by key order by day rows between unbounded preceding and 1 preceding) as before
       from digests where topic = $1 and key = any($2::uuid[])) d, unnest(d.times, d.ids) r(t, i)
     where coalesce(d.before, 0) < ${MOST_EVIDENCE} order by d.key, r.t, r.i`,
    [name, groups.map(({ key }) => key)],
  )
  return new Map([...Map.groupBy(rows, (row) => row.key)].map(([key, refs]) => [key, refs.slice(0, MOST_EVIDENCE)]))
}
