import type { Usage } from '#core/event.ts'
import type { JsonObject } from '#core/record.ts'
import { arr, at, isObj, num, obj, parseIfText, type Value } from '../read.ts'

/** Where bodies keep their counts: whole answers, Anthropic's stream, ConverseStream's last event, and Bedrock's own metrics, which come last and count best. */
const PLACES = ['usage', 'message.usage', 'metadata.usage', 'amazon-bedrock-invocationMetrics'] as const

/**
 * Token counts of one invocation log: the record's own counters first, then the body's usage. Null when neither says anything.
 * `inputTokens` excludes cached tokens, as `inputTokenCount` does.
 */
export function usageOf(record: JsonObject): Usage | null {
  const input = obj(record['input'])
  const output = obj(record['output'])
  const body = bodyUsage(output['outputBodyJson'])
  const usage: Usage = {
    inputTokens: num(input['inputTokenCount']) ?? body.inputTokens,
    outputTokens: num(output['outputTokenCount']) ?? body.outputTokens,
    cacheReadTokens: num(input['cacheReadInputTokenCount']) ?? body.cacheReadTokens,
    cacheWriteTokens: num(input['cacheWriteInputTokenCount']) ?? body.cacheWriteTokens,
  }
  return Object.values(usage).every((count) => count === null) ? null : usage
}

/** Counts in a body: an object, or a list of stream events whose later (cumulative) counts replace the earlier ones. */
function bodyUsage(body: Value): Usage {
  const parsed = parseIfText(body)
  let usage: Usage = { inputTokens: null, outputTokens: null, cacheReadTokens: null, cacheWriteTokens: null }
  for (const part of isObj(parsed) ? [parsed] : arr(parsed)) {
    for (const place of PLACES) {
      const counts = at(part, place)
      if (isObj(counts)) usage = later(usage, countsOf(counts))
    }
  }
  return usage
}

function later(before: Usage, after: Usage): Usage {
  return {
    inputTokens: after.inputTokens ?? before.inputTokens,
    outputTokens: after.outputTokens ?? before.outputTokens,
    cacheReadTokens: after.cacheReadTokens ?? before.cacheReadTokens,
    cacheWriteTokens: after.cacheWriteTokens ?? before.cacheWriteTokens,
  }
}

/** The names of Converse, Bedrock's metrics, Anthropic and OpenAI, in this order. */
function countsOf(counts: JsonObject): Usage {
  const first = (...names: readonly string[]): number | null => names.map((name) => num(counts[name])).find((count) => count !== null) ?? null
  const cachedByOpenAi = num(at(counts, 'prompt_tokens_details.cached_tokens'))
  const prompt = num(counts['prompt_tokens'])
  return {
    // OpenAI's prompt_tokens counts the cached ones in; all others leave them out.
    inputTokens: first('inputTokens', 'inputTokenCount', 'input_tokens') ?? (prompt === null ? null : prompt - (cachedByOpenAi ?? 0)),
    outputTokens: first('outputTokens', 'outputTokenCount', 'output_tokens', 'completion_tokens'),
    cacheReadTokens: first('cacheReadInputTokens', 'cacheReadInputTokenCount', 'cache_read_input_tokens') ?? cachedByOpenAi,
    cacheWriteTokens: first('cacheWriteInputTokens', 'cacheWriteInputTokenCount', 'cache_creation_input_tokens'),
  }
}
