/** What could not be understood: texts that are no known record, and paths inside known records that nothing reads. */
import { isGuid } from '#core/keys.ts'
import { formatTime } from '#core/time.ts'
import type { Page, Rejected, Unmapped } from '../contract.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import { ProblemError } from '../problem.ts'
import { type Store, scopeOf } from './store.ts'

interface RejectedRow {
  id: string
  file: string
  line: number | null
  index: number
  reason: string
  text: string
  micros: bigint
}

/** Rejected texts, the latest first. Nobody knows whose they are, so they are shown to unbounded callers only. */
export async function rejectedPage(store: Store, limit: number, cursor?: string): Promise<Page<Rejected>> {
  const after = cursor === undefined ? null : decodeCursor(cursor)
  if (cursor !== undefined && !(after?.length === 2 && /^\d{1,18}$/.test(after[0]!) && isGuid(after[1]))) throw badCursor()
  const micros = `(extract(epoch from r.rejected_at) * 1000000)::bigint`
  const { rows } = await store.query<RejectedRow>(
    `select r.id, f.name as file, r.line, r.index, r.reason, r.text, ${micros} as micros
     from rejected r join files f on f.id = r.file_id
     where $4::uuid[] is null and ($1::bigint is null or (${micros}, r.id) < ($1::bigint, $2::uuid))
     order by micros desc, r.id desc limit $3`,
    [after?.[0] ?? null, after?.[1] ?? null, limit + 1, scopeOf(store)],
  )
  const last = rows.length > limit ? rows[limit - 1] : undefined
  return {
    items: rows.slice(0, limit).map(({ micros: at, ...row }) => ({ ...row, rejectedAt: formatTime(at * 1000n) })),
    next: last ? encodeCursor([last.micros.toString(), last.id]) : null,
  }
}

/** Sets of paths that no normaliser reads, by format, with one event that has them: of the store as a whole, so for unbounded callers only. */
export async function unmappedPage(store: Store, limit: number, cursor?: string): Promise<Page<Unmapped>> {
  const after = cursor === undefined ? null : decodeCursor(cursor)
  if (cursor !== undefined && !(after?.length === 1 && /^\d{1,9}$/.test(after[0]!))) throw badCursor()
  const { rows } = await store.query<{ id: number; format: string; paths: string[]; exampleEvent: string }>(
    `select id, format, unmapped as paths, example_event as "exampleEvent" from shapes where $3::uuid[] is null and cardinality(unmapped) > 0 and id > $1 order by id limit $2`,
    [Number(after?.[0] ?? -1), limit + 1, scopeOf(store)],
  )
  const last = rows.length > limit ? rows[limit - 1] : undefined
  return { items: rows.slice(0, limit), next: last ? encodeCursor([last.id.toString()]) : null }
}

function badCursor(): ProblemError {
  const message = 'is no cursor that this route gave out'
  return new ProblemError(400, `cursor ${message}`, [{ field: 'cursor', message }])
}
