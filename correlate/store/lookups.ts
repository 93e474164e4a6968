/**
 * The questions that the deriver asks of the stored facts: each is an index probe per key (the index is named at the query). Where a planner without statistics
 * could rather read all exchanges once and compare each with each key (measured: 90 times slower at 1,000 mints), `offset 0` keeps the probe a probe.
 */
import type pg from 'pg'
import { NO_TENANT, type CredentialId, type EventId } from '#core/keys.ts'
import { type LinkFacts, PROXIMITY_NS } from '../attribute.ts'
import type { ChangedSpan } from '../directory/changes.ts'
import { GCP_ANCHOR_NS } from '../link/sessions.ts'
import { LINK_COLUMNS, type LinkRow, linkFacts } from './rows.ts'

/** Names an event by the key of its table. */
export interface EventRef {
  readonly timeNs: bigint
  readonly id: EventId
}

interface RefRow {
  readonly time_ns: bigint
  readonly event_id: EventId
}

const refOf = (row: RefRow): EventRef => ({ timeNs: row.time_ns, id: row.event_id })

/** A set of event references. */
export class RefSet {
  readonly #refs = new Map<EventId, EventRef>()
  addAll(refs: Iterable<EventRef>): void {
    for (const ref of refs) this.#refs.set(ref.id, ref)
  }
  /** In order of time, so that what is looked up together stands together. */
  all(): readonly EventRef[] {
    return [...this.#refs.values()].toSorted((a, b) => (a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : 0))
  }
}

/** Reads the facts of events; one that is gone (replaced by a better text) is left out. */
export type FactReader = (refs: readonly EventRef[]) => Promise<LinkFacts[]>

/** Facts remembered by one reader: a round asks for the same events several times. */
const REMEMBERED = 60_000

/** A reader for one transaction in which facts do not change. Primary key of events. */
export function createFactReader(client: pg.ClientBase): FactReader {
  const remembered = new Map<EventId, LinkFacts>()
  return async (refs) => {
    const missing = refs.filter((ref) => !remembered.has(ref.id))
    const found = new Map<EventId, LinkFacts>()
    if (missing.length > 0) {
      const { rows } = await client.query<LinkRow>(
        `select ${LINK_COLUMNS} from unnest($1::bigint[], $2::uuid[]) r(t, i) join events e on e.time_ns = r.t and e.event_id = r.i`,
        [missing.map((ref) => ref.timeNs), missing.map((ref) => ref.id)],
      )
      for (const row of rows) {
        const facts = linkFacts(row)
        found.set(facts.id, facts)
        if (remembered.size < REMEMBERED) remembered.set(facts.id, facts)
      }
    }
    return refs.flatMap((ref) => found.get(ref.id) ?? remembered.get(ref.id) ?? [])
  }
}

/** Events that stand in the timelines of these oids in these spans. Primary key of timeline. */
export async function spannedEvents(client: pg.ClientBase, spans: readonly ChangedSpan[]): Promise<EventRef[]> {
  if (spans.length === 0) return []
  const { rows } = await client.query<RefRow>(
    `select distinct l.time_ns, l.event_id from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) r(tenant, oid, since, until)
     join timeline l on l.tenant_id = r.tenant and l.oid = r.oid
       and l.time_ns >= coalesce(r.since, -9223372036854775808) and (r.until is null or l.time_ns < r.until)`,
    [spans.map((span) => span.tenantId ?? NO_TENANT), spans.map((span) => span.oid), spans.map((span) => span.from), spans.map((span) => span.to)],
  )
  return rows.map(refOf)
}

/** A span with an end. */
type Ended = ChangedSpan & { readonly to: bigint }

const endedColumns = (spans: readonly Ended[]): unknown[] => [
  spans.map((span) => span.tenantId ?? NO_TENANT),
  spans.map((span) => span.oid),
  spans.map((span) => span.to),
]

/** Successful exchanges of these principals up to so long before the spans end. Primary key of timeline. */
export async function exchangesBefore(client: pg.ClientBase, spans: readonly Ended[], reachNs: bigint): Promise<EventRef[]> {
  const { rows } = await client.query<RefRow>(
    `select distinct l.time_ns, l.event_id from unnest($1::uuid[], $2::uuid[], $3::bigint[]) r(tenant, oid, until)
     join timeline l on l.tenant_id = r.tenant and l.oid = r.oid and l.time_ns >= r.until - $4::bigint and l.time_ns < r.until and l.is_subject and l.kind = 'token.exchanged'`,
    [...endedColumns(spans), reachNs],
  )
  return rows.map(refOf)
}

/** What these principals did on Google Cloud as long after the spans' ends as it may belong to an exchange before them. Primary key of timeline. */
export async function anchoredAfter(client: pg.ClientBase, spans: readonly Ended[]): Promise<EventRef[]> {
  const { rows } = await client.query<RefRow>(
    `select distinct l.time_ns, l.event_id from unnest($1::uuid[], $2::uuid[], $3::bigint[]) r(tenant, oid, until)
     join timeline l on l.tenant_id = r.tenant and l.oid = r.oid and l.time_ns >= r.until and l.time_ns <= r.until + $4::bigint and l.is_subject and l.source = 'gcp'`,
    [...endedColumns(spans), GCP_ANCHOR_NS],
  )
  return rows.map(refOf)
}

/** Events of federated subjects in pools that match one of the LIKE patterns. Index events_pool. */
export async function pooledEvents(client: pg.ClientBase, patterns: readonly string[]): Promise<EventRef[]> {
  const found: EventRef[] = []
  for (const pattern of patterns) {
    const { rows } = await client.query<RefRow>('select e.time_ns, e.event_id from events e where e.pool like $1', [pattern])
    found.push(...rows.map(refOf))
  }
  return found
}

/** Events that wait for one of these ids. Primary key of waiting. */
export async function waitingFor(client: pg.ClientBase, ids: readonly string[]): Promise<EventRef[]> {
  if (ids.length === 0) return []
  const { rows } = await client.query<RefRow>('select time_ns, event_id from waiting where key = any($1::uuid[])', [ids])
  return rows.map(refOf)
}

/** Everything done with these credentials and with the credentials minted from them. Indexes events_uses and events_issues. */
export async function dependants(client: pg.ClientBase, credentials: readonly string[]): Promise<EventRef[]> {
  const found: EventRef[] = []
  const asked = new Set<string>()
  let next = credentials.filter((key) => key.startsWith('aws:'))
  while (next.length > 0) {
    for (const key of next) asked.add(key)
    const { rows } = await client.query<RefRow & { issues: string | null }>(
      `select e.time_ns, e.event_id, e.issues from events e where e.uses = any($1::text[])
       union all select e.time_ns, e.event_id, null from events e where e.issues = any($1::text[]) and e.proof = 'issued'`,
      [next],
    )
    found.push(...rows.map(refOf))
    next = [...new Set(rows.flatMap((row) => (row.issues && !asked.has(row.issues) ? [row.issues] : [])))]
  }
  return found
}

/** Whatever issued these credentials. Index events_issues. */
export async function issuing(client: pg.ClientBase, credentials: readonly string[]): Promise<EventRef[]> {
  if (credentials.length === 0) return []
  const { rows } = await client.query<RefRow>('select e.time_ns, e.event_id from events e where e.issues = any($1::text[])', [credentials])
  return rows.map(refOf)
}

/** Usage logs with these request keys. Index events_request_key. */
export async function meteredWith(client: pg.ClientBase, requestKeys: readonly string[]): Promise<EventRef[]> {
  if (requestKeys.length === 0) return []
  const { rows } = await client.query<RefRow>(`select e.time_ns, e.event_id from events e where e.request_key = any($1::text[]) and e.kind = 'llm.metered'`, [
    requestKeys,
  ])
  return rows.map(refOf)
}

/** Mints without a subject that follow one of these exchanges closely, or (`key`) any with this near key. Index events_near_key. */
export async function mintsNear(client: pg.ClientBase, exchanges: readonly LinkFacts[], key?: string): Promise<EventRef[]> {
  if (exchanges.length === 0 && !key) return []
  const { rows } = key
    ? await client.query<RefRow>(`select e.time_ns, e.event_id from events e where e.near_key = $1 and e.proof = 'proximity'`, [key])
    : await client.query<RefRow>(
        `select e.time_ns, e.event_id from unnest($1::text[], $2::bigint[]) r(near, t) cross join lateral
         (select e.time_ns, e.event_id from events e where e.near_key = r.near and e.time_ns between r.t and r.t + $3::bigint and e.proof = 'proximity' offset 0) e`,
        [exchanges.map((one) => one.nearKey), exchanges.map((one) => one.timeNs), PROXIMITY_NS],
      )
  return rows.map(refOf)
}

type Lookup<Key extends string> = (key: Key) => readonly LinkFacts[]

function grouped<Key extends string>(events: readonly LinkFacts[], keyOf: (event: LinkFacts) => Key | null): Lookup<Key> {
  const groups = new Map<Key, LinkFacts[]>()
  // Sorted, so that no conclusion depends on the order in which the database returns rows.
  for (const event of events.toSorted((a, b) => (a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : a.id < b.id ? -1 : 1))) {
    const key = keyOf(event)
    if (key === null) continue
    const group = groups.get(key)
    if (group) group.push(event)
    else groups.set(key, [event])
  }
  return (key) => groups.get(key) ?? []
}

/** Who issued the credentials that these events use or name, through all hops. Index events_issues. */
export async function issuersOf(client: pg.ClientBase, events: readonly LinkFacts[]): Promise<Lookup<CredentialId>> {
  const found = new Map<EventId, LinkFacts>()
  const asked = new Set<CredentialId>()
  let next = new Set(events.flatMap((event) => [event.uses ?? event.issues]).filter((key) => key !== null))
  while (next.size > 0) {
    for (const key of next) asked.add(key)
    const { rows } = await client.query<LinkRow>(`select ${LINK_COLUMNS} from events e where e.issues = any($1::text[])`, [[...next]])
    const issuers = rows.map(linkFacts)
    for (const issuer of issuers) found.set(issuer.id, issuer)
    next = new Set(issuers.flatMap((issuer) => (issuer.uses && !asked.has(issuer.uses) ? [issuer.uses] : [])))
  }
  return grouped([...found.values()], (event) => event.issues)
}

/** The invocations that these usage logs name. Index events_request_key. */
export async function invocationsOf(client: pg.ClientBase, events: readonly LinkFacts[]): Promise<Lookup<string>> {
  const keys = [...new Set(events.flatMap((event) => (event.proof.by === 'request' && event.requestKey ? [event.requestKey] : [])))]
  if (keys.length === 0) return () => []
  const { rows } = await client.query<LinkRow>(`select ${LINK_COLUMNS} from events e where e.request_key = any($1::text[]) and e.kind = 'llm.invoked'`, [keys])
  return grouped(rows.map(linkFacts), (event) => event.requestKey)
}

/** Successful exchanges that these mints may belong to. Index events_near_key. */
export async function exchangesNear(client: pg.ClientBase, events: readonly LinkFacts[]): Promise<Lookup<string>> {
  const mints = events.filter((event) => event.proof.by === 'proximity' && event.nearKey)
  if (mints.length === 0) return () => []
  const { rows } = await client.query<LinkRow>(
    `select distinct on (e.time_ns, e.event_id) ${LINK_COLUMNS} from unnest($1::text[], $2::bigint[]) r(near, t) cross join lateral
     (select * from events e where e.near_key = r.near and e.time_ns between r.t - $3::bigint and r.t and e.kind = 'token.exchanged' and e.outcome = 'success' offset 0) e`,
    [mints.map((one) => one.nearKey), mints.map((one) => one.timeNs), PROXIMITY_NS],
  )
  return grouped(rows.map(linkFacts), (event) => event.nearKey)
}
