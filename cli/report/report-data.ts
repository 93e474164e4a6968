import type { Finding } from '#api/findings/contract.ts'
import type { UsageCoverage, UsageReport } from '#api/usage/contract.ts'
import type { PricedRow } from './priced.ts'

/** All that a report is made from: the same data give the same report. */
export interface ReportData {
  readonly period: UsageReport['period']
  readonly scope: { readonly tenant: string | null; readonly agent: string | null; readonly cloud: string | null }
  /** Told apart by every dimension, in their order. */
  readonly rows: readonly PricedRow[]
  readonly coverage: UsageCoverage
  /** Every finding that touches the period and is in the scope. */
  readonly findings: readonly Finding[]
  readonly nameOf: (tenantId: string | null, oid: string) => string | null
  readonly severalTenants: boolean
  readonly prices: { readonly currency: string; readonly sha256: string } | null
  readonly madeBy: string | null
  readonly version: string
  /** Each command, and the SHA-256 of what it prints. */
  readonly proofs: readonly { readonly of: string; readonly command: string; readonly sha256: string }[]
}
