/** Who used which models how much, how often it failed, and how sure that is? */
import { CONFIDENCES } from '#core/event.ts'
import type { Confidence } from '#core/event.ts'
import type { CoverageOf, UsageCounts, UsageCoverage, UsageReport, UsageRow } from '../usage/contract.ts'
import { SHARES } from '../usage/contract.ts'
import { DIMENSIONS } from '../usage/query.ts'
import type { Dimension, UsageFilters } from '../usage/query.ts'
import { batchJobs } from './batch-jobs.ts'
import { oidsInScope } from './bounds.ts'
import { type Queries, type Store, scopeOf, tenantInScope } from './store.ts'

const COUNTS = ['calls', 'errors', 'throttles', 'inputTokens', 'outputTokens', 'cacheReadTokens', 'cacheWriteTokens'] as const

/** The columns behind each dimension, and how a row shows them. */
const COLUMNS: Readonly<Record<Dimension, Readonly<Record<string, string>>>> = {
  day: { day: 'u.day::text' },
  tenant: { tenantId: 'u.tenant_id' },
  agent: { agentOid: 'u.agent_oid', candidates: 'u.candidates' },
  confidence: { confidence: 'u.confidence' },
  cloud: { cloud: 'u.cloud' },
  account: { account: 'u.account' },
  region: { region: 'u.region' },
  ranRegion: { ranRegion: 'u.ran_region' },
  model: { model: 'u.model' },
  modelId: { modelId: 'u.model_id' },
  tokenBasis: { tokenBasis: 'u.token_basis' },
}

const NOTHING: Readonly<UsageCounts> = { calls: 0, errors: 0, throttles: 0, inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 }
const BLANK = {
  day: null,
  tenantId: null,
  agentOid: null,
  confidence: null,
  candidates: [],
  cloud: null,
  account: null,
  region: null,
  ranRegion: null,
  model: null,
  modelId: null,
  tokenBasis: null,
}

/** The report: rows added up but for `groupBy` (all dimensions without it), with its coverage. */
export async function llmUsage(store: Store, filters: UsageFilters): Promise<UsageReport> {
  const groupBy = filters.groupBy ?? DIMENSIONS
  // The coverage needs these two as well; rows are then added up once more.
  const dimensions = [...new Set([...groupBy, 'confidence', 'tokenBasis'] as const)]
  const rows = await usageRows(store, filters, dimensions)
  return {
    period: await periodOf(store, filters),
    groupBy: [...groupBy],
    // Within a scope rows may have become the same, because ids of others are left out.
    rows: withEveryShare(dimensions.length === groupBy.length && store.scope === 'everything' ? rows : addUp(rows, groupBy)),
    coverage: await coverageOf(store, filters, rows),
  }
}

/** Rows that are told apart by these dimensions, in their order; a share without any use has no row here. */
export async function usageRows(store: Store, filters: UsageFilters, dimensions: readonly Dimension[] = DIMENSIONS): Promise<UsageRow[]> {
  const { where, values } = conditions(store, filters)
  const columns = Object.entries(Object.assign({}, ...dimensions.map((dimension) => COLUMNS[dimension])) as Record<string, string>)
  const { rows } = await store.query<Partial<UsageRow> & Record<(typeof COUNTS)[number], bigint | string> & Pick<UsageRow, 'share'>>(
    `select u.share, ${columns.map(([name, column]) => `${column} as "${name}",`).join(' ')}
       sum(u.calls) as calls, sum(u.errors) as errors, sum(u.throttles) as throttles, sum(u.input_tokens) as "inputTokens", sum(u.output_tokens) as "outputTokens",
       sum(u.cache_read_tokens) as "cacheReadTokens", sum(u.cache_write_tokens) as "cacheWriteTokens"
     from usage_daily u where ${where.join(' and ')} group by ${['u.share', ...columns.map(([, column]) => column)].join(', ')}`,
    values,
  )
  // A tenant's managed identity may have been used by an agent of another tenant.
  const shown = await oidsInScope(
    store,
    rows.flatMap((row) => [row.agentOid ?? null, ...(row.candidates ?? [])]),
  )
  const ownRows = rows.map((row) => ({
    ...row,
    ...(row.agentOid && !shown.has(row.agentOid) ? { agentOid: null } : {}),
    ...(row.candidates ? { candidates: row.candidates.filter((oid) => shown.has(oid)) } : {}),
  }))
  return sorted(
    ownRows.map((row) => ({ ...BLANK, ...row, ...(Object.fromEntries(COUNTS.map((name) => [name, Number(row[name])])) as unknown as UsageCounts) })),
  )
}

