/** What is known of one event, and what does it rest on? */
import { unpackText } from '#database/chunk.ts'
import type { EventDetail } from '../contract.ts'
import { blockOf, textsOf } from './event-texts.ts'
import type { StoredText } from './event-texts.ts'
import { eventRows, toItem } from './item.ts'
import type { Store } from './store.ts'

/** The event with its evidence, or null when there is no such event. */
export async function eventDetail(store: Store, id: string): Promise<EventDetail | null> {
  const [row] = await eventRows(store, [id])
  if (!row) return null
  const [head, ...variants] = await textsOf(store, [id])
  const shown = (text: StoredText) => ({ format: text.format, file: text.file, line: text.line, masked: [...(text.masked ?? [])] })
  return {
    ...toItem(row, null),
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
  const texts = await textsOf(store, [id])
  const chosen = sha256 === undefined ? texts[0] : texts.find((text) => text.sha256 === sha256)
  return chosen ? { text: unpackText(await blockOf(store, chosen), chosen.slot), sha256: chosen.sha256 } : null
}
