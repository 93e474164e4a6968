import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseJson } from '#core/parse-json.ts'
import type { TrailEvent } from '#core/event.ts'
import type { JsonObject } from '#core/record.ts'
import { isObj } from '../read.ts'
import { answerTo } from '../golden.ts'
import { readRecord } from '../reading.ts'
import { format } from './index.ts'
import { entraIssuerIn } from '#core/entra-issuer.ts'
import { kindOf } from './kind.ts'

const TENANT = '0b7f6a52-9c1e-4d38-8a64-5e2f1c7d9b30'
const AGENT = 'a94e2c18-7f5b-4d63-8c21-0e9d3b6f7a45'
const APP = 'c5d8e7f1-3a2b-4c9d-8e6f-7b1a0d4c2e93'
const KEY = 'ASIAQ4TR2M7XKWP3ZB5C'

const base: JsonObject = {
  eventVersion: '1.11',
  eventSource: 's3.amazonaws.com',
  eventName: 'ListBuckets',
  eventID: 'e1',
  eventTime: '2026-03-04T09:15:02Z',
  awsRegion: 'us-east-1',
  recipientAccountId: '111122223333',
}
const golden = (name: string): JsonObject => JSON.parse(readFileSync(join(import.meta.dirname, 'golden', `${name}.raw.json`), 'utf8')) as JsonObject

function event(value: JsonObject): TrailEvent {
  const answer = answerTo(format, value)
  if ('reject' in answer) throw new Error(answer.reject)
  return answer.event
}

function reason(value: JsonObject): string {
  const answer = answerTo(format, value)
  return 'reject' in answer ? answer.reject : 'not rejected'
}

describe('issuer', () => {
  test.each([
    `arn:aws:iam::111122223333:oidc-provider/sts.windows.net/${TENANT}/`,
    `arn:aws:iam::111122223333:oidc-provider/sts.windows.net/${TENANT}`,
    `arn:aws-us-gov:iam::111122223333:oidc-provider/login.microsoftonline.us/${TENANT}/v2.0`,
    `arn:aws:iam::111122223333:oidc-provider/login.microsoftonline.com/${TENANT.toUpperCase()}/v2.0`,
    `sts.windows.net/${TENANT}/`,
    `https://login.microsoftonline.com/${TENANT}/v2.0`,
    `sts.windows.net/${TENANT}/:sub`,
    `arn:aws:iam::111122223333:oidc-provider/sts.windows.net/${TENANT}/:api://x:${AGENT}`,
    `login.partner.microsoftonline.cn/${TENANT}/v2.0`,
  ])('%s is Entra and names its tenant', (provider) => {
    expect(entraIssuerIn(provider)).toEqual({ entra: true, tenantId: TENANT })
  })

  test.each([
    'accounts.google.com',
    'arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com',
    `evil.example/sts.windows.net/${TENANT}/`,
    `sts.windows.net.evil.example/${TENANT}/`,
    '',
  ])('%s is not Entra', (provider) => {
    expect(entraIssuerIn(provider)).toEqual({ entra: false, tenantId: null })
  })
})

