/** What a bundle needs of many events at once: raw texts, and what each record by itself proves. */
import { unpackTexts } from '#database/chunk.ts'
import { blockOf, textsOf } from '../../read-models/event-texts.ts'
import type { StoredText } from '../../read-models/event-texts.ts'
import { eventInScope, scopeOf } from '../../read-models/store.ts'
import type { Store } from '../../read-models/store.ts'
import type { BundleRecord } from './format.ts'

/** All stored texts of these events: in the order of the ids, the one that speaks for its event first. A page's chunks are unpacked one at a time. */
export async function recordsOf(store: Store, ids: readonly string[]): Promise<readonly BundleRecord[]> {
  const rows = await textsOf(store, ids)
  const texts = await unpack(store, rows)
  return rows.map((row, index) => ({
    eventId: row.event_id,
    sha256: row.sha256,
    speaks: row.speaks,
    format: row.format,
    file: row.file,
    line: row.line,
    masked: [...(row.masked ?? [])],
    text: texts[index]!,
  }))
}

async function unpack(store: Store, rows: readonly StoredText[]): Promise<readonly string[]> {
  const byChunk = Map.groupBy(
    rows.map((row, index) => ({ row, index })),
    ({ row }) => row.chunk_id,
  )
  const texts = Array.from<string>({ length: rows.length })
  for (const wanted of byChunk.values()) {
    const unpacked = unpackTexts(
      await blockOf(store, wanted[0]!.row),
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
