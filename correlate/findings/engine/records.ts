/**
 * The raw records of a few events: what a trust document allows, what a change of logging set. Such content is not on the event, because it
 * matters for few events and is large; it is read from the evidence itself. Chunks hold up to 256 records, so records are read chunk by chunk.
 */
import { parseJson } from '#core/parse-json.ts'
import type pg from 'pg'
import type { EventId } from '#core/keys.ts'
import type { JsonObject } from '#core/record.ts'
import { unpackTexts } from '#database/chunk.ts'
import { ownSpelling } from '../../formats/reading.ts'

/** Chunks held in memory at once. */
const CHUNKS_AT_ONCE = 32

interface Place {
  readonly id: EventId
  readonly chunk: bigint
  readonly slot: number
}

async function visitAll(client: pg.ClientBase, places: readonly Place[], visit: (id: EventId, text: string) => void): Promise<void> {
  const byChunk = [...Map.groupBy(places, (place) => String(place.chunk))]
  for (let first = 0; first < byChunk.length; first += CHUNKS_AT_ONCE) {
    const group = byChunk.slice(first, first + CHUNKS_AT_ONCE)
    const chunks = await client.query<{ id: bigint; body: Buffer }>('select id, body from chunks where id = any($1::bigint[])', [group.map(([id]) => id)])
    const bodies = new Map(chunks.rows.map((chunk) => [String(chunk.id), chunk.body]))
    for (const [chunk, wanted] of group) {
      const body = bodies.get(chunk)
      if (!body) throw new Error(`Chunk ${chunk} is missing.`)
      unpackTexts(
        body,
        wanted.map((place) => place.slot),
      ).forEach((text, index) => visit(wanted[index]!.id, text))
    }
  }
}

/** The parsed records of these events, as their cloud spells them; one that is not stored is left out. Meant for thousands, not for millions. */
export async function recordsOf(client: pg.ClientBase, ids: readonly EventId[]): Promise<ReadonlyMap<EventId, JsonObject>> {
  const found = new Map<EventId, JsonObject>()
  if (ids.length === 0) return found
  const { rows } = await client.query<Place>('select event_id as id, chunk_id as chunk, slot from heads where event_id = any($1::uuid[])', [ids])
  await visitAll(client, rows, (id, text) => found.set(id, ownSpelling(parseJson(text) as JsonObject)))
  return found
}
