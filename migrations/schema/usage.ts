/** LLM usage, and the reports on it. */
import { sql } from 'drizzle-orm'
import { bigint, date, index, numeric, pgTable, primaryKey, smallint, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { sourceEnum, confidenceEnum } from './columns.ts'

/** LLM usage by UTC day and everything else that a report asks for (`correlate/usage/`): always the sum of `usage_parts`. */
export const usageDaily = pgTable(
  'usage_daily',
  {
    /** Hash of what the row is about. */
    id: uuid('id').primaryKey(),
    day: date('day', { mode: 'string' }).notNull(),
    tenantId: uuid('tenant_id'),
    /** `agent`, `ambiguous` or `unattributed`. */
    share: text('share').notNull(),
    agentOid: uuid('agent_oid'),
    confidence: confidenceEnum('confidence').notNull(),
    candidates: uuid('candidates').array().notNull(),
    cloud: sourceEnum('cloud').notNull(),
    account: text('account'),
    region: text('region'),
    /** Where the calls were handed on to, as far as logs say so. */
    ranRegion: text('ran_region'),
    model: text('model'),
    modelId: text('model_id'),
    /** `metered`, `asserted` or `none`. */
    tokenBasis: text('token_basis').notNull(),
    calls: bigint('calls', { mode: 'bigint' })
      .notNull()
      .default(sql`0`),
    errors: bigint('errors', { mode: 'bigint' })
      .notNull()
      .default(sql`0`),
    /** Of the errors those that the cloud refused because of too much use. */
    throttles: bigint('throttles', { mode: 'bigint' })
      .notNull()
      .default(sql`0`),
    // One record's count fits 64 bits, the sum of many need not.
    inputTokens: numeric('input_tokens').notNull().default('0'),
    outputTokens: numeric('output_tokens').notNull().default('0'),
    cacheReadTokens: numeric('cache_read_tokens').notNull().default('0'),
    cacheWriteTokens: numeric('cache_write_tokens').notNull().default('0'),
    /** Events that add to this row: without any it goes. */
    parts: bigint('parts', { mode: 'bigint' })
      .notNull()
      .default(sql`0`),
  },
  (table) => [index('usage_daily_day').on(table.day)],
)

/** What each LLM event has added to `usage_daily`: so that a late record moves the sums by the difference and nothing is counted twice. */
export const usageParts = pgTable('usage_parts', {
  eventId: uuid('event_id').primaryKey(),
  rowId: uuid('row_id').notNull(),
  calls: smallint('calls').notNull(),
  errors: smallint('errors').notNull(),
  throttles: smallint('throttles').notNull().default(0),
  inputTokens: bigint('input_tokens', { mode: 'bigint' }).notNull(),
  outputTokens: bigint('output_tokens', { mode: 'bigint' }).notNull(),
  cacheReadTokens: bigint('cache_read_tokens', { mode: 'bigint' }).notNull(),
  cacheWriteTokens: bigint('cache_write_tokens', { mode: 'bigint' }).notNull(),
})

/** Reports that the configuration asks for at fixed times (`cli/report/schedule/`): each period's is made once, whatever restarts in between. */
export const reportRuns = pgTable(
  'report_runs',
  {
    /** As the configuration names the report. */
    name: text('name').notNull(),
    /** First UTC day, and the day after the last one. */
    periodFrom: date('period_from', { mode: 'string' }).notNull(),
    periodTo: date('period_to', { mode: 'string' }).notNull(),
    format: text('format').notNull(),
    /** What was handed over: a file's path, or a webhook's host. */
    target: text('target').notNull(),
    sha256: text('sha256').notNull(),
    madeAt: timestamp('made_at', { withTimezone: true }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.name, table.periodFrom, table.periodTo] })],
)
