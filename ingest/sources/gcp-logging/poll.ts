import { z } from 'zod'
import type { Json } from '#core/record.ts'
import { HOUR, formatTime, parseTime } from '#core/time.ts'
import { SourceError } from '../../engine/source-error.ts'
import type { Page, SourceContext } from '../../engine/source.ts'
import type { Delivered } from '../overlap/delivered.ts'
import { piecesOf } from '../overlap/pieces.ts'
import { isStaleToken, listEntries, windowFilter } from './list.ts'
import type { Listing, LogReader } from './list.ts'

/** Resources that are read together. */
export interface ResourcePart {
  readonly name: string
  readonly resourceNames: readonly string[]
  readonly filter: string
  /** How far back the first poll reaches (ns). */
  readonly start: bigint
  /** What is read again at each poll (ns). */
  readonly overlap: bigint
  readonly pageSize: number
  readonly reader: LogReader
  readonly delivered: Delivered
  readonly context: Pick<SourceContext, 'now' | 'log'>
}

/**
 * A long stretch is read in windows, so that the cursor moves also through stretches without entries, and no page token grows old. Reads are few, so windows
 * that one page holds grow.
 */
const FIRST_WINDOW = 24n * HOUR
const LAST_WINDOW = 32n * FIRST_WINDOW

/** `through`: every entry with an earlier timestamp was read, as far as the service showed it then. `seen`: whether there ever was one. */
const Cursor = z.object({ through: z.iso.datetime({ precision: 9 }), seen: z.boolean() })

interface Position {
  through: bigint
  seen: boolean
}

/** Yields a page for each answer, oldest entries first. */
export async function* pollEntries(part: ResourcePart, stored: Json | null, signal: AbortSignal): AsyncGenerator<Page, void, void> {
  const end = BigInt(part.context.now()) * 1_000_000n
  const known = stored === null ? null : Cursor.parse(stored)
  const position: Position = { through: known === null ? end - part.start : parseTime(known.through)!, seen: known?.seen ?? false }
  let width = FIRST_WINDOW
  for (let from = known === null ? position.through : position.through - part.overlap; from < end;) {
    const until = from + width < end ? from + width : end
    const pages = yield* readWindow(part, from, until, position, signal)
    if (pages > 1) width = FIRST_WINDOW
    else if (width < LAST_WINDOW) width *= 2n
    from = until
  }
}

/** Returns how many pages it had. */
async function* readWindow(part: ResourcePart, begin: bigint, until: bigint, position: Position, signal: AbortSignal): AsyncGenerator<Page, number, void> {
  const { name, delivered, overlap, context } = part
  let from = begin
  let token: string | undefined
  let reached = begin
  for (let pages = 1; ; pages++) {
    let listing: Listing
    try {
      listing = await listEntries(part.reader, requestOf(part, from, until, token), signal)
    } catch (error) {
      if (token === undefined || !isStaleToken(error)) throw error
      // Reading goes on at the last entry that came; the same instant is read again, because it may have more of them.
      if (reached === from) throw new SourceError('SOURCE_PARTIAL', `page tokens of ${name} expire before they lead anywhere`, { cause: error })
      context.log('info', 'page token expired, reading on from the last entry', { part: name })
      from = reached
      token = undefined
      continue
    }
    const { entries, latest, nextPageToken } = listing
    if (nextPageToken !== undefined && nextPageToken === token && entries.length === 0)
      throw new SourceError('SOURCE_PARTIAL', `page tokens of ${name} lead in a circle`)
    token = nextPageToken
    if (latest !== null && latest > reached) reached = latest
    const done = token === undefined
    const through = done ? until : reached
    if (through > position.through) position.through = through
    position.seen ||= entries.length > 0
    const fresh = delivered.fresh(entries)
    yield {
      pieces: piecesOf(
        `gcp:logging/${name}`,
        fresh.map(({ text }) => text),
      ),
      cursor: { through: formatTime(position.through), seen: position.seen },
      // Without a single entry ever, audit logs may be switched off: then nothing proves anything.
      watermark: done && position.seen ? until - overlap : null,
    }
    delivered.add(fresh)
    if (done) return pages
  }
}

function requestOf({ resourceNames, filter, pageSize }: ResourcePart, from: bigint, until: bigint, token: string | undefined) {
  return {
    resourceNames,
    filter: windowFilter(filter, from, until),
    orderBy: 'timestamp asc' as const,
    pageSize,
    ...(token === undefined ? {} : { pageToken: token }),
  }
}
