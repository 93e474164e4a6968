/** What is summed up day by day, so that findings read the days that changed and not the store. */
import { bigint, index, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { nanos } from './columns.ts'

/** On which UTC days (counted from 1970) facts or conclusions changed, and in which of the deriver's rounds last (`correlate/store/touched-days.ts`). */
export const touchedDays = pgTable('touched_days', {
  day: integer('day').primaryKey(),
  round: bigint('round', { mode: 'bigint' }).notNull(),
})

/** Days that `digests` holds: as of which round, and by which definition of the topics. */
export const digestDays = pgTable('digest_days', {
  day: integer('day').primaryKey(),
  round: bigint('round', { mode: 'bigint' }).notNull(),
  version: text('version').notNull(),
})

/**
 * Each day's events as far as findings ask for them, summed up by what they have in common (`correlate/findings/engine/digest/`). Like the findings a
 * conclusion: `delete from progress where name in ('digests', 'findings')` has all of it made anew.
 */
export const digests = pgTable(
  'digests',
  {
    topic: text('topic').notNull(),
    /** Hash of the profile. */
    key: uuid('key').notNull(),
    day: integer('day').notNull(),
    /** What the events have in common. */
    profile: jsonb('profile').notNull(),
    events: bigint('events', { mode: 'bigint' }).notNull(),
    firstNs: nanos('first_ns').notNull(),
    lastNs: nanos('last_ns').notNull(),
    /** All events, the first of them, or null, as the topic has it; in order of time. */
    times: bigint('times', { mode: 'bigint' }).array(),
    ids: uuid('ids').array(),
  },
  (table) => [primaryKey({ columns: [table.topic, table.key, table.day] }), index('digests_day').on(table.day)],
)
