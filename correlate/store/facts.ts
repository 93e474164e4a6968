/**
 * Writes facts: the only writer of heads, variants, events, chunks, directory_facts, rejected and shapes. One batch is one
 * transaction; `pending` is written with it, so that no fact can be stored without being concluded from.
 */
import type pg from 'pg'
import { RECORDS_PER_CHUNK, packChunk } from '#database/chunk.ts'
import { type CopyValue, copyRows } from '#database/copy.ts'
import { NO_TENANT, type EventId } from '#core/keys.ts'
import { type Rejection, eventId } from '#core/record.ts'
import { storable } from '#core/text.ts'
import type { Accepted } from '../accept.ts'
import { storeDirectoryFacts } from './directory-facts.ts'
import { DERIVE_LOCK } from './locks.ts'
import { EVENT_COLUMNS, eventRow } from './rows.ts'

const HEAD_COLUMNS = ['event_id', 'time_ns', 'format', 'rank', 'sha256', 'chunk_id', 'slot', 'file_id', 'line', 'masked'] as const

export interface StoredCounts {
  readonly stored: number
  readonly duplicates: number
  readonly variants: number
}

/** Where the text of a record is kept. */
interface Place {
  readonly chunkId: bigint
  readonly slot: number
}

interface Head {
  readonly event_id: EventId
  readonly time_ns: bigint
  readonly rank: number
  readonly sha256: Buffer
}

/** Ids that stand for file names and shapes; looked up before the transaction, in statements of their own. */
export interface Dictionary {
  readonly fileId: (name: string) => number
  readonly shapeId: (format: string, unmapped: readonly string[]) => number | null
}

/**
 * Stores one batch inside the caller's transaction.
 * Of several texts of one event the one with the lowest rank, then the smallest hash, speaks for it; the others become variants.
 */
export async function storeFacts(client: pg.ClientBase, accepted: readonly Accepted[], rejections: readonly Rejection[], dictionary: Dictionary, now: Date): Promise<StoredCounts> {
  const texts = distinctTexts(accepted)
  const known = await knownHeads(client, [...texts.keys()])
  const fresh: Accepted[] = []
  const later: Accepted[] = []
  for (const [id, versions] of texts) {
    const head = known.get(id)
    if (!head) fresh.push(versions[0]!)
    const rest = head ? versions : versions.slice(1)
    later.push(...rest.filter((version) => version.sha256 !== head?.sha256.toString('hex')))
  }
  const places = await storeTexts(client, [...fresh, ...later])
  const inserted = await insertHeads(client, fresh, places, dictionary)
  const won = fresh.filter((one) => inserted.has(one.event.id))
  // Another writer stored the event between our look and our insert: then ours is one more text of a known event.
  const raced = fresh.filter((one) => !inserted.has(one.event.id))
  await copyRows(client, 'events', EVENT_COLUMNS, won.map((one) => eventRow(one.event, now, dictionary.shapeId(one.format, one.unmapped))))
  const contest = await settleContests(client, [...raced, ...later], places, dictionary, now)
  await storeDirectoryFacts(client, [...fresh, ...later].map((one) => one.event))
  const changed = [...won, ...contest.replaced]
  if (changed.length > 0) {
    await client.query('insert into pending (times, event_ids, keys) values ($1::bigint[], $2::uuid[], $3::text[])', [
      changed.map((one) => one.event.timeNs),
      changed.map((one) => one.event.id),
      contest.keys,
    ])
  }
  await storeRejections(client, rejections, dictionary, now)
  return { stored: won.length, duplicates: accepted.length - won.length, variants: contest.variants }
}

