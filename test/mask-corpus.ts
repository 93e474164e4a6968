/**
 * The corpus that masking is measured with: marked values of every kind in every place that a record, a wrapper, a line or a name has, and
 * innocent values that look like them. Markers are put together at run time, so that no scanner takes this file for a leak.
 */

/** A value to be masked: what must not be found afterwards. */
export interface Planted {
  readonly where: string
  readonly needles: readonly string[]
}

let next = 0
/** `Zq0001x`: letters and digits, so that it stands in every alphabet. */
const marker = (): string => `Zq${String(++next).padStart(4, '0')}x`
const base64 = (text: string): string => Buffer.from(text).toString('base64')
const join = (...parts: readonly string[]): string => parts.join('')

/** A secret as it is written, and what of it must not be found. */
type Make = (mark: string) => { readonly text: string; readonly needles?: readonly string[] }
const plain =
  (make: (mark: string) => string): Make =>
  (mark) => ({ text: make(mark) })
const encoded =
  (make: (mark: string) => string): Make =>
  (mark) => {
    const text = base64(make(mark))
    return { text, needles: [mark, text, text.slice(0, 24)] }
  }
const JOSE = join('eyJhbGciOi', 'JSUzI1NiJ9')

/** Secrets that are known by how they look, in a text of any kind. */
export const LOOKS: Readonly<Record<string, Make>> = {
  jwt: plain((m) => `${JOSE}.eyJzdWIiOiJ4In0${m}.c2ln${m}`),
  'jwt in a sentence': plain((m) => `the token ${JOSE}.eyJzdWIiOiJ4In0${m}.c2ln was refused`),
  github: plain((m) => join('gh', 'p_', m, 'aB3dE5fG7hI9jK1lM3nO5pQ7rS9t')),
  'github fine-grained': plain((m) => join('github', '_pat_11ABCDEFG0', m, '_aB3dE5fG7hI9jK1lM3nO5pQ7')),
  gitlab: plain((m) => join('gl', 'pat-', m, 'aB3dE5fG7hI9jK')),
  slack: plain((m) => join('xo', 'xb-123456789012-123456789012-', m, 'aBcDeF')),
  anthropic: plain((m) => join('sk-', 'ant-api03-', m, 'aB3dE5fG7hI9jK1lM3nO5pQ7')),
  openai: plain((m) => join('sk-', 'proj-', m, 'aB3dE5fG7hI9jK1lM3nO5pQ7')),
  huggingface: plain((m) => join('h', 'f_', m, 'aBcDeFgHiJkLmNoPqRsTuVwXyZab')),
  stripe: plain((m) => join('sk', '_live_', m, 'aB3dE5fG7hI9')),
  sendgrid: plain((m) => join('S', 'G.', m, 'aB3dE5fG7hI9jK1l.M3nO5pQ7rS9tU1vW3xY5zA7bC9dE1fG3hI5jK7lM9n')),
  npm: plain((m) => join('np', 'm_', m, 'aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1')),
  vault: plain((m) => join('hv', 's.', m, 'aB3dE5fG7hI9jK1lM3nO5pQ7')),
  'google api key': plain((m) => join('AI', 'zaSy', m, 'aB3dE5fG7hI9jK1lM3nO5pQ7rS9t')),
  'google access token': plain((m) => join('ya', '29.c.', m, 'aB3dE5fG')),
  'aws session token': plain((m) => join('IQoJ', 'b3JpZ2luX2Vj', m, 'aB3dE5fG7hI9jK1lM3nO5pQ7')),
  'bedrock api key': plain((m) => join('AB', 'SK', m, 'aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5')),
  'entra client secret': plain((m) => join('aB3', '8Q', '~', m, 'aB3dE5fG7hI9jK1lM3nO5pQ7rS')),
  pem: plain((m) => join('-----BEGIN ', 'RSA PRIVATE KEY-----\nMIIEow', m, '\n-----END RSA ', 'PRIVATE KEY-----')),
  'pem cut': plain((m) => join('-----BEGIN ', 'EC PRIVATE KEY-----\nMHcCAQ', m)),
  pgp: plain((m) => join('-----BEGIN PGP ', 'PRIVATE KEY BLOCK-----\n\nlQOYB', m, '\n-----END PGP ', 'PRIVATE KEY BLOCK-----')),
  putty: plain((m) => `PuTTY-User-Key-File-3: ssh-rsa\nPrivate-Lines: 1\n${m}\nPrivate-MAC: ${m}`),
  jwk: plain((m) => JSON.stringify({ kty: 'EC', crv: 'P-256', x: 'public', d: m })),
  'connection string': plain((m) => `Server=tcp:db.example.com;Database=x;User Id=sa;Password=p,${m};Encrypt=True`),
  'storage key': plain((m) => `DefaultEndpointsProtocol=https;AccountName=x;AccountKey=${m}ab+/==;EndpointSuffix=core.windows.net`),
  'service bus': plain((m) => `Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=n;SharedAccessKey=${m}ab=`),
  'user and password': plain((m) => `postgres://app:${m}@db.example.com:5432/x`),
  'password with signs': plain((m) => `mongodb+srv://app:a/b#${m}@cluster.example.com/x`),
  basic: (m) => ({ text: `Basic ${base64(`user:${m}`)}`, needles: [m, base64(`user:${m}`)] }),
  bearer: plain((m) => `Bearer ${m}-opaque`),
  'authorization header': plain((m) => `Authorization: Digest username="x", response="${m}"`),
  cookie: plain((m) => `Cookie: theme=dark; session=${m}; other=${m}`),
  'set-cookie': plain((m) => `Set-Cookie: sid=${m}; Path=/; HttpOnly`),
  's3 signed': plain((m) => `https://b.s3.amazonaws.com/k?X-Amz-Signature=${m}&X-Amz-Date=20260101T000000Z&X-Amz-Security-Token=${m}`),
  's3 signed, other order': plain((m) => `https://b.s3.amazonaws.com/k?AWSAccessKeyId=AKIAQ2W3E4R5T6Y7U8I9&Expires=1&Signature=${m}`),
  'azure signed': plain((m) => `https://a.blob.core.windows.net/c/f?sig=${m}%3D&se=2026-01-01&sv=2024-01-01`),
  'google signed': plain((m) => `https://storage.googleapis.com/b/o?X-Goog-Date=x&X-Goog-Signature=${m}`),
  'signed and encoded': plain((m) => `redirect=${encodeURIComponent(`https://a.blob.core.windows.net/c?sv=1&sig=${m}`)}`),
  'encoded twice': plain((m) => encodeURIComponent(encodeURIComponent(`https://h.example.com/?access_token=${m}&x=1`))),
  'in a fragment': plain((m) => `https://app.example.com/cb#id_token=${m}&state=1`),
  'oauth code': plain((m) => `https://app.example.com/cb?state=1&code=${m}`),
  xml: plain((m) => `<Response><SessionToken>${m}</SessionToken><a>b</a></Response>`),
  'xml attribute': plain((m) => `<add key="DbPassword" value="${m}" />`),
  'json in text': plain((m) => `before {"clientSecret":"${m}"} after`),
  'json as text': plain((m) => JSON.stringify({ outer: { client_secret: m } })),
  'json as text, twice': plain((m) => JSON.stringify(JSON.stringify({ password: m }))),
  'base64 of json': encoded((m) => JSON.stringify({ password: m, user: 'x' })),
  'base64 of a jwt': encoded((m) => `${JOSE}.eyJzdWIiOiJ4In0${m}.c2ln`),
  'written with escapes': plain((m) => `\\u0070assword=${m}`),
  'percent in the name': plain((m) => `https://h.example.com/?x=1&%70assword=${m}`),
  'option of a command': plain((m) => `mysql --user root --password ${m} --host db`),
  'option of powershell': plain((m) => `Connect-X -ClientSecret "${m}" -TenantId t`),
  environment: plain((m) => `DB_PASSWORD=${m}\nPATH=/usr/bin`),
  yaml: plain((m) => `user: x\npassword: ${m}\nhost: y`),
  'encoded authorization message': plain((m) => `You are not authorized. Encoded authorization failure message: ${m}-4GJg`),
}

/** Names of members whose value is a secret whatever it looks like. */
const KEYS = [
  'apiKey',
  'api_key',
  'X-Api-Key',
  'DB_PASSWORD',
  'masterUserPassword',
  'MasterUserPassword',
  'masteruserpassword',
  'password1',
  'newPassword',
  'clientSecret',
  'client_secret',
  'ClientSecretValue',
  'secretString',
  'SecretBinary',
  'sessionToken',
  'SESSION_TOKEN',
  'webIdentityToken',
  'refreshToken',
  'access-token',
  'privateKey',
  'privateKeyData',
  'ssh_private_key',
  'secretAccessKey',
  'accountKey',
  'connectionString',
  'ConnectionStringPrimary',
  'authorization',
  'Cookie',
  'set-cookie',
  'clientAssertion',
  'SAMLAssertion',
  'passphrase',
  'recoveryCodes',
  'signingKey',
  'encryption_key',
  'userPassword',
  'pwd',
]

const GUID = '0b4f6c1e-7d2a-4c55-9a53-3f6a0c1d2e3f'
let records = 0
const id = (): string => `${String(++records).padStart(8, '0')}-7d2a-4c55-9a53-3f6a0c1d2e3f`
export const trail = (more: object, source = 'iam.amazonaws.com', name = 'CreateUser'): object => ({
  eventVersion: '1.08',
  userIdentity: { type: 'AssumedRole', arn: 'arn:aws:sts::123456789012:assumed-role/r/s', accountId: '123456789012', accessKeyId: 'ASIAQ2W3E4R5T6Y7U8I9' },
  eventTime: '2026-09-01T10:00:00Z',
  eventSource: source,
  eventName: name,
  awsRegion: 'us-east-1',
  sourceIPAddress: '203.0.113.7',
  userAgent: 'aws-cli/2',
  requestID: id(),
  eventID: id(),
  eventType: 'AwsApiCall',
  recipientAccountId: '123456789012',
  requestParameters: null,
  responseElements: null,
  ...more,
})
const audit = (more: object, service = 'iam.googleapis.com', method = 'google.iam.admin.v1.CreateServiceAccount'): object => ({
  insertId: id(),
  logName: 'projects/p/logs/cloudaudit.googleapis.com%2Factivity',
  timestamp: '2026-09-01T10:00:00Z',
  resource: { type: 'service_account', labels: { project_id: 'p' } },
  protoPayload: {
    '@type': 'type.googleapis.com/google.cloud.audit.AuditLog',
    serviceName: service,
    methodName: method,
    resourceName: 'projects/p/x/y',
    authenticationInfo: { principalEmail: 'a@p.iam.gserviceaccount.com' },
    ...more,
  },
})
const entra = (properties: object): object => ({
  time: '2026-09-01T10:00:00Z',
  resourceId: `/tenants/${GUID}/providers/Microsoft.aadiam`,
  operationName: 'Update application',
  category: 'AuditLogs',
  tenantId: GUID,
  properties: {
    id: id(),
    activityDateTime: '2026-09-01T10:00:00Z',
    activityDisplayName: 'Update application',
    result: 'success',
    initiatedBy: {},
    targetResources: [],
    additionalDetails: [],
    ...properties,
  },
})
const api = (more: object): object => ({
  time: '2026-09-01T10:00:00Z',
  api: 'weather',
  requestId: id(),
  method: 'GET',
  path: '/weather',
  status: 200,
  tid: GUID,
  oid: GUID,
  appid: GUID,
  ...more,
})
const unknown = (more: object): object => ({ kind: 'something', at: '2026-09-01T10:00:00Z', ...more })
const lower = (value: unknown): unknown =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).map(([key, member]) => [key.toLowerCase(), member]))
    : value

