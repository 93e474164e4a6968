/** Usage rows as CSV columns. */
import type { UsageRow } from './contract.ts'

/** The columns of usage rows, by name. */
export const USAGE_COLUMNS: Readonly<Record<string, (row: UsageRow) => string | number | null>> = {
  day: (row) => row.day,
  tenantId: (row) => row.tenantId,
  share: (row) => row.share,
  agentOid: (row) => row.agentOid,
  confidence: (row) => row.confidence,
  candidates: (row) => row.candidates.join(' '),
  cloud: (row) => row.cloud,
  account: (row) => row.account,
  region: (row) => row.region,
  ranRegion: (row) => row.ranRegion,
  model: (row) => row.model,
  modelId: (row) => row.modelId,
  calls: (row) => row.calls,
  errors: (row) => row.errors,
  throttles: (row) => row.throttles,
  inputTokens: (row) => row.inputTokens,
  outputTokens: (row) => row.outputTokens,
  cacheReadTokens: (row) => row.cacheReadTokens,
  cacheWriteTokens: (row) => row.cacheWriteTokens,
  tokenBasis: (row) => row.tokenBasis,
}
