/** Which of the ids inside an answer the caller may learn of. Rows are chosen by conditions and policies; these are for the ids that a row carries. */
import { readDirectory } from './directory.ts'
import { type Store, eventInScope } from './store.ts'

/** Those of these events that the caller may see. Primary keys of heads and conclusions. */
export async function eventsInScope(store: Store, ids: readonly (string | null)[]): Promise<ReadonlySet<string>> {
  const named = new Set(ids.filter((id) => id !== null))
  if (store.scope === 'everything' || named.size === 0) return named
  const { rows } = await store.query<{ id: string }>(
    `select n.id from unnest($1::uuid[]) n(id)
     where exists (select from heads h join conclusions c on c.time_ns = h.time_ns and c.event_id = h.event_id where h.event_id = n.id and ${eventInScope('c', '$2')})`,
    [[...named], store.scope],
  )
  return new Set(rows.map((row) => row.id))
}

/** Events with the oids that are named for them. */
export interface Named {
  readonly timeNs: bigint
  readonly eventId: string
  readonly oids: readonly (string | null)[]
}

/** Whether an event stands in an oid's timeline in one of the caller's tenants, for the pairs named. Primary key of timeline. */
export async function standings(store: Store, named: readonly Named[]): Promise<(eventId: string, oid: string) => boolean> {
  if (store.scope === 'everything') return () => true
  const pairs = named.flatMap(({ oids, ...event }) => [...new Set(oids.filter((oid) => oid !== null))].map((oid) => ({ ...event, oid })))
  if (pairs.length === 0) return () => false
  const { rows } = await store.query<{ event_id: string; oid: string }>(
    `select n.event_id, n.oid from unnest($1::bigint[], $2::uuid[], $3::uuid[]) n(time_ns, event_id, oid)
     where exists (select from timeline l where l.tenant_id = any($4::uuid[]) and l.oid = n.oid and l.time_ns = n.time_ns and l.event_id = n.event_id)`,
    [pairs.map((pair) => pair.timeNs), pairs.map((pair) => pair.eventId), pairs.map((pair) => pair.oid), store.scope],
  )
  const found = new Set(rows.map((row) => `${row.event_id}/${row.oid}`))
  return (eventId, oid) => found.has(`${eventId}/${oid}`)
}

/** Those of these oids that the caller's tenants know: by a timeline, or by name in their directory. */
export async function oidsInScope(store: Store, oids: readonly (string | null)[]): Promise<ReadonlySet<string>> {
  const named = new Set(oids.filter((oid) => oid !== null))
  if (store.scope === 'everything' || named.size === 0) return named
  const { rows } = await store.query<{ oid: string }>(
    'select n.oid from unnest($1::uuid[]) n(oid) where exists (select from timeline l where l.tenant_id = any($2::uuid[]) and l.oid = n.oid)',
    [[...named], store.scope],
  )
  const known = new Set(rows.map((row) => row.oid))
  if (known.size === named.size) return known
  const directory = await readDirectory(store)
  for (const { oid } of directory.principals) known.add(oid)
  for (const { objectId, trusted } of directory.applications) for (const oid of [objectId, ...trusted.keys()]) if (oid !== null) known.add(oid)
  return known
}
