/** The stored texts of events: where each is kept, and what it says. */
import { type Store, eventInScope, scopeOf } from './store.ts'

export interface StoredText {
  readonly event_id: string
  readonly sha256: string
  /** It is the one that the event was made from. */
  readonly speaks: boolean
  readonly format: string
  readonly chunk_id: bigint
  readonly slot: number
  readonly file: string
  readonly line: number | null
  readonly masked: readonly string[] | null
}

// Names of files are shown by the function to those whom the table itself shows none (migrations: policies).
const COLUMNS = `x.event_id, encode(x.sha256, 'hex') as sha256, x.format, x.chunk_id, x.slot, coalesce(f.name, trailjoin_file(x.event_id, x.file_id)) as file, x.line, x.masked`
const JOINS = `
  left join files f on f.id = x.file_id join heads h on h.event_id = x.event_id left join conclusions c on c.time_ns = h.time_ns and c.event_id = h.event_id
  where x.event_id = any($1::uuid[]) and ${eventInScope('c', '$2')}`

/** All texts of these events that the caller may see: in the order of the ids, the one that speaks for its event first. */
export async function textsOf(store: Store, ids: readonly string[]): Promise<readonly StoredText[]> {
  const { rows } = await store.query<StoredText>(
    `select ${COLUMNS}, true as speaks from heads x ${JOINS} union all select ${COLUMNS}, false as speaks from variants x ${JOINS}`,
    [ids, scopeOf(store)],
  )
  const place = new Map(ids.map((id, index) => [id, index]))
  return rows.toSorted(
    (a, b) =>
      place.get(a.event_id)! - place.get(b.event_id)! || Number(b.speaks) - Number(a.speaks) || (a.sha256 < b.sha256 ? -1 : a.sha256 > b.sha256 ? 1 : 0),
  )
}

/**
 * The block that holds a text of this event. Blocks hold records of others, too: to those whom the table shows none, the function hands one out for an event that
 * they may see.
 * @throws when it is missing: evidence is never left out in silence
 */
export async function blockOf(store: Store, { chunk_id: chunk, event_id: event }: Pick<StoredText, 'chunk_id' | 'event_id'>): Promise<Buffer> {
  const { rows } = await store.query<{ body: Buffer | null }>(
    'select body from chunks where id = $1 union all select trailjoin_chunk($2, $1) where not exists (select from chunks where id = $1)',
    [chunk, event],
  )
  const body = rows[0]?.body
  if (!body) throw new Error(`Chunk ${chunk} is missing.`)
  return body
}