function conditions(store: Store, filters: UsageFilters): { where: string[]; values: unknown[] } {
  const values: unknown[] = [scopeOf(store)]
  const where = [tenantInScope('u.tenant_id', '$1')]
  const add = (value: unknown, condition: (parameter: string) => string): void => {
    if (value === undefined) return
    values.push(value)
    where.push(condition(`$${values.length}`))
  }
  add(filters.from, (p) => `u.day >= ${p}::date`)
  add(filters.to, (p) => `u.day < ${p}::date`)
  add(filters.tenant, (p) => `u.tenant_id = ${p}::uuid`)
  add(filters.cloud, (p) => `u.cloud = ${p}::source`)
  add(filters.agent, (p) => `(u.agent_oid = ${p}::uuid or ${p}::uuid = any(u.candidates) or u.share = 'unattributed')`)
  return { where, values }
}

async function periodOf(store: Store, filters: UsageFilters): Promise<UsageReport['period']> {
  const { where, values } = conditions(store, filters)
  const { rows } = await store.query<{ first: string | null; last: string | null }>(
    `select min(u.day)::text as first, max(u.day)::text as last from usage_daily u where ${where.join(' and ')}`,
    values,
  )
  return { from: filters.from ?? null, to: filters.to ?? null, firstDay: rows[0]?.first ?? null, lastDay: rows[0]?.last ?? null }
}

/** How sure these rows are, which must be told apart by confidence and token basis. */
async function coverageOf(store: Store, filters: UsageFilters, rows: readonly UsageRow[]): Promise<UsageCoverage> {
  // What waits may be anybody's.
  const pending =
    store.scope === 'everything' ? await store.query<{ events: bigint | null }>('select sum(cardinality(times))::bigint as events from pending') : null
  const others = filters.tenant === undefined ? 0 : callsIn(await usageRows(store, { ...filters, tenant: undefined }, [])) - callsIn(rows)
  return {
    ...coverageOfRows(rows),
    pendingEvents: pending && Number(pending.rows[0]?.events ?? 0),
    batchJobs: await batchJobs(store, filters),
    otherTenants: others,
  }
}

const callsIn = (rows: readonly UsageRow[]): number => rows.reduce((sum, row) => sum + row.calls, 0)

/** The shares of calls and tokens by confidence. Pure. */
export function coverageOfRows(rows: readonly UsageRow[]): Pick<UsageCoverage, 'total' | 'byConfidence'> {
  const total = totalOf(rows)
  const of = (chosen: readonly UsageRow[]): CoverageOf => {
    const sum = totalOf(chosen)
    return {
      ...sum,
      meteredCalls: callsIn(chosen.filter((row) => row.tokenBasis === 'metered')),
      callShare: part(sum.calls, total.calls),
      tokenShare: part(tokensOf(sum), tokensOf(total)),
    }
  }
  const byConfidence = Object.fromEntries(CONFIDENCES.map((confidence) => [confidence, of(rows.filter((row) => row.confidence === confidence))])) as Record<
    Confidence,
    CoverageOf
  >
  return { total: of(rows), byConfidence }
}

const part = (some: number, all: number): number | null => (all === 0 ? null : Math.round((some / all) * 1e6) / 1e6)

/** Tokens of all four kinds. */
export const tokensOf = (counts: UsageCounts): number => counts.inputTokens + counts.outputTokens + counts.cacheReadTokens + counts.cacheWriteTokens

