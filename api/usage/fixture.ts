/** Rows of the usage roll-up for tests, written by SQL. */
import type pg from 'pg'
import { eventId } from '#core/record.ts'
import type { UsageRow } from './contract.ts'

/** A row; what is not given is as unremarkable as can be. */
export function usageRow(fields: Partial<UsageRow> = {}): UsageRow {
  return {
    day: '2026-09-01',
    tenantId: '11111111-0000-4000-8000-000000000001',
    share: 'agent',
    agentOid: 'aaaaaaaa-0000-4000-8000-000000000001',
    confidence: 'exact',
    candidates: [],
    cloud: 'aws',
    account: '111122223333',
    region: 'us-east-1',
    ranRegion: null,
    model: 'nova-lite-v1',
    modelId: 'amazon.nova-lite-v1:0',
    calls: 1,
    errors: 0,
    throttles: 0,
    inputTokens: 0,
    outputTokens: 0,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    tokenBasis: 'none',
    ...fields,
  }
}

/** Stores rows. */
export async function insertUsage(pool: pg.Pool, rows: readonly UsageRow[]): Promise<void> {
  for (const row of rows) {
    await pool.query(
      `insert into usage_daily (id, day, tenant_id, share, agent_oid, confidence, candidates, cloud, account, region, ran_region, model, model_id, token_basis, calls, errors, throttles, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, parts)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, 1)`,
      [
        eventId('usage fixture', JSON.stringify(row)),
        row.day,
        row.tenantId,
        row.share,
        row.agentOid,
        row.confidence,
        row.candidates,
        row.cloud,
        row.account,
        row.region,
        row.ranRegion,
        row.model,
        row.modelId,
        row.tokenBasis,
        row.calls,
        row.errors,
        row.throttles,
        row.inputTokens,
        row.outputTokens,
        row.cacheReadTokens,
        row.cacheWriteTokens,
      ],
    )
  }
}
