import type pg from 'pg'
import { canonicalJson, type Json, sha256 } from '#core/record.ts'
import { formatTime } from '#core/time.ts'

/** A finding as the table holds it. */
export interface FindingRow {
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
  readonly details: Readonly<Record<string, Json>> | null
}

interface Hashed extends FindingRow {
  readonly evidenceHash: string
  readonly contentHash: string
}

/**
 * Makes the table hold exactly these findings, and notes every difference in `finding_changes` within the same transaction. What has not changed is not written.
 * @returns how many were written and taken away
 */
export async function storeFindings(
  client: pg.PoolClient,
  rows: readonly FindingRow[],
): Promise<{ readonly findings: number; readonly written: number; readonly removed: number }> {
  const { rows: stored } = await client.query<{ id: string; contentHash: string }>('select id, content_hash as "contentHash" from findings')
  const known = new Map(stored.map((row) => [row.id, row.contentHash]))
  const changed = rows.map(hashed).filter((row) => known.get(row.id) !== row.contentHash)
  const kept = new Set(rows.map((row) => row.id))
  const gone = [...known.keys()].filter((id) => !kept.has(id))
  if (gone.length > 0) await remove(client, gone)
  if (changed.length > 0) {
    await write(client, changed)
    await note(
      client,
      changed.map((row) => ({ id: row.id, change: known.has(row.id) ? 'changed' : 'new', body: bodyOf(row) })),
    )
  }
  // What is put out for a webhook stays until it is told; a teller that was away for a month begins with what is left (docs/findings-webhooks.md).
  await client.query(
    `delete from finding_changes c where c.changed_at < now() - interval '30 days'
       and not exists (select from webhook_outbox o where o.change_id = c.id)`,
  )
  return { findings: rows.length, written: changed.length, removed: gone.length }
}

function hashed(row: FindingRow): Hashed {
  const { severity, confidence, oids, evidence } = row
  const [firstNs, lastNs] = [String(row.firstNs), String(row.lastNs)]
  const evidenceHash = sha256(canonicalJson({ severity, confidence, oids, evidence, firstNs, lastNs }))
  return { ...row, evidenceHash, contentHash: sha256(canonicalJson({ ...row, evidenceHash, firstNs, lastNs })) }
}

async function write(client: pg.PoolClient, rows: readonly Hashed[]): Promise<void> {
  await client.query(
    `insert into findings (id, rule, severity, confidence, title, tenant_id, oids, evidence, first_ns, last_ns, explanation, remediation, details, evidence_hash, content_hash)
     select id, rule, severity, confidence, title, "tenantId", oids, evidence, "firstNs", "lastNs", explanation, remediation, nullif(details, 'null'::jsonb), "evidenceHash", "contentHash"
     from jsonb_to_recordset($1::jsonb) r(id uuid, rule text, severity text, confidence confidence, title text, "tenantId" uuid, oids uuid[], evidence uuid[], "firstNs" bigint, "lastNs" bigint,
       explanation text, remediation text, details jsonb, "evidenceHash" text, "contentHash" text)
     on conflict (id) do update set rule = excluded.rule, severity = excluded.severity, confidence = excluded.confidence, title = excluded.title, tenant_id = excluded.tenant_id,
       oids = excluded.oids, evidence = excluded.evidence, first_ns = excluded.first_ns, last_ns = excluded.last_ns, explanation = excluded.explanation, remediation = excluded.remediation,
       details = excluded.details, evidence_hash = excluded.evidence_hash, content_hash = excluded.content_hash`,
    [JSON.stringify(rows.map((row) => ({ ...row, firstNs: String(row.firstNs), lastNs: String(row.lastNs) })))],
  )
}

/** What is told of a finding that is gone is what it last was. */
async function remove(client: pg.PoolClient, ids: readonly string[]): Promise<void> {
  const { rows } = await client.query<FindingRow>(
    `delete from findings where id = any($1::uuid[]) returning id, rule, severity, confidence, title, tenant_id as "tenantId", oids, evidence, first_ns as "firstNs", last_ns as "lastNs",
       explanation, remediation, details`,
    [ids],
  )
  await note(
    client,
    rows.map((row) => ({ id: row.id, change: 'gone', body: bodyOf(row) })),
  )
}

/** The finding as the API shows it. Evidence is only counted: a thousand ids are no message, and /v1/findings has them. */
function bodyOf({ firstNs, lastNs, evidence, ...row }: FindingRow & Partial<Hashed>): Readonly<Record<string, Json>> {
  const { evidenceHash: _evidence, contentHash: _content, ...finding } = row
  return { ...finding, evidenceCount: evidence.length, firstSeen: formatTime(firstNs), lastSeen: formatTime(lastNs) }
}

async function note(client: pg.PoolClient, changes: readonly { readonly id: string; readonly change: string; readonly body: object }[]): Promise<void> {
  const inOrder = changes.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  await client.query(
    `insert into finding_changes (finding_id, change, body, changed_at) select id, change, body, now() from jsonb_to_recordset($1::jsonb) r(id uuid, change text, body jsonb) order by id`,
    [JSON.stringify(inOrder)],
  )
}

/** Makes the table of revocations hold exactly these proofs. */
export async function storeRevocations(
  client: pg.PoolClient,
  revoked: readonly { readonly tenantId: string; readonly oid: string; readonly proof: Readonly<Record<string, Json>> }[],
): Promise<void> {
  const rows = JSON.stringify(revoked.map(({ tenantId, oid, proof }) => ({ tenant: tenantId, oid, body: proof })))
  await client.query(`delete from revocations where (tenant_id, oid) not in (select tenant, oid from jsonb_to_recordset($1::jsonb) r(tenant uuid, oid uuid))`, [
    rows,
  ])
  await client.query(
    `insert into revocations as k (tenant_id, oid, body) select tenant, oid, body from jsonb_to_recordset($1::jsonb) r(tenant uuid, oid uuid, body jsonb)
     on conflict (tenant_id, oid) do update set body = excluded.body where k.body <> excluded.body`,
    [rows],
  )
}
