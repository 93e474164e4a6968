/**
 * Writes facts: the only writer of heads, variants, events, chunks, directory_facts, rejected and shapes. One batch is one
 * transaction; `pending` is written with it, so that no fact can be stored without being concluded from.
 */
import type pg from 'pg'
import { RECORDS_PER_CHUNK, packChunk } from '#database/chunk.ts'
import { type CopyValue, copyRows } from '#database/copy.ts'
import type { EventId } from '#core/keys.ts'
import { type Rejection, eventId } from '#core/record.ts'
import { storable } from '#core/text.ts'
import type { Accepted } from '../accept.ts'
import { storeDirectoryFacts } from './directory-facts.ts'
import { takeOut } from './replace.ts'
import { EVENT_COLUMNS, eventRow } from './rows.ts'

const HEAD_COLUMNS = ['event_id', 'time_ns', 'format', 'rank', 'sha256', 'chunk_id', 'slot', 'file_id', 'line', 'masked', 'context_tenant'] as const

export interface StoredCounts {
  readonly stored: number
  readonly duplicates: number
  readonly variants: number
  /** Events that were not known before. */
  readonly storedIds: ReadonlySet<EventId>
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
  readonly context_tenant: string | null
}

/** What decides which text of an event speaks for it. */
interface Version {
  readonly rank: number
  readonly sha256: string
  /** The tenant that an operator declared for it. */
  readonly tenant: string | null
}

const versionOf = (one: Accepted): Version => ({ rank: one.rank, sha256: one.sha256, tenant: one.record.context.tenantId ?? null })
const versionOfHead = (head: Head): Version => ({ rank: head.rank, sha256: head.sha256.toString('hex'), tenant: head.context_tenant })
const sameVersion = (a: Version, b: Version): boolean => a.sha256 === b.sha256 && a.tenant === b.tenant

