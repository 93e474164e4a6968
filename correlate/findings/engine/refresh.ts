import type pg from 'pg'
import { canonicalJson, eventId, sha256 } from '#core/record.ts'
import { storable } from '#core/text.ts'
import { FINDINGS_LOCK } from '../../store/locks.ts'
import { openContext } from './context.ts'
import type { Draft, FindingRule } from './rule.ts'

/** Events that one finding lists at most. */
const MOST_EVIDENCE = 1000

interface Row {
  readonly id: string
  readonly rule: string
  readonly severity: string
  readonly confidence: string
  readonly title: string
  readonly tenantId: string | null
  readonly oids: readonly string[]
  readonly evidence: readonly string[]
  readonly firstNs: bigint
  readonly lastNs: bigint
  readonly explanation: string
  readonly remediation: string
}

export interface Refreshed {
  readonly findings: number
  /** Findings written and taken away; 0 and 0 when nothing has changed. */
  readonly written: number
  readonly removed: number
}

/**
 * Computes all findings anew from one snapshot of the store and makes the table hold exactly them. One process at a time; what others commit
 * meanwhile is the next refresh's. Rejects, changing nothing, when the database fails.
 */
export async function refresh(pool: pg.Pool, rules: readonly FindingRule[]): Promise<Refreshed> {
  const client = await pool.connect()
  try {
    // Before the transaction: its snapshot must not be older than what the process before has written.
    await client.query('select pg_advisory_lock($1)', [FINDINGS_LOCK])
    try {
      await client.query('begin transaction isolation level repeatable read')
      await client.query(`set local jit = off; set local work_mem = '64MB'`)
      const context = await openContext(client)
      const rows = new Map<string, Row>()
      for (const rule of rules) for (const draft of await rule.evaluate(context)) add(rows, finish(rule, draft))
      const result = await store(client, [...rows.values()])
      await client.query('commit')
      return result
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

function add(rows: Map<string, Row>, row: Row): void {
  // Two drafts with one key would make the result depend on their order.
  if (rows.has(row.id)) throw new Error(`The rule ${row.rule} gives two findings with one key: ${row.title}, ${row.oids.join(' ')}`)
  rows.set(row.id, row)
}

function finish(rule: FindingRule, draft: Draft): Row {
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
    tenantId: draft.tenantId,
    oids: [...new Set(draft.oids.filter((oid) => oid !== null))].toSorted(),
    evidence: listed.map((one) => one.id).toSorted(),
    firstNs: draft.total?.firstNs ?? evidence[0]!.timeNs,
    lastNs: draft.total?.lastNs ?? evidence.at(-1)!.timeNs,
    explanation: storable(draft.explanation + cut),
    remediation: rule.remediation,
  }
}

async function store(client: pg.PoolClient, rows: readonly Row[]): Promise<Refreshed> {
  const hashOf = (row: Row): string => sha256(canonicalJson({ ...row, firstNs: String(row.firstNs), lastNs: String(row.lastNs) }))
  const known = new Map(
    (await client.query<{ id: string; content_hash: string }>('select id, content_hash from findings')).rows.map((row) => [row.id, row.content_hash]),
  )
  const changed = rows.map((row) => ({ ...row, contentHash: hashOf(row) })).filter((row) => known.get(row.id) !== row.contentHash)
  const kept = new Set(rows.map((row) => row.id))
  const gone = [...known.keys()].filter((id) => !kept.has(id))
  if (gone.length > 0) await client.query('delete from findings where id = any($1::uuid[])', [gone])
  if (changed.length > 0) {
    await client.query(
      `insert into findings (id, rule, severity, confidence, title, tenant_id, oids, evidence, first_ns, last_ns, explanation, remediation, content_hash)
       select id, rule, severity, confidence, title, tenant_id, oids, evidence, first_ns, last_ns, explanation, remediation, content_hash
       from jsonb_to_recordset($1::jsonb) r(id uuid, rule text, severity text, confidence confidence, title text, tenant_id uuid, oids uuid[], evidence uuid[], first_ns bigint, last_ns bigint,
         explanation text, remediation text, content_hash text)
       on conflict (id) do update set rule = excluded.rule, severity = excluded.severity, confidence = excluded.confidence, title = excluded.title, tenant_id = excluded.tenant_id,
         oids = excluded.oids, evidence = excluded.evidence, first_ns = excluded.first_ns, last_ns = excluded.last_ns, explanation = excluded.explanation, remediation = excluded.remediation,
         content_hash = excluded.content_hash`,
      [
        JSON.stringify(
          changed.map((row) => ({
            id: row.id,
            rule: row.rule,
            severity: row.severity,
            confidence: row.confidence,
            title: row.title,
            tenant_id: row.tenantId,
            oids: row.oids,
            evidence: row.evidence,
            first_ns: String(row.firstNs),
            last_ns: String(row.lastNs),
            explanation: row.explanation,
            remediation: row.remediation,
            content_hash: row.contentHash,
          })),
        ),
      ],
    )
  }
  return { findings: rows.length, written: changed.length, removed: gone.length }
}
