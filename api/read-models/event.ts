/** What is known of one event, and what does it rest on? */
import { unpackText } from '#database/chunk.ts'
import type { EventDetail } from '../contract.ts'
import { ITEM_COLUMNS, ITEM_JOINS, type ItemRow, itemRows, toItem } from './item.ts'
import { type Store, eventInScope, scopeOf } from './store.ts'

interface Text {
  sha256: string
  format: string
  chunk_id: bigint
  slot: number
  file: string
  line: number | null
  masked: string[] | null
}

// Names of files are shown by the function to those whom the table itself shows none (migrations: policies).
const TEXT_COLUMNS = `encode(x.sha256, 'hex') as sha256, x.format, x.chunk_id, x.slot, coalesce(f.name, trailjoin_file(x.event_id, x.file_id)) as file, x.line, x.masked`
const TEXT_JOINS = `
  left join files f on f.id = x.file_id join heads h on h.event_id = x.event_id left join conclusions c on c.time_ns = h.time_ns and c.event_id = h.event_id
  where x.event_id = $1 and ${eventInScope('c', '$2')}`

/** The event with its evidence, or null when there is no such event. */
export async function eventDetail(store: Store, id: string): Promise<EventDetail | null> {
  const rows = await itemRows<ItemRow>(
    store,
    `select ${ITEM_COLUMNS}
     from heads at join events e on e.time_ns = at.time_ns and e.event_id = at.event_id ${ITEM_JOINS}
     where at.event_id = $1 and ${eventInScope('c', '$2')}`,
    [id, scopeOf(store)],
  )
  const row = rows[0]
  if (!row) return null
  const [head, ...variants] = await textsOf(store, id)
  const shown = (text: Text) => ({ format: text.format, file: text.file, line: text.line, masked: text.masked ?? [] })
  return {
    ...toItem(row, null),
    resource: row.resource,
    tokenId: row.token_id,
    asserted: row.asserted ?? [],
    evidence: head ? { rawSha256: head.sha256, ...shown(head), variants: variants.map((text) => ({ sha256: text.sha256, ...shown(text) })) } : null,
  }
}

/**
 * The stored text of an event: the one that speaks for it, or the one with this SHA-256.
 * @returns null when there is none
 */
export async function eventText(store: Store, id: string, sha256?: string): Promise<{ readonly text: string; readonly sha256: string } | null> {
  const texts = await textsOf(store, id)
  const chosen = sha256 === undefined ? texts[0] : texts.find((text) => text.sha256 === sha256)
  if (!chosen) return null
  // A block holds records of others, too: to those whom the table shows none the function hands it out for an event that they may see.
  const { rows } = await store.query<{ body: Buffer | null }>(
    'select body from chunks where id = $1 union all select trailjoin_chunk($2, $1) where not exists (select from chunks where id = $1)',
    [chosen.chunk_id, id],
  )
  const body = rows[0]?.body
  if (!body) throw new Error(`Chunk ${chosen.chunk_id} is missing.`)
  return { text: unpackText(body, chosen.slot), sha256: chosen.sha256 }
}

/** All texts of an event, the one that speaks for it first. */
async function textsOf(store: Store, id: string): Promise<readonly Text[]> {
  const { rows } = await store.query<Text>(
    `select ${TEXT_COLUMNS}, 0 as place from heads x ${TEXT_JOINS}
     union all
     select ${TEXT_COLUMNS}, 1 as place from variants x ${TEXT_JOINS}
     order by place, sha256`,
    [id, scopeOf(store)],
  )
  return rows
}
