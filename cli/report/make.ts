/** Makes the usage report in any of its formats, out of one moment of the store. */
import { toCsv } from '#api/csv.ts'
import type { Finding } from '#api/findings/contract.ts'
import { decodeFindingCursor, FindingFilters } from '#api/findings/query.ts'
import { MAX_LIMIT } from '#api/query.ts'
import { readDirectory } from '#api/read-models/directory.ts'
import { findingsPage } from '#api/read-models/findings.ts'
import { llmUsage, withEveryShare } from '#api/read-models/llm-usage.ts'
import type { Store } from '#api/read-models/store.ts'
import type { UsageReport } from '#api/usage/contract.ts'
import { USAGE_COLUMNS } from '#api/usage/csv.ts'
import { focusHeader, focusRows } from '#api/usage/focus.ts'
import { formatMoney } from '#api/usage/price.ts'
import type { PriceTable } from '#api/usage/price.ts'
import { DIMENSIONS } from '#api/usage/query.ts'
import type { UsageFilters } from '#api/usage/query.ts'
import { sha256 } from '#core/record.ts'
import { allPages } from '../output/listing.ts'
import { VERSION } from '../version.ts'
import type { Report } from './blocks.ts'
import { reportOf } from './document.ts'
import { reportHtml } from './html-document.ts'
import { addUpPriced, pricedRows } from './priced.ts'
import type { PricedRow } from './priced.ts'

/** The formats that are files; the table for people is the command's own. */
export const FILE_FORMATS = ['json', 'ndjson', 'csv', 'focus', 'html', 'pdf'] as const
export type FileFormat = (typeof FILE_FORMATS)[number]

/** How a format is named on the way: for webhooks and file names. */
export const FILE_TYPES: Readonly<Record<FileFormat, { readonly contentType: string; readonly ending: string }>> = {
  json: { contentType: 'application/json', ending: 'json' },
  ndjson: { contentType: 'application/x-ndjson', ending: 'ndjson' },
  csv: { contentType: 'text/csv; charset=utf-8', ending: 'csv' },
  focus: { contentType: 'text/csv; charset=utf-8', ending: 'focus.csv' },
  html: { contentType: 'text/html; charset=utf-8', ending: 'html' },
  pdf: { contentType: 'application/pdf', ending: 'pdf' },
}

export interface ReportRequest {
  readonly filters: UsageFilters
  readonly prices: PriceTable | null
  readonly madeBy: string | null
}

/** The usage that a report is about. */
export interface UsageData {
  readonly report: UsageReport
  /** Told apart by every dimension, priced; a share without any use has no row here. */
  readonly seen: readonly PricedRow[]
  readonly nameOf: NameOf
}

export type NameOf = (tenantId: string | null, oid: string) => string | null

/** Reads what a report is made of. */
export async function usageData(store: Store, { filters, prices }: ReportRequest): Promise<UsageData> {
  // Every dimension, because a price depends on day, region and model.
  const report = await llmUsage(store, { ...filters, groupBy: undefined })
  const seen = pricedRows(
    report.rows.filter((row) => row.day !== null),
    prices,
  )
  const directory = await readDirectory(store, filters.tenant)
  return { report, seen, nameOf: (tenantId, oid) => (tenantId === null ? null : (directory.find(tenantId, oid)?.names[0] ?? null)) }
}

/** The report as the text or bytes of a file. */
export async function reportFile(store: Store, format: FileFormat, request: ReportRequest): Promise<string | Uint8Array> {
  const data = await usageData(store, request)
  const { prices, filters } = request
  const groupBy = filters.groupBy ?? DIMENSIONS
  const rows = withEveryShare(groupBy.length === DIMENSIONS.length ? data.seen : addUpPriced(data.seen, groupBy), { cost: null })
  switch (format) {
    case 'json':
      return `${JSON.stringify({ ...data.report, groupBy, rows: rows.map((row) => shown(row, prices)) })}\n`
    case 'ndjson':
      return ndjson(rows, prices)
    case 'csv':
      return csv(rows, prices)
    case 'focus':
      return focusHeader() + focusRows(data.seen, prices)
    case 'html':
      return reportHtml(await complianceReport(store, data, request))
    case 'pdf': {
      const { reportPdf } = await import('./pdf.ts')
      return await reportPdf(await complianceReport(store, data, request))
    }
  }
}

/** A row as JSON has it: money is decimal text. */
function shown({ cost, ...row }: PricedRow, table: PriceTable | null): unknown {
  return table === null ? row : { ...row, cost: cost && { currency: table.currency, amount: formatMoney(cost.amount), unpricedCalls: cost.unpricedCalls } }
}

const ndjson = (rows: readonly PricedRow[], table: PriceTable | null): string => rows.map((row) => `${JSON.stringify(shown(row, table))}\n`).join('')

function csv(rows: readonly PricedRow[], table: PriceTable | null): string {
  const columns = {
    ...USAGE_COLUMNS,
    ...(table === null
      ? {}
      : {
          cost: (row: PricedRow) => row.cost && formatMoney(row.cost.amount),
          currency: () => table.currency,
          unpricedCalls: (row: PricedRow) => row.cost?.unpricedCalls ?? null,
        }),
  }
  return toCsv([Object.keys(columns), ...rows.map((row) => Object.values(columns).map((column) => column(row)))])
}

async function complianceReport(store: Store, { report, seen, nameOf }: UsageData, { filters, prices, madeBy }: ReportRequest): Promise<Report> {
  const findings = await findingsOf(store, filters)
  const asked = (...names: readonly ('from' | 'to' | 'tenant' | 'agent' | 'cloud')[]): string =>
    names.flatMap((name) => (filters[name] === undefined ? [] : [`--${name === 'agent' && !names.includes('cloud') ? 'oid' : name}`, filters[name]])).join(' ')
  return reportOf({
    period: report.period,
    scope: { tenant: filters.tenant ?? null, agent: filters.agent ?? null, cloud: filters.cloud ?? null },
    rows: seen,
    coverage: report.coverage,
    findings,
    nameOf: (tenantId, oid) => shortened(nameOf(tenantId, oid)),
    severalTenants: new Set(seen.flatMap((row) => row.tenantId ?? [])).size > 1,
    prices: prices && { currency: prices.currency, sha256: prices.sha256 },
    madeBy,
    version: VERSION,
    proofs: [
      {
        of: 'Calls',
        command: `trailjoin report llm-usage --format ndjson ${asked('from', 'to', 'tenant', 'agent', 'cloud')}`.trimEnd(),
        sha256: sha256(ndjson(withEveryShare(seen, { cost: null }), null)),
      },
      {
        of: 'Findings',
        command: `trailjoin findings --format ndjson ${asked('from', 'to', 'tenant', 'agent')}`.trimEnd(),
        sha256: sha256(findings.map((finding) => `${JSON.stringify(finding)}\n`).join('')),
      },
    ],
  })
}

/** Names are whatever somebody typed; one must not fill a page. */
const LONGEST_NAME = 100
const shortened = (name: string | null): string | null => (name !== null && name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name)

/** Every finding that touches the period, as the command `findings` prints them. */
async function findingsOf(store: Store, { from, to, tenant, agent }: UsageFilters): Promise<Finding[]> {
  const filters = FindingFilters.parse({ from, to, tenant, oid: agent })
  const pages = allPages((cursor) => findingsPage(store, filters, MAX_LIMIT, (cursor === undefined ? null : decodeFindingCursor(cursor)) ?? undefined))
  return (await Array.fromAsync(pages)).flat()
}
