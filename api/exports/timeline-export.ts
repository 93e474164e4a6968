/** A timeline written in one of the export formats, page by page, with its manifest at the end. */
import type { TimelineFilters } from '../query.ts'
import type { Store } from '../read-models/store.ts'
import { timelineCount, timelineRows } from '../read-models/timeline.ts'
import type { TimelineRange, TimelineRow } from '../read-models/timeline.ts'
import { WRITERS } from './formats.ts'
import type { ExportFormat } from './formats.ts'
import { createTally } from './manifest.ts'
import type { ExportManifest } from './manifest.ts'

export interface TimelineExport {
  /** The content; to be read once. */
  readonly texts: AsyncGenerator<string>
  /** How many items have been given so far. */
  readonly items: () => number
  /** To be asked for once, after the last text. */
  readonly manifest: () => Promise<ExportManifest>
}

/** Exports all that the range and its filters let through. Memory holds one page. */
export function exportTimeline(store: Store, range: Omit<TimelineRange, 'limit' | 'after'>, format: ExportFormat): TimelineExport {
  return exportRows(store, range, format, timelineRows(store, range), async (items) => ({
    complete: true,
    leftOut: { byFilters: await keptBack(store, range.oid, range.filters, items), byLimit: 0 },
  }))
}

/** Exports what follows a cursor, to the end. What stands before it was given out already and is not counted. */
export function exportRest(store: Store, range: Omit<TimelineRange, 'limit'>, format: ExportFormat): TimelineExport {
  return exportRows(store, range, format, timelineRows(store, range), async () => ({ complete: true, leftOut: { byFilters: null, byLimit: 0 } }))
}

/**
 * Exports these rows.
 * @param rest what to say of the others, asked at the end with the number of items written
 */
export function exportRows(
  store: Store,
  { oid, order, filters }: Pick<TimelineRange, 'oid' | 'order' | 'filters'>,
  format: ExportFormat,
  pages: AsyncIterable<readonly TimelineRow[]>,
  rest: (items: number) => Promise<Pick<ExportManifest, 'complete' | 'leftOut'>>,
): TimelineExport {
  const tally = createTally()
  const writer = WRITERS[format]
  async function* texts(): AsyncGenerator<string> {
    const head = tally.add(writer.head(), [])
    if (head !== '') yield head
    for await (const rows of pages) yield tally.add(writer.rows(rows), rows)
  }
  return {
    texts: texts(),
    items: tally.items,
    manifest: async () => tally.manifest({ oid, format, order, filters, scope: store.scope, ...(await rest(tally.items())) }),
  }
}

/** How many items of the timeline the filters keep back. Records that arrive meanwhile may make it one of a moment later. */
async function keptBack(store: Store, oid: string, filters: TimelineFilters, items: number): Promise<number> {
  if (Object.values(filters).every((value) => value === undefined)) return 0
  return Math.max(0, (await timelineCount(store, oid, {})) - items)
}
