import { z } from 'zod'
import type { Json } from '#core/record.ts'
import { formatTime } from '#core/time.ts'
import { SourceError } from '../../engine/source-error.ts'
import type { Page, SourceContext } from '../../engine/source.ts'
import type { Delivered } from '../overlap/delivered.ts'
import { piecesOf } from '../overlap/pieces.ts'
import { SERVICE_ROWS, queryRows } from './query.ts'
import type { Answer, Workspace } from './query.ts'

/** One table of one workspace. */
export interface TablePart {
  readonly workspace: Workspace
  readonly table: string
  /** True when the configuration names the table: then it must exist. */
  readonly expected: boolean
  /** How far back the first poll reaches, in milliseconds. */
  readonly startMs: number
  readonly overlapMs: number
  readonly rowsPerQuery: number
  readonly delivered: Delivered
  readonly context: Pick<SourceContext, 'now' | 'log'>
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** Rows become visible a little after their time of ingestion, and not in its order: the last minutes are left for the next poll. */
const SETTLE_MS = 5 * MINUTE
/** From an event to its row: vendors measured up to 30 minutes (facts: Entra, "Late data"). For the watermark only; what is later still is collected. */
const DELAY_MS = 30 * MINUTE
const MAX_SLICE_MS = DAY
/** Below these a shorter slice does not help: a table is not too large within a millisecond, and a minute needs no minutes to be read. */
const FLOORS: Readonly<Record<'size' | 'time' | 'other', number>> = { size: 1, time: MINUTE, other: MINUTE }

/** `through`: everything that became visible before it has been read. `newest`: when the latest row that was ever seen became visible. */
const Cursor = z.object({ through: z.iso.datetime(), newest: z.iso.datetime({ precision: 9 }).nullable() })

/** Yields a page for each slice of time. Only a whole answer moves the cursor; one that is not whole is asked for again in halves. */
export async function* pollTable(part: TablePart, stored: Json | null, signal: AbortSignal): AsyncGenerator<Page, void, void> {
  const { workspace, table, context, delivered } = part
  const end = context.now() - SETTLE_MS
  const known = stored === null ? null : Cursor.parse(stored)
  let through = known === null ? end - part.startMs : Date.parse(known.through)
  let newest = known?.newest ?? null
  let from = known === null ? through : through - part.overlapMs
  let slice = MAX_SLICE_MS
  while (from < end) {
    const span = { from, until: Math.min(from + slice, end) }
    const width = span.until - span.from
    const rows = width <= 1 ? SERVICE_ROWS : part.rowsPerQuery
    const answer = await queryRows(workspace, table, span, rows + 1, signal)
    if (answer.kind === 'missing') return missing(part)
    const short = shortfall(answer, rows)
    if (short !== null || answer.kind !== 'rows') {
      const { reason, because } = short!
      if (width <= FLOORS[because])
        throw new SourceError(because === 'time' ? 'SOURCE_TIMEOUT' : 'SOURCE_PARTIAL', `${table}: ${width} ms of it cannot be read whole: ${reason}`)
      slice = Math.max(1, Math.floor(width / 2))
      context.log('debug', 'answer not whole, asking for half of the time', { table, width, reason: reason.slice(0, 200) })
      continue
    }
    const fresh = delivered.fresh(answer.records)
    const latest = answer.newest === null ? null : formatTime(answer.newest)
    if (latest !== null && (newest === null || latest > newest)) newest = latest
    through = Math.max(through, span.until)
    yield {
      pieces: piecesOf(
        `entra:log-analytics/${workspace.id}/${table}`,
        fresh.map(({ text }) => text),
      ),
      cursor: { through: new Date(through).toISOString(), newest },
      // A table without rows for a day may be one that nobody fills any more: then nothing proves anything.
      watermark: newest !== null && through - Date.parse(newest) < DAY ? BigInt(through - DELAY_MS) * 1_000_000n : null,
    }
    delivered.add(fresh)
    from = span.until
    slice = Math.min(MAX_SLICE_MS, width * 2)
  }
}

/** Why an answer must not move the cursor; null when it is whole. */
function shortfall(answer: Answer, rows: number): { readonly reason: string; readonly because: 'size' | 'time' | 'other' } | null {
  if (answer.kind === 'incomplete') return answer
  return answer.kind === 'rows' && answer.rows > rows ? { reason: `more than ${rows} rows`, because: 'size' } : null
}

/** A table that nobody asked for by name is absent where its log is not exported: the others go on, and `doctor` says so. */
function missing({ workspace, table, expected, context }: TablePart): void {
  if (expected) throw new SourceError('SOURCE_MISCONFIGURED', missingMessage(workspace.id, table))
  context.log('info', 'table does not exist', { workspace: workspace.id, table })
}

/** How everybody says it. */
export function missingMessage(workspace: string, table: string): string {
  return `the workspace ${workspace} has no table ${table}: no diagnostic setting exports that log to it`
}
