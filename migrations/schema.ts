/**
 * The tables. Facts (what records say) are never changed by conclusions (what follows from the set of records), so that
 * conclusions can always be derived again. `events`, `conclusions` and `timeline` are range-partitioned by `time_ns`
 * (drizzle-kit does not know partitions: the clause is added by hand in 0000).
 */
import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  customType,
  date,
  index,
  integer,
  jsonb,
  numeric,
  pgEnum,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core'
import { CONFIDENCES, KINDS, LINKS, OUTCOMES, ROLES, SOURCES } from '#core/event.ts'

const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' })
/** Nanoseconds since 1970. */
const nanos = (name: string) => bigint(name, { mode: 'bigint' })

export const sourceEnum = pgEnum('source', SOURCES)
export const kindEnum = pgEnum('kind', KINDS)
export const outcomeEnum = pgEnum('outcome', OUTCOMES)
export const confidenceEnum = pgEnum('confidence', CONFIDENCES)
export const roleEnum = pgEnum('role', ROLES)
export const linkEnum = pgEnum('link', LINKS)

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

/** Actions that the findings llm-probing and logging-disabled look at; a query that repeats it word for word uses the index events_watched. */
export const WATCHED_ACTION = String.raw`action ~* '^(bedrock|bedrock-mantle|aiplatform\.googleapis\.com):(List|Get)|^bedrock:(Put|Delete)Model|^cloudtrail:(Stop|Delete|Update|Put)|^logging\.googleapis\.com:|:SetIam(Policy|Permissions)$'`

/** Uses of a secret or long-lived key that the finding secret-where-federation-expected looks at; a query that repeats it word for word uses the index events_static. */
export const STATIC_CREDENTIAL = `(credential_type = 'clientsecret' and kind = 'token.issued' or credential_type in ('iam-user', 'root', 'bedrock-api-key') and kind = 'llm.invoked' or credential_type = 'service-account-key')`