/** The distinct texts of each event in the batch, the one that speaks for it first. Sorted by event id: the order in which rows are locked. */
function distinctTexts(accepted: readonly Accepted[]): Map<EventId, Accepted[]> {
  const groups = new Map<EventId, Accepted[]>()
  for (const one of accepted.toSorted((a, b) => (a.event.id < b.event.id ? -1 : a.event.id > b.event.id ? 1 : 0))) {
    const versions = groups.get(one.event.id)
    if (!versions) groups.set(one.event.id, [one])
    else if (!versions.some((version) => version.sha256 === one.sha256)) versions.push(one)
  }
  for (const versions of groups.values()) if (versions.length > 1) versions.sort((a, b) => (speaksBefore(a, b) ? -1 : 1))
  return groups
}

function speaksBefore(a: { rank: number; sha256: string }, b: { rank: number; sha256: string }): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.sha256 < b.sha256)
}

async function knownHeads(client: pg.ClientBase, ids: readonly EventId[], lock = false): Promise<Map<EventId, Head>> {
  const { rows } = await client.query<Head>(`select event_id, time_ns, rank, sha256 from heads where event_id = any($1::uuid[]) order by event_id ${lock ? 'for update' : ''}`, [ids])
  return new Map(rows.map((row) => [row.event_id, row]))
}

async function storeTexts(client: pg.ClientBase, accepted: readonly Accepted[]): Promise<Map<Accepted, Place>> {
  const places = new Map<Accepted, Place>()
  for (let start = 0; start < accepted.length; start += RECORDS_PER_CHUNK) {
    const part = accepted.slice(start, start + RECORDS_PER_CHUNK)
    const chunk = packChunk(part.map((one) => one.record.text))
    const { rows } = await client.query<{ id: bigint }>('insert into chunks (records, raw_bytes, body) values ($1, $2, $3) returning id', [chunk.records, chunk.rawBytes, chunk.body])
    part.forEach((one, slot) => places.set(one, { chunkId: rows[0]!.id, slot }))
  }
  return places
}

function headRow(one: Accepted, place: Place, dictionary: Dictionary): readonly CopyValue[] {
  const { record, event } = one
  const masked = record.masked.length > 0 ? record.masked : null
  return [event.id, event.timeNs, one.format, one.rank, Buffer.from(one.sha256, 'hex'), place.chunkId, place.slot, dictionary.fileId(record.origin.file), record.origin.line, masked]
}

/** Inserts the heads that are still free and returns their event ids. The unique index decides between concurrent writers. */
async function insertHeads(client: pg.ClientBase, fresh: readonly Accepted[], places: ReadonlyMap<Accepted, Place>, dictionary: Dictionary): Promise<Set<EventId>> {
  if (fresh.length === 0) return new Set()
  await client.query('create temporary table if not exists stage_heads (like heads) on commit delete rows')
  await copyRows(client, 'stage_heads', HEAD_COLUMNS, fresh.map((one) => headRow(one, places.get(one)!, dictionary)))
  const columns = HEAD_COLUMNS.join(', ')
  const { rows } = await client.query<{ event_id: EventId }>(
    `insert into heads (${columns}) select ${columns} from stage_heads order by event_id on conflict (event_id) do nothing returning event_id`,
  )
  return new Set(rows.map((row) => row.event_id))
}