/** The lower rank, then the smaller hash; of one text that was imported with and without a declared tenant, the declared one. */
function speaksBefore(a: Version, b: Version): boolean {
  if (a.rank !== b.rank) return a.rank < b.rank
  if (a.sha256 !== b.sha256) return a.sha256 < b.sha256
  return a.tenant !== null && (b.tenant === null || a.tenant < b.tenant)
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
export async function storeFacts(
  client: pg.ClientBase,
  accepted: readonly Accepted[],
  rejections: readonly Rejection[],
  dictionary: Dictionary,
  now: Date,
): Promise<StoredCounts> {
  const texts = distinctTexts(accepted)
  const known = await knownHeads(client, [...texts.keys()])
  const fresh: Accepted[] = []
  const further: Accepted[] = []
  for (const [id, versions] of texts) {
    const head = known.get(id)
    if (!head) fresh.push(versions[0]!)
    const rest = head ? versions : versions.slice(1)
    further.push(...rest.filter((version) => !head || !sameVersion(versionOf(version), versionOfHead(head))))
  }
  const later = await withoutKeptVariants(client, further)
  const places = await storeTexts(client, [...fresh, ...later])
  const inserted = await insertHeads(client, fresh, places, dictionary)
  const won = fresh.filter((one) => inserted.has(one.event.id))
  // Another writer stored the event between our look and our insert: then ours is one more text of a known event.
  const raced = fresh.filter((one) => !inserted.has(one.event.id))
  await copyRows(
    client,
    'events',
    EVENT_COLUMNS,
    won.map((one) => eventRow(one.event, now, dictionary.shapeId(one.format, one.unmapped))),
  )
  const contest = await settleContests(client, [...raced, ...later], places, dictionary, now)
  await storeDirectoryFacts(
    client,
    [...fresh, ...later].map((one) => one.event),
  )
  const pending = [...[...won, ...contest.replaced].map((one) => ({ timeNs: one.event.timeNs, id: one.event.id })), ...contest.aftermath.refs]
  if (pending.length > 0) {
    await client.query('insert into pending (times, event_ids, keys) values ($1::bigint[], $2::uuid[], $3::text[])', [
      pending.map((ref) => ref.timeNs),
      pending.map((ref) => ref.id),
      contest.aftermath.keys,
    ])
  }
  await storeRejections(client, rejections, dictionary, now)
  return { stored: won.length, duplicates: accepted.length - won.length, variants: contest.variants, storedIds: inserted }
}

/** The distinct texts of each event in the batch, the one that speaks for it first. Sorted by event id: the order in which rows are locked. */
function distinctTexts(accepted: readonly Accepted[]): Map<EventId, Accepted[]> {
  const groups = new Map<EventId, Accepted[]>()
  for (const one of accepted.toSorted((a, b) => (a.event.id < b.event.id ? -1 : a.event.id > b.event.id ? 1 : 0))) {
    const versions = groups.get(one.event.id)
    if (!versions) groups.set(one.event.id, [one])
    else if (!versions.some((version) => sameVersion(versionOf(version), versionOf(one)))) versions.push(one)
  }
  for (const versions of groups.values()) if (versions.length > 1) versions.sort((a, b) => (speaksBefore(versionOf(a), versionOf(b)) ? -1 : 1))
  return groups
}

async function knownHeads(client: pg.ClientBase, ids: readonly EventId[], lock = false): Promise<Map<EventId, Head>> {
  const { rows } = await client.query<Head>(
    `select event_id, time_ns, rank, sha256, context_tenant from heads where event_id = any($1::uuid[]) order by event_id ${lock ? 'for update' : ''}`,
    [ids],
  )
  return new Map(rows.map((row) => [row.event_id, row]))
}

/** A text that lost once loses always, for what speaks only gets better: one that is kept as a variant already is not looked at again. */
async function withoutKeptVariants(client: pg.ClientBase, texts: readonly Accepted[]): Promise<readonly Accepted[]> {
  if (texts.length === 0) return texts
  const { rows } = await client.query<{ event_id: EventId; sha256: Buffer }>('select event_id, sha256 from variants where event_id = any($1::uuid[])', [
    texts.map((one) => one.event.id),
  ])
  const kept = new Set(rows.map((row) => `${row.event_id}/${row.sha256.toString('hex')}`))
  return texts.filter((one) => !kept.has(`${one.event.id}/${one.sha256}`))
}

async function storeTexts(client: pg.ClientBase, accepted: readonly Accepted[]): Promise<Map<Accepted, Place>> {
  const places = new Map<Accepted, Place>()
  for (let start = 0; start < accepted.length; start += RECORDS_PER_CHUNK) {
    const part = accepted.slice(start, start + RECORDS_PER_CHUNK)
    const chunk = packChunk(part.map((one) => one.record.text))
    const { rows } = await client.query<{ id: bigint }>('insert into chunks (records, raw_bytes, body) values ($1, $2, $3) returning id', [
      chunk.records,
      chunk.rawBytes,
      chunk.body,
    ])
    part.forEach((one, slot) => places.set(one, { chunkId: rows[0]!.id, slot }))
  }
  return places
}

function headRow(one: Accepted, place: Place, dictionary: Dictionary): readonly CopyValue[] {
  const { record, event } = one
  const masked = record.masked.length > 0 ? record.masked : null
  return [
    event.id,
    event.timeNs,
    one.format,
    one.rank,
    Buffer.from(one.sha256, 'hex'),
    place.chunkId,
    place.slot,
    dictionary.fileId(record.origin.file),
    record.origin.line,
    masked,
    record.context.tenantId ?? null,
  ]
}

/** Inserts the heads that are still free and returns their event ids. The unique index decides between concurrent writers. */
async function insertHeads(
  client: pg.ClientBase,
  fresh: readonly Accepted[],
  places: ReadonlyMap<Accepted, Place>,
  dictionary: Dictionary,
): Promise<Set<EventId>> {
  if (fresh.length === 0) return new Set()
  await client.query('create temporary table if not exists stage_heads (like heads) on commit delete rows')
  await copyRows(
    client,
    'stage_heads',
    HEAD_COLUMNS,
    fresh.map((one) => headRow(one, places.get(one)!, dictionary)),
  )
  const columns = HEAD_COLUMNS.join(', ')
  const { rows } = await client.query<{ event_id: EventId }>(
    `insert into heads (${columns}) select ${columns} from stage_heads order by event_id on conflict (event_id) do nothing returning event_id`,
  )
  return new Set(rows.map((row) => row.event_id))
}

/** Further texts of known events: each is kept as a variant, or takes the place of the one that spoke so far. */
async function settleContests(client: pg.ClientBase, contenders: readonly Accepted[], places: ReadonlyMap<Accepted, Place>, dictionary: Dictionary, now: Date) {
  let variants = 0
  if (contenders.length === 0) return { replaced: [], aftermath: { refs: [], keys: [] }, variants }
  // Locked in order of ids, as every writer does. Whoever waited here sees the row as the other writer left it.
  const heads = await knownHeads(
    client,
    contenders.map((one) => one.event.id),
    true,
  )
  const winners = new Map<EventId, Accepted>()
  for (const one of contenders) {
    const best = winners.get(one.event.id)
    const version = versionOf(one)
    if (speaksBefore(version, best ? versionOf(best) : versionOfHead(heads.get(one.event.id)!))) winners.set(one.event.id, one)
  }
  const replaced = [...winners.values()]
  const aftermath =
    replaced.length === 0
      ? { refs: [], keys: [] }
      : await takeOut(
          client,
          replaced.map((one) => ({ timeNs: heads.get(one.event.id)!.time_ns, id: one.event.id })),
        )
  for (const one of replaced) {
    await client.query(
      `insert into variants select event_id, sha256, time_ns, format, rank, chunk_id, slot, file_id, line, masked from heads where event_id = $1 and sha256 <> $2 on conflict do nothing`,
      [one.event.id, Buffer.from(one.sha256, 'hex')],
    )
    await client.query('delete from variants where event_id = $1 and sha256 = $2', [one.event.id, Buffer.from(one.sha256, 'hex')])
    // Changed in place: a writer that waits for this row must find it, not a new one beside it.
    await client.query(
      `update heads set time_ns = $2, format = $3, rank = $4, sha256 = $5, chunk_id = $6, slot = $7, file_id = $8, line = $9, masked = $10, context_tenant = $11 where event_id = $1`,
      [...headRow(one, places.get(one)!, dictionary)],
    )
  }
  await copyRows(
    client,
    'events',
    EVENT_COLUMNS,
    replaced.map((one) => eventRow(one.event, now, dictionary.shapeId(one.format, one.unmapped))),
  )
  for (const one of contenders) {
    const winner = winners.get(one.event.id)
    // The text that spoke is kept already; so is the one that speaks now.
    if (one.sha256 === heads.get(one.event.id)!.sha256.toString('hex')) continue
    if (winner === one) variants += 1
    else if (one.sha256 !== winner?.sha256) variants += await insertVariant(client, one, places.get(one)!, dictionary)
  }
  return { replaced, aftermath, variants }
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

async function storeRejections(client: pg.ClientBase, rejections: readonly Rejection[], dictionary: Dictionary, now: Date): Promise<void> {
  for (const { origin, reason, text } of rejections) {
    await client.query(
      `insert into rejected (id, file_id, line, index, reason, text, rejected_at) values ($1, $2, $3, $4, $5, $6, $7) on conflict (id) do nothing`,
      [
        eventId('rejected', origin.file, String(origin.index), reason, text),
        dictionary.fileId(origin.file),
        origin.line,
        origin.index,
        storable(reason),
        storable(text),
        now,
      ],
    )
  }
}