/** The counts of some rows together. Pure. */
export function totalOf(rows: readonly UsageCounts[]): UsageCounts {
  const sum = { ...NOTHING }
  // Reports have many rows: nothing is allocated for each.
  for (const row of rows) for (const name of COUNTS) sum[name] += row[name]
  return sum
}

function plus(a: UsageCounts, b: UsageCounts): UsageCounts {
  return Object.fromEntries(COUNTS.map((name) => [name, a[name] + b[name]])) as unknown as UsageCounts
}

/** Adds rows up that are the same in these dimensions; `merge` adds up what a row carries beside its counts. Pure. */
export function addUp<Row extends UsageRow>(
  rows: readonly Row[],
  dimensions: readonly Dimension[],
  merge: (a: Row, b: Row) => Partial<Row> = () => ({}),
): Row[] {
  const kept = new Set(['share', ...COUNTS, ...dimensions.flatMap((dimension) => Object.keys(COLUMNS[dimension]))])
  const sums = new Map<string, Row>()
  for (const row of rows) {
    const shown = { ...row, ...Object.fromEntries(Object.entries(BLANK).filter(([name]) => !kept.has(name))) }
    const key = JSON.stringify([shown.share, ...Object.keys(BLANK).map((name) => shown[name as keyof typeof BLANK])])
    const sum = sums.get(key)
    sums.set(key, sum ? { ...sum, ...plus(sum, shown), ...merge(sum, row) } : shown)
  }
  return sorted([...sums.values()])
}

/** Ambiguous and unattributed use is always a row: its absence could be taken for "nothing of the kind is known". */
export function withEveryShare<Row extends UsageRow>(rows: readonly Row[], more?: Omit<Row, keyof UsageRow>): Row[] {
  const missing = (['ambiguous', 'unattributed'] as const).filter((share) => !rows.some((row) => row.share === share))
  return [
    ...rows,
    ...missing.map(
      (share) => ({ ...BLANK, share, confidence: share === 'ambiguous' ? 'ambiguous' : 'none', tokenBasis: 'none', ...NOTHING, ...more }) as unknown as Row,
    ),
  ]
}

const ORDER = ['day', 'tenantId', 'agentOid', 'candidates', 'cloud', 'account', 'region', 'ranRegion', 'model', 'modelId', 'confidence', 'tokenBasis'] as const

/** Agents' use, then ambiguous, then unattributed; by day and the rest within. */
function sorted<Row extends UsageRow>(rows: readonly Row[]): Row[] {
  return rows
    .map((row) => ({ row, key: [SHARES.indexOf(row.share), ...ORDER.map((name) => row[name] ?? '')].join('\u0000') }))
    .toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ row }) => row)
}

/** The usage lines of the canonical export, sorted by id. A line is a function of the set of records. */
export async function* usageLines(client: Queries): AsyncGenerator<UsageRow & { readonly type: 'usage'; readonly id: string }> {
  for (let after = '00000000-0000-0000-0000-000000000000'; ;) {
    const { rows } = await client.query<{ id: string } & Omit<UsageRow, keyof UsageCounts> & Record<keyof UsageCounts, bigint | string>>(
      `select u.id, u.day::text as day, u.tenant_id as "tenantId", u.share, u.agent_oid as "agentOid", u.confidence, u.candidates, u.cloud, u.account, u.region, u.ran_region as "ranRegion", u.model, u.model_id as "modelId",
         u.token_basis as "tokenBasis", u.calls, u.errors, u.throttles, u.input_tokens as "inputTokens", u.output_tokens as "outputTokens", u.cache_read_tokens as "cacheReadTokens", u.cache_write_tokens as "cacheWriteTokens"
       from usage_daily u where u.id > $1 order by u.id limit 1000`,
      [after],
    )
    for (const row of rows) yield { type: 'usage', ...row, ...(Object.fromEntries(COUNTS.map((name) => [name, Number(row[name])])) as unknown as UsageCounts) }
    if (rows.length < 1000) return
    after = rows.at(-1)!.id
  }
}
