/** What changed in a round of the deriver, for those who watch. */
import { bigint, index, pgTable, primaryKey, timestamp, uuid } from 'drizzle-orm/pg-core'
import { nanos } from './columns.ts'

/** In which timelines a round of the deriver changed something, and between which times: for those who watch an oid (`correlate/store/live.ts`). Old rows go. */
export const liveChanges = pgTable(
  'live_changes',
  {
    oid: uuid('oid').notNull(),
    tenantId: uuid('tenant_id').notNull(),
    round: bigint('round', { mode: 'bigint' }).notNull(),
    fromNs: nanos('from_ns').notNull(),
    toNs: nanos('to_ns').notNull(),
    at: timestamp('at', { withTimezone: true }).notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.oid, table.tenantId, table.round] }), index('live_changes_at').on(table.at)],
)

/**
 * The deriver's rounds, each with a mark drawn at random: two stores number their rounds alike, and one that was restored numbers them again, but no mark comes twice.
 * So a position in the stream of changes is known to be of this store (`api/live/changes.ts`). Old rows go.
 */
export const liveRounds = pgTable('live_rounds', {
  round: bigint('round', { mode: 'bigint' }).primaryKey(),
  mark: uuid('mark').notNull().defaultRandom(),
})

/** Events that left a timeline in a round, because they are concluded differently now. */
export const liveDepartures = pgTable(
  'live_departures',
  {
    oid: uuid('oid').notNull(),
    tenantId: uuid('tenant_id').notNull(),
    round: bigint('round', { mode: 'bigint' }).notNull(),
    timeNs: nanos('time_ns').notNull(),
    eventId: uuid('event_id').notNull(),
  },
  (table) => [primaryKey({ columns: [table.oid, table.tenantId, table.round, table.timeNs, table.eventId] })],
)
