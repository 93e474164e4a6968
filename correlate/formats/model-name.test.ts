import { describe, expect, test } from 'vitest'
import { bedrockModel, publisherModel } from './model-name.ts'

describe('a Bedrock model id', () => {
  test.each([
    ['us.anthropic.claude-sonnet-4-5-20250929-v1:0', 'anthropic', 'claude-sonnet-4-5-20250929-v1'],
    ['arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0', 'anthropic', 'claude-haiku-4-5-20251001-v1'],
    ['arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0', 'anthropic', 'claude-3-haiku-20240307-v1'],
    [
      'arn:aws-us-gov:bedrock:us-gov-west-1:111122223333:inference-profile/us-gov.anthropic.claude-3-haiku-20240307-v1:0',
      'anthropic',
      'claude-3-haiku-20240307-v1',
    ],
    ['au.anthropic.claude-sonnet-4-6', 'anthropic', 'claude-sonnet-4-6'],
    ['global.anthropic.claude-sonnet-4-5-20250929-v1:0', 'anthropic', 'claude-sonnet-4-5-20250929-v1'],
    ['apac.amazon.nova-lite-v1:0', 'amazon', 'nova-lite-v1'],
    ['amazon.nova-lite-v1:0:300k', 'amazon', 'nova-lite-v1'],
    ['meta.llama3-1-70b-instruct-v1:0:128k', 'meta', 'llama3-1-70b-instruct-v1'],
    ['anthropic.claude-v2:1', 'anthropic', 'claude-v2:1'],
    ['anthropic.claude-v2:1:200k', 'anthropic', 'claude-v2:1'],
    ['anthropic.claude-v2:0:18k', 'anthropic', 'claude-v2'],
    ['anthropic.claude-v2', 'anthropic', 'claude-v2'],
    ['openai.gpt-oss-120b', 'openai', 'gpt-oss-120b'],
    ['openai.gpt-5.6-sol', 'openai', 'gpt-5.6-sol'],
    ['mistral.voxtral-mini-3b-2507', 'mistral', 'voxtral-mini-3b-2507'],
  ])('%s is named after its provider and model', (id, provider, name) => {
    expect(bedrockModel(id)).toEqual({ id, provider, name })
  })

  test.each([
    'arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/a1b2c3',
    'arn:aws:bedrock:us-east-1:111122223333:provisioned-model/abc123',
    'arn:aws:bedrock:us-east-1:111122223333:custom-model/amazon.titan-text-lite-v1:0:8k/abc123',
    'arn:aws:bedrock:us-east-1:111122223333:prompt/P1:2',
    'arn:aws:bedrock:us-east-1:111122223333:default-prompt-router/anthropic.claude:1',
    'arn:aws:sagemaker:us-east-1:111122223333:endpoint/mine',
    'a1b2c3d4',
    '',
  ])('%s stays unresolved instead of guessed', (id) => {
    expect(bedrockModel(id)).toEqual({ id, provider: null, name: null })
  })
})

test('a Vertex publisher model loses its version in the name and keeps it in the id', () => {
  expect(publisherModel('anthropic', 'claude-3-5-sonnet@20240620')).toEqual({
    id: 'claude-3-5-sonnet@20240620',
    name: 'claude-3-5-sonnet',
    provider: 'anthropic',
  })
  expect(publisherModel('google', 'gemini-2.5-flash')).toEqual({ id: 'gemini-2.5-flash', name: 'gemini-2.5-flash', provider: 'google' })
})