/** Further texts of known events: each is kept as a variant, or takes the place of the one that spoke so far. */
async function settleContests(client: pg.ClientBase, contenders: readonly Accepted[], places: ReadonlyMap<Accepted, Place>, dictionary: Dictionary, now: Date) {
  const replaced = new Map<EventId, Accepted>()
  const keys = new Set<string>()
  let variants = 0
  if (contenders.length === 0) return { replaced: [], keys: [], variants }
  const heads = await knownHeads(client, contenders.map((one) => one.event.id), true)
  let locked = false
  for (const one of contenders.toSorted((a, b) => (a.event.id < b.event.id ? -1 : a.event.id > b.event.id ? 1 : 0))) {
    const head = heads.get(one.event.id)!
    if (head.sha256.toString('hex') === one.sha256) continue
    if (!speaksBefore(one, { rank: head.rank, sha256: head.sha256.toString('hex') })) {
      variants += await insertVariant(client, one, places.get(one)!, dictionary)
      continue
    }
    // The deriver may be reading the row that is about to go; it must not conclude from it afterwards.
    if (!locked) await client.query('select pg_advisory_xact_lock($1)', [DERIVE_LOCK])
    locked = true
    for (const key of await removeEvent(client, head)) keys.add(key)
    await client.query(
      `with moved as (delete from heads where event_id = $1 returning *)
       insert into variants select event_id, sha256, time_ns, format, rank, chunk_id, slot, file_id, line, masked from moved on conflict do nothing`,
      [one.event.id],
    )
    await client.query('delete from variants where event_id = $1 and sha256 = $2', [one.event.id, Buffer.from(one.sha256, 'hex')])
    await copyRows(client, 'heads', HEAD_COLUMNS, [headRow(one, places.get(one)!, dictionary)])
    await copyRows(client, 'events', EVENT_COLUMNS, [eventRow(one.event, now, dictionary.shapeId(one.format, one.unmapped))])
    heads.set(one.event.id, { event_id: one.event.id, time_ns: one.event.timeNs, rank: one.rank, sha256: Buffer.from(one.sha256, 'hex') })
    replaced.set(one.event.id, one)
    variants += 1
  }
  return { replaced: [...replaced.values()], keys: [...keys], variants }
}

async function insertVariant(client: pg.ClientBase, one: Accepted, place: Place, dictionary: Dictionary): Promise<number> {
  const [id, time, format, rank, sha, chunkId, slot, fileId, line, masked] = headRow(one, place, dictionary)
  const result = await client.query(
    `insert into variants (event_id, time_ns, format, rank, sha256, chunk_id, slot, file_id, line, masked) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     on conflict (event_id, sha256) do nothing`,
    [id, time, format, rank, sha, chunkId, slot, fileId, line, masked],
  )
  return result.rowCount ?? 0
}

/** Takes a replaced event out, with what was concluded from it; returns the keys whose dependants must be looked at again. */
async function removeEvent(client: pg.ClientBase, head: Head): Promise<string[]> {
  const { rows } = await client.query<{ issues: string | null; request_key: string | null; near_key: string | null; targets: string[] | null; tenant_id: string | null }>(
    'delete from events where time_ns = $1 and event_id = $2 returning issues, request_key, near_key, targets, tenant_id',
    [head.time_ns, head.event_id],
  )
  const concluded = await client.query<{ oids: string[] }>(
    `delete from conclusions where time_ns = $1 and event_id = $2
     returning array_remove(candidates || array[subject_oid, agent_oid, on_behalf_of], null) as oids`,
    [head.time_ns, head.event_id],
  )
  const oids = [...concluded.rows.flatMap((row) => row.oids), ...rows.flatMap((row) => row.targets ?? [])]
  await client.query(
    `delete from timeline where time_ns = $1 and event_id = $2 and oid = any($3::uuid[])
       and tenant_id = any(array(select distinct tenant_id from directory_facts) || $4::uuid[])`,
    [head.time_ns, head.event_id, oids, [NO_TENANT, ...rows.flatMap((row) => row.tenant_id ?? [])]],
  )
  await client.query('delete from waiting where time_ns = $1 and event_id = $2', [head.time_ns, head.event_id])
  return rows.flatMap((row) => [row.issues, row.request_key, row.near_key]).filter((key) => key !== null)
}

async function storeRejections(client: pg.ClientBase, rejections: readonly Rejection[], dictionary: Dictionary, now: Date): Promise<void> {
  for (const { origin, reason, text } of rejections) {
    await client.query(
      `insert into rejected (id, file_id, line, index, reason, text, rejected_at) values ($1, $2, $3, $4, $5, $6, $7) on conflict (id) do nothing`,
      [eventId('rejected', origin.file, String(origin.index), reason, text), dictionary.fileId(origin.file), origin.line, origin.index, reason, storable(text), now],
    )
  }
}
