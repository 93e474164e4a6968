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