describe('subject of an exchange', () => {
  const exchange = golden('who-exchanged-a-token')
  const withSubject = (sub: string): JsonObject => ({ ...exchange, userIdentity: { ...(exchange['userIdentity'] as JsonObject), userName: sub } })

  test("a Blueprint's exchange token (/eid1/…) keeps its subject and proves no oid", () => {
    const sub = '/eid1/c/pub/t/Dh88jwpcfkuaVS8Na28cEQ/a/IHweWj2fbkuMF9LwTmqbNQ/3b9d2f64-7c1e-4d0a-8f52-1a6e0c9b7d21'
    expect(event(withSubject(sub)).proof).toEqual({ by: 'federation', subject: sub, oid: null, pool: null, entra: true })
  })

  test('a pairwise subject is kept and is no oid', () => {
    expect(event(withSubject('Zk3l-xYq0_pAirWise')).proof).toMatchObject({ subject: 'Zk3l-xYq0_pAirWise', oid: null })
  })

  test("another issuer's GUID is no Entra oid", () => {
    const identity = { userName: AGENT, identityProvider: 'arn:aws:iam::111122223333:oidc-provider/oidc.example.com' }
    expect(event({ ...exchange, userIdentity: identity })).toMatchObject({
      tenantId: null,
      proof: { by: 'federation', subject: AGENT, oid: null, entra: false },
    })
  })

  test('without userIdentity the answer of STS still names subject and tenant', () => {
    const { userIdentity: _, ...rest } = exchange
    expect(event(rest)).toMatchObject({ tenantId: TENANT, proof: { by: 'federation', entra: true, oid: '6d1c9f47-2b8a-4e5d-9f03-c7a4b8e21d56' } })
  })

  test('without a provider nobody says whether it was Entra', () => {
    expect(event({ ...exchange, userIdentity: { userName: AGENT }, responseElements: null })).toMatchObject({
      tenantId: null,
      proof: { oid: AGENT, entra: null },
    })
  })

  test('without a subject nothing is proven', () => {
    expect(event({ ...exchange, userIdentity: { type: 'WebIdentityUser' }, responseElements: null }).proof).toEqual({ by: 'nothing' })
  })

  test('a refused exchange issues no credential, whatever its response says', () => {
    expect(event({ ...exchange, errorCode: 'AccessDeniedException' })).toMatchObject({ outcome: 'failure', issues: null, proof: { by: 'federation' } })
  })
})

describe('credentials', () => {
  test.each([
    '1',
    '1111',
    'AKIA****************',
    'SAMPLE_ACCESS_KEY',
    'ASIA-MOCKACCESSKEYID-1',
    'AKIAIOSFODNN7EXAMPLE',
    'ASIAIOSFODNN7EXAMPLE',
    'ASIA...[REDACTED]',
    'REDACTED',
    '',
    'AAAAAAAAAAAAAAAAAAAA',
  ])('the placeholder key %s joins nothing', (accessKeyId) => {
    expect(event({ ...base, userIdentity: { type: 'AssumedRole', accessKeyId } })).toMatchObject({ uses: null, proof: { by: 'nothing' } })
  })

  test('only STS issues credentials: a new access key of a user is no session', () => {
    expect(
      event({ ...base, eventSource: 'iam.amazonaws.com', eventName: 'CreateAccessKey', responseElements: { accessKey: { accessKeyId: KEY } } }).issues,
    ).toBeNull()
  })

  test("a SAML user's new key is issued, and no other record can prove its owner", () => {
    const saml = event({
      ...base,
      eventSource: 'sts.amazonaws.com',
      eventName: 'AssumeRoleWithSAML',
      userIdentity: { type: 'SAMLUser' },
      responseElements: { credentials: { accessKeyId: KEY } },
    })
    expect(saml).toMatchObject({ kind: 'credential.minted', issues: `aws:${KEY}`, uses: null, proof: { by: 'nothing' } })
  })

  test('an AssumeRole without assumedRoleUser and without caller key rests on the issued key', () => {
    const service = event({
      ...base,
      eventSource: 'sts.amazonaws.com',
      eventName: 'AssumeRole',
      userIdentity: { type: 'AWSService', invokedBy: 'lambda.amazonaws.com' },
      responseElements: { credentials: { accessKeyId: KEY } },
    })
    expect(service).toMatchObject({ proof: { by: 'issued' }, cloud: { principal: 'lambda.amazonaws.com' } })
  })

  test('a first-hop session names its tenant although it never names its subject', () => {
    const userIdentity = {
      type: 'AssumedRole',
      accessKeyId: KEY,
      sessionContext: { webIdFederationData: { federatedProvider: `arn:aws:iam::1:oidc-provider/sts.windows.net/${TENANT}/` } },
    }
    expect(event({ ...base, userIdentity })).toMatchObject({ tenantId: TENANT, proof: { by: 'credential' } })
  })
})

