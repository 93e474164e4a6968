/**
 * Usage as FOCUS 1.2 rows (FinOps Open Cost and Usage Specification): one row for the requests of a usage row and one for each kind of token that it
 * used. All mandatory columns and those that apply; ours start with `x_`. Costs follow from the user's price table. FOCUS allows no empty cost and no empty
 * currency: without a price the cost is 0 and `x_CostKnown` says `false`, and without a price table the currency is XXX, ISO 4217's code for none.
 */
import { toCsv } from '../csv.ts'
import type { UsageRow } from './contract.ts'
import { chargesOf, formatMoney } from './price.ts'
import type { Charge, Priced, PriceTable } from './price.ts'

type Cell = string | number | null
interface Line {
  readonly row: UsageRow
  readonly charge: Charge
  readonly table: PriceTable | null
}

const WHAT: Readonly<Record<Priced, string>> = {
  request: 'requests',
  input: 'input tokens',
  output: 'output tokens',
  cacheRead: 'input tokens read from cache',
  cacheWrite: 'input tokens written to cache',
}
const PROVIDERS: Readonly<Record<string, string>> = { aws: 'AWS', gcp: 'Google Cloud' }
const SERVICES: Readonly<Record<string, string>> = { aws: 'Amazon Bedrock', gcp: 'Vertex AI' }

/** Costs and quantities are decimals, and readers that tell types by their look (pandas, and so focus-validator) want the point. */
const decimal = (digits: string): string => (digits.includes('.') ? digits : `${digits}.0`)
const cost = ({ charge }: Line): Cell => decimal(charge.cost === null ? '0' : formatMoney(charge.cost))
const quantity = ({ charge }: Line): Cell => decimal(String(charge.quantity))
const unitPrice = ({ charge }: Line): Cell => (charge.unitPrice === null ? null : decimal(formatMoney(charge.unitPrice)))
const provider = ({ row }: Line): Cell => (row.cloud === null ? null : (PROVIDERS[row.cloud] ?? row.cloud))
const unit = ({ charge }: Line): Cell => (charge.of === 'request' ? 'Requests' : 'Tokens')
const instant = (date: Date): string => date.toISOString().replace('.000Z', 'Z')

/** Midnight of the day (`days` later), or of the first of its month (`months` later). */
function from(day: string | null, { days = 0, months }: { readonly days?: number; readonly months?: number }): Cell {
  if (day === null) return null
  const [year, month, date] = day.split('-').map(Number) as [number, number, number]
  return instant(months === undefined ? new Date(Date.UTC(year, month - 1, date + days)) : new Date(Date.UTC(year, month - 1 + months, 1)))
}

const COLUMNS: Readonly<Record<string, (line: Line) => Cell>> = {
  BilledCost: cost,
  BillingAccountId: ({ row }) => row.account,
  BillingAccountName: () => null,
  BillingCurrency: ({ table }) => table?.currency ?? 'XXX',
  BillingPeriodEnd: ({ row }) => from(row.day, { months: 1 }),
  BillingPeriodStart: ({ row }) => from(row.day, { months: 0 }),
  ChargeCategory: () => 'Usage',
  ChargeClass: () => null,
  ChargeDescription: ({ row, charge }) => `${row.model ?? row.modelId ?? 'unnamed model'}: ${WHAT[charge.of]}`,
  ChargeFrequency: () => 'Usage-Based',
  ChargePeriodEnd: ({ row }) => from(row.day, { days: 1 }),
  ChargePeriodStart: ({ row }) => from(row.day, {}),
  // Commitments are between the user and the cloud: no log tells of them.
  CommitmentDiscountCategory: () => null,
  CommitmentDiscountId: () => null,
  CommitmentDiscountName: () => null,
  CommitmentDiscountStatus: () => null,
  CommitmentDiscountType: () => null,
  ConsumedQuantity: quantity,
  ConsumedUnit: unit,
  ContractedCost: cost,
  ContractedUnitPrice: unitPrice,
  EffectiveCost: cost,
  InvoiceIssuerName: provider,
  ListCost: cost,
  ListUnitPrice: unitPrice,
  PricingCategory: ({ charge }) => (charge.unitPrice === null ? null : 'Standard'),
  PricingQuantity: quantity,
  PricingUnit: unit,
  ProviderName: provider,
  PublisherName: provider,
  RegionId: ({ row }) => row.region,
  RegionName: ({ row }) => row.region,
  ResourceId: ({ row }) => row.modelId,
  ResourceName: ({ row }) => row.model,
  ResourceType: () => 'Model',
  ServiceCategory: () => 'AI and Machine Learning',
  ServiceName: ({ row }) => (row.cloud === null ? null : (SERVICES[row.cloud] ?? row.cloud)),
  ServiceSubcategory: () => 'Generative AI',
  // What the user's price table prices: the clouds' own numbers for what they sell are in no log, nor are names of accounts.
  SkuId: ({ row }) => row.model ?? row.modelId ?? 'unnamed model',
  SkuPriceId: ({ row, charge }) => `${row.model ?? row.modelId ?? 'unnamed model'}:${charge.of}`,
  SubAccountId: ({ row }) => row.account,
  SubAccountName: () => null,
  Tags: () => null,
  // Names of FOCUS 0.5, which focus-validator 1.0.0 asks for beside those of the specification.
  ChargeType: () => 'Usage',
  InvoiceIssuer: provider,
  Provider: provider,
  Publisher: provider,
  ResourceID: ({ row }) => row.modelId,
  x_AgentOid: ({ row }) => row.agentOid,
  x_Candidates: ({ row }) => row.candidates.join(' '),
  x_Confidence: ({ row }) => row.confidence,
  x_CostKnown: ({ charge }) => String(charge.cost !== null),
  x_FailedRequests: ({ row, charge }) => (charge.of === 'request' ? row.errors : null),
  x_MeteredUnit: ({ charge }) => charge.of,
  x_PriceSource: ({ charge }) => (charge.unitPrice === null ? null : 'price table of the user'),
  x_RanRegionId: ({ row }) => row.ranRegion,
  x_Share: ({ row }) => row.share,
  x_TenantId: ({ row }) => row.tenantId,
  x_ThrottledRequests: ({ row, charge }) => (charge.of === 'request' ? row.throttles : null),
  x_TokenBasis: ({ row }) => row.tokenBasis,
}

/** The header line. */
export const focusHeader = (): string => toCsv([Object.keys(COLUMNS)])

/** The lines of some rows, which must be told apart by every dimension. */
export function focusRows(rows: readonly UsageRow[], table: PriceTable | null): string {
  const lines = rows.flatMap((row) => chargesOf(row, table).map((charge): Line => ({ row, charge, table })))
  return toCsv(lines.map((line) => Object.values(COLUMNS).map((column) => column(line))))
}
