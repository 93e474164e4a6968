import type pg from 'pg'
import { eventId } from '#core/record.ts'
import { storable } from '#core/text.ts'
import { FINDINGS_LOCK } from '../../store/locks.ts'
import { openContext } from './context.ts'
import { updateDigests } from './digest/update.ts'
import { type FindingRow, storeFindings, storeRevocations } from './store.ts'
import { type Draft, type FindingRule, MOST_EVIDENCE } from './rule.ts'

export interface Refreshed {
  readonly findings: number
  /** Findings written and taken away; 0 and 0 when nothing has changed. */
  readonly written: number
  readonly removed: number
  /** Days whose events were read. */
  readonly days: number
}

/**
 * Computes all findings from one snapshot of the store and makes the table hold exactly them. Many events are read as the sums of their days, which are made anew for the days
 * that changed; with `whole` for all of them, which must give the same. One process at a time; what others commit meanwhile is the next refresh's. Rejects, changing nothing, when the database fails.
 */
export async function refresh(pool: pg.Pool, rules: readonly FindingRule[], { whole = false }: { readonly whole?: boolean } = {}): Promise<Refreshed> {
  const client = await pool.connect()
  try {
    // Before the transaction: its snapshot must not be older than what the process before has written.
    await client.query('select pg_advisory_lock($1)', [FINDINGS_LOCK])
    try {
      await client.query('begin transaction isolation level repeatable read')
      await client.query(`set local jit = off; set local work_mem = '64MB'`)
      const days = await updateDigests(client, whole)
      const context = await openContext(client)
      const rows = new Map<string, FindingRow>()
      for (const rule of rules) for (const draft of await rule.evaluate(context)) add(rows, finish(rule, draft))
      const result = await storeFindings(client, [...rows.values()])
      await storeRevocations(client, await context.revoked())
      await client.query('commit')
      return { ...result, days }
    } catch (error) {
      await client.query('rollback').catch(() => undefined)
      throw error
    } finally {
      await client.query('select pg_advisory_unlock($1)', [FINDINGS_LOCK]).catch(() => undefined)
    }
  } finally {
    client.release()
  }
}

function add(rows: Map<string, FindingRow>, row: FindingRow): void {
  // Two drafts with one key would make the result depend on their order.
  if (rows.has(row.id)) throw new Error(`The rule ${row.rule} gives two findings with one key: ${row.title}, ${row.oids.join(' ')}`)
  rows.set(row.id, row)
}

function finish(rule: FindingRule, draft: Draft): FindingRow {
  const evidence = [...new Map(draft.evidence.map((one) => [one.id, one])).values()].toSorted((a, b) =>
    a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : a.id < b.id ? -1 : 1,
  )
  if (evidence.length === 0) throw new Error(`The rule ${rule.id} gives a finding without evidence.`)
  const events = draft.total?.events ?? evidence.length
  const listed = evidence.slice(0, MOST_EVIDENCE)
  const cut = events > listed.length ? ` It rests on ${events} events, of which the first ${listed.length} are listed.` : ''
  return {
    id: eventId('finding', rule.id, ...draft.key.map((part) => part ?? '')),
    rule: rule.id,
    severity: draft.severity ?? rule.severity,
    confidence: draft.confidence,
    title: storable(draft.title ?? rule.title),
    // Whoever may see a tenant reads the finding's words, so one that rests on another tenant's events, too, is of no single tenant.
    tenantId: draft.evidence.every(({ tenantId }) => !tenantId || tenantId === draft.tenantId) ? draft.tenantId : null,
    oids: [...new Set(draft.oids.filter((oid) => oid !== null))].toSorted(),
    evidence: listed.map((one) => one.id).toSorted(),
    firstNs: draft.total?.firstNs ?? evidence[0]!.timeNs,
    lastNs: draft.total?.lastNs ?? evidence.at(-1)!.timeNs,
    explanation: storable(draft.explanation + cut),
    remediation: rule.remediation,
    details: draft.details ?? null,
  }
}
