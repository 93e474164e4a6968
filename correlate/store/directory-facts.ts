import type pg from 'pg'
import type { DirectoryFact, TrailEvent } from '#core/event.ts'
import { NO_TENANT, type EventId, type TenantId } from '#core/keys.ts'
import { canonicalJson, eventId, type Json } from '#core/record.ts'
import { storable } from '#core/text.ts'
import type { StoredFact } from '../directory/fact.ts'

interface Folded {
  readonly id: string
  readonly tenantId: string
  readonly fact: DirectoryFact
  first: { ns: bigint; event: EventId }
  last: { ns: bigint; event: EventId }
}

/** Changes have a date; what was merely seen is one fact, however often it was seen. */
const DATED = new Set<DirectoryFact['type']>(['lifecycle', 'fics', 'fic-declared'])

/**
 * Stores what the events say about the directory. Facts come from every distinct text of an event, also from texts that do not speak
 * for it: so their set does not depend on which text came first.
 */
export async function storeDirectoryFacts(client: pg.ClientBase, events: Iterable<TrailEvent>): Promise<void> {
  const folded = new Map<string, Folded>()
  for (const event of events) {
    for (const fact of event.directory) {
      // Pools and projects of GCP belong to no Entra tenant.
      const tenantId = fact.type.startsWith('gcp-') ? NO_TENANT : event.tenantId
      if (!tenantId) continue
      const body = canonicalJson(fact as unknown as Json)
      const id = eventId('directory', tenantId, body, ...(DATED.has(fact.type) ? [event.id, String(event.timeNs)] : []))
      const at = { ns: event.timeNs, event: event.id }
      const known = folded.get(id)
      if (!known) folded.set(id, { id, tenantId, fact, first: at, last: at })
      else {
        if (earlier(at, known.first)) known.first = at
        if (earlier(known.last, at)) known.last = at
      }
    }
  }
  if (folded.size === 0) return
  // Sorted, so that two writers lock rows in one order and cannot deadlock.
  const rows = [...folded.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1))
  await client.query(
    `insert into directory_facts as f (id, tenant_id, body, first_ns, first_event, last_ns, last_event)
     select * from unnest($1::uuid[], $2::uuid[], $3::jsonb[], $4::bigint[], $5::uuid[], $6::bigint[], $7::uuid[])
     on conflict (id) do update set
       first_ns = case when (excluded.first_ns, excluded.first_event) < (f.first_ns, f.first_event) then excluded.first_ns else f.first_ns end,
       first_event = case when (excluded.first_ns, excluded.first_event) < (f.first_ns, f.first_event) then excluded.first_event else f.first_event end,
       last_ns = case when (excluded.last_ns, excluded.last_event) > (f.last_ns, f.last_event) then excluded.last_ns else f.last_ns end,
       last_event = case when (excluded.last_ns, excluded.last_event) > (f.last_ns, f.last_event) then excluded.last_event else f.last_event end
     where (excluded.first_ns, excluded.first_event) < (f.first_ns, f.first_event) or (excluded.last_ns, excluded.last_event) > (f.last_ns, f.last_event)`,
    [
      rows.map((row) => row.id),
      rows.map((row) => row.tenantId),
      rows.map((row) => JSON.stringify(row.fact, (_key, value: unknown) => (typeof value === 'string' ? storable(value) : value))),
      rows.map((row) => row.first.ns),
      rows.map((row) => row.first.event),
      rows.map((row) => row.last.ns),
      rows.map((row) => row.last.event),
    ],
  )
}

function earlier(a: { ns: bigint; event: EventId }, b: { ns: bigint; event: EventId }): boolean {
  return a.ns < b.ns || (a.ns === b.ns && a.event < b.event)
}

/** All facts, and which of them the stored conclusions do not take into account yet. */
export async function loadDirectoryFacts(client: pg.ClientBase): Promise<{ facts: StoredFact[]; fresh: Set<StoredFact>; freshIds: string[] }> {
  const { rows } = await client.query<{ id: string; tenant_id: TenantId; body: DirectoryFact; first_ns: bigint; first_event: EventId; derived: boolean }>(
    'select id, tenant_id, body, first_ns, first_event, derived from directory_facts order by id',
  )
  const fresh = new Set<StoredFact>()
  const freshIds: string[] = []
  const facts = rows.map((row) => {
    const stored = { tenantId: row.tenant_id, fact: row.body, time: row.first_ns, eventId: row.first_event }
    if (!row.derived) {
      fresh.add(stored)
      freshIds.push(row.id)
    }
    return stored
  })
  return { facts, fresh, freshIds }
}

/** The stored conclusions now take these facts into account. Locked in order of ids, as other writers do. */
export async function markDerived(client: pg.ClientBase, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await client.query(
    `with ordered as (select id from directory_facts where id = any($1::uuid[]) order by id for update)
     update directory_facts f set derived = true from ordered where f.id = ordered.id`,
    [ids],
  )
}
