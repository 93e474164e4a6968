/**
 * What changed, for those who watch an oid. The deriver's rounds follow one another under one lock, each visible at once and never before an earlier one: so the
 * number of a round is a position that nothing can be committed behind. (A sequence would not do: its numbers become visible in another order than they were given out.)
 * These rows are no conclusions: they are part of no answer and no export, and old ones go.
 */
import type pg from 'pg'
import { copyRows } from '#database/copy.ts'
import type { EventRef } from './lookups.ts'
import type { TimelineEntry } from './timeline.ts'

/** An event that came into timelines, changed in them, or left some. */
export interface LiveChange {
  readonly event: EventRef
  readonly before: readonly TimelineEntry[]
  readonly after: readonly TimelineEntry[]
}

/** Whoever watches may come back after that long and be told all that happened meanwhile. */
const KEPT = '7 days'
/** Rounds between two clean-ups. */
const PRUNE_EVERY = 64n

/** Begins the next round and draws its mark. The caller holds the deriver's lock until its transaction ends. */
export async function nextRound(client: pg.ClientBase): Promise<bigint> {
  const { rows } = await client.query<{ round: bigint }>(
    `with next as (insert into progress as p (name, round) values ('conclusions', 1) on conflict (name) do update set round = p.round + 1 returning round)
     insert into live_rounds (round) select round from next on conflict (round) do update set mark = excluded.mark returning round`,
  )
  return rows[0]!.round
}

/** Notes in which timelines the round changed something, and wakes those who watch once it is committed. */
export async function noteLive(client: pg.ClientBase, round: bigint, changes: readonly LiveChange[]): Promise<void> {
  const spans = new Map<string, { readonly entry: TimelineEntry; from: bigint; to: bigint }>()
  const left: [TimelineEntry, EventRef][] = []
  for (const { event, before, after } of changes) {
    const stays = new Set(after.map(keyOf))
    const gone = before.filter((entry) => !stays.has(keyOf(entry)))
    for (const entry of gone) left.push([entry, event])
    for (const entry of [...after, ...gone]) {
      const span = spans.get(keyOf(entry))
      if (!span) spans.set(keyOf(entry), { entry, from: event.timeNs, to: event.timeNs })
      else if (event.timeNs < span.from) span.from = event.timeNs
      else if (event.timeNs > span.to) span.to = event.timeNs
    }
  }
  if (spans.size === 0) return
  await copyRows(
    client,
    'live_changes',
    ['oid', 'tenant_id', 'round', 'from_ns', 'to_ns'],
    [...spans.values()].map(({ entry, from, to }) => [entry.oid, entry.tenantId, round, from, to]),
  )
  await copyRows(
    client,
    'live_departures',
    ['oid', 'tenant_id', 'round', 'time_ns', 'event_id'],
    left.map(([entry, event]) => [entry.oid, entry.tenantId, round, event.timeNs, event.id]),
  )
  if (round % PRUNE_EVERY === 0n) await prune(client)
  await client.query(`select pg_notify('trailjoin_live', $1)`, [String(round)])
}

const keyOf = (entry: TimelineEntry): string => `${entry.tenantId}/${entry.oid}`

/** A position before `live-pruned` can no longer be gone on from. */
async function prune(client: pg.ClientBase): Promise<void> {
  await client.query(
    `with old as (delete from live_changes where at < now() - $1::interval returning round),
       departures as (delete from live_departures where round <= (select max(round) from old)),
       rounds as (delete from live_rounds where round < (select max(round) from old))
     insert into progress as p (name, round) select 'live-pruned', max(round) from old having max(round) is not null
     on conflict (name) do update set round = greatest(p.round, excluded.round)`,
    [KEPT],
  )
}