describe('trust changes', () => {
  const policy = (key: string, value: unknown): string =>
    JSON.stringify({
      Statement: {
        Effect: 'Allow',
        Principal: { Federated: [`arn:aws:iam::1:oidc-provider/sts.windows.net/${TENANT}/`] },
        Condition: { StringLike: { [key]: value } },
      },
    })
  const change = (document: string): TrailEvent =>
    event({ ...base, eventSource: 'iam.amazonaws.com', eventName: 'UpdateAssumeRolePolicy', requestParameters: { roleName: 'r', policyDocument: document } })

  test('the subject of a trust is a target; audiences, other issuers and wildcards are not', () => {
    expect(change(policy(`sts.windows.net/${TENANT}/:sub`, AGENT))).toMatchObject({ kind: 'trust.changed', targets: [AGENT], tenantId: TENANT })
    expect(change(policy(`sts.windows.net/${TENANT}/:aud`, APP)).targets).toEqual([])
    expect(change(policy('oidc.example.com:sub', AGENT)).targets).toEqual([])
    expect(change(policy(`sts.windows.net/${TENANT}/:sub`, [`${AGENT}*`, '*'])).targets).toEqual([])
  })

  test('a URL-encoded document reads like a plain one', () => {
    expect(change(encodeURIComponent(policy(`sts.windows.net/${TENANT}/:sub`, [AGENT]))).targets).toEqual([AGENT])
  })

  test('a damaged document names nobody and is not fatal', () => {
    expect(change('{"Statement":[').targets).toEqual([])
    expect(change('%7B%22Statement%').targets).toEqual([])
  })

  test('a role for a service changes an identity, a role for an identity provider changes a trust', () => {
    const create = (document: string) =>
      event({ ...base, eventSource: 'iam.amazonaws.com', eventName: 'CreateRole', requestParameters: { assumeRolePolicyDocument: document } }).kind
    expect(create('{"Statement":[{"Principal":{"Service":"ec2.amazonaws.com"}}]}')).toBe('identity.changed')
    expect(create(policy('x:sub', 'y'))).toBe('trust.changed')
  })

  test('a new provider of Entra tokens names its tenant', () => {
    const made = event({
      ...base,
      eventSource: 'iam.amazonaws.com',
      eventName: 'CreateOpenIDConnectProvider',
      requestParameters: { url: `https://sts.windows.net/${TENANT}/`, clientIDList: [APP] },
    })
    expect(made).toMatchObject({ kind: 'trust.changed', tenantId: TENANT, targets: [] })
  })
})

test.each([
  ['bedrock', 'InvokeModel', 'llm.invoked'],
  ['bedrock', 'InvokeModelWithBidirectionalStream', 'llm.invoked'],
  ['bedrock', 'ConverseStream', 'llm.invoked'],
  ['bedrock', 'StartAsyncInvoke', 'llm.invoked'],
  ['bedrock', 'RetrieveAndGenerateStream', 'llm.invoked'],
  ['bedrock', 'InvokeInlineAgent', 'llm.invoked'],
  ['bedrock', 'ApplyGuardrail', 'other'],
  ['bedrock', 'ListAsyncInvokes', 'other'],
  ['bedrock', 'CreateModelInvocationJob', 'other'],
  ['bedrock-agentcore', 'InvokeAgentRuntime', 'other'],
  ['bedrock-agentcore', 'InvokeGateway', 'other'],
  ['bedrock-agentcore', 'InvokeCodeInterpreter', 'other'],
  ['bedrock', 'CreateModelInvocationJob', 'other'],
  ['bedrock', 'CountTokens', 'other'],
  ['bedrock-mantle', 'CountTokens', 'other'],
  ['bedrock-agentcore', 'CreateEvent', 'other'],
  ['bedrock-mantle', 'CreateInference', 'llm.invoked'],
  ['bedrock-mantle', 'CountTokens', 'other'],
  ['sts', 'GetSessionToken', 'credential.minted'],
  ['sts', 'AssumeRoot', 'credential.minted'],
  ['sts', 'GetCallerIdentity', 'other'],
  ['s3', 'AssumeRole', 'other'],
  ['iam', 'DeleteRole', 'identity.changed'],
  ['iam', 'AttachRolePolicy', 'other'],
  ['iam', 'AddClientIDToOpenIDConnectProvider', 'trust.changed'],
])('%s:%s is %s', (service, name, kind) => {
  expect(kindOf(service, name, false)).toBe(kind)
})

