import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseJson } from '#core/parse-json.ts'
import type { JsonObject } from '#core/record.ts'
import { mask, maskText } from './mask.ts'
import { MASKED, maskedContent as content } from '#core/secrets/masked.ts'

const masked = (text: string) => mask(parseJson(text) as JsonObject, text)
/** The same in a record of CloudTrail: of what nobody knows only structure and identifiers stay. */
const TRAIL = '"eventSource":"iam.amazonaws.com","eventName":"CreateUser",'
const inTrail = (text: string) => masked(text.replace('{', `{${TRAIL}`))
const without = (text: string): string => text.replace(TRAIL, '')
const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzZWNyZXQtc3ViamVjdCJ9.c2lnbmF0dXJlLXBhcnQ'
const SESSION = `IQoJb3JpZ2luX2Vj${'Ab1+/'.repeat(40)}==`

test('exactly the value of the credential is replaced, the rest of the text stays as it was written', () => {
  const text = `{ ${TRAIL}"n": 1.0e2, "responseElements" : {"credentials":{"accessKeyId":"ASIA2222222222222222","sessionToken": "${SESSION}"}}, "n":2 }`
  const result = masked(text)
  expect(result.text).toBe(text.replace(SESSION, MASKED))
  expect(result.masked).toEqual(['/responseElements/credentials/sessionToken'])
  expect(result.value).toEqual(JSON.parse(result.text))
})

test('a record without a credential is given back untouched', () => {
  const value = {
    eventName: 'Converse',
    requestParameters: { modelId: 'm' },
    tokenIssuerType: 'AzureAD',
  }
  const text = JSON.stringify(value)
  const result = mask(value, text)
  expect(result).toEqual({ value, text, masked: [] })
  expect(result.value).toBe(value)
})

test('a credential behind a duplicate key is masked, too', () => {
  // The parsed value shows the last one only, which is harmless here.
  expect(masked(`{"sessionToken":"first-secret","sessionToken":null}`).text).toBe(`{"sessionToken":"${MASKED}","sessionToken":null}`)
  expect(masked(`{"sessionToken":"first-secret","sessionToken":"second-secret"}`).text).toBe(`{"sessionToken":"${MASKED}","sessionToken":"${MASKED}"}`)
})

describe('credentials are found under any of their keys', () => {
  const keys = [
    'sessionToken',
    'SessionToken',
    'session_token',
    'webIdentityToken',
    'sAMLAssertion',
    'samlAssertion',
    'secretAccessKey',
    'SecretAccessKey',
    'tokenPrefix',
    'accessToken',
    'access_token',
    'refresh_token',
    'id_token',
    'subjectToken',
    'client_assertion',
    'clientSecret',
    'client_secret',
    'secretText',
    'privateKeyData',
    'private_key',
    'x-amz-id-2',
    'Authorization',
    'X-Amz-Security-Token',
    'password',
    'PASSWORD',
    'SESSION_TOKEN',
    'session\\u0054oken',
    'serviceApiKeyValue',
  ]
  for (const key of keys) {
    test(key, () => {
      const result = inTrail(`{"a":[{"${key}":"opaque-value-1"}]}`)
      expect(without(result.text)).toBe(`{"a":[{"${key}":"${MASKED}"}]}`)
      expect(result.masked).toEqual([`/a/0/${JSON.parse(`"${key}"`) as string}`])
    })
  }
})

describe('credentials are found by their looks under any key', () => {
  const looks: Record<string, string> = {
    'a JWT': JWT,
    'a JWT in a sentence': `token ${JWT} refused`,
    'a Google access token': 'ya29.c.0CwXwNYvrkZpVNxBcbC5szlYXKEdsgCnf',
    'an AWS session token': SESSION,
    'a private key': '-----BEGIN RSA PRIVATE KEY-----\nMIIEow+secret/stuff\n-----END RSA PRIVATE KEY-----',
    'a bearer header': 'Bearer abcdefghijkl0123',
    'a presigned address': 'https://b.s3.amazonaws.com/k?X-Amz-Signature=deadbeefdeadbeef&X-Amz-Security-Token=FwoGZXIvYXdz&X-Amz-Date=20260101T000000Z',
    'a SAS address': 'https://a.blob.core.windows.net/c?sv=2024&sig=aSecretSignature%3D&se=2026',
    'an OAuth code': 'https://graph.microsoft.com/x?code=0.AXsecret&$top=5',
    'an encoded authorization message': 'You are not authorized. Encoded authorization failure message: 4GJgPzUvUqWsecretXYZ_-123',
  }
  const secrets = [
    'c2lnbmF0dXJlLXBhcnQ',
    '0CwXwNYvrkZ',
    'Ab1+/Ab1',
    'MIIEow',
    'abcdefghijkl0123',
    'deadbeef',
    'FwoGZ',
    'aSecretSignature',
    'AXsecret',
    'secretXYZ',
  ]
  for (const [name, value] of Object.entries(looks)) {
    test(name, () => {
      const result = inTrail(JSON.stringify({ outer: { any: value, id: 7 } }))
      for (const secret of secrets) expect(result.text).not.toContain(secret)
      expect(result.text).toContain(MASKED)
      expect(result.masked).toEqual(['/outer/any'])
      const damaged = maskText(JSON.stringify({ any: value }).slice(0, -1))
      for (const secret of secrets) expect(damaged).not.toContain(secret)
    })
  }
})

