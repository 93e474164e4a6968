/** What use costs by the user's own prices. Exact: money is whole numbers of 10⁻¹⁸ of a currency unit, never a float. Pure. */
import type { UsageRow } from './contract.ts'

/** 10⁻¹⁸ of a currency unit. */
export type Money = bigint

const SCALE = 18

/** What can have a price: a kind of token, or a request. */
export type Priced = 'request' | 'input' | 'output' | 'cacheRead' | 'cacheWrite'

export interface PriceEntry {
  /** A model's plain name, or its id as callers write it (the id goes before the name). */
  readonly model: string
  readonly cloud: string | null
  readonly region: string | null
  /** First day and the day after the last one; null: open. */
  readonly from: string | null
  readonly to: string | null
  /** Money a token, or a request. */
  readonly prices: Readonly<Partial<Record<Priced, Money>>>
}

export interface PriceTable {
  /** ISO 4217. */
  readonly currency: string
  readonly entries: readonly PriceEntry[]
  /** SHA-256 of the file, for the report. */
  readonly sha256: string
}

/** One measured quantity of a row with its price and cost; nulls where the table has no price for it. */
export interface Charge {
  readonly of: Priced
  readonly quantity: number
  readonly unitPrice: Money | null
  readonly cost: Money | null
}

/** The cost of a row: what could be priced (a lower bound), and how many of its calls could not be priced wholly. */
export interface Cost {
  readonly amount: Money
  readonly unpricedCalls: number
}

/**
 * The text of a decimal number as money a unit.
 * @param per how many units the price is for: 1, 1000 or 1000000
 * @returns null when it is no decimal number of at most nine digits before and twelve after the point
 */
export function parsePrice(text: string, per: 1 | 1000 | 1_000_000): Money | null {
  const match = /^(\d{1,9})(?:\.(\d{1,12}))?$/.exec(text)
  if (!match) return null
  return BigInt(`${match[1]}${(match[2] ?? '').padEnd(12, '0')}`) * 10n ** BigInt(SCALE - 12 - Math.log10(per))
}

/** Decimal text without trailing zeros, e.g. `0.0123`; with `places`, rounded half away from zero to so many. */
export function formatMoney(money: Money, places: number | null = null): string {
  const rounded = places === null ? money : roundTo(money, places)
  const [sign, size] = rounded < 0n ? ['-', -rounded] : ['', rounded]
  const digits = String(size).padStart(SCALE + 1, '0')
  const fraction = digits.slice(-SCALE)
  const shown = places === null ? fraction.replace(/0+$/, '') : fraction.slice(0, places)
  return `${sign}${digits.slice(0, -SCALE)}${shown === '' ? '' : `.${shown}`}`
}

function roundTo(money: Money, places: number): Money {
  const step = 10n ** BigInt(SCALE - places)
  const half = money < 0n ? -step / 2n : step / 2n
  return ((money + half) / step) * step
}

/** The entry that fits a row of one day, cloud, region and model best: its id before its name, then a region, then a cloud of its own. */
export function priceOf(row: Pick<UsageRow, 'day' | 'cloud' | 'region' | 'model' | 'modelId'>, table: PriceTable): PriceEntry | null {
  const { day } = row
  if (day === null) return null
  let best: PriceEntry | null = null
  let rank = -1
  for (const entry of table.entries) {
    if (
      (entry.model !== row.modelId && entry.model !== row.model) ||
      (entry.cloud !== null && entry.cloud !== row.cloud) ||
      (entry.region !== null && entry.region !== row.region)
    )
      continue
    if ((entry.from !== null && day < entry.from) || (entry.to !== null && day >= entry.to)) continue
    const fits = (entry.model === row.modelId ? 4 : 0) + (entry.region !== null ? 2 : 0) + (entry.cloud !== null ? 1 : 0)
    if (fits > rank) [best, rank] = [entry, fits]
  }
  return best
}

/** What a row is charged for: its requests, then each kind of token that it used. Without a price table every price is null. */
export function chargesOf(row: UsageRow, table: PriceTable | null): Charge[] {
  const prices = table === null ? null : (priceOf(row, table)?.prices ?? null)
  const quantities: readonly [Priced, number][] = [
    ['request', row.calls],
    ['input', row.inputTokens],
    ['output', row.outputTokens],
    ['cacheRead', row.cacheReadTokens],
    ['cacheWrite', row.cacheWriteTokens],
  ]
  return quantities
    .filter(([of, quantity]) => quantity > 0 || of === 'request')
    .map(([of, quantity]) => {
      // Models are priced by tokens; a price for the request itself is the exception, and none means that it costs nothing beside its tokens.
      const beside = of === 'request' && row.tokenBasis !== 'none' ? 0n : null
      const unitPrice = prices === null ? null : (prices[of] ?? beside)
      return { of, quantity, unitPrice, cost: unitPrice === null ? null : unitPrice * BigInt(quantity) }
    })
}

/** The cost of one row. Calls without known tokens have no known cost, unless the price table prices requests only. */
export function costOf(row: UsageRow, table: PriceTable): Cost {
  const charges = chargesOf(row, table)
  const entry = priceOf(row, table)
  const perRequest = entry !== null && Object.keys(entry.prices).join() === 'request'
  const unknown = charges.some((charge) => charge.cost === null) || (row.tokenBasis === 'none' && !perRequest)
  return { amount: charges.reduce((sum, charge) => sum + (charge.cost ?? 0n), 0n), unpricedCalls: unknown ? row.calls : 0 }
}
