import { expect, test } from 'vitest'
import type { JsonObject } from '#core/record.ts'
import { mask } from './mask.ts'

const ASKED = 'Please tell Quillbrook how the merger goes'
const G = '0a1b2c3d-1234-4aaa-8bbb-100000000001'
const trail = (service: string, more: JsonObject): JsonObject => ({
  eventVersion: '1.10',
  eventSource: `${service}.amazonaws.com`,
  eventName: 'X',
  eventID: G,
  ...more,
})
const audit = (service: string, more: JsonObject): JsonObject => ({
  logName: 'projects/p/logs/cloudaudit.googleapis.com%2Fdata_access',
  insertId: 'x',
  protoPayload: { serviceName: `${service}.googleapis.com`, methodName: 'X', ...more },
})
const access = (more: JsonObject): JsonObject => ({ time: '2026-09-01T10:00:00Z', api: 'weather', oid: G, appid: G, method: 'GET', status: 200, ...more })
const kept = (record: JsonObject): string => mask(record, JSON.stringify(record)).text

test.each<[string, JsonObject]>([
  ['a tag', trail('ec2', { requestParameters: { tagSet: { items: [{ key: 'prompt', value: ASKED }] } } })],
  ['a tag with capitals', trail('s3', { requestParameters: { TagSet: [{ Key: 'llm_prompt', Value: ASKED }] } })],
  ['a map of tags', trail('ec2', { requestParameters: { tags: { prompt: ASKED } } })],
  ['a label', { ...audit('storage', {}), labels: { prompt: ASKED } }],
  ['a payload as JSON text', trail('lambda', { requestParameters: { payload: JSON.stringify({ prompt: ASKED }) } })],
  ['turns of a conversation', trail('sqs', { requestParameters: { messageBody: JSON.stringify({ history: [{ role: 'user', content: ASKED }] }) } })],
  ['a quoted value in an error', trail('lambda', { errorCode: 'V', errorMessage: `1 validation error: Value '${ASKED}' at 'x' failed to satisfy constraint` })],
  ['an unquoted one in the error of a model', trail('bedrock', { errorCode: 'V', errorMessage: `The text ${ASKED} could not be processed` })],
  ['the error of an invocation log', { schemaType: 'ModelInvocationLog', requestId: G, errorCode: 'V', errorMessage: ASKED }],
  ['the status of a call to Vertex', audit('aiplatform', { status: { code: 3, message: `Invalid: "${ASKED}"`, details: [{ description: ASKED }] } })],
  ['an error of an own API', access({ path: '/x', error: `cannot parse "${ASKED}"` })],
  ['the query of a path', access({ path: '/chat?q=Please+tell+Quillbrook+how&lang=en' })],
  ['a parameter of many words', access({ path: '/chat?city=Please%20tell%20Quillbrook%20how' })],
  ['a segment of a path', access({ path: '/chat/Please%20tell%20Quillbrook%20how' })],
  ['a path with escapes', access({ path: '/x%3Fprompt%3DQuillbrook' })],
  ['a query of GraphQL', access({ path: '/graphql?query={ask(prompt:"Quillbrook")}' })],
  ['members of an own API', access({ path: '/x', q: 'Quillbrook', userQuery: ASKED, arguments: { city: 'Quillbrook' } })],
  ['a mutation', trail('appsync', { requestParameters: { query: `mutation { ask(prompt: "${ASKED}") }` } })],
  ['a line of a request', access({ request: 'GET /chat?prompt=Quillbrook HTTP/1.1' })],
  ['an address of Graph', { Type: 'MicrosoftGraphActivityLogs', RequestMethod: 'GET', RequestUri: 'https://graph.microsoft.com/beta/x?prompt=Quillbrook' }],
  ['a statement that calls a model', audit('bigquery', { metadata: { jobConfig: { query: `SELECT AI.GENERATE('${ASKED}')` } } })],
  ['a key that is a sentence', trail('bedrock', { requestParameters: { [ASKED]: 1 } })],
  ['keys with full stops (Insights)', { schemaType: 'ModelInvocationLog', requestId: G, 'input.inputBodyJson.messages.0.id': 'Quillbrook' }],
  ['keys with full stops (CloudTrail)', trail('bedrock', { 'requestParameters.inputText': 'Quillbrook', 'requestParameters.wish': ASKED })],
  ['keys with full stops (an API)', access({ path: '/x', 'body.question': 'Quillbrook' })],
  [
    'keys with full stops (audit entry)',
    { logName: 'l', insertId: 'x', 'protoPayload.serviceName': 'aiplatform.googleapis.com', 'protoPayload.request.x': ASKED },
  ],
  [
    'a row of BigQuery',
    { logName: 'l', insertId: 'x', protopayload_auditlog: { serviceName: 'aiplatform.googleapis.com', requestJson: JSON.stringify({ x: ASKED }) } },
  ],
  [
    'a row of Sentinel',
    { Type: 'GCPAuditLogs', InsertId: 'x', LogName: 'l', ServiceName: 'aiplatform.googleapis.com', MethodName: 'X', Request: JSON.stringify({ x: ASKED }) },
  ],
  ['diagnostics of Azure OpenAI', { category: 'RequestResponse', operationName: 'x', properties: { requestText: ASKED } }],
  ['other names of services', trail('runtime-v2-lex', { requestParameters: { text: 'Quillbrook' } })],
])('what was asked does not stay in %s', (_, record) => expect(kept(record)).not.toContain('Quillbrook'))

