/** Findings, what people decided about them, and what is told to webhooks. */
import { bigint, boolean, index, integer, jsonb, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { nanos, confidenceEnum } from './columns.ts'

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