describe('identity and time of a record', () => {
  test('a record without a time is refused, with the field, and never stamped', () => {
    const { eventTime: _, ...rest } = base
    expect(reason(rest)).toBe('no event time (eventTime)')
    expect(reason({ ...base, eventTime: 'redacted' })).toContain('"redacted"')
    expect(reason({ ...base, eventTime: 17 })).toBe('eventTime must be an instant (ISO 8601 or since 1970), got 17')
  })

  test('a time without zone is UTC', () => {
    expect(event({ ...base, eventTime: '2026-03-04 09:15:02.000000000' }).timeNs).toBe(event(base).timeNs)
  })

  test('key order, whitespace and the road do not change the id; the account does', () => {
    const reversed = Object.fromEntries(Object.entries(base).toReversed())
    expect(event(reversed).id).toBe(event(base).id)
    expect(event({ ...base, recipientAccountId: '444455556666' }).id).not.toBe(event(base).id)
  })

  test('a record without an id gets one from its content and is kept', () => {
    const { eventID: _, ...rest } = base
    const first = event(rest)
    expect(first.nativeId).toBe(first.id)
    expect(event(Object.fromEntries(Object.entries(rest).toReversed())).id).toBe(first.id)
    expect(event({ ...rest, eventName: 'PutObject' }).id).not.toBe(first.id)
  })

  test('a correction is the better text of the event that it corrects', () => {
    const correction = { ...base, eventID: 'e2', addendum: { reason: 'UPDATED_DATA', originalEventID: 'e1', originalRequestID: 'r1' } }
    expect(event(correction)).toMatchObject({ id: event(base).id, nativeId: 'e1', requestId: 'r1' })
    expect(format.rank(correction)).toBeLessThan(format.rank(base))
  })

  test('keys in lower case read like their originals', () => {
    const lower = Object.fromEntries(
      Object.entries({ ...base, userIdentity: { type: 'AssumedRole', accesskeyid: KEY } }).map(([key, value]) => [key.toLowerCase(), value]),
    )
    expect(event(lower)).toMatchObject({ id: event(base).id, uses: `aws:${KEY}`, action: 's3:ListBuckets' })
    expect(format.rank(lower, true)).toBeGreaterThan(format.rank(base))
  })

  test('caller addresses that are none read as none', () => {
    const ip = (sourceIPAddress: string) => event({ ...base, sourceIPAddress }).sourceIp
    expect([ip('cloudformation.amazonaws.com'), ip('AWS Internal'), ip('2001:db8::1'), ip('192.0.2.1')]).toEqual([null, null, '2001:db8::1', '192.0.2.1'])
  })

  test('a sign-in without error code fails by what its response says', () => {
    const signIn = event({
      ...base,
      eventSource: 'signin.amazonaws.com',
      eventName: 'ConsoleLogin',
      errorMessage: 'Failed authentication',
      responseElements: { ConsoleLogin: 'Failure' },
    })
    expect(signIn).toMatchObject({ outcome: 'failure', error: { code: 'Failure', message: 'Failed authentication' } })
    expect(event({ ...base, eventName: 'ConsoleLogin', responseElements: { ConsoleLogin: 'Success' } }).outcome).toBe('success')
  })

  test('a bomb of tags leaves eight claims', () => {
    const principalTags = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, `v${index}`]))
    expect(
      event({ ...base, eventSource: 'sts.amazonaws.com', eventName: 'AssumeRole', requestParameters: { roleSessionName: 's', principalTags } }).asserted,
    ).toEqual(['s', 'v0', 'v1', 'v2', 'v3', 'v4', 'v5', 'v6'])
  })
})