/** Facts: what one record says, in the product's words. */
export const events = pgTable(
  'events',
  {
    timeNs: nanos('time_ns').notNull(),
    eventId: uuid('event_id').notNull(),
    deliveredNs: nanos('delivered_ns'),
    ingestedAt: timestamp('ingested_at', { withTimezone: true }).notNull(),
    nativeId: text('native_id').notNull(),
    source: sourceEnum('source').notNull(),
    kind: kindEnum('kind').notNull(),
    action: text('action').notNull(),
    outcome: outcomeEnum('outcome').notNull(),
    errorCode: text('error_code'),
    errorMessage: text('error_message'),
    tenantId: uuid('tenant_id'),
    /** `Proof.by`. */
    proof: text('proof').notNull(),
    proofOid: uuid('proof_oid'),
    proofAppId: uuid('proof_app_id'),
    proofKind: text('proof_kind'),
    /** The federated subject as written. */
    proofSubject: text('proof_subject'),
    proofEntra: boolean('proof_entra'),
    /** `project/pool[/provider]` of a federated GCP subject. */
    pool: text('pool'),
    onBehalfOf: uuid('on_behalf_of'),
    targets: uuid('targets').array(),
    uses: text('uses'),
    issues: text('issues'),
    requestKey: text('request_key'),
    nearKey: text('near_key'),
    tokenId: text('token_id'),
    asserted: text('asserted').array(),
    account: text('account'),
    region: text('region'),
    principal: text('principal'),
    resource: text('resource'),
    modelId: text('model_id'),
    modelName: text('model_name'),
    modelProvider: text('model_provider'),
    inputTokens: bigint('input_tokens', { mode: 'number' }),
    outputTokens: bigint('output_tokens', { mode: 'number' }),
    cacheReadTokens: bigint('cache_read_tokens', { mode: 'number' }),
    cacheWriteTokens: bigint('cache_write_tokens', { mode: 'number' }),
    sourceIp: text('source_ip'),
    userAgent: text('user_agent'),
    requestId: text('request_id'),
    shapeId: integer('shape_id'),
    /** `TrailEvent.ranRegion`. */
    ranRegion: text('ran_region'),
    /** `TrailEvent.means`. */
    credentialType: text('credential_type'),
    audience: text('audience'),
    invokedBy: text('invoked_by'),
    /** `TrailEvent.issuedUntilNs`. */
    issuedUntilNs: nanos('issued_until_ns'),
  },
  (table) => [
    primaryKey({ columns: [table.timeNs, table.eventId] }),
    index('events_uses')
      .on(table.uses, table.timeNs)
      .where(sql`${table.uses} is not null`),
    index('events_issues')
      .on(table.issues)
      .where(sql`${table.issues} is not null`),
    index('events_request_key')
      .on(table.requestKey)
      .where(sql`${table.requestKey} is not null`),
    // Text patterns, because a pool is looked up by its prefix when the trust behind it becomes known.
    index('events_pool')
      .on(sql`${table.pool} text_pattern_ops`)
      .where(sql`${table.pool} is not null`),
    index('events_token_id')
      .on(table.tokenId)
      .where(sql`${table.tokenId} is not null`),
    index('events_near_key')
      .on(table.nearKey, table.timeNs)
      .where(sql`${table.nearKey} is not null`),
    // For findings. Exchanges, trust changes and refused model calls, in order of time.
    index('events_findings')
      .on(table.kind, table.outcome, table.timeNs)
      .where(sql.raw(`kind in ('token.exchanged', 'trust.changed') or kind = 'llm.invoked' and outcome = 'failure'`)),
    // How far back each sign-in log of a tenant reaches; the refused sign-ins.
    index('events_issued')
      .on(table.tenantId, table.action, table.outcome, table.timeNs)
      .where(sql`${table.kind} = 'token.issued'`),
    // Audiences of the operator's own APIs, and their callers.
    index('events_api')
      .on(table.tenantId, table.resource, table.proofAppId)
      .where(sql`${table.source} = 'app'`),
    // The few calls that look for models or change what is logged, among everything else that clouds log.
    index('events_watched')
      .on(table.timeNs)
      .where(sql.raw(`kind in ('other', 'trust.changed') and ${WATCHED_ACTION}`)),
    index('events_static').on(table.timeNs).where(sql.raw(STATIC_CREDENTIAL)),
    // For looking up what a responder has in hand (api/read-models/resolve.ts). Hashes where nearly every value is another one: half the size and cost of a tree.
    index('events_native_id').using('hash', table.nativeId),
    index('events_request_id').using('hash', table.requestId),
    // A tree refuses keys of more than 2704 bytes, and records hold whatever somebody wrote: longer values stay out. Text patterns, because the sessions of a role are
    // found by the beginning of their names.
    index('events_principal')
      .on(sql`${table.principal} text_pattern_ops`)
      .where(sql.raw('length(principal) <= 512')),
    index('events_source_ip').on(table.sourceIp).where(sql.raw('length(source_ip) <= 512')),
    // What was acted on, where that is a principal or a trust: the many calls stay out.
    index('events_resource')
      .on(table.resource)
      .where(sql.raw(`length(resource) <= 512 and kind in ('token.exchanged', 'credential.minted', 'identity.changed', 'trust.changed')`)),
  ],
)

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
  },
  (table) => [index('traces_owner').on(table.tenantId, table.ownerOid, table.endNs)],
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

