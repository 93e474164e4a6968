/**
 * Looks for an identifier inside the records themselves: a bucket, a trail, a parameter, anything that no column and no index holds. That takes time with every record, so it
 * goes back from the latest so many events and says how far it came.
 */
import { unpackTexts } from '#database/chunk.ts'
import { type Store, eventInScope, scopeOf } from './store.ts'

/** Events whose records are looked through where nobody asks for more; about two seconds. */
export const SCANNED = 50_000
/** Events that are remembered; more are "at least so many". */
const MAX_FOUND = 10_000
const PAGE = 2_000
/** Blocks in memory at a time. */
const BLOCKS = 64

export interface RecordScan {
  /** Events whose record names it, the latest first; at most 10,001. */
  readonly eventIds: readonly string[]
  /** Events that were looked through. */
  readonly events: number
  /** Time of the oldest of these, where there are older ones that were not; null where everything was looked through. */
  readonly backToNs: bigint | null
}

interface Row {
  readonly time_ns: bigint
  readonly event_id: string
  readonly account: string | null
  readonly chunk_id: bigint
  readonly slot: number
}

/**
 * @param most events to look through at most; null for all
 * @param signal ends it early, by throwing its reason
 */
export async function scanRecords(store: Store, text: string, most: number | null, signal?: AbortSignal): Promise<RecordScan> {
  const names = mention(text)
  const found: string[] = []
  let events = 0
  let [time, id]: [bigint | null, string | null] = [null, null]
  for (;;) {
    signal?.throwIfAborted()
    const size = most === null ? PAGE : Math.min(PAGE, most - events)
    if (size <= 0) return { eventIds: found, events, backToNs: (await older(store, time, id)) ? time : null }
    // Primary keys of events (from its end), heads and conclusions.
    const { rows }: { rows: readonly Row[] } = await store.query<Row>(
      `select e.time_ns, e.event_id, e.account, h.chunk_id, h.slot
       from events e join heads h on h.event_id = e.event_id left join conclusions c on c.time_ns = e.time_ns and c.event_id = e.event_id
       where ($1::bigint is null or (e.time_ns, e.event_id) < ($1::bigint, $2::uuid)) and ${eventInScope('c', '$3')}
       order by e.time_ns desc, e.event_id desc limit ${size}`,
      [time, id, scopeOf(store)],
    )
    const mentioned = await mentioning(store, rows, names)
    for (const row of rows) if (found.length <= MAX_FOUND && (row.account === text || mentioned.has(row.event_id))) found.push(row.event_id)
    events += rows.length
    const last = rows.at(-1)
    if (!last || rows.length < size) return { eventIds: found, events, backToNs: null }
    ;[time, id] = [last.time_ns, last.event_id]
    // Enough to say "more than": the rest would only be counted.
    if (found.length > MAX_FOUND) return { eventIds: found, events, backToNs: time }
  }
}

async function older(store: Store, time: bigint | null, id: string | null): Promise<boolean> {
  const { rows } = await store.query(
    `select 1 from events e left join conclusions c on c.time_ns = e.time_ns and c.event_id = e.event_id
     where ($1::bigint is null or (e.time_ns, e.event_id) < ($1::bigint, $2::uuid)) and ${eventInScope('c', '$3')} order by e.time_ns desc limit 1`,
    [time, id, scopeOf(store)],
  )
  return rows.length > 0
}

/** Those of the events whose record names it. A block holds records of others, too: only the slots of these are read. */
async function mentioning(store: Store, rows: readonly Row[], names: (text: string) => boolean): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  const byChunk = [...Map.groupBy(rows, (row) => row.chunk_id)]
  for (let at = 0; at < byChunk.length; at += BLOCKS) {
    const chunks = new Map(byChunk.slice(at, at + BLOCKS))
    const { rows: bodies } = await store.query<{ id: bigint; body: Buffer | null }>(
      // A bound caller is handed a block for an event that they may see (`trailjoin_chunk`).
      `select n.chunk as id, coalesce((select k.body from chunks k where k.id = n.chunk), trailjoin_chunk(n.event, n.chunk)) as body
       from unnest($1::bigint[], $2::uuid[]) n(chunk, event)`,
      [[...chunks.keys()], [...chunks.values()].map((ofChunk) => ofChunk[0]!.event_id)],
    )
    for (const { id, body } of bodies) {
      if (!body) throw new Error(`Chunk ${id} is missing.`)
      const ofChunk = chunks.get(id)!
      const texts = unpackTexts(
        body,
        ofChunk.map(({ slot }) => slot),
      )
      ofChunk.forEach((row, index) => names(texts[index]!) && found.add(row.event_id))
    }
  }
  return found
}

/**
 * Whether a text names the identifier, in any case: as a whole, not as a part of a longer word or name (`192.0.2.1` is not in `192.0.2.10`, `a@b.example` not in `a@b.example.net`),
 * and as JSON writes it. What is below it counts: a bucket is named by the ARN of an object in it.
 */
function mention(identifier: string): (text: string) => boolean {
  const written = JSON.stringify(identifier).slice(1, -1)
  const forms = [...new Set([identifier, written])].map((form) => form.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`).replaceAll('/', String.raw`\\?/`))
  const before = /^\w/.test(identifier) ? String.raw`(?<![\w-])` : ''
  const after = /\w$/.test(identifier) ? String.raw`(?![\w-]|\.\w)` : ''
  const expression = new RegExp(`${before}(?:${forms.join('|')})${after}`, 'i')
  return (text) => expression.test(text)
}