// Real public records; sources and licences stand in test/fixtures/samples/SOURCES.md.
const samples = join(import.meta.dirname, '../../../test/fixtures/samples')
const lines = (folder: string): JsonObject[] =>
  readdirSync(join(samples, folder))
    .filter((file) => file.endsWith('.ndjson'))
    .flatMap((file) =>
      readFileSync(join(samples, folder, file), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => bare(JSON.parse(line) as JsonObject)),
    )
const bare = (record: JsonObject): JsonObject =>
  typeof record['CloudTrailEvent'] === 'string' ? (JSON.parse(record['CloudTrailEvent']) as JsonObject) : isObj(record['detail']) ? record['detail'] : record

describe('public samples', () => {
  const aws = lines('aws')

  test('of 719 records one is too bare to recognise, 19 have no time, and all others are events', () => {
    const recognised = aws.filter((record) => readRecord(record)?.format === format)
    const answers = recognised.map((value) => answerTo(format, value))
    expect({ read: aws.length, recognised: recognised.length, rejected: answers.filter((answer) => 'reject' in answer).length }).toEqual({
      read: 719,
      recognised: 718,
      rejected: 19,
    })
  })

  test('nine keys are issued in them, and 48 events use five of these: no placeholder joins anything', () => {
    const events = aws
      .filter((record) => readRecord(record)?.format === format && typeof record['eventTime'] === 'string' && record['eventTime'] !== 'redacted')
      .map(event)
    const issued = new Set(events.flatMap((one) => one.issues ?? []))
    // One of them stands in two files (panther line 59 is stratus line 143) and is one event.
    const later = new Map(events.filter((one) => one.uses !== null && issued.has(one.uses)).map((one) => [one.id, one.uses]))
    expect({ issued: issued.size, used: new Set(later.values()).size, events: later.size }).toEqual({ issued: 9, used: 5, events: 48 })
  })

  test('no record of another cloud is taken for CloudTrail', () => {
    expect(['entra', 'gcp', 'other'].flatMap(lines).filter((record) => isObj(record) && readRecord(record)?.format === format)).toEqual([])
  })
})

test('whatever stands in a record, the answer is an event or a reason, and the record is left untouched', () => {
  const names = fc.constantFrom(
    'userIdentity',
    'requestParameters',
    'responseElements',
    'resources',
    'errorMessage',
    'addendum',
    'eventID',
    'recipientAccountId',
    'eventSource',
    'eventName',
    'sourceIPAddress',
    'eventTime',
  )
  const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<JsonObject[string]>
  fc.assert(
    fc.property(
      fc.dictionary(names, json, { noNullPrototype: true }),
      fc.constantFrom('AssumeRoleWithWebIdentity', 'AssumeRole', 'CreateRole', 'Converse'),
      fc.constantFrom('sts', 'iam', 'bedrock'),
      (noise, eventName, service) => {
        const value: JsonObject = { ...base, eventName, eventSource: `${service}.amazonaws.com`, ...noise }
        const before = JSON.stringify(value)
        const answer = answerTo(format, value)
        expect('event' in answer || answer.reject.length > 0).toBe(true)
        expect(answerTo(format, parseJson(before) as JsonObject)).toEqual(answer)
        expect(JSON.stringify(value)).toBe(before)
      },
    ),
  )
})
