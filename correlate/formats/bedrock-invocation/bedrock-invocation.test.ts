import { describe, expect, test } from 'vitest'
import type { TrailEvent } from '#core/event.ts'
import type { Json, JsonObject } from '#core/record.ts'
import { answerTo } from '../golden.ts'
import { format } from './index.ts'
import { usageOf } from './usage.ts'

const base: JsonObject = {
  schemaType: 'ModelInvocationLog',
  timestamp: '2026-03-04T09:15:41Z',
  accountId: '444455556666',
  region: 'us-east-1',
  requestId: 'r1',
  operation: 'Converse',
  modelId: 'amazon.nova-lite-v1:0',
}

function event(value: JsonObject): TrailEvent {
  const answer = answerTo(format, value)
  if ('reject' in answer) throw new Error(answer.reject)
  return answer.event
}

const ofBody = (outputBodyJson: Json) => usageOf({ output: { outputBodyJson } })

describe('token counts', () => {
  test("the record's own counters win over the body, also when they are zero", () => {
    expect(
      usageOf({ input: { inputTokenCount: 0 }, output: { outputTokenCount: 3, outputBodyJson: { usage: { inputTokens: 9, outputTokens: 9 } } } }),
    ).toMatchObject({ inputTokens: 0, outputTokens: 3 })
  })

  test.each<[string, Json]>([
    ['Converse', { usage: { inputTokens: 10, outputTokens: 20, cacheReadInputTokens: 3, cacheWriteInputTokens: 4 } }],
    ['Anthropic', { usage: { input_tokens: 10, output_tokens: 20, cache_read_input_tokens: 3, cache_creation_input_tokens: 4 } }],
    [
      "Anthropic's stream",
      [
        { message: { usage: { input_tokens: 10, cache_read_input_tokens: 3, cache_creation_input_tokens: 4, output_tokens: 1 } } },
        { usage: { output_tokens: 20 } },
      ],
    ],
    [
      "ConverseStream's last event",
      [{ contentBlockDelta: {} }, { metadata: { usage: { inputTokens: 10, outputTokens: 20, cacheReadInputTokens: 3, cacheWriteInputTokens: 4 } } }],
    ],
    [
      "Bedrock's metrics",
      [{ 'amazon-bedrock-invocationMetrics': { inputTokenCount: 10, outputTokenCount: 20, cacheReadInputTokenCount: 3, cacheWriteInputTokenCount: 4 } }],
    ],
    ['a body as text', '{"usage":{"inputTokens":10,"outputTokens":20,"cacheReadInputTokens":3,"cacheWriteInputTokens":4}}'],
  ])('%s is read', (_, body) => {
    expect(ofBody(body)).toEqual({ inputTokens: 10, outputTokens: 20, cacheReadTokens: 3, cacheWriteTokens: 4 })
  })

  test("OpenAI's prompt count loses its cached part, which all others leave out already", () => {
    expect(ofBody({ usage: { prompt_tokens: 13, completion_tokens: 20, prompt_tokens_details: { cached_tokens: 3 } } })).toEqual({
      inputTokens: 10,
      outputTokens: 20,
      cacheReadTokens: 3,
      cacheWriteTokens: null,
    })
  })

  test('a record that counts nothing has no usage', () => {
    expect(event(base).usage).toBeNull()
    expect(ofBody('<dropped>')).toBeNull()
  })
})

test('the call is found by account, region and request id, and only with all three', () => {
  expect(event(base)).toMatchObject({ requestKey: 'aws:444455556666:us-east-1:r1', nativeId: 'r1', proof: { by: 'request' } })
  const { region: _, ...elsewhere } = base
  expect(event(elsewhere)).toMatchObject({ requestKey: null, nativeId: 'r1' })
})

test('a log without a request id is kept under an id of its content and proves nothing', () => {
  const { requestId: _, ...rest } = base
  const one = event(rest)
  expect(one).toMatchObject({ nativeId: one.id, requestKey: null, proof: { by: 'nothing' } })
})

test('a log without a time is refused with the field', () => {
  const { timestamp: _, ...rest } = base
  expect(format.normalise({ value: rest, context: {} })).toEqual({ reject: 'no event time (timestamp)' })
})

test('an error code or an HTTP error status is a failure, any other status is not', () => {
  expect(event({ ...base, errorCode: 'ValidationException' })).toMatchObject({ outcome: 'failure', error: { code: 'ValidationException', message: null } })
  expect(event({ ...base, status: '429' })).toMatchObject({ outcome: 'failure', error: { code: '429' } })
  expect(event({ ...base, status: 'Success' }).outcome).toBe('success')
  expect(event({ ...base, status: 200 }).outcome).toBe('success')
})

test('a log without its schema name is known by call and bodies; a CloudTrail record is not one', () => {
  const { schemaType: _, ...rest } = base
  expect(format.recognise({ ...rest, input: {} })).toBe(true)
  expect(format.recognise(rest)).toBe(false)
  expect(format.recognise({ ...rest, input: {}, eventName: 'Converse' })).toBe(false)
})

test('request metadata and session name are claims', () => {
  const claims = event({
    ...base,
    requestMetadata: { agent: 'a', again: 'a' },
    identity: { arn: 'arn:aws:sts::444455556666:assumed-role/ModelHub/harbour' },
  }).asserted
  expect(claims).toEqual(['a', 'harbour'])
})
