/** Makes the scheduled reports that are due. What was made stands in `report_runs`: whatever restarts or runs beside it, each period's report is made once. */
import type pg from 'pg'
import { inSnapshot, scopedStore } from '#api/read-models/store.ts'
import { UsageFilters } from '#api/usage/query.ts'
import type { ScheduledReport } from '../../../config/reports-section.ts'
import { CommandError } from '../../cli.ts'
import type { DeliverOptions } from '../../webhook/deliver.ts'
import { reportFile } from '../make.ts'
import { readPriceFile } from '../price-file.ts'
import { deliverReport, openTarget } from './deliver-report.ts'
import { duePeriods } from './periods.ts'
import type { Period } from './periods.ts'

/** Advisory lock of whoever makes scheduled reports. An arbitrary number, the same everywhere. */
const REPORTS_LOCK = 7_241_101

export interface DueOptions extends DeliverOptions {
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** A report that was made, or why it was not. */
export interface ReportOutcome {
  readonly name: string
  readonly period: Period
  readonly target: string | null
  readonly error: string | null
}

/**
 * Whether this login of the database may keep what was made. Without that no report is made at all: it would be made again every minute.
 * @throws CommandError that says what to do
 */
export async function mustKeepRuns(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ login: string; may: boolean }>(
    `select quote_ident(current_user) as login, has_table_privilege('report_runs', 'select') and has_table_privilege('report_runs', 'insert') as may`,
  )
  const { login, may } = rows[0]!
  if (may) return
  throw new CommandError(
    `Reports are configured, but the database login ${login} may not keep which of them were made. Let the owner of the tables run \`GRANT SELECT, INSERT ON report_runs TO ${login}\`, or leave the section reports: to another process (docs/operators/access.md).`,
  )
}

/**
 * Makes everything that is due, the oldest period first. A report that cannot be made or delivered is told and stays due; the others go on.
 * @returns what was made or failed; null when another process is at it
 */
export async function runDue(pool: pg.Pool, reports: readonly ScheduledReport[], options: DueOptions): Promise<readonly ReportOutcome[] | null> {
  const client = await pool.connect()
  try {
    const { rows } = await client.query<{ mine: boolean }>('select pg_try_advisory_lock($1) as mine', [REPORTS_LOCK])
    if (!rows[0]!.mine) return null
    try {
      const outcomes: ReportOutcome[] = []
      for (const report of reports) outcomes.push(...(await runReport(pool, report, options)))
      return outcomes
    } finally {
      await client.query('select pg_advisory_unlock($1)', [REPORTS_LOCK])
    }
  } finally {
    client.release()
  }
}

async function runReport(pool: pg.Pool, report: ScheduledReport, options: DueOptions): Promise<ReportOutcome[]> {
  const { name, every, afterMinutes } = report
  const { rows } = await pool.query<{ to: string | null }>('select max(period_to)::text as to from report_runs where name = $1', [name])
  const outcomes: ReportOutcome[] = []
  for (const period of duePeriods(every, afterMinutes, rows[0]?.to ?? null, (options.now ?? Date.now)())) {
    options.signal?.throwIfAborted()
    try {
      outcomes.push({ name, period, target: await makeOne(pool, report, period, options), error: null })
    } catch (error) {
      options.signal?.throwIfAborted()
      outcomes.push({ name, period, target: null, error: error instanceof Error ? error.message : String(error) })
      // Later periods wait: a reader must not find a gap that is filled afterwards.
      break
    }
  }
  return outcomes
}

async function makeOne(pool: pg.Pool, report: ScheduledReport, period: Period, options: DueOptions): Promise<string> {
  const target = await openTarget(report, options.environment)
  const prices = report.prices === undefined ? null : await readPriceFile(report.prices)
  const filters = UsageFilters.parse({ from: period.from, to: period.to, tenant: report.tenant, cloud: report.cloud })
  // Under the role of unbounded readers: an API with a login of its own reads nothing by itself (docs/operators/access.md). A month of a large store may take
  // minutes, and nobody waits for it: with the limit of the API's callers it would fail anew every minute.
  const content = await inSnapshot(scopedStore(pool, 'everything', null), (store) =>
    reportFile(store, report.format, { filters, prices, madeBy: report.madeBy ?? null }),
  )
  const delivered = await deliverReport(report, period, content, target, options)
  await pool.query(
    `insert into report_runs (name, period_from, period_to, format, target, sha256, made_at) values ($1, $2, $3, $4, $5, $6, now()) on conflict do nothing`,
    [report.name, period.from, period.to, report.format, delivered.target, delivered.sha256],
  )
  return delivered.target
}