test.each<[string, JsonObject]>([
  ['a parameter that says it is secure', trail('ssm', { requestParameters: { name: '/prod/db', type: 'SecureString', value: 'hunter-7Q' } })],
  [
    'a pair in columns',
    { ActivityDisplayName: 'x', CorrelationId: G, Target1ModifiedProperty1Name: 'Password', Target1ModifiedProperty1NewValue: '"hunter-7Q"' },
  ],
  ['a list of a name and a value', trail('x', { requestParameters: { env: [['DB_PASSWORD', 'hunter-7Q']] } })],
  ['a Secret of Kubernetes', audit('k8s', { request: { kind: 'Secret', data: { x: 'hunter-7Q' } } })],
])('a secret does not stay in %s', (_, record) => expect(kept(record)).not.toContain('hunter-7Q'))

test('embeddings go, however they are cut into lists', () => {
  for (const embedding of [[[0.123_456, 0.2], [0.3]], Object.fromEntries(Array.from({ length: 9 }, (_, index) => [String(index), 0.123_456]))])
    expect(kept({ schemaType: 'ModelInvocationLog', requestId: G, output: { outputBodyJson: { embedding }, outputTokenCount: 3 } })).not.toContain('0.123456')
})

test.each([
  'User: arn:aws:sts::123456789012:assumed-role/r/s is not authorized to perform: bedrock:InvokeModel on resource: arn:aws:bedrock:us-east-1::foundation-model/x with an explicit deny in a service control policy',
  'Invocation of model ID anthropic.claude-sonnet-4-20250514-v1:0 with on-demand throughput isn’t supported. Retry your request with the ID or ARN of an inference profile that contains this model.',
  "You don't have access to the model with the specified model ID.",
  'Malformed input request: #: required key [messages] not found, please reformat your input and try again.',
  'Model use case details have not been submitted for this account. Fill out the Anthropic use case details form before using the model.',
  'Input is too long for requested model.',
])('what an error says itself stays: %s', (message) => {
  const record = trail('bedrock', { errorCode: 'V', errorMessage: message })
  expect(kept(record)).toBe(JSON.stringify(record))
})

test('what tells who called what stays', () => {
  for (const record of [
    access({ path: `/weather/berlin?city=Berlin&days=3&id=${G}` }),
    trail('x', { requestParameters: { prompt: 'login', promptTokenCount: '571', promptName: 'x', type: 'String', value: 'blue', list: ['password', 'mfa'] } }),
    { schemaType: 'ModelInvocationLog', requestId: G, modelId: 'm', 'input.inputTokenCount': 5, 'output.outputTokenCount': '6' },
    trail('bigquery', { requestParameters: { query: "SELECT name FROM t WHERE kind = 'a b c d e f'" } }),
  ])
    expect(kept(record)).toBe(JSON.stringify(record))
})
