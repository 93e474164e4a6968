/** What the set of records amounts to: findings with their evidence. */
import type pg from 'pg'
import { formatTime } from '#core/time.ts'
import type { Page } from '../contract.ts'
import { encodeCursor } from '../cursor.ts'
import type { ConcludedFinding, Finding } from '../findings/contract.ts'
import type { FindingFilters, FindingPosition } from '../findings/query.ts'
import { eventsInScope, oidsInScope } from './bounds.ts'
import { type Store, scopeOf, tenantInScope } from './store.ts'

interface Row extends Omit<ConcludedFinding, 'firstSeen' | 'lastSeen'> {
  readonly firstNs: bigint
  readonly lastNs: bigint
}

interface DecidedRow extends Row {
  readonly acknowledged: boolean | null
  readonly reason: string | null
  readonly by: string | null
  readonly byName: string | null
  readonly decidedAt: Date | null
  readonly evidenceChanged: boolean | null
}

const COLUMNS =
  'id, rule, severity, confidence, title, tenant_id as "tenantId", oids, evidence, first_ns as "firstNs", last_ns as "lastNs", explanation, remediation, details'
const DECIDED_COLUMNS = `${COLUMNS}, acknowledged, reason, "by", "byName", "decidedAt", "evidenceChanged"`

/** Findings with the last decision about each. Index finding_decisions_finding. */
const DECIDED = `findings f left join lateral (
  select d.acknowledged, d.reason, d.by as "by", d.by_name as "byName", d.decided_at as "decidedAt", d.evidence_hash <> f.evidence_hash as "evidenceChanged"
  from finding_decisions d where d.finding_id = f.id order by d.id desc limit 1) decision on true`

/** A page of findings, those with the latest evidence first. Indexes findings_last and findings_oids. */
export async function findingsPage(store: Store, filters: FindingFilters, limit: number, after?: FindingPosition): Promise<Page<Finding>> {
  const values: unknown[] = [scopeOf(store)]
  const where: string[] = [tenantInScope('tenant_id', '$1')]
  const add = (condition: (parameter: string) => string, value: unknown): void => {
    values.push(value)
    where.push(condition(`$${values.length}`))
  }
  if (filters.rule !== undefined) add((p) => `rule = any(${p}::text[])`, filters.rule)
  if (filters.severity !== undefined) add((p) => `severity = any(${p}::text[])`, filters.severity)
  if (filters.status !== undefined) add((p) => `case when acknowledged then 'acknowledged' else 'open' end = any(${p}::text[])`, filters.status)
  if (filters.oid !== undefined) add((p) => `oids @> array[${p}::uuid]`, filters.oid)
  if (filters.tenant !== undefined) add((p) => `tenant_id = ${p}::uuid`, filters.tenant)
  if (filters.from !== undefined) add((p) => `last_ns >= ${p}::bigint`, filters.from)
  if (filters.to !== undefined) add((p) => `first_ns < ${p}::bigint`, filters.to)
  if (after) {
    values.push(after.lastNs, after.id)
    where.push(`(last_ns, id) < ($${values.length - 1}::bigint, $${values.length}::uuid)`)
  }
  values.push(limit + 1)
  const { rows } = await store.query<DecidedRow>(
    `select ${DECIDED_COLUMNS} from ${DECIDED} where ${where.join(' and ')} order by last_ns desc, id desc limit $${values.length}`,
    values,
  )
  const last = rows.length > limit ? rows[limit - 1] : undefined
  return { items: (await bounded(store, rows.slice(0, limit))).map(toDecided), next: last ? encodeCursor([String(last.lastNs), last.id]) : null }
}

/** One finding, or null. */
export async function findingById(store: Store, id: string): Promise<Finding | null> {
  const { rows } = await store.query<DecidedRow>(`select ${DECIDED_COLUMNS} from ${DECIDED} where id = $1 and ${tenantInScope('tenant_id', '$2')}`, [
    id,
    scopeOf(store),
  ])
  const [row] = await bounded(store, rows)
  return row ? toDecided(row) : null
}

/** A finding may rest on events that prove no tenant; callers bound to tenants see those ids that are theirs. The words are shown whole. */
async function bounded(store: Store, rows: readonly DecidedRow[]): Promise<readonly DecidedRow[]> {
  const [events, oids] = await Promise.all([
    eventsInScope(
      store,
      rows.flatMap((row) => row.evidence),
    ),
    oidsInScope(
      store,
      rows.flatMap((row) => row.oids),
    ),
  ])
  return rows.map((row) => ({ ...row, oids: row.oids.filter((oid) => oids.has(oid)), evidence: row.evidence.filter((id) => events.has(id)) }))
}

/** The findings as lines of the canonical export, sorted by id. */
export async function* findingLines(client: pg.ClientBase): AsyncGenerator<ConcludedFinding & { readonly type: 'finding' }> {
  const { rows } = await client.query<Row>(`select ${COLUMNS} from findings order by id`)
  for (const row of rows) yield { type: 'finding', ...toFinding(row) }
}

function toFinding({ firstNs, lastNs, ...row }: Row): ConcludedFinding {
  const { explanation, remediation, details, ...head } = row
  return { ...head, firstSeen: formatTime(firstNs), lastSeen: formatTime(lastNs), explanation, remediation, details }
}

function toDecided({ acknowledged, reason, by, byName, decidedAt, evidenceChanged, ...row }: DecidedRow): Finding {
  const acknowledgement =
    acknowledged === true && by !== null && decidedAt !== null
      ? { by, byName, reason: reason ?? '', at: decidedAt.toISOString(), evidenceChanged: evidenceChanged === true }
      : null
  return { ...toFinding(row), status: acknowledgement ? 'acknowledged' : 'open', acknowledgement }
}