/** What follows from the whole set (correlate/findings/): computed anew from facts and conclusions, so the table can always be emptied. */
export const findings = pgTable(
  'findings',
  {
    /** A function of the rule and of what the finding is about. */
    id: uuid('id').primaryKey(),
    rule: text('rule').notNull(),
    severity: text('severity').notNull(),
    confidence: confidenceEnum('confidence').notNull(),
    title: text('title').notNull(),
    tenantId: uuid('tenant_id'),
    oids: uuid('oids').array().notNull(),
    /** Event ids, sorted; at most 1000. */
    evidence: uuid('evidence').array().notNull(),
    firstNs: nanos('first_ns').notNull(),
    lastNs: nanos('last_ns').notNull(),
    explanation: text('explanation').notNull(),
    remediation: text('remediation').notNull(),
    /** What the rule found, for machines; null for rules that say it all in words. */
    details: jsonb('details'),
    /** SHA-256 of what it rests on and how grave it is, not of words: an acknowledgement holds as long as this stays. */
    evidenceHash: text('evidence_hash').notNull().default(''),
    /** SHA-256 of the rest: what has not changed is not written again. */
    contentHash: text('content_hash').notNull(),
  },
  (table) => [index('findings_last').on(table.lastNs, table.id), index('findings_oids').using('gin', table.oids)],
)

/** Of every agent that was ever deleted or disabled: what held after that (`correlate/findings/engine/revocation.ts`). Computed with the findings, and like them a conclusion. */
export const revocations = pgTable(
  'revocations',
  {
    tenantId: uuid('tenant_id').notNull(),
    oid: uuid('oid').notNull(),
    body: jsonb('body').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.oid] })],
)

/**
 * What people decided about findings: the last row of a finding says what holds. Only added to. Human input, no conclusion: it survives every recomputation (a finding
 * that goes and comes again is acknowledged still) and is no part of the canonical export.
 */
export const findingDecisions = pgTable(
  'finding_decisions',
  {
    id: bigint('id', { mode: 'bigint' }).primaryKey().generatedAlwaysAsIdentity(),
    findingId: uuid('finding_id').notNull(),
    /** Of the finding, as it was then. */
    tenantId: uuid('tenant_id'),
    /** False takes an acknowledgement back. */
    acknowledged: boolean('acknowledged').notNull(),
    reason: text('reason'),
    /** `Caller.id`, and the name that goes with it. */
    by: text('by').notNull(),
    byName: text('by_name'),
    decidedAt: timestamp('decided_at', { withTimezone: true }).notNull(),
    /** `findings.evidence_hash` as it was then. */
    evidenceHash: text('evidence_hash').notNull(),
  },
  (table) => [index('finding_decisions_finding').on(table.findingId, table.id)],
)

/** What refreshes changed, in order: webhooks are told from here. Written in the transaction that changes `findings`. */
export const findingChanges = pgTable('finding_changes', {
  id: bigint('id', { mode: 'bigint' }).primaryKey().generatedAlwaysAsIdentity(),
  findingId: uuid('finding_id').notNull(),
  /** `new`, `changed` or `gone`. */
  change: text('change').notNull(),
  /** The finding as it was made by this change; the last one of a finding that is gone. */
  body: jsonb('body').notNull(),
  changedAt: timestamp('changed_at', { withTimezone: true }).notNull(),
})

/** Up to which change each configured webhook's messages have been put into `webhook_outbox`. */
export const webhookPositions = pgTable('webhook_positions', {
  webhook: text('webhook').primaryKey(),
  changeId: bigint('change_id', { mode: 'bigint' }).notNull(),
})

/** Messages that webhooks are still to be told, or could not be. A message that was taken goes. */
export const webhookOutbox = pgTable(
  'webhook_outbox',
  {
    webhook: text('webhook').notNull(),
    changeId: bigint('change_id', { mode: 'bigint' }).notNull(),
    attempts: integer('attempts').notNull().default(0),
    nextAt: timestamp('next_at', { withTimezone: true }).notNull(),
    /** Set when it was given up: the receiver refuses it for good, or did not take it for days. */
    failedAt: timestamp('failed_at', { withTimezone: true }),
    lastError: text('last_error'),
  },
  (table) => [primaryKey({ columns: [table.webhook, table.changeId] }), index('webhook_outbox_due').on(table.nextAt)],
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

/** How far derived work has come: `conclusions` counts the deriver's rounds, `findings` says up to which of them findings were computed. */
export const progress = pgTable('progress', {
  name: text('name').primaryKey(),
  round: bigint('round', { mode: 'bigint' }).notNull(),
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
