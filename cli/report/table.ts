/** The usage report as a table for people, and the words below it. */
import type { UsageReport } from '#api/usage/contract.ts'
import { chargesOf, formatMoney } from '#api/usage/price.ts'
import type { PriceTable } from '#api/usage/price.ts'
import type { Column } from '../output/table.ts'
import { printable } from '../output/table.ts'
import type { NameOf } from './make.ts'
import { percent, whole } from './numbers.ts'
import type { PricedRow } from './priced.ts'
import { batchWords } from './words.ts'

/** The columns, for a terminal of this width in characters. */
export function usageColumns(width: number, table: PriceTable | null, nameOf: NameOf): readonly Column<PricedRow>[] {
  const spare = Math.max(0, width - 120)
  const tokens = (row: PricedRow, count: number): string => (row.tokenBasis === 'none' || (row.tokenBasis === null && count === 0) ? '–' : whole(count))
  return [
    { title: 'whose', width: 26 + Math.floor(spare / 2), text: (row) => whose(row, nameOf) },
    { title: 'certainty', width: 10, text: (row) => row.confidence ?? '' },
    { title: 'cloud', width: 5, text: (row) => row.cloud ?? '' },
    { title: 'model', width: (table === null ? 28 : 17) + Math.ceil(spare / 2), text: (row) => row.model ?? row.modelId ?? '' },
    { title: 'calls', width: 8, text: (row) => whole(row.calls) },
    { title: 'failed', width: 7, text: (row) => whole(row.errors) },
    { title: 'input', width: 11, text: (row) => tokens(row, row.inputTokens) },
    { title: 'output', width: 10, text: (row) => tokens(row, row.outputTokens) },
    ...(table === null ? [] : [{ title: table.currency, width: 11, text: (row: PricedRow) => costText(row) }]),
  ]
}

function costText({ cost, calls }: PricedRow): string {
  if (cost === null) return ''
  if (calls > 0 && cost.unpricedCalls === calls && cost.amount === 0n) return 'unknown'
  return `${cost.unpricedCalls > 0 ? '≥ ' : ''}${formatMoney(cost.amount, 2)}`
}

function whose(row: PricedRow, nameOf: NameOf): string {
  if (row.share === 'unattributed') return 'nobody'
  if (row.share === 'ambiguous') return row.candidates.length === 0 ? 'one of several' : `one of ${row.candidates.length} agents`
  return row.agentOid === null ? 'agents' : (nameOf(row.tenantId, row.agentOid) ?? row.agentOid)
}

/** How sure the report is and what is missing from it, a line each. */
export function coverageLines({ coverage }: UsageReport, rows: readonly PricedRow[], table: PriceTable | null): string[] {
  const { total, byConfidence, pendingEvents, otherTenants } = coverage
  const batch = batchWords(coverage.batchJobs)
  const parts = Object.entries(byConfidence).map(([confidence, { calls }]) => `${confidence} ${percent(calls, total.calls)}`)
  return [
    `${whole(total.calls)} calls: ${parts.join(', ')}. Tokens are known of ${percent(total.meteredCalls, total.calls)} of them.`,
    ...(total.throttles > 0 ? [`${whole(total.throttles)} of the ${whole(total.errors)} failed calls were throttled.`] : []),
    ...(batch === null ? [] : [batch]),
    ...(otherTenants > 0 ? [`${whole(otherTenants)} calls of other tenants, or of none that is proven, are left out (--tenant).`] : []),
    ...(pendingEvents ? [`${whole(pendingEvents)} stored events are not evaluated yet and not counted.`] : []),
    ...unpricedLine(rows, table),
  ]
}

function unpricedLine(rows: readonly PricedRow[], table: PriceTable | null): string[] {
  if (table === null) return []
  const unpriced = [
    ...new Set(
      rows.flatMap((row) =>
        chargesOf(row, table).flatMap((charge) =>
          charge.cost !== null || charge.of === 'request' ? [] : [`${charge.of} of ${row.modelId ?? row.model ?? 'unnamed'} (${row.region ?? 'no region'})`],
        ),
      ),
    ),
  ].toSorted()
  if (unpriced.length === 0) return []
  return [printable(`No price for: ${unpriced.slice(0, 20).join(', ')}${unpriced.length > 20 ? ` and ${unpriced.length - 20} more` : ''}.`)]
}
