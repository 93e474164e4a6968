/** Who may ask, and who looked at what. */
import { sql } from 'drizzle-orm'
import { bigint, boolean, index, jsonb, pgTable, smallint, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { bytea } from './columns.ts'

/** Tokens of machines (`api/access/tokens.ts`). Of a token only its SHA-256 is kept. */
export const apiTokens = pgTable('api_tokens', {
  id: uuid('id').primaryKey().defaultRandom(),
  name: text('name').notNull(),
  hash: bytea('hash').notNull().unique(),
  prefix: text('prefix').notNull(),
  roles: text('roles').array().notNull(),
  /** Null: everything. */
  tenants: uuid('tenants').array(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  expiresAt: timestamp('expires_at', { withTimezone: true }).notNull(),
  revokedAt: timestamp('revoked_at', { withTimezone: true }),
  lastUsedAt: timestamp('last_used_at', { withTimezone: true }),
})

/**
 * Tenants that a login of the database is bound to, whatever it sets: for logins whose users write SQL of their own (docs/operators/dashboards.md). A login that inherits `trailjoin_reader`
 * sees these tenants, and none without a row; one that takes the role (the API) sees those of the setting `trailjoin.tenants` that its row, if it has one, names, too
 * (`trailjoin_tenants()`). It does not bind `trailjoin_reader_all`: a condition in that role's policies would keep indexes from the queries of everybody who may see everything.
 */
export const loginTenants = pgTable('login_tenants', {
  login: text('login').primaryKey(),
  tenants: uuid('tenants').array().notNull(),
})

/** Who looked at what (`api/access/record.ts`). Rows are only added: a trigger refuses everything else. */
export const accessLog = pgTable(
  'access_log',
  {
    id: bigint('id', { mode: 'bigint' }).primaryKey().generatedAlwaysAsIdentity(),
    at: timestamp('at', { withTimezone: true }).notNull().defaultNow(),
    requestId: uuid('request_id').notNull(),
    /** `whole`; or `begin` and, when it is over, `end`. */
    phase: text('phase').notNull(),
    startedAt: timestamp('started_at', { withTimezone: true }).notNull(),
    caller: text('caller').notNull(),
    callerName: text('caller_name'),
    /** Null: everything. */
    tenants: uuid('tenants').array(),
    method: text('method').notNull(),
    route: text('route').notNull(),
    target: text('target'),
    filters: jsonb('filters').notNull(),
    status: smallint('status'),
    rows: bigint('rows', { mode: 'bigint' }),
    cut: boolean('cut').notNull(),
    address: text('address'),
  },
  (table) => [
    index('access_log_caller').on(table.caller, table.id),
    index('access_log_target')
      .on(table.target, table.id)
      .where(sql`${table.target} is not null`),
    index('access_log_ended')
      .on(table.requestId)
      .where(sql`${table.phase} = 'end'`),
  ],
)
