/** A timeline as CSV: one row an item, lists joined by a space. */
import { stringify } from 'csv-stringify/sync'
import type { TimelineItem } from './contract.ts'

/** The columns of a timeline, by name. */
export const TIMELINE_COLUMNS: Readonly<Record<string, (item: TimelineItem) => string | number | null>> = {
  time: (item) => item.time,
  source: (item) => item.source,
  kind: (item) => item.kind,
  action: (item) => item.action,
  outcome: (item) => item.outcome,
  errorCode: (item) => item.error?.code ?? null,
  errorMessage: (item) => item.error?.message ?? null,
  tenantId: (item) => item.tenantId,
  subjectOid: (item) => item.subjectOid,
  agentOid: (item) => item.agentOid,
  onBehalfOf: (item) => item.onBehalfOf,
  role: (item) => item.role,
  confidence: (item) => item.attribution.confidence,
  basis: (item) => item.attribution.basis.join(' '),
  candidates: (item) => item.attribution.candidates.join(' '),
  evidence: (item) => item.attribution.evidence.join(' '),
  targets: (item) => item.targets.join(' '),
  account: (item) => item.cloud.account,
  region: (item) => item.cloud.region,
  principal: (item) => item.cloud.principal,
  resource: (item) => item.resource,
  modelId: (item) => item.model?.id ?? null,
  modelName: (item) => item.model?.name ?? null,
  modelProvider: (item) => item.model?.provider ?? null,
  inputTokens: (item) => item.usage?.inputTokens ?? null,
  outputTokens: (item) => item.usage?.outputTokens ?? null,
  cacheReadTokens: (item) => item.usage?.cacheReadTokens ?? null,
  cacheWriteTokens: (item) => item.usage?.cacheWriteTokens ?? null,
  sourceIp: (item) => item.sourceIp,
  userAgent: (item) => item.userAgent,
  requestId: (item) => item.requestId,
  traceId: (item) => item.traceId,
  sessionId: (item) => item.sessionId,
  parentId: (item) => item.parentId,
  deliveredAt: (item) => item.deliveredAt,
  ingestedAt: (item) => item.ingestedAt,
  nativeId: (item) => item.nativeId,
  id: (item) => item.id,
  rawSha256: (item) => item.rawSha256,
}

/** The header line. */
export const csvHeader = (): string => toCsv([Object.keys(TIMELINE_COLUMNS)])

/** The lines of some items. */
export const csvRows = (items: readonly TimelineItem[]): string => toCsv(items.map((item) => Object.values(TIMELINE_COLUMNS).map((column) => column(item))))

/** Rows as RFC 4180 lines (CRLF), every cell harmless to spreadsheet programs. */
export function toCsv(rows: readonly (readonly (string | number | boolean | null)[])[]): string {
  return stringify(
    rows.map((row) => row.map((cell) => (typeof cell === 'string' ? neutral(cell) : typeof cell === 'boolean' ? String(cell) : cell))),
    { record_delimiter: 'windows', quoted_match: /[\r\n]/ },
  )
}

/**
 * Spreadsheet programs run a cell that starts with one of these as a formula, and log fields (user agents, session names) are whatever an attacker
 * wrote. A leading quote makes it text (OWASP, "CSV Injection"). LF is not in OWASP's list of old, but Excel trims it and then sees the formula.
 */
function neutral(cell: string): string {
  return /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(cell) ? `'${cell}` : cell
}