test('JSON in a string, as Log Analytics writes nested columns, is masked inside', () => {
  const inner = {
    credentials: { sessionToken: 'opaque-value-1', accessKeyId: 'ASIA2222222222222222' },
  }
  const result = masked(JSON.stringify({ Column: JSON.stringify(inner) }))
  expect(JSON.parse((result.value as { Column: string }).Column)).toEqual({
    credentials: { sessionToken: MASKED, accessKeyId: 'ASIA2222222222222222' },
  })
  expect(result.masked).toEqual(['/Column'])
})

test('what joins records is kept: access key ids, token ids, fingerprints of nothing', () => {
  const value = {
    userIdentity: { accessKeyId: 'ASIA2222222222222222' },
    uniqueTokenIdentifier: 'UXmL_wa51kebaDBs1YbKAA',
    uti: 'UXmL_wa51kebaDBs1YbKAA',
    tokenIssuerType: 'AzureAD',
    sessionToken: '',
    password: 'HIDDEN_DUE_TO_SECURITY_REASONS',
  }
  expect(masked(JSON.stringify(value)).value).toEqual(value)
})

describe('prompts and completions are not kept, token counts are', () => {
  test('a Bedrock invocation log', () => {
    const result = masked(
      JSON.stringify({
        schemaType: 'ModelInvocationLog',
        input: {
          inputBodyJson: { messages: [{ content: 'PROMPT' }] },
          inputBodyS3Path: 's3://b/k',
          inputTokenCount: 5,
        },
        output: {
          outputBodyJson: {
            output: { message: { content: [{ text: 'ANSWER', usage: 'ANSWER' }] } },
            stopReason: 'end_turn',
            usage: { inputTokens: 5, note: 'ANSWER' },
          },
          outputTokenCount: 7,
        },
      }),
    )
    expect(result.value).toEqual({
      schemaType: 'ModelInvocationLog',
      input: { inputBodyJson: { messages: [{ content: content('PROMPT') }] }, inputBodyS3Path: 's3://b/k', inputTokenCount: 5 },
      output: {
        outputBodyJson: {
          output: { message: { content: [{ text: content('ANSWER'), usage: content('ANSWER') }] } },
          stopReason: 'end_turn',
          usage: { inputTokens: 5, note: content('ANSWER') },
        },
        outputTokenCount: 7,
      },
    })
    expect(result.masked).toEqual([
      '/input/inputBodyJson/messages/0/content',
      '/output/outputBodyJson/output/message/content/0/text',
      '/output/outputBodyJson/output/message/content/0/usage',
      '/output/outputBodyJson/usage/note',
    ])
  })

  test('a streamed answer keeps the counters of its events', () => {
    const body = [
      { type: 'message_start', message: { role: 'assistant', usage: { input_tokens: 9 } } },
      { delta: { text: 'ANSWER' } },
      {
        delta: { stop_reason: 'end_turn' },
        usage: { output_tokens: 3 },
        'amazon-bedrock-invocationMetrics': { inputTokenCount: 9 },
      },
    ]
    expect(masked(JSON.stringify({ schemaType: 'ModelInvocationLog', output: { outputBodyJson: body } })).value).toEqual({
      schemaType: 'ModelInvocationLog',
      output: {
        outputBodyJson: [
          { type: 'message_start', message: { role: 'assistant', usage: { input_tokens: 9 } } },
          { delta: { text: content('ANSWER') } },
          {
            delta: { stop_reason: 'end_turn' },
            usage: { output_tokens: 3 },
            'amazon-bedrock-invocationMetrics': { inputTokenCount: 9 },
          },
        ],
      },
    })
  })

  test('a Vertex call keeps the model, labels and usage', () => {
    const record = (request: object, response: object) => ({
      protoPayload: {
        serviceName: 'aiplatform.googleapis.com',
        methodName: 'google.cloud.aiplatform.v1.PredictionService.GenerateContent',
        request,
        response,
      },
    })
    const result = masked(
      JSON.stringify(
        record(
          {
            '@type': 't',
            model: 'm',
            labels: { agent_oid: 'o' },
            contents: [{ text: 'PROMPT' }],
            newField: 'PROMPT',
          },
          { candidates: ['ANSWER'], usageMetadata: { totalTokenCount: 3 } },
        ),
      ),
    )
    expect(result.value).toEqual(
      record(
        {
          '@type': 't',
          model: 'm',
          labels: { agent_oid: 'o' },
          contents: [{ text: content('PROMPT') }],
          newField: content('PROMPT'),
        },
        { candidates: [content('ANSWER')], usageMetadata: { totalTokenCount: 3 } },
      ),
    )
  })

  test('mantle metadata and AgentCore bodies', () => {
    expect(masked('{"eventSource":"bedrock-mantle.amazonaws.com","requestParameters":{"model":"m","metadata":{"a":"PROMPT"}}}').text).not.toContain('PROMPT')
    expect(
      masked(
        '{"eventSource":"bedrock-agentcore.amazonaws.com","requestParameters":{"agentRuntimeArn":"arn","payload":"PROMPT"},"responseElements":{"response":"ANSWER"}}',
      ).value,
    ).toEqual({
      eventSource: 'bedrock-agentcore.amazonaws.com',
      requestParameters: { agentRuntimeArn: 'arn', payload: content('PROMPT') },
      responseElements: { response: content('ANSWER') },
    })
  })

  test('a damaged record keeps nothing behind the first sign of a body', () => {
    expect(maskText('{"requestId":"r","input":{"inputBodyJson":{"messages":[{"text":"PROMPT"')).toBe(
      `{"requestId":"r","input":{"inputBodyJson":{"messages":[{"text":"${content('PROMPT')}"`,
    )
  })
})

