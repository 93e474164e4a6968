/** What a bundle needs of many events at once: items, raw texts, and what each record by itself proves. */
import { unpackTexts } from '#database/chunk.ts'
import { ITEM_COLUMNS, ITEM_JOINS, itemRows } from '../../read-models/item.ts'
import type { ItemRow } from '../../read-models/item.ts'
import { eventInScope, scopeOf } from '../../read-models/store.ts'
import type { Store } from '../../read-models/store.ts'
import type { BundleRecord } from './format.ts'

/** These events as far as the store has them and the caller may see them, in order of time. */
export async function rowsOf(store: Store, ids: readonly string[]): Promise<readonly ItemRow[]> {
  return await itemRows<ItemRow>(
    store,
    `select ${ITEM_COLUMNS}
     from heads at join events e on e.time_ns = at.time_ns and e.event_id = at.event_id ${ITEM_JOINS}
     where at.event_id = any($1::uuid[]) and ${eventInScope('c', '$2')} order by e.time_ns, e.event_id`,
    [ids, scopeOf(store)],
  )
}

interface TextRow {
  event_id: string
  sha256: string
  speaks: boolean
  format: string
  chunk_id: bigint
  slot: number
  file: string
  line: number | null
  masked: string[] | null
}

/** All stored texts of these events: in the order of the ids, the one that speaks for its event first. A page's chunks are unpacked one at a time. */
export async function recordsOf(store: Store, ids: readonly string[]): Promise<readonly BundleRecord[]> {
  const columns = `x.event_id, encode(x.sha256, 'hex') as sha256, x.format, x.chunk_id, x.slot, coalesce(f.name, trailjoin_file(x.event_id, x.file_id)) as file, x.line, x.masked`
  const joins = `left join files f on f.id = x.file_id join heads h on h.event_id = x.event_id left join conclusions c on c.time_ns = h.time_ns and c.event_id = h.event_id
    where x.event_id = any($1::uuid[]) and ${eventInScope('c', '$2')}`
  const { rows } = await store.query<TextRow>(
    `select ${columns}, true as speaks from heads x ${joins} union all select ${columns}, false as speaks from variants x ${joins}`,
    [ids, scopeOf(store)],
  )
  const texts = await unpack(store, rows)
  const place = new Map(ids.map((id, index) => [id, index]))
  return rows
    .map((row, index) => ({ row, text: texts[index]! }))
    .toSorted(
      (a, b) =>
        place.get(a.row.event_id)! - place.get(b.row.event_id)! ||
        Number(b.row.speaks) - Number(a.row.speaks) ||
        (a.row.sha256 < b.row.sha256 ? -1 : a.row.sha256 > b.row.sha256 ? 1 : 0),
    )
    .map(({ row, text }) => ({
      eventId: row.event_id,
      sha256: row.sha256,
      speaks: row.speaks,
      format: row.format,
      file: row.file,
      line: row.line,
      masked: row.masked ?? [],
      text,
    }))
}

async function unpack(store: Store, rows: readonly TextRow[]): Promise<readonly string[]> {
  const byChunk = Map.groupBy(
    rows.map((row, index) => ({ row, index })),
    ({ row }) => row.chunk_id,
  )
  const texts = Array.from<string>({ length: rows.length })
  for (const [chunkId, wanted] of byChunk) {
    // Blocks hold records of others, too: the function hands them out for an event that the caller may see.
    const { rows: found } = await store.query<{ body: Buffer | null }>(
      'select body from chunks where id = $1 union all select trailjoin_chunk($2, $1) where not exists (select from chunks where id = $1)',
      [chunkId, wanted[0]!.row.event_id],
    )
    const body = found[0]?.body
    if (!body) throw new Error(`Chunk ${chunkId} is missing.`)
    const unpacked = unpackTexts(
      body,
      wanted.map(({ row }) => row.slot),
    )
    wanted.forEach(({ index }, position) => (texts[index] = unpacked[position]!))
  }
  return texts
}

interface ProofRow {
  event_id: string
  proof: string
  proof_oid: string | null
  proof_app_id: string | null
  proof_kind: string | null
  proof_subject: string | null
  proof_entra: boolean | null
  pool: string | null
  uses: string | null
  issues: string | null
  request_key: string | null
  near_key: string | null
  token_id: string | null
  asserted: string[] | null
  link: string | null
}

/** What the record of each event proves by itself, and the keys that join it to others. */
export async function proofsOf(store: Store, ids: readonly string[]): Promise<ReadonlyMap<string, Readonly<Record<string, unknown>>>> {
  const { rows } = await store.query<ProofRow>(
    `select e.event_id, e.proof, e.proof_oid, e.proof_app_id, e.proof_kind, e.proof_subject, e.proof_entra, e.pool, e.uses, e.issues, e.request_key, e.near_key, e.token_id,
       e.asserted, c.link
     from heads h join events e on e.time_ns = h.time_ns and e.event_id = h.event_id left join conclusions c on c.time_ns = e.time_ns and c.event_id = e.event_id
     where h.event_id = any($1::uuid[]) and ${eventInScope('c', '$2')}`,
    [ids, scopeOf(store)],
  )
  return new Map(
    rows.map((row) => [
      row.event_id,
      {
        recordProves: {
          by: row.proof,
          oid: row.proof_oid,
          appId: row.proof_app_id,
          kind: row.proof_kind,
          subject: row.proof_subject,
          entraIssuer: row.proof_entra,
          pool: row.pool,
        },
        usesCredential: row.uses,
        issuesCredential: row.issues,
        requestKey: row.request_key,
        nearKey: row.near_key,
        tokenId: row.token_id,
        asserted: row.asserted ?? [],
        parentLink: row.link,
      },
    ]),
  )
}