/** Where a text can stand: a line of a file each. */
const PLACES: Readonly<Record<string, (text: string) => string>> = {
  'trail: request': (t) => JSON.stringify(trail({ requestParameters: { note: t } })),
  'trail: deep in an answer': (t) => JSON.stringify(trail({ responseElements: { a: [{ b: { c: t } }] } })),
  'trail: error': (t) => JSON.stringify(trail({ errorCode: 'AccessDenied', errorMessage: t })),
  'trail: user agent': (t) => JSON.stringify(trail({ userAgent: `agent/1 ${t}` })),
  'trail: a key': (t) => JSON.stringify(trail({ requestParameters: { tags: { [t]: 1 } } })),
  'trail: additional': (t) => JSON.stringify(trail({ additionalEventData: { x: [t] } })),
  'trail: cells of athena': (t) => JSON.stringify(lower({ ...trail({}), requestParameters: JSON.stringify({ note: t }) })),
  'trail: in lookup events': (t) =>
    JSON.stringify({ EventId: id(), EventName: 'x', CloudTrailEvent: JSON.stringify(trail({ requestParameters: { note: t } })) }),
  'trail: escaped throughout': (t) =>
    JSON.stringify(trail({ requestParameters: { note: t } })).replace(/[<>&=]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`),
  'audit: request': (t) => JSON.stringify(audit({ request: { note: t } })),
  'audit: status': (t) => JSON.stringify(audit({ status: { code: 7, message: t } })),
  'audit: user agent': (t) => JSON.stringify(audit({ requestMetadata: { callerIp: '203.0.113.7', callerSuppliedUserAgent: t } })),
  'audit: label': (t) => JSON.stringify({ ...audit({}), labels: { note: t } }),
  'entra: modified property': (t) =>
    JSON.stringify(entra({ targetResources: [{ id: GUID, modifiedProperties: [{ displayName: 'Note', oldValue: null, newValue: JSON.stringify(t) }] }] })),
  'entra: additional detail': (t) => JSON.stringify(entra({ additionalDetails: [{ key: 'User-Agent', value: t }] })),
  'entra: display name': (t) => JSON.stringify(entra({ targetResources: [{ id: GUID, displayName: t }] })),
  'api: path': (t) => JSON.stringify(api({ path: `/x?note=${t}` })),
  'api: header': (t) => JSON.stringify(api({ headers: { 'x-note': t } })),
  'unknown: member': (t) => JSON.stringify(unknown({ note: t })),
  'unknown: wrapped text': (t) => JSON.stringify(unknown({ message: JSON.stringify({ a: t }) })),
  'no JSON: line': (t) => `something happened ${t}`.replaceAll('\n', ' '),
  'no JSON: cut': (t) => JSON.stringify(trail({ requestParameters: { note: t } })).slice(0, -3),
  'no JSON: torn beginning': (t) => JSON.stringify(trail({ requestParameters: { note: t } })).slice(40),
  'an array of texts': (t) => JSON.stringify([t]),
}

/** Under which members a secret stands that has no look of its own. */
const UNDER: Readonly<Record<string, (key: string, mark: string) => string>> = {
  'trail: request': (k, m) => JSON.stringify(trail({ requestParameters: { [k]: m } })),
  'trail: object below': (k, m) => JSON.stringify(trail({ requestParameters: { list: [{ [k]: [m, m] }] } })),
  'trail: pair': (k, m) => JSON.stringify(trail({ requestParameters: { environment: [{ name: k, value: m }] } })),
  'trail: pair, value first': (k, m) => JSON.stringify(trail({ requestParameters: { parameters: [{ parameterValue: m, parameterKey: k }] } })),
  'audit: request': (k, m) => JSON.stringify(audit({ request: { body: { [k]: m } } })),
  'entra: additional detail': (k, m) => JSON.stringify(entra({ additionalDetails: [{ key: k, value: m }] })),
  'entra: modified property': (k, m) =>
    JSON.stringify(entra({ targetResources: [{ id: GUID, modifiedProperties: [{ displayName: k, oldValue: JSON.stringify([m]), newValue: m }] }] })),
  unknown: (k, m) => JSON.stringify(unknown({ inner: { [k]: m } })),
  'no JSON: cut': (k, m) => JSON.stringify({ a: 1, [k]: m, b: 2 }).slice(0, -2),
  'JSON in text': (k, m) => JSON.stringify(trail({ requestParameters: { policy: JSON.stringify({ [k]: m }) } })),
}

const invocation = (more: object): object => ({
  schemaType: 'ModelInvocationLog',
  schemaVersion: '1.0',
  timestamp: '2026-09-01T10:00:00Z',
  accountId: '123456789012',
  region: 'us-east-1',
  requestId: id(),
  operation: 'Converse',
  modelId: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
  identity: { arn: 'arn:aws:sts::123456789012:assumed-role/r/s' },
  input: { inputTokenCount: 1 },
  output: { outputTokenCount: 2 },
  ...more,
})
const bodies = (m: string): object => ({ inputBodyJson: { system: m, messages: [{ role: 'user', content: [{ text: m }] }] } })
const say = (m: string): string => `please tell ${m} about it`
const trailOf = (source: string, member: string, value: unknown) => trail({ requestParameters: { [member]: value } }, source, 'Call')
const answerOf = (source: string, member: string, value: unknown) => trail({ responseElements: { [member]: value } }, source, 'Call')
const auditOf = (service: string, place: string, value: object) => audit({ [place]: value }, service, 'google.cloud.x.v1.Service.Call')

/** Prompts and completions, in every service's records and in what is around them. */
const PROMPTS: Readonly<Record<string, (mark: string) => string>> = {
  'invocation log': (m) => JSON.stringify(invocation({ input: bodies(say(m)) })),
  'invocation log: answer': (m) => JSON.stringify(invocation({ output: { outputBodyJson: { output: { message: { content: [{ text: say(m) }] } } } } })),
  'invocation log: one word': (m) => JSON.stringify(invocation({ input: bodies(m) })),
  'invocation log: text body': (m) => JSON.stringify(invocation({ input: { inputBodyJson: say(m) } })),
  'invocation log: body as JSON text': (m) => JSON.stringify(invocation({ input: { inputBodyJson: JSON.stringify({ prompt: say(m) }) } })),
  'invocation log: stream': (m) =>
    JSON.stringify(invocation({ output: { outputBodyJson: [{ type: 'content_block_delta', delta: { text: say(m) } }, say(m)] } })),
  'invocation log: tool': (m) =>
    JSON.stringify(invocation({ input: { inputBodyJson: { messages: [{ content: [{ toolUse: { name: 'f', input: { id: m, city: m, type: m } } }] }] } } })),
  'invocation log: key in a body': (m) => JSON.stringify(invocation({ input: { inputBodyJson: { arguments: { [`about ${m}`]: 1 } } } })),
  'invocation log: at the top': (m) => JSON.stringify(invocation({ system: say(m), messages: [{ role: 'user', content: say(m) }] })),
  'invocation log: new member': (m) => JSON.stringify(invocation({ somethingNew: { deeper: say(m) } })),
  'invocation log: snake case': (m) =>
    JSON.stringify({ schema_type: 'ModelInvocationLog', request_id: id(), input: { input_body_json: { messages: [{ text: say(m) }] } } }),
  'invocation log: pascal case': (m) => JSON.stringify({ SchemaType: 'ModelInvocationLog', Input: { InputBodyJson: { Messages: [{ Text: say(m) }] } } }),
  'invocation log: cut': (m) => JSON.stringify(invocation({ input: bodies(say(m)) })).slice(0, -20),
  'invocation log: torn beginning': (m) => JSON.stringify(invocation({ input: bodies(say(m)) })).slice(100),
  'invocation log: bad literal': (m) => JSON.stringify(invocation({ input: bodies(say(m)) })).replace('"outputTokenCount":2', '"outputTokenCount":'),
  'wrapped: message': (m) => JSON.stringify({ message: JSON.stringify(invocation({ input: bodies(say(m)) })), source_type: 'aws_s3' }),
  'wrapped: log': (m) => JSON.stringify({ date: 1, log: JSON.stringify(invocation({ input: bodies(say(m)) })) }),
  'wrapped: _raw': (m) => JSON.stringify({ preview: false, result: { _raw: JSON.stringify(invocation({ input: bodies(say(m)) })) } }),
  'wrapped: hits': (m) => JSON.stringify({ hits: { hits: [{ _source: invocation({ input: bodies(say(m)) }) }] } }),
  'wrapped: event.original': (m) => JSON.stringify({ event: { original: JSON.stringify(invocation({ input: bodies(say(m)) })) } }),
  'wrapped: insights': (m) => JSON.stringify({ results: [[{ field: '@message', value: JSON.stringify(invocation({ input: bodies(say(m)) })) }]] }),
  'wrapped: SQS': (m) => JSON.stringify({ Messages: [{ MessageId: GUID, Body: JSON.stringify(invocation({ input: bodies(say(m)) })) }] }),
  'wrapped: SNS': (m) => JSON.stringify({ Type: 'Notification', Message: JSON.stringify(invocation({ input: bodies(say(m)) })) }),
  'wrapped: array of texts': (m) => JSON.stringify([JSON.stringify(invocation({ input: bodies(say(m)) }))]),
  'wrapped: a text a line': (m) => JSON.stringify(JSON.stringify(invocation({ input: bodies(say(m)) }))),
  'line of an export': (m) => `2026-09-01T10:00:00.000Z ${JSON.stringify(invocation({ input: bodies(say(m)) }))}`,
  'row of a table': (m) => `2026-09-01,"${JSON.stringify(invocation({ input: bodies(say(m)) })).replaceAll('"', '""')}"`,
  'vertex rows in BigQuery': (m) =>
    JSON.stringify({
      endpoint: 'e',
      logging_time: '2026-09-01 10:00:00 UTC',
      request_payload: [say(m)],
      full_request: { contents: [{ parts: [{ text: say(m) }] }] },
      full_response: { candidates: [say(m)] },
    }),
  langfuse: (m) => JSON.stringify({ id: 'x', type: 'GENERATION', model: 'claude', input: [{ role: 'user', content: m }], output: m, usage: { input: 1 } }),
  litellm: (m) =>
    JSON.stringify({
      id: 'x',
      call_type: 'acompletion',
      model: 'bedrock/x',
      messages: [{ role: 'user', content: m }],
      response: { choices: [{ message: { content: say(m) } }] },
      user: 'u',
      status: 'success',
    }),
  'gen_ai attributes': (m) =>
    JSON.stringify({ name: 'chat', attributes: { 'gen_ai.prompt.0.content': say(m), 'gen_ai.completion': m, 'gen_ai.system': 'anthropic' } }),
  'gen_ai of elastic': (m) =>
    JSON.stringify({
      aws_bedrock: { invocation: { model_id: 'x', input: { input_body_json: { messages: [{ content: m }] } } } },
      gen_ai: { prompt: m, completion: m },
    }),
  'own API: body': (m) => JSON.stringify(api({ body: { message: say(m), llm_mode: 'vertex' } })),
  'own API: answer': (m) => JSON.stringify(api({ response: say(m), prompt: m })),
  'entry of an application': (m) =>
    JSON.stringify({ insertId: id(), logName: 'projects/p/logs/app', timestamp: '2026-09-01T10:00:00Z', jsonPayload: { prompt: say(m), text: m } }),
  'entry of an application: text': (m) =>
    JSON.stringify({ insertId: id(), logName: 'projects/p/logs/app', timestamp: '2026-09-01T10:00:00Z', textPayload: say(m) }),
  ...Object.fromEntries(
    (
      [
        [
          'bedrock.amazonaws.com',
          ['system', 'messages', 'inputText', 'guardrailContent', 'instruction', 'description', 'blockedInputMessaging', 'retrievalQuery'],
        ],
        ['bedrock-runtime.amazonaws.com', ['body', 'content']],
        ['bedrock-agent.amazonaws.com', ['instruction', 'promptOverrideConfiguration', 'description', 'variants']],
        ['bedrock-agent-runtime.amazonaws.com', ['inputText', 'sessionState', 'input', 'retrievalQuery']],
        ['bedrock-agentcore.amazonaws.com', ['payload', 'code', 'arguments', 'query', 'content', 'clientContext']],
        ['bedrock-mantle.amazonaws.com', ['metadata', 'messages', 'input', 'instructions']],
        ['qbusiness.amazonaws.com', ['userMessage', 'attachments', 'userInput']],
        ['sagemaker.amazonaws.com', ['body', 'customAttributes', 'environment']],
        ['lex.amazonaws.com', ['text', 'inputTranscript']],
        ['kendra.amazonaws.com', ['queryText']],
        ['comprehend.amazonaws.com', ['text', 'textList']],
        ['translate.amazonaws.com', ['text']],
      ] as const
    ).flatMap(([source, members]) =>
      members.flatMap((member) => [
        [`${source}: ${member}`, (m: string) => JSON.stringify(trailOf(source, member, say(m)))],
        [`${source}: ${member}, deeper`, (m: string) => JSON.stringify(trailOf(source, member, { x: [{ text: m, note: say(m) }] }))],
        [`${source}: ${member}, answered`, (m: string) => JSON.stringify(answerOf(source, member, [say(m)]))],
      ]),
    ),
  ),
  ...Object.fromEntries(
    (
      [
        ['aiplatform.googleapis.com', ['contents', 'instances', 'systemInstruction', 'query', 'ragQuery', 'cachedContent']],
        ['generativelanguage.googleapis.com', ['contents', 'content', 'prompt']],
        ['discoveryengine.googleapis.com', ['query', 'userQuery', 'answer']],
        ['dialogflow.googleapis.com', ['queryInput', 'text']],
        ['cloudaicompanion.googleapis.com', ['input']],
        ['documentai.googleapis.com', ['rawDocument']],
      ] as const
    ).flatMap(([service, members]) =>
      members.flatMap((member) => [
        [`${service}: ${member}`, (m: string) => JSON.stringify(auditOf(service, 'request', { model: 'm', [member]: { parts: [{ text: say(m) }] } }))],
        [`${service}: ${member}, answered`, (m: string) => JSON.stringify(auditOf(service, 'response', { [member]: [m, say(m)] }))],
        [`${service}: ${member}, metadata`, (m: string) => JSON.stringify(auditOf(service, 'metadata', { [member]: say(m) }))],
      ]),
    ),
  ),
}

/** All lines of the corpus with what is planted in each. */
export function corpus(): { readonly lines: readonly string[]; readonly planted: readonly Planted[] } {
  next = 0
  records = 0
  const lines: string[] = []
  const planted: Planted[] = []
  const plant = (where: string, line: string, needles: readonly string[]): void => {
    lines.push(line)
    planted.push({ where, needles })
  }
  const places = Object.entries(PLACES)
  for (const [kind, make] of Object.entries(LOOKS)) {
    for (const [place, put] of places) {
      const mark = marker()
      const { text, needles = [mark] } = make(mark)
      plant(`${kind} in ${place}`, put(text), needles)
    }
  }
  KEYS.forEach((key) => {
    for (const [place, put] of Object.entries(UNDER)) {
      const mark = marker()
      plant(`${key} in ${place}`, put(key, mark), [mark])
    }
  })
  for (const [place, put] of Object.entries(PROMPTS)) {
    const mark = marker()
    plant(`prompt in ${place}`, put(mark), [mark])
  }
  return { lines, planted }
}

/** Values that look like secrets and are none: joins, links and readers need them as they are. */
export const INNOCENT: readonly string[] = [
  GUID,
  GUID.toUpperCase(),
  `urn:uuid:${GUID}`,
  'AKIAQ2W3E4R5T6Y7U8I9',
  'ASIAQ2W3E4R5T6Y7U8I9',
  'AROAQ2W3E4R5T6Y7U8I9:session-1',
  'AIDAQ2W3E4R5T6Y7U8I9O',
  'arn:aws:iam::123456789012:role/weather-agent',
  'arn:aws:sts::123456789012:assumed-role/weather-agent/weather-1',
  'arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db/password-AbCdEf',
  'arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-5-sonnet-20240620-v1:0',
  'arn:aws:kms:us-east-1:123456789012:key/0b4f6c1e-7d2a-4c55-9a53-3f6a0c1d2e3f',
  'arn:aws:ssm:us-east-1:123456789012:parameter/app/token',
  'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
  'anthropic.claude-3-haiku-20240307-v1:0',
  'gemini-2.5-pro-preview-05-06',
  'publishers/google/models/gemini-2.5-flash',
  'd41d8cd98f00b204e9800998ecf8427e',
  'da39a3ee5e6b4b0d3255bfef95601890afd80709',
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '"d41d8cd98f00b204e9800998ecf8427e-12"',
  'W/"5e9-18c1f7"',
  'UXmL_wa51kebaDBs1YbKAA',
  'UXmLeyJa51kebaDBs1YbKAA',
  'projects/p/secrets/db-password/versions/latest',
  'projects/p/serviceAccounts/a@p.iam.gserviceaccount.com',
  'projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash',
  'principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/x/subject/0b4f6c1e-7d2a-4c55-9a53-3f6a0c1d2e3f',
  '/subscriptions/0b4f6c1e-7d2a-4c55-9a53-3f6a0c1d2e3f/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/uami-weather',
  'https://login.microsoftonline.com/0b4f6c1e-7d2a-4c55-9a53-3f6a0c1d2e3f/v2.0',
  'https://sts.windows.net/0b4f6c1e-7d2a-4c55-9a53-3f6a0c1d2e3f/',
  'api://AzureADTokenExchange',
  'https://graph.microsoft.com/v1.0/users?$top=5&$select=id',
  'https://example.com:8443/path@v1',
  '2026-09-01T10:00:00.123456789Z',
  '203.0.113.7',
  '2001:db8::1',
  '123456789012',
  'secretsmanager:GetSecretValue',
  'iam:CreateAccessKey',
  'sts:AssumeRoleWithWebIdentity',
  'kms:Decrypt',
  'ssm:GetParameter',
  'aws-cli/2.15.0 Python/3.11.6 Linux/6.1 exe/x86_64 prompt/off command/s3.ls',
  'Boto3/1.34.0 md/Botocore#1.34.0 ua/2.0 os/linux#6.1 md/arch#x86_64 lang/python#3.11 md/pyimpl#CPython cfg/retry-mode#legacy',
  'google-genai-sdk/1.30.0 gl-python/3.12,gzip(gfe)',
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36',
  'User: arn:aws:sts::123456789012:assumed-role/r/s is not authorized to perform: secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager:us-east-1:123456789012:secret:x-AbCdEf',
  'The security token included in the request is invalid',
  'Invalid token: expired',
  'Token exchange failed',
  'Basic Authentication is disabled',
  'PasswordPolicyViolation',
  'AADSTS70021: No matching federated identity record found for presented assertion.',
  '[KeyIdentifier=0b4f6c1e-7d2a-4c55-9a53-3f6a0c1d2e3f,KeyType=Password,KeyUsage=Verify,DisplayName=ci]',
  'AWSLogs/123456789012/CloudTrail/us-east-1/2026/09/01/123456789012_CloudTrail_us-east-1_20260901T1000Z_7xgocspSowgK0Gto.json.gz',
  'AzureAD',
  'ManagedIdentity',
  'accessKey',
  'TLS_AES_128_GCM_SHA256',
  'TLSv1.3',
  'sk-learn-inference',
  'key-0fedcba9876543210',
  'i-0fedcba9876543210',
  'vpce-0fedcba9876543210',
  'eni-0fedcba9876543210',
  'subnet-0fedcba9876543210',
  'ami-0fedcba9876543210',
  'projects/p/logs/cloudaudit.googleapis.com%2Fdata_access',
  'type.googleapis.com/google.cloud.audit.AuditLog',
  'repo:org/name:ref:refs/heads/main',
  '/eid1/c/pub/t/aBcDeFgHiJkLmNoPqRsTuV/a/WxYzAbCdEfGhIjKlMnOpQr/0b4f6c1e-7d2a-4c55-9a53-3f6a0c1d2e3f',
]
/** The places that hold innocent values; under `listed` a service of models stands, which keeps identifiers under the names of its list. */
export const INNOCENT_PLACES: Readonly<Record<string, (text: string) => object>> = {
  'trail: request': (t) => trail({ requestParameters: { resourceId: t } }),
  'audit: request': (t) => audit({ request: { name: t } }),
  'entra: detail': (t) => entra({ additionalDetails: [{ key: 'AppId', value: t }] }),
  'entra: property': (t) => entra({ targetResources: [{ id: GUID, modifiedProperties: [{ displayName: 'Included Updated Properties', newValue: t }] }] }),
}
