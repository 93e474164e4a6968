/** What came in: texts and where they stand, what was refused, what was not understood. */
import { bigint, integer, pgTable, primaryKey, smallint, text, timestamp, unique, uuid } from 'drizzle-orm/pg-core'
import { bytea, nanos } from './columns.ts'

/** Names of the files (or collectors) that records came from. */
export const files = pgTable('files', {
  id: integer('id').primaryKey().generatedAlwaysAsIdentity(),
  name: text('name').notNull().unique(),
})

/** Raw record texts, up to 256 in one zstd block (`correlate/store/chunk.ts` has the layout). */
export const chunks = pgTable('chunks', {
  id: bigint('id', { mode: 'bigint' }).primaryKey().generatedAlwaysAsIdentity(),
  records: smallint('records').notNull(),
  rawBytes: integer('raw_bytes').notNull(),
  body: bytea('body').notNull(),
})

/** One row an event: which of its texts speaks for it (lowest rank, then smallest hash), and where that text is kept. */
export const heads = pgTable('heads', {
  eventId: uuid('event_id').primaryKey(),
  timeNs: nanos('time_ns').notNull(),
  format: text('format').notNull(),
  rank: smallint('rank').notNull(),
  sha256: bytea('sha256').notNull(),
  chunkId: bigint('chunk_id', { mode: 'bigint' }).notNull(),
  slot: smallint('slot').notNull(),
  fileId: integer('file_id').notNull(),
  line: integer('line'),
  masked: text('masked').array(),
  /** Tenant that the operator declared for an export that names none; part of what the event was made from. */
  contextTenant: uuid('context_tenant'),
})

/** Every other distinct text of an event: kept as evidence, speaks for nothing. */
export const variants = pgTable(
  'variants',
  {
    eventId: uuid('event_id').notNull(),
    sha256: bytea('sha256').notNull(),
    timeNs: nanos('time_ns').notNull(),
    format: text('format').notNull(),
    rank: smallint('rank').notNull(),
    chunkId: bigint('chunk_id', { mode: 'bigint' }).notNull(),
    slot: smallint('slot').notNull(),
    fileId: integer('file_id').notNull(),
    line: integer('line'),
    masked: text('masked').array(),
  },
  (table) => [primaryKey({ columns: [table.eventId, table.sha256] })],
)

/** Texts that are no known record, with the reason. */
export const rejected = pgTable('rejected', {
  id: uuid('id').primaryKey(),
  fileId: integer('file_id').notNull(),
  line: integer('line'),
  index: integer('index').notNull(),
  reason: text('reason').notNull(),
  text: text('text').notNull(),
  rejectedAt: timestamp('rejected_at', { withTimezone: true }).notNull(),
})

/** Sets of paths inside records that no normaliser reads: what was not understood. */
export const shapes = pgTable(
  'shapes',
  {
    id: integer('id').primaryKey().generatedAlwaysAsIdentity(),
    format: text('format').notNull(),
    unmapped: text('unmapped').array().notNull(),
    exampleEvent: uuid('example_event').notNull(),
  },
  (table) => [unique('shapes_format_unmapped').on(table.format, table.unmapped)],
)
