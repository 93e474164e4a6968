/** Usage rows with what they cost. */
import type { UsageCounts, UsageRow } from '#api/usage/contract.ts'
import { addUp, totalOf as countsOf } from '#api/read-models/llm-usage.ts'
import type { Cost, PriceTable } from '#api/usage/price.ts'
import { costOf } from '#api/usage/price.ts'
import type { Dimension } from '#api/usage/query.ts'

export interface PricedRow extends UsageRow {
  /** Null without a price table. */
  readonly cost: Cost | null
}

/** Prices rows, which must be told apart by every dimension. */
export const pricedRows = (rows: readonly UsageRow[], table: PriceTable | null): PricedRow[] =>
  rows.map((row) => ({ ...row, cost: table && costOf(row, table) }))

/** Adds priced rows up, but for these dimensions. */
export function addUpPriced(rows: readonly PricedRow[], dimensions: readonly Dimension[]): PricedRow[] {
  return addUp(rows, dimensions, (a, b) => ({ cost: plus(a.cost, b.cost) }))
}

/** All counts and costs of some rows together. */
export function totalOf(rows: readonly PricedRow[]): UsageCounts & { readonly cost: Cost | null } {
  return { ...countsOf(rows), cost: rows.reduce<Cost | null>((sum, row) => plus(sum, row.cost), null) }
}

function plus(a: Cost | null, b: Cost | null): Cost | null {
  if (a === null || b === null) return a ?? b
  return { amount: a.amount + b.amount, unpricedCalls: a.unpricedCalls + b.unpricedCalls }
}
