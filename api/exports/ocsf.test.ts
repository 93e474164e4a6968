import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CONFIDENCES, KINDS, OUTCOMES, ROLES, SOURCES } from '#core/event.ts'
import { formatTime } from '#core/time.ts'
import { ocsfFaults } from '../../test/ocsf-schema.ts'
import { id } from '../fixture.ts'
import type { ExportItem } from './item.ts'
import { ocsfEvent } from './ocsf.ts'

const BASE: ExportItem = {
  id: id('7'),
  nativeId: 'native',
  time: '2026-09-01T10:00:00.123456789Z',
  source: 'aws',
  kind: 'llm.invoked',
  action: 'bedrock:Converse',
  outcome: 'success',
  error: null,
  tenantId: id('1'),
  subjectOid: id('a'),
  agentOid: id('b'),
  onBehalfOf: null,
  targets: [],
  role: 'actor',
  attribution: { confidence: 'exact', basis: ['credential'], candidates: [], evidence: [id('7', 2)] },
  traceId: id('8'),
  sessionId: id('9'),
  parentId: id('7', 2),
  cloud: { account: '123456789012', region: 'eu-west-1', principal: 'arn:aws:sts::123456789012:assumed-role/r/s' },
  model: { id: 'anthropic.claude', name: 'claude', provider: 'anthropic' },
  usage: { inputTokens: 500, outputTokens: 300, cacheReadTokens: 71, cacheWriteTokens: null },
  sourceIp: '192.0.2.7',
  userAgent: 'Boto3/1.0',
  requestId: 'r-1',
  deliveredAt: '2026-09-01T10:05:00.000000000Z',
  ingestedAt: '2026-09-01T10:06:00.000000000Z',
  rawSha256: 'ab'.repeat(32),
  resource: 'anthropic.claude',
  tokenId: null,
}

const guid = fc.uuid()
const text = fc.string({ minLength: 1, maxLength: 30, unit: 'binary' })
const maybe = <T>(some: fc.Arbitrary<T>) => fc.option(some, { nil: null })
const count = maybe(fc.nat())
const time = fc.bigInt({ min: 0n, max: 4_000_000_000_000_000_000n }).map(formatTime)

const anyItem: fc.Arbitrary<ExportItem> = fc.record({
  id: guid,
  nativeId: text,
  time,
  source: fc.constantFrom(...SOURCES),
  kind: fc.constantFrom(...KINDS),
  action: fc.oneof(
    fc.constantFrom(
      'sts:AssumeRole',
      'sts:GetSessionToken',
      'iam:CreateRole',
      's3:GetObject',
      'entra:Add owner to application',
      'entra:Disable account',
      'bedrock-mantle:CreateInference',
    ),
    text,
  ),
  outcome: fc.constantFrom(...OUTCOMES),
  error: maybe(fc.record({ code: text, message: maybe(text) })),
  tenantId: maybe(guid),
  subjectOid: maybe(guid),
  agentOid: maybe(guid),
  onBehalfOf: maybe(guid),
  targets: fc.array(guid, { maxLength: 3 }),
  role: fc.constantFrom(...ROLES),
  attribution: fc.record({
    confidence: fc.constantFrom(...CONFIDENCES),
    basis: fc.array(text, { maxLength: 2 }),
    candidates: fc.array(guid, { maxLength: 3 }),
    evidence: fc.array(guid, { maxLength: 3 }),
  }),
  traceId: maybe(guid),
  sessionId: maybe(guid),
  parentId: maybe(guid),
  cloud: fc.record({ account: maybe(text), region: maybe(text), principal: maybe(text) }),
  model: maybe(fc.record({ id: text, name: maybe(text), provider: maybe(text) })),
  usage: maybe(fc.record({ inputTokens: count, outputTokens: count, cacheReadTokens: count, cacheWriteTokens: count })),
  sourceIp: maybe(fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant('bedrock.amazonaws.com'), text)),
  userAgent: maybe(text),
  requestId: maybe(text),
  deliveredAt: maybe(time),
  ingestedAt: time,
  rawSha256: maybe(fc.constant('00'.repeat(32))),
  resource: maybe(text),
  tokenId: maybe(text),
})

