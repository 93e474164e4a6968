import { below, oneSpelling, vocabulary } from '../spelling/vocabulary.ts'

const COUNTS = ['inputTokens', 'inputTokenCount', 'input_tokens', 'prompt_tokens', 'prompt_tokens_details.cached_tokens', 'outputTokens', 'outputTokenCount']
const MORE_COUNTS = ['output_tokens', 'completion_tokens', 'cacheReadInputTokens', 'cacheReadInputTokenCount', 'cache_read_input_tokens']
const CACHE_COUNTS = ['cacheWriteInputTokens', 'cacheWriteInputTokenCount', 'cache_creation_input_tokens']
const PLACES = ['usage', 'message.usage', 'metadata.usage', 'amazon-bedrock-invocationMetrics']

export const spelling = oneSpelling(
  vocabulary([
    ...below('', 'schemaType schemaVersion timestamp accountId region requestId operation modelId errorCode errorMessage status'),
    ...below('', 'inferenceRegion identity!.arn performanceConfig{} requestMetadata{} input!.inputContentType input.inputBodyJson{}'),
    ...below('', 'input.inputBodyS3Path input.inputTokenCount input.cacheReadInputTokenCount input.cacheWriteInputTokenCount output!.outputContentType'),
    ...below('', 'output.outputBodyS3Path output.outputTokenCount'),
    // A whole answer, or the events of a stream.
    ...below('', ' []').flatMap((list) =>
      PLACES.flatMap((place) => [...COUNTS, ...MORE_COUNTS, ...CACHE_COUNTS].map((count) => `output.outputBodyJson${list}.${place}.${count}`)),
    ),
  ]),
)
