import type { Json, JsonObject } from '#core/record.ts'
import { MASKED } from '#core/secret-looks.ts'

/** Objects of counters inside a model's answer (Converse, Anthropic, Bedrock's own metrics, Gemini). */
const COUNTERS: ReadonlySet<string> = new Set(['usage', 'usageMetadata', 'amazon-bedrock-invocationMetrics', 'metrics'])
/** One-word outcomes that say nothing of the content. */
const WORDS: ReadonlySet<string> = new Set(['stopReason', 'stop_reason', 'finishReason', 'amazon-bedrock-guardrailAction'])
/** Members that lead to counters in the bodies that streams and batches write. */
const LEADS: ReadonlySet<string> = new Set(['message', 'delta', 'output', 'metadata', 'messageStop', 'candidates', 'response'])

/**
 * What may be kept of a model's request or answer: token counts and the reason to stop. Built by what is known to be harmless, not by
 * what is known to be a prompt: providers shape their bodies as they like. The mask word when nothing is left.
 */
export function keepUsage(body: Json): Json {
  return kept(body, 0) ?? MASKED
}

function kept(value: Json | undefined, depth: number): Json | null {
  if (depth > 6 || value === null || typeof value !== 'object') return null
  if (Array.isArray(value)) {
    const items = value.map((item) => kept(item as Json, depth + 1)).filter((item) => item !== null)
    return items.length > 0 ? items : null
  }
  const result: Record<string, Json> = {}
  for (const [key, member] of Object.entries(value as JsonObject)) {
    const inner = COUNTERS.has(key) ? counters(member, 0) : WORDS.has(key) ? word(member) : LEADS.has(key) ? kept(member, depth + 1) : null
    if (inner !== null) result[key] = inner
  }
  return Object.keys(result).length > 0 ? result : null
}

function word(value: Json | undefined): Json | null {
  return typeof value === 'string' && /^[A-Za-z_]{1,40}$/.test(value) ? value : null
}

/** Numbers only, under keys that look like names of counters. */
function counters(value: Json | undefined, depth: number): Json | null {
  if (typeof value === 'number') return value
  if (depth > 3 || value === null || typeof value !== 'object' || Array.isArray(value)) return null
  const result: Record<string, Json> = {}
  for (const [key, member] of Object.entries(value as JsonObject)) {
    const inner = /^[A-Za-z0-9_-]{1,60}$/.test(key) ? counters(member, depth + 1) : null
    if (inner !== null) result[key] = inner
  }
  return Object.keys(result).length > 0 ? result : null
}

/** What a Vertex request may keep: which model was called, never with what. */
const VERTEX_REQUEST: ReadonlySet<string> = new Set(['@type', 'at_sign_type', 'model', 'name', 'endpoint', 'parent', 'labels', 'resource'])
const VERTEX_CALL =
  /(?:PredictionService|ReasoningEngineExecutionService|LlmUtilityService|SessionService|MemoryBankService)\.|(?:generateContent|predict|chatCompletions|embedContent|countTokens|queryReasoningEngine|sessionEvents\.append)$/i
const VERTEX_CONTENT: ReadonlySet<string> = new Set([
  'contents',
  'content',
  'instances',
  'systemInstruction',
  'system_instruction',
  'messages',
  'prompt',
  'prompts',
  'httpBody',
  'input',
  'inputs',
  'tools',
  'candidates',
  'predictions',
  'choices',
  'output',
])
const MANTLE: ReadonlySet<string> = new Set(['metadata', 'messages', 'input', 'prompt', 'instructions'])
const AGENTCORE: ReadonlySet<string> = new Set([
  'payload',
  'body',
  'requestBody',
  'responseBody',
  'response',
  'request',
  'input',
  'output',
  'prompt',
  'content',
  'contents',
  'messages',
  'text',
  'arguments',
  'code',
  'result',
])

/**
 * Which members of the record's request and answer hold content, from the record's own service; null for the many services that log
 * none. The result says for a path (`protoPayload`, `request`, `contents`) whether it is replaced whole.
 */
export function contentRule(record: JsonObject): ((path: readonly string[]) => boolean) | null {
  const payload = record.protoPayload as JsonObject | null | undefined
  if (payload !== null && typeof payload === 'object' && payload.serviceName === 'aiplatform.googleapis.com') {
    const call = typeof payload.methodName === 'string' && VERTEX_CALL.test(payload.methodName)
    return (path) => {
      if (path.length !== 3 || path[0] !== 'protoPayload' || (path[1] !== 'request' && path[1] !== 'response')) return false
      if (path[1] === 'response' && call) return path[2] !== '@type' && path[2] !== 'usageMetadata' && path[2] !== 'name'
      return call ? !VERTEX_REQUEST.has(path[2]!) : VERTEX_CONTENT.has(path[2]!)
    }
  }
  const members = record.eventSource === 'bedrock-mantle.amazonaws.com' ? MANTLE : record.eventSource === 'bedrock-agentcore.amazonaws.com' ? AGENTCORE : null
  if (!members) return null
  return (path) => path.length === 2 && (path[0] === 'requestParameters' || path[0] === 'responseElements') && members.has(path[1]!)
}