test('whatever surrounds it, a secret never survives, and masking twice changes nothing', () => {
  const key = fc.constantFrom('sessionToken', 'client-Secret', 'x-amz-id-2', 'OUTPUTBODYJSON', 'idToken')
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 3 }), key, fc.integer({ min: 0, max: 2 }), (noise, name, nesting) => {
      let holder: unknown = { noise, [name]: 'S3CRET-opaque', more: [noise] }
      for (let i = 0; i < nesting; i++) holder = { column: JSON.stringify(holder) }
      const once = masked(JSON.stringify(holder))
      expect(once.text).not.toContain('S3CRET')
      expect(once.value).toEqual(parseJson(once.text))
      expect(mask(once.value, once.text).text).toBe(once.text)
      expect(maskText(JSON.stringify(holder).slice(1))).not.toContain('S3CRET')
    }),
    { numRuns: 300 },
  )
})

describe('what an attacker writes into a record', () => {
  test('does not make masking slow', () => {
    const started = performance.now()
    for (const unit of ['eyJ', 'eyJaaaaaaaa.', 'ya29.', '-----BEGIN ', '?code=&', 'Bearer ', 'IQoJ', '{"a":', 'token:', '[[']) {
      const text = JSON.stringify({ userAgent: unit.repeat(300_000) })
      masked(text)
      maskText(text.slice(1, 60_000))
    }
    expect(performance.now() - started).toBeLessThan(20_000)
  }, 60_000)

  test('neither exhausts the stack nor hides a secret in a string that nests deeply', () => {
    const deep = `${'['.repeat(200_000)}"${JWT}"${']'.repeat(200_000)}`
    expect(masked(JSON.stringify({ column: deep })).text).not.toContain(JWT)
  })

  test('a token id that holds eyJ by chance is kept', () => {
    const text = '{"oid":"o","method":"GET","uti":"UXmLeyJa51kebaDBs1YbKAA","note":"see eyJhbGciOiJub25lIn0 and go on."}'
    expect(masked(text).text).toBe(text)
  })
})

describe('a key that is a credential itself', () => {
  const token = `eyJhbGciOiJSUzI1NiJ9.${'eyJzdWIiOiJ4In0'.repeat(2)}.c2lnbmF0dXJl`

  test('is masked in the text, in the value and in the pointer', () => {
    const value = { eventVersion: '1.08', eventName: 'x', odd: { [`cache ${token}`]: 1, plain: 'stays' } }
    const result = mask(value, JSON.stringify(value))
    expect(JSON.stringify(result)).not.toContain(token)
    expect(result.value['odd']).toEqual({ 'cache ***masked***': 1, plain: 'stays' })
    expect(result.masked).toEqual(['/odd/cache ***masked***'])
  })
})

test('a count stays a count where a table writes it as text; under other names it is content', () => {
  const row = {
    schemaType: 'ModelInvocationLog',
    input: { inputTokenCount: '571', inputBodyJson: { text: '571', max_tokens: '100' } },
    output: { outputTokenCount: 'five' },
  }
  const { value } = mask(row, JSON.stringify(row))
  expect(value).toMatchObject({ input: { inputTokenCount: '571', inputBodyJson: { max_tokens: '100' } } })
  expect(JSON.stringify(value)).not.toContain('five')
  expect((value as { input: { inputBodyJson: { text?: string } } }).input.inputBodyJson.text).not.toBe('571')
})