test('every item, however much of it is missing, is an event of the published OCSF 1.8 schema', () => {
  fc.assert(
    fc.property(anyItem, (item) => {
      expect(ocsfFaults(ocsfEvent(item))).toEqual([])
    }),
    { numRuns: 200 },
  )
}, 30_000)

test('nothing of an item is lost', () => {
  const written = JSON.stringify(ocsfEvent({ ...BASE, onBehalfOf: id('c'), targets: [id('d')], tokenId: 'uti', error: { code: 'Denied', message: 'no' } }))
  for (const value of [
    id('7'),
    'native',
    '10:00:00.123456789Z',
    'bedrock:Converse',
    id('1'),
    id('a'),
    id('b'),
    id('c'),
    id('d'),
    id('8'),
    id('9'),
    id('7', 2),
    '123456789012',
    'eu-west-1',
  ])
    expect(written).toContain(value)
  for (const value of ['assumed-role/r/s', 'anthropic.claude', '192.0.2.7', 'Boto3/1.0', 'r-1', 'uti', 'Denied', 'ab'.repeat(32), 'exact', 'credential', '71'])
    expect(written).toContain(value)
})

describe('the class follows the kind', () => {
  test.each([
    ['token.issued', 'entra:ManagedIdentitySignIn', 300_201],
    ['token.exchanged', 'sts:AssumeRoleWithWebIdentity', 300_201],
    ['credential.minted', 'sts:AssumeRole', 300_207],
    ['credential.minted', 'iamcredentials.googleapis.com:GenerateAccessToken', 300_207],
    ['credential.minted', 'sts:GetSessionToken', 300_201],
    ['llm.invoked', 'bedrock:Converse', 600_399],
    ['api.called', 'weather:GET /forecast', 600_399],
    ['identity.changed', 'entra:Add service principal', 300_401],
    ['identity.changed', 'entra:Add owner to application', 300_403],
    ['identity.changed', 'iam:DeleteRole', 300_404],
    ['identity.changed', 'entra:Disable account', 300_409],
    ['trust.changed', 'entra:Update application', 300_403],
    ['other', 's3:GetObject', 600_302],
    ['other', 's3:PutObject', 600_303],
    ['other', 'bedrock:ApplyGuardrail', 600_399],
  ] as const)('%s %s', (kind, action, typeUid) => {
    expect(ocsfEvent({ ...BASE, kind, action })['type_uid']).toBe(typeUid)
  })
})

test('a prompt counts its cached tokens', () => {
  expect(ocsfEvent(BASE)['message_context']).toEqual({ service: { name: 'bedrock' }, prompt_tokens: 571, completion_tokens: 300, total_tokens: 871 })
})

test('the checker finds what is wrong', () => {
  const event = ocsfEvent(BASE)
  const { actor: _actor, ...rest } = event
  expect(ocsfFaults(rest)).toEqual(['actor is required'])
  expect(ocsfFaults({ ...event, colour: 'red' })).toEqual(['colour is no attribute'])
  expect(ocsfFaults({ ...event, status_id: 7 })).toContain('status_id: 7 is none of its values')
  expect(ocsfFaults({ ...event, status_id: 2 })).toEqual(['status_id is 2, beside it stands "Success"'])
  expect(ocsfFaults({ ...event, src_endpoint: { ip: '1.2.3' } })).toEqual(['src_endpoint.ip: "1.2.3" is no ip_t'])
  expect(ocsfFaults({ ...event, time: 1.5 })).toEqual(['time is no whole number'])
  expect(ocsfFaults({ ...event, osint: [] })).toEqual(['osint needs the profile osint'])
  expect(ocsfFaults({ ...event, src_endpoint: {} })).toHaveLength(1)
})
