/** What is stored and not yet concluded from. Written with the facts (`facts.ts`), taken by the deriver under its lock. */
import type pg from 'pg'
import type { EventId } from '#core/keys.ts'
import type { EventRef } from './lookups.ts'

/** Batches that a round looks at, the oldest ones: of up to 5,000 events each when they come from files. */
const BATCHES = 64

export interface Pending {
  /** Events whose facts are new or were replaced. */
  readonly refs: readonly EventRef[]
  /** Credentials, request keys and near keys that replaced events had named. */
  readonly keys: readonly string[]
}

interface Batch {
  readonly id: bigint
  readonly times: readonly bigint[]
  readonly event_ids: readonly EventId[]
  readonly keys: readonly string[]
}

/**
 * Takes what the next round concludes about, up to about `most` events: of the oldest `batches` those that happened first. What belongs together happened close together,
 * but stands in the logs of three clouds: concluded in the order in which files were read, much of it is concluded about again when the next cloud's files come (measured:
 * half as much work again at 100,000 events). The caller holds the deriver's lock; the rest stays, and so does everything if the transaction fails.
 */
export async function takePending(client: pg.ClientBase, most: number, batches: number = BATCHES): Promise<Pending> {
  const { rows } = await client.query<Batch>(`select id, times, event_ids, keys from pending order by id limit $1`, [batches])
  const isTaken = choose(rows, most)
  const gone: bigint[] = []
  const cut: { id: bigint; rest: EventRef[] }[] = []
  const refs: EventRef[] = []
  for (const batch of rows) {
    const all = batch.times.map((timeNs, index) => ({ timeNs, id: batch.event_ids[index]! }))
    const { taken = [], left = [] } = Object.groupBy(all, ({ id }) => (isTaken(id) ? 'taken' : 'left'))
    for (const ref of taken) refs.push(ref)
    if (left.length === 0) gone.push(batch.id)
    else if (taken.length > 0) cut.push({ id: batch.id, rest: left })
  }
  await client.query('delete from pending where id = any($1::bigint[])', [gone])
  if (cut.length > 0) {
    await client.query(
      `update pending p set times = r.times::bigint[], event_ids = r.ids::uuid[] from unnest($1::bigint[], $2::text[], $3::text[]) r(id, times, ids) where p.id = r.id`,
      [
        cut.map(({ id }) => id),
        cut.map(({ rest }) => `{${rest.map(({ timeNs }) => timeNs).join(',')}}`),
        cut.map(({ rest }) => `{${rest.map(({ id }) => id).join(',')}}`),
      ],
    )
  }
  return { refs, keys: rows.flatMap((batch) => batch.keys) }
}

/**
 * Tells which events the round takes. Of an event that was replaced while it was pending there are several entries, perhaps at several times, and never may the newer be taken without the
 * older: an old one that came after the new one would say that the event is gone. (The old one first is harmless: nothing is found there, and the new one is still to come.) So of the batches looked at all entries of
 * one event are taken together; and in a batch that is not looked at stands no older entry than in those that are, because ids follow the locks: whoever replaces an event, or touches it by replacing another, holds
 * `DERIVE_LOCK` when the batch is written and until it is committed, and whoever stored the event first had committed before. Replaced events are taken with whatever they had named.
 */
function choose(batches: readonly Batch[], most: number): (id: EventId) => boolean {
  const times = BigInt64Array.from(batches.flatMap((batch) => batch.times)).toSorted()
  if (times.length <= most) return () => true
  const until = times[most - 1]!
  const early = new Set<EventId>()
  for (const batch of batches) {
    batch.event_ids.forEach((id, index) => {
      if (batch.keys.length > 0 || batch.times[index]! <= until) early.add(id)
    })
  }
  return (id) => early.has(id)
}
