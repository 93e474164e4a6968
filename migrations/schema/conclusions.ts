/** What follows from the set of records, and what is still to be concluded from. */
import { sql } from 'drizzle-orm'
import { bigint, boolean, index, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { nanos, sourceEnum, kindEnum, outcomeEnum, confidenceEnum, roleEnum, linkEnum } from './columns.ts'

/** Conclusions: who did it, as far as the set of records proves it. One row an event once it is derived. */
export const conclusions = pgTable(
  'conclusions',
  {
    timeNs: nanos('time_ns').notNull(),
    eventId: uuid('event_id').notNull(),
    tenantId: uuid('tenant_id'),
    subjectOid: uuid('subject_oid'),
    agentOid: uuid('agent_oid'),
    onBehalfOf: uuid('on_behalf_of'),
    confidence: confidenceEnum('confidence').notNull(),
    basis: text('basis').array().notNull(),
    candidates: uuid('candidates').array().notNull(),
    evidence: uuid('evidence').array().notNull(),
    /** Tenant of the owner of its trace, where that is not `tenant_id` (an agent whose Blueprint trusts another tenant's managed identity). */
    ownerTenant: uuid('owner_tenant'),
    /** Tenants beside `tenant_id` that the event concerns: the record's own, and those in whose timelines it stands. Sorted; null when there is none. */
    otherTenants: uuid('other_tenants').array(),
    sessionId: uuid('session_id'),
    /** The event that issued what this one used, and whether an id or a clock says so. */
    parentId: uuid('parent_id'),
    link: linkEnum('link'),
    /** The deriver's round that wrote it (`correlate/store/live.ts`): a position for those who watch, no part of any answer. */
    round: bigint('round', { mode: 'bigint' }),
    /**
     * The event's own, once more: row-level security knows an event's tenants from here, so that whoever asks this table alone is bound by its columns, while
     * every row of `events` costs a look into it (bench/tenants.ts).
     */
    source: sourceEnum('source').notNull(),
    kind: kindEnum('kind').notNull(),
    outcome: outcomeEnum('outcome').notNull(),
  },
  (table) => [primaryKey({ columns: [table.timeNs, table.eventId] })],
)

/** What holds the events of a session together; who belongs to it stands in `conclusions`. A session without events is no session. */
export const sessions = pgTable('sessions', {
  id: uuid('id').primaryKey(),
  cloud: sourceEnum('cloud').notNull(),
  /** The root credential (AWS), the exchange, or the first event of an unanchored session (GCP). */
  key: text('key').notNull(),
  /** The event that the session starts from, where it was seen. */
  rootEvent: uuid('root_event'),
  resolved: boolean('resolved').notNull(),
})

/** From when to when a session reaches for one owner: it holds that owner's trace together. */
export const sessionSpans = pgTable(
  'session_spans',
  {
    sessionId: uuid('session_id').notNull(),
    tenantId: uuid('tenant_id').notNull(),
    ownerOid: uuid('owner_oid').notNull(),
    startNs: nanos('start_ns').notNull(),
    endNs: nanos('end_ns').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.sessionId, table.tenantId, table.ownerOid] }),
    index('session_spans_owner').on(table.tenantId, table.ownerOid, table.startNs),
  ],
)

/** One owner's traces are disjoint in time: an event belongs to the trace of its owner that covers its time. */
export const traces = pgTable(
  'traces',
  {
    id: uuid('id').primaryKey(),
    tenantId: uuid('tenant_id').notNull(),
    ownerOid: uuid('owner_oid').notNull(),
    startNs: nanos('start_ns').notNull(),
    endNs: nanos('end_ns').notNull(),
    firstEvent: uuid('first_event').notNull(),
    /** How many events it has, and of which sources (sorted): a list of traces cannot count them anew (one owner may have a million in one trace). */
    events: bigint('events', { mode: 'bigint' }).notNull(),
    sources: sourceEnum('sources').array().notNull(),
  },
  (table) => [
    index('traces_owner').on(table.tenantId, table.ownerOid, table.endNs),
    // Pages, the latest first: of one tenant, and of all.
    index('traces_tenant_start').on(table.tenantId, table.startNs, table.id),
    index('traces_start').on(table.startNs, table.id),
  ],
)

/** Every trace id ever given out, by the event it was named after: an id keeps resolving when its trace grows or merges. */
export const traceIds = pgTable('trace_ids', {
  id: uuid('id').primaryKey(),
  firstEvent: uuid('first_event').notNull(),
})

/** Which events stand in which oid's timeline, and why. `tenant_id` is the nil UUID where no tenant is proven. */
export const timeline = pgTable(
  'timeline',
  {
    tenantId: uuid('tenant_id').notNull(),
    oid: uuid('oid').notNull(),
    timeNs: nanos('time_ns').notNull(),
    eventId: uuid('event_id').notNull(),
    role: roleEnum('role').notNull(),
    source: sourceEnum('source').notNull(),
    kind: kindEnum('kind').notNull(),
    /** The oid is the event's subject. */
    isSubject: boolean('is_subject').notNull(),
    /** The event belongs to this oid's traces. */
    isOwner: boolean('is_owner').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.oid, table.timeNs, table.eventId] })],
)

/** Events that would be concluded differently if a key (an agent's oid in a chosen name, an appId) became known. */
export const waiting = pgTable(
  'waiting',
  {
    key: uuid('key').notNull(),
    timeNs: nanos('time_ns').notNull(),
    eventId: uuid('event_id').notNull(),
  },
  (table) => [primaryKey({ columns: [table.key, table.timeNs, table.eventId] }), index('waiting_event').on(table.timeNs, table.eventId)],
)

/** What records (every distinct text of them) say about principals and trust. `seen` facts are folded over time. */
export const directoryFacts = pgTable(
  'directory_facts',
  {
    /** Hash of the fact; of a dated fact with its event. */
    id: uuid('id').primaryKey(),
    tenantId: uuid('tenant_id').notNull(),
    body: jsonb('body').notNull(),
    firstNs: nanos('first_ns').notNull(),
    firstEvent: uuid('first_event').notNull(),
    lastNs: nanos('last_ns').notNull(),
    lastEvent: uuid('last_event').notNull(),
    /** False until the stored conclusions take this fact into account. */
    derived: boolean('derived').notNull().default(false),
  },
  (table) => [
    index('directory_facts_tenant').on(table.tenantId),
    index('directory_facts_new')
      .on(table.id)
      .where(sql`not ${table.derived}`),
  ],
)

/** Facts committed but not yet concluded from: written with the facts, deleted with the conclusions. */
export const pending = pgTable('pending', {
  id: bigint('id', { mode: 'bigint' }).primaryKey().generatedAlwaysAsIdentity(),
  times: bigint('times', { mode: 'bigint' }).array().notNull(),
  eventIds: uuid('event_ids').array().notNull(),
  /** Credentials, request keys and near keys whose dependants must be looked at again (an event that named them was replaced). */
  keys: text('keys').array().notNull(),
})

/** How far derived work has come: `conclusions` counts the deriver's rounds, `findings` says up to which of them findings were computed. */
export const progress = pgTable('progress', {
  name: text('name').primaryKey(),
  round: bigint('round', { mode: 'bigint' }).notNull(),
})
