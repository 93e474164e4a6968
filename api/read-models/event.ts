/** What is known of one event, and what does it rest on? */
import { readRecordText } from '#database/chunk.ts'
import type { EventDetail } from '../contract.ts'
import { ITEM_COLUMNS, ITEM_JOINS, toItem } from './item.ts'
import type { ItemRow } from './item.ts'
import type { Store } from './store.ts'

interface Text {
  sha256: string
  format: string
  chunk_id: bigint
  slot: number
  file: string
  line: number | null
  masked: string[] | null
}

const TEXT_COLUMNS = `encode(x.sha256, 'hex') as sha256, x.format, x.chunk_id, x.slot, f.name as file, x.line, x.masked`

/** The event with its evidence, or null when there is no such event. */
export async function eventDetail(store: Store, id: string): Promise<EventDetail | null> {
  const { rows } = await store.query<ItemRow>(
    `select ${ITEM_COLUMNS}
     from heads at join events e on e.time_ns = at.time_ns and e.event_id = at.event_id ${ITEM_JOINS}
     where at.event_id = $1`,
    [id],
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
  return { text: await readRecordText(store, chosen.chunk_id, chosen.slot), sha256: chosen.sha256 }
}

/** All texts of an event, the one that speaks for it first. */
async function textsOf(store: Store, id: string): Promise<readonly Text[]> {
  const { rows } = await store.query<Text>(
    `select ${TEXT_COLUMNS}, 0 as place from heads x join files f on f.id = x.file_id where x.event_id = $1
     union all
     select ${TEXT_COLUMNS}, 1 as place from variants x join files f on f.id = x.file_id where x.event_id = $1
     order by place, sha256`,
    [id],
  )
  return rows
}
