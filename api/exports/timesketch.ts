/**
 * Timesketch JSONL. Its rules (docs/guides/user/import-from-json-csv.md and timesketch/lib/utils.py of google/timesketch): every line has `message`, `datetime` (ISO 8601) and
 * `timestamp_desc`; `timestamp` is microseconds since 1970; `_id`, `_type`, `_index`, `_source` and `__ts_timeline_id` are taken away, `tag` is its own; the file ends in `.jsonl`.
 * Timelines of a sketch may share one OpenSearch index, where a field has one type for all: so fields are flat, each of one type, and absent where there is no value.
 */
import type { Kind } from '#core/event.ts'
import { parseTime } from '#core/time.ts'
import { sentence } from './item.ts'
import type { ExportItem } from './item.ts'

/** What the time of an event is the time of. */
const TIME_OF: Readonly<Record<Kind, string>> = {
  'token.issued': 'Token Issued',
  'token.exchanged': 'Token Exchanged',
  'credential.minted': 'Credential Minted',
  'llm.invoked': 'Model Invoked',
  'llm.metered': 'Model Use Metered',
  'api.called': 'API Called',
  'identity.changed': 'Identity Changed',
  'trust.changed': 'Trust Changed',
  other: 'Event Logged',
}

type Value = string | number | readonly string[] | null

/** One line of a Timesketch import, without its line break. */
export function timesketchLine(item: ExportItem): string {
  const record: Readonly<Record<string, Value>> = {
    message: sentence(item),
    // Nanoseconds do not fit: Timesketch keeps microseconds. `event_time` has them all.
    datetime: `${item.time.slice(0, -4)}+00:00`,
    timestamp: Number((parseTime(item.time) ?? 0n) / 1000n),
    timestamp_desc: TIME_OF[item.kind],
    data_type: `trailjoin:${item.kind}`,
    event_id: item.id,
    native_id: item.nativeId,
    event_time: item.time,
    cloud_source: item.source,
    event_kind: item.kind,
    event_action: item.action,
    event_outcome: item.outcome,
    error_code: item.error?.code ?? null,
    error_message: item.error?.message ?? null,
    tenant_id: item.tenantId,
    subject_oid: item.subjectOid,
    agent_oid: item.agentOid,
    on_behalf_of: item.onBehalfOf,
    target_oids: item.targets,
    timeline_role: item.role,
    attribution_confidence: item.attribution.confidence,
    attribution_basis: item.attribution.basis,
    attribution_candidates: item.attribution.candidates,
    attribution_evidence: item.attribution.evidence,
    trace_id: item.traceId,
    session_id: item.sessionId,
    parent_id: item.parentId,
    cloud_account: item.cloud.account,
    cloud_region: item.cloud.region,
    cloud_principal: item.cloud.principal,
    resource_name: item.resource,
    token_id: item.tokenId,
    model_id: item.model?.id ?? null,
    model_name: item.model?.name ?? null,
    model_provider: item.model?.provider ?? null,
    input_tokens: item.usage?.inputTokens ?? null,
    output_tokens: item.usage?.outputTokens ?? null,
    cache_read_tokens: item.usage?.cacheReadTokens ?? null,
    cache_write_tokens: item.usage?.cacheWriteTokens ?? null,
    source_ip: item.sourceIp,
    user_agent: item.userAgent,
    request_id: item.requestId,
    delivered_at: item.deliveredAt,
    ingested_at: item.ingestedAt,
    raw_sha256: item.rawSha256,
  }
  return JSON.stringify(Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0))))
}
