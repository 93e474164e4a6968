/** Live sources: how far they are read, and how they fare. */
import { sql } from 'drizzle-orm'
import { bigint, integer, jsonb, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { nanos } from './columns.ts'

/** How far each part of each live source has been read. Written only after the records up to there are durable. */
export const cursors = pgTable(
  'cursors',
  {
    source: text('source').notNull(),
    /** Part of the source that advances by itself (an account and region, a table); empty when there is one only. */
    part: text('part').notNull(),
    cursor: jsonb('cursor').notNull(),
    /** Event time up to which the part is complete as far as it can know. */
    watermarkNs: nanos('watermark_ns'),
    updatedAt: timestamp('updated_at', { withTimezone: true }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.source, table.part] })],
)

/** How each part of each live source fares: for coverage, `doctor` and metrics. Counts are since the part was first polled. */
export const sourceStatus = pgTable(
  'source_status',
  {
    source: text('source').notNull(),
    part: text('part').notNull(),
    kind: text('kind').notNull(),
    /** The tenant that the operator declared for the source; null where none is declared. */
    tenantId: uuid('tenant_id'),
    /** The last poll that came to its end. */
    lastSuccessAt: timestamp('last_success_at', { withTimezone: true }),
    lastErrorAt: timestamp('last_error_at', { withTimezone: true }),
    lastErrorCode: text('last_error_code'),
    lastError: text('last_error'),
    /** Polls that failed since the last one that did not. */
    failures: integer('failures').notNull().default(0),
    records: bigint('records', { mode: 'bigint' })
      .notNull()
      .default(sql`0`),
    stored: bigint('stored', { mode: 'bigint' })
      .notNull()
      .default(sql`0`),
    duplicates: bigint('duplicates', { mode: 'bigint' })
      .notNull()
      .default(sql`0`),
    rejected: bigint('rejected', { mode: 'bigint' })
      .notNull()
      .default(sql`0`),
    /** Event times known to be missing: `{from, until, reason}`, nanoseconds as decimal text. */
    gaps: jsonb('gaps')
      .notNull()
      .default(sql`'[]'::jsonb`),
    updatedAt: timestamp('updated_at', { withTimezone: true }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.source, table.part] })],
)
