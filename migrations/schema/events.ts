/** Facts: what records say. */
import { sql } from 'drizzle-orm'
import { bigint, boolean, index, integer, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { nanos, sourceEnum, kindEnum, outcomeEnum } from './columns.ts'

/** Actions that the findings llm-probing and logging-disabled look at; a query of `events` (logging-disabled) that repeats it word for word uses the index events_watched. */
export const WATCHED_ACTION = String.raw`action ~* '^(bedrock|bedrock-mantle|aiplatform\.googleapis\.com):(List|Get)|^bedrock:(Put|Delete)Model|^cloudtrail:(Stop|Delete|Update|Put)|^logging\.googleapis\.com:|[:.]SetIam(Policy|Permissions)$'`

/** Calls that start a batch job: what the job uses is in no log. A query of `events` that repeats it word for word uses the index events_batch_jobs. */
export const BATCH_ACTION = String.raw`action in ('bedrock:CreateModelInvocationJob', 'bedrock-mantle:CreateBatch', 'aiplatform.googleapis.com:CreateBatchPredictionJob', 'aiplatform.googleapis.com:batchPredictionJobs.create', 'generativelanguage.googleapis.com:BatchGenerateContent', 'generativelanguage.googleapis.com:AsyncBatchEmbedContent')`

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
    /** `TrailEvent.secondary`; null stands for false. */
    secondary: boolean('secondary'),
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
    // Changes of trusts, which findings read from their records (correlate/findings/engine/context.ts); exchanges, for what-if (api/read-models/what-if.ts).
    index('events_findings')
      .on(table.kind, table.outcome, table.timeNs)
      .where(sql.raw(`kind in ('token.exchanged', 'trust.changed') or kind = 'llm.invoked' and outcome = 'failure'`)),
    // How far back each sign-in log of a tenant reaches (api/explain/missing.ts).
    index('events_issued')
      .on(table.tenantId, table.action, table.outcome, table.timeNs)
      .where(sql`${table.kind} = 'token.issued'`),
    // The few calls that change what is logged, among everything else that clouds log (correlate/findings/logging-disabled.ts).
    index('events_watched')
      .on(table.timeNs)
      .where(sql.raw(`kind in ('other', 'trust.changed') and ${WATCHED_ACTION}`)),
    // Batch jobs, of which the usage report tells how many there were (api/read-models/batch-jobs.ts).
    index('events_batch_jobs').on(table.timeNs).where(sql.raw(BATCH_ACTION)),
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
