/** Linked events for rules, page by page in order of time, from one snapshot and in bounded memory. */
import type pg from 'pg'
import type { Source } from '#core/event.ts'
import { parseJson } from '#core/parse-json.ts'
import type { JsonObject } from '#core/record.ts'
import { unpackTexts } from '#database/chunk.ts'
import { selectList, type FieldName, type FieldValue } from './fields.ts'
import type { SigmaEvent } from './vocabulary/vocabulary.ts'

const PAGE = 5_000
/** With their records, which may stand in as many blocks of 256 as there are events. */
const PAGE_OF_RECORDS = 1_000

export interface EventRange {
  readonly fromNs: bigint | null
  /** Not included. */
  readonly toNs: bigint | null
  /** Null: all. */
  readonly sources: readonly Source[] | null
}

interface Row {
  readonly eventId: string
  readonly eventTime: bigint
  readonly eventTenant: string | null
  readonly recordFormat: string
  readonly chunkId: bigint
  readonly slot: number
  readonly [field: string]: unknown
}

/** Rejects when the database fails. @param asked fields of the events, and whether their records are wanted, too */
export async function* linkedEvents(
  pool: pg.Pool,
  { fields, records }: { readonly fields: readonly FieldName[]; readonly records: boolean },
  { fromNs, toNs, sources }: EventRange,
): AsyncGenerator<SigmaEvent> {
  const client = await pool.connect()
  const size = records ? PAGE_OF_RECORDS : PAGE
  try {
    await client.query('begin transaction isolation level repeatable read read only')
    let [time, id] = [fromNs ?? 0n, '00000000-0000-0000-0000-000000000000']
    for (;;) {
      // Primary key of events.
      const { rows } = await client.query<Row>(
        `select e.event_id as "eventId", e.time_ns as "eventTime", coalesce(c.tenant_id, e.tenant_id) as "eventTenant"
           ${records ? ', h.format as "recordFormat", h.chunk_id as "chunkId", h.slot' : ''}, ${selectList(fields)}
         from events e left join conclusions c on c.time_ns = e.time_ns and c.event_id = e.event_id ${records ? 'join heads h on h.event_id = e.event_id' : ''}
         where (e.time_ns, e.event_id) > ($1::bigint, $2::uuid) and e.time_ns >= $1::bigint and ($3::bigint is null or e.time_ns < $3::bigint)
           and ($4::text[] is null or e.source::text = any($4::text[])) order by e.time_ns, e.event_id limit ${size}`,
        [time, id, toNs, sources],
      )
      const recordOf = records ? await recordsOf(client, rows) : null
      for (const row of rows) {
        yield {
          id: row.eventId,
          timeNs: row.eventTime,
          tenantId: row.eventTenant,
          field: (name) => (row[name] ?? null) as FieldValue,
          ...(recordOf ? { format: row.recordFormat, record: () => recordOf(row) } : {}),
        }
      }
      const last = rows.at(-1)
      if (!last || rows.length < size) return
      ;[time, id] = [last.eventTime, last.eventId]
    }
  } finally {
    await client.query('rollback').catch(() => undefined)
    client.release()
  }
}

type Place = Pick<Row, 'eventId' | 'chunkId' | 'slot'>

/** The records of a page. A block is unpacked when the first of its records is asked for, and only the page's own texts are kept. */
async function recordsOf(client: pg.PoolClient, places: readonly Place[]): Promise<(place: Place) => JsonObject | null> {
  const byChunk = Map.groupBy(places, ({ chunkId }) => chunkId)
  const { rows } = await client.query<{ id: bigint; body: Buffer }>('select id, body from chunks where id = any($1::bigint[])', [[...byChunk.keys()]])
  const bodies = new Map(rows.map(({ id, body }) => [id, body]))
  const texts = new Map<string, string>()
  const parsed = new Map<string, JsonObject | null>()
  const textOf = ({ eventId, chunkId }: Place): string => {
    const known = texts.get(eventId)
    if (known !== undefined) return known
    const body = bodies.get(chunkId)
    if (!body) throw new Error(`Chunk ${chunkId} is missing.`)
    const ofChunk = byChunk.get(chunkId)!
    const unpacked = unpackTexts(
      body,
      ofChunk.map(({ slot }) => slot),
    )
    ofChunk.forEach((place, index) => texts.set(place.eventId, unpacked[index]!))
    return texts.get(eventId)!
  }
  return (place) => {
    const known = parsed.get(place.eventId)
    if (known !== undefined) return known
    const record = objectOf(textOf(place))
    parsed.set(place.eventId, record)
    return record
  }
}

function objectOf(text: string): JsonObject | null {
  try {
    const value = parseJson(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null
  } catch {
    // A text that is no JSON (a line of a table) has no members to ask for.
    return null
  }
}
