import type pg from 'pg'
import type { Json } from '#core/record.ts'
import type { SourceErrorCode } from './source-error.ts'
import type { Gap } from './source.ts'

/** One part of one source. */
export interface PartKey {
  readonly source: string
  readonly part: string
  readonly kind: string
  /** That the operator declared for the source: callers bound to this tenant see how the source fares. */
  readonly tenantId?: string
}

export interface Counts {
  readonly records: number
  readonly stored: number
  readonly duplicates: number
  readonly rejected: number
}

interface Advance {
  readonly cursor: Json
  readonly watermark: bigint | null
  readonly gaps: readonly Gap[]
  readonly counts: Counts
}

export interface PartStatus extends PartKey {
  readonly watermark: bigint | null
  readonly lastSuccessAt: Date | null
  readonly lastErrorAt: Date | null
  readonly lastErrorCode: string | null
  readonly lastError: string | null
  /** Failed polls since the last good one: above zero means that it fails now. */
  readonly failures: number
  readonly records: bigint
  readonly stored: bigint
  readonly duplicates: bigint
  readonly rejected: bigint
  readonly gaps: readonly Gap[]
}

/** Where cursors and status are kept. Every method may reject when the store is away. */
export interface SourceStore {
  /** The cursor of the last page that was delivered; null when there is none. */
  cursor(key: PartKey): Promise<Json | null>
  /** Moves the cursor, and counts what the page held. Call it only when the page is durable. A watermark never goes back. */
  advance(key: PartKey, page: Advance): Promise<void>
  /** A poll came to its end. */
  succeeded(key: PartKey): Promise<void>
  failed(key: PartKey, code: SourceErrorCode, message: string): Promise<void>
  statuses(): Promise<readonly PartStatus[]>
}

/** Of one part the newest are kept: a source that makes gaps without end must not grow a row without end. */
const GAPS_KEPT = 200

interface StoredGap {
  readonly from: string
  readonly until: string
  readonly reason: string
}

/** Gaps without those that a later one with the same start and reason replaces. */
export function mergeGaps(known: readonly Gap[], added: readonly Gap[]): readonly Gap[] {
  const merged = new Map([...known, ...added].map((gap) => [`${gap.from} ${gap.reason}`, gap]))
  return [...merged.values()].toSorted((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0)).slice(-GAPS_KEPT)
}

/** The store in PostgreSQL: tables `cursors` and `source_status`. */
export function createSourceStore(pool: pg.Pool, now: () => Date = () => new Date()): SourceStore {
  return {
    async cursor({ source, part }) {
      const { rows } = await pool.query<{ cursor: Json }>('select cursor from cursors where source = $1 and part = $2', [source, part])
      return rows[0]?.cursor ?? null
    },

    async advance({ source, part, kind, tenantId }, { cursor, watermark, gaps, counts }) {
      const client = await pool.connect()
      let broken: Error | undefined
      try {
        await client.query('begin')
        await client.query(
          `insert into cursors as c (source, part, cursor, watermark_ns, updated_at) values ($1, $2, $3, $4, $5)
           on conflict (source, part) do update set cursor = excluded.cursor, watermark_ns = greatest(c.watermark_ns, excluded.watermark_ns), updated_at = excluded.updated_at`,
          [source, part, JSON.stringify(cursor), watermark?.toString() ?? null, now()],
        )
        await client.query(
          `insert into source_status as s (source, part, kind, records, stored, duplicates, rejected, updated_at, tenant_id) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
           on conflict (source, part) do update set kind = excluded.kind, tenant_id = excluded.tenant_id, records = s.records + excluded.records, stored = s.stored + excluded.stored,
             duplicates = s.duplicates + excluded.duplicates, rejected = s.rejected + excluded.rejected, updated_at = excluded.updated_at`,
          [source, part, kind, counts.records, counts.stored, counts.duplicates, counts.rejected, now(), tenantId ?? null],
        )
        if (gaps.length > 0) {
          const { rows } = await client.query<{ gaps: readonly StoredGap[] }>('select gaps from source_status where source = $1 and part = $2 for update', [
            source,
            part,
          ])
          await client.query('update source_status set gaps = $3 where source = $1 and part = $2', [
            source,
            part,
            JSON.stringify(toStored(mergeGaps(fromStored(rows[0]?.gaps ?? []), gaps))),
          ])
          // What findings say of absence changes with it: they are computed again, without a new record.
          await client.query(`delete from progress where name = 'findings'`)
        }
        await client.query('commit')
      } catch (error) {
        broken = error instanceof Error ? error : new Error(String(error))
        throw error
      } finally {
        // A connection in an unknown state is thrown away; the server rolls back.
        client.release(broken)
      }
    },

    async succeeded({ source, part, kind, tenantId }) {
      await pool.query(
        `insert into source_status (source, part, kind, last_success_at, updated_at, tenant_id) values ($1, $2, $3, $4, $4, $5)
         on conflict (source, part) do update set kind = excluded.kind, tenant_id = excluded.tenant_id, last_success_at = excluded.last_success_at, failures = 0, updated_at = excluded.updated_at`,
        [source, part, kind, now(), tenantId ?? null],
      )
    },

    async failed({ source, part, kind, tenantId }, code, message) {
      await pool.query(
        `insert into source_status as s (source, part, kind, last_error_at, last_error_code, last_error, failures, updated_at, tenant_id) values ($1, $2, $3, $4, $5, $6, 1, $4, $7)
         on conflict (source, part) do update set kind = excluded.kind, tenant_id = excluded.tenant_id, last_error_at = excluded.last_error_at, last_error_code = excluded.last_error_code,
           last_error = excluded.last_error, failures = s.failures + 1, updated_at = excluded.updated_at`,
        [source, part, kind, now(), code, message, tenantId ?? null],
      )
    },

    statuses: () => readStatuses(pool),
  }
}

/** What the parts have written about themselves, by source and part. Whoever may read the store may read it. */
export async function readStatuses(pool: Pick<pg.Pool, 'query'>): Promise<readonly PartStatus[]> {
  const { rows } = await pool.query<Omit<PartStatus, 'gaps'> & { gaps: readonly StoredGap[] }>(
    `select s.source, s.part, s.kind, c.watermark_ns as watermark, s.last_success_at as "lastSuccessAt", s.last_error_at as "lastErrorAt", s.last_error_code as "lastErrorCode",
       s.last_error as "lastError", s.failures, s.records, s.stored, s.duplicates, s.rejected, s.gaps
     from source_status s left join cursors c using (source, part) order by s.source, s.part`,
  )
  return rows.map((row) => ({ ...row, gaps: fromStored(row.gaps) }))
}

const toStored = (gaps: readonly Gap[]): readonly StoredGap[] => gaps.map(({ from, until, reason }) => ({ from: String(from), until: String(until), reason }))
const fromStored = (gaps: readonly StoredGap[]): readonly Gap[] => gaps.map(({ from, until, reason }) => ({ from: BigInt(from), until: BigInt(until), reason }))
