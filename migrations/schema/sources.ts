/** Live sources: how far they are read, and how they fare. */
import { sql } from 'drizzle-orm'
import { bigint, boolean, index, integer, jsonb, pgEnum, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { LOG_GAP_CAUSES } from '#core/transport.ts'
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

/** How far each partition of a log (a Kafka topic) is stored. Moved in the transaction that stores the messages. */
export const logPositions = pgTable(
  'log_positions',
  {
    log: text('log').notNull(),
    partition: integer('partition').notNull(),
    /** Offset of the first message that is not stored yet. */
    next: bigint('next', { mode: 'bigint' }).notNull(),
    /** Raised by whoever moves the position from outside: what was read before that is refused. */
    epoch: integer('epoch').notNull().default(0),
    paused: boolean('paused').notNull().default(false),
    /** When the last stored message was written to the log. */
    at: timestamp('at', { withTimezone: true }),
    updatedAt: timestamp('updated_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.log, table.partition] })],
)

export const logGapCause = pgEnum('log_gap_cause', LOG_GAP_CAUSES)

/** Messages of a log that were never stored here: coverage tells them, and nothing is concluded from what they might have held. */
export const logGaps = pgTable(
  'log_gaps',
  {
    log: text('log').notNull(),
    partition: integer('partition').notNull(),
    firstOffset: bigint('first_offset', { mode: 'bigint' }).notNull(),
    /** Null where the log was made anew. */
    lastOffset: bigint('last_offset', { mode: 'bigint' }),
    /** When the first and the last message were written; the times of the messages beside them where they are gone. */
    fromAt: timestamp('from_at', { withTimezone: true }),
    untilAt: timestamp('until_at', { withTimezone: true }),
    cause: logGapCause('cause').notNull(),
    detail: text('detail'),
    notedAt: timestamp('noted_at', { withTimezone: true }).notNull().defaultNow(),
    /** When its messages were stored after all. */
    closedAt: timestamp('closed_at', { withTimezone: true }),
  },
  (table) => [
    primaryKey({ columns: [table.log, table.partition, table.firstOffset] }),
    index('log_gaps_open')
      .on(table.notedAt)
      .where(sql`closed_at is null`),
  ],
)
