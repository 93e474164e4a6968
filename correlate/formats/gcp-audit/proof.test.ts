import { describe, expect, test } from 'vitest'
import type { TrailEvent } from '#core/event.ts'
import type { JsonObject } from '#core/record.ts'
import { answerTo } from '../golden.ts'
import { format } from './index.ts'
import { parsePrincipal, subjectOid } from './principal.ts'

const OID = 'aaaaaaaa-1111-2222-3333-444444444444'
const OTHER = 'bbbbbbbb-1111-2222-3333-444444444444'
const POOL = 'projects/100000000001/locations/global/workloadIdentityPools/pool-1'
const URI = `principal://iam.googleapis.com/${POOL}/subject/`
const SA = 'agent@acme.iam.gserviceaccount.com'
const pool = { project: '100000000001', pool: 'pool-1', provider: null }

function event(protoPayload: JsonObject, more: JsonObject = {}): TrailEvent {
  const answer = format.normalise({
    value: {
      insertId: 'a1',
      logName: 'projects/acme/logs/cloudaudit.googleapis.com%2Fdata_access',
      timestamp: '2026-09-01T10:00:00Z',
      protoPayload: { methodName: 'm', ...protoPayload },
      ...more,
    },
    context: {},
  })
  if ('reject' in answer) throw new Error(answer.reject)
  return answer.event
}

const exchange = (more: JsonObject): TrailEvent =>
  event({
    serviceName: 'sts.googleapis.com',
    methodName: 'google.identity.sts.v1.SecurityTokenService.ExchangeToken',
    resourceName: `${POOL}/providers/p-1`,
    ...more,
  })
const mint = (authenticationInfo: JsonObject, more: JsonObject = {}): TrailEvent =>
  event({
    serviceName: 'iamcredentials.googleapis.com',
    methodName: 'GenerateAccessToken',
    resourceName: 'projects/-/serviceAccounts/1',
    request: { name: `projects/-/serviceAccounts/${SA}` },
    authenticationInfo,
    ...more,
  })
const call = (authenticationInfo: JsonObject): TrailEvent =>
  event({ serviceName: 'storage.googleapis.com', methodName: 'storage.objects.get', resourceName: 'projects/_/buckets/b', authenticationInfo })
const from = (callerIp: string, callerSuppliedUserAgent: string): JsonObject => ({ requestMetadata: { callerIp, callerSuppliedUserAgent } })

describe('subjects', () => {
  test('a subject runs from the first /subject/ to the end of the URI', () => {
    expect(parsePrincipal(`${URI}repo:o/r:subject/x/subject/y`)).toEqual({ subject: 'repo:o/r:subject/x/subject/y', pool })
    expect(parsePrincipal('serviceAccount:x')).toBeNull()
  })

  test('a workforce pool has no project and so names no pool', () => {
    expect(parsePrincipal(`principal://iam.googleapis.com/locations/global/workforcePools/p/subject/kim@acme.example`)).toEqual({
      subject: 'kim@acme.example',
      pool: null,
    })
  })

  test.each([
    [OID.toUpperCase(), OID],
    [`oid/${OID}`, OID],
    [`${OID}:${OID}`, OID],
    [`${OID}/${OTHER}`, null],
    [`repo:acme/${OID}:ref:refs/heads/main`, null],
    ['00000000-0000-0000-0000-000000000000', null],
    ['012345678901', null],
  ])('of %s the oid is %s', (subject, expected) => expect(subjectOid(subject)).toBe(expected))
})

describe('what a token exchange proves', () => {
  test('the mapped principal, in either spelling, with the provider of the exchange', () => {
    for (const name of ['mapped_principal', 'mappedPrincipal']) {
      const { proof } = exchange({ authenticationInfo: { principalSubject: OTHER }, metadata: { [name]: `${URI}${OID}` } })
      expect(proof).toEqual({ by: 'federation', subject: OID, oid: OID, pool: { ...pool, provider: 'p-1' }, entra: null })
    }
  })

  test('the raw subject when it was refused', () => {
    const refused = exchange({ authenticationInfo: { principalSubject: OTHER }, status: { code: 16, message: 'no' }, ...from('203.0.113.1', 'ua') })
    expect(refused).toMatchObject({
      kind: 'token.exchanged',
      outcome: 'failure',
      error: { code: '16', message: 'no' },
      proof: { subject: OTHER, oid: OTHER },
      nearKey: null,
    })
  })

  test('nothing where a certificate stands in for the subject', () => expect(exchange({ authenticationInfo: {} }).proof).toEqual({ by: 'nothing' }))

  test('success is read from the status, not from `granted`', () => {
    expect(exchange({ authenticationInfo: { principalSubject: OID }, authorizationInfo: [{ granted: false }], status: {} }).outcome).toBe('success')
  })

  test.each(['repo:o/r:ref:refs/heads/main', 'system:serviceaccount:ns:sa', '103566171230474107362', 'arn:aws:iam::1:role/x'])(
    'that %s is not from Entra',
    (subject) => {
      expect(exchange({ authenticationInfo: { principalSubject: subject } }).proof).toMatchObject({ oid: null, entra: false })
    },
  )

  test("the two names of the pool's project", () => {
    expect(exchange({ authenticationInfo: { principalSubject: OID } }).directory).toEqual([{ type: 'gcp-project', id: 'acme', number: '100000000001' }])
  })
})

describe('what a mint proves', () => {
  test('its federated subject, where it is named', () => {
    expect(mint({ principalSubject: `${URI}${OID}`, serviceAccountDelegationInfo: [{}] })).toMatchObject({
      kind: 'credential.minted',
      proof: { by: 'federation', oid: OID, pool },
      nearKey: null,
    })
  })

  test('an exchange near it, where the caller is the target itself or nobody', () => {
    const near = from('203.0.113.1', 'google-auth/2.40.0,gzip(gfe)')
    for (const caller of [{ principalEmail: SA }, { principalEmail: SA, principalSubject: `serviceAccount:${SA}` }, {}]) {
      expect(mint(caller, near)).toMatchObject({ proof: { by: 'proximity' }, nearKey: 'gcp:203.0.113.1:google-auth/2.40.0' })
    }
  })

  test.each([
    ['a person', { principalEmail: 'kim@acme.example' }, {}],
    ['another service account', { principalEmail: 'other@acme.iam.gserviceaccount.com' }, {}],
    ['a redacted caller that was denied', {}, { status: { code: 7 } }],
    ['a service-account key', { principalEmail: SA, serviceAccountKeyName: '//iam.googleapis.com/projects/acme/serviceAccounts/x/keys/1' }, {}],
    ['a subject of unknown form', { principalSubject: 'example_principal_subject' }, {}],
  ])('nothing for %s', (_who, caller, more) => expect(mint(caller, more)).toMatchObject({ proof: { by: 'nothing' }, nearKey: null }))

  test('exchange and mint of one client share a key whatever the front ends append', () => {
    const exchanged = (agent: JsonObject): string | null => exchange({ authenticationInfo: { principalSubject: OID }, ...agent }).nearKey
    const minted = (agent: JsonObject): string | null => mint({ principalEmail: SA }, agent).nearKey
    expect(minted(from('203.0.113.1', 'gcloud/1 invocation-id/ab,gzip(gfe),gzip(gfe)'))).toBe(exchanged(from('203.0.113.1', 'gcloud/1 invocation-id/ab')))
    expect(minted(from('203.0.113.1', 'gzip(gfe)'))).toBe(exchanged({ requestMetadata: { callerIp: '203.0.113.1' } }))
    expect(minted(from('203.0.113.1', 'a'))).not.toBe(exchanged(from('203.0.113.2', 'a')))
  })

  test.each(['private', 'gce-internal-ip', '(calling IP)'])('a caller address %s is no address and joins nothing', (address) => {
    expect(mint({ principalEmail: SA }, from(address, 'ua'))).toMatchObject({ sourceIp: null, nearKey: null })
  })
})

describe('what a service call proves', () => {
  test('the federated subject behind the service account, beside redacted steps', () => {
    const { proof, cloud } = call({
      principalEmail: SA,
      serviceAccountDelegationInfo: [{}, { principalSubject: 'serviceAccount:x' }, { principalSubject: `${URI}${OID}` }],
    })
    expect(proof).toMatchObject({ by: 'federation', oid: OID, pool })
    expect(cloud.principal).toBe(SA)
  })

  test('the federated subject that calls directly, named once or twice', () => {
    expect(call({ principalSubject: `${URI}${OID}`, serviceAccountDelegationInfo: [{ principalSubject: `${URI}${OID}` }] }).proof).toMatchObject({ oid: OID })
  })

  test.each([
    [
      'two different subjects',
      { principalEmail: SA, serviceAccountDelegationInfo: [{ principalSubject: `${URI}${OID}` }, { principalSubject: `${URI}${OTHER}` }] },
    ],
    [
      'delegation by a person',
      {
        principalEmail: SA,
        serviceAccountDelegationInfo: [{ firstPartyPrincipal: { principalEmail: 'kim@acme.example' }, principalSubject: 'user:kim@acme.example' }],
      },
    ],
    ['a service account alone', { principalEmail: SA }],
    ['no caller at all', {}],
  ])('nothing for %s', (_what, authentication) => expect(call(authentication).proof).toEqual({ by: 'nothing' }))
})

describe('identity and labels', () => {
  test("the same entry in Google's and in lower-cased spelling is one event, whatever zeros its time ends in", () => {
    const value = { insertId: 'x', logName: 'projects/p/logs/l', timestamp: '2026-09-01T10:00:00.10Z', protoPayload: { methodName: 'm' } }
    const lower = { insertid: 'x', logname: 'projects/p/logs/l', timestamp: '2026-09-01 10:00:00.100000000', protopayload: { methodname: 'm' } }
    const ids = [value, lower].map((one) => answerTo(format, one)).map((answer) => ('event' in answer ? answer.event.id : null))
    expect(ids[0]).not.toBeNull()
    expect(ids[0]).toBe(ids[1])
    expect([format.rank(value), format.rank(lower, true)]).toEqual([0, 1])
  })

  test('an entry without insertId gets its id from its content, and that is its native id', () => {
    const one = event({}, { insertId: '' })
    expect(one.nativeId).toBe(one.id)
    expect(event({ methodName: 'x' }, { insertId: '' }).id).not.toBe(one.id)
  })

  test("a tenant that the operator declared is not put on Google's records", () => {
    const answer = format.normalise({ value: { timestamp: '2026-09-01T10:00:00Z', protoPayload: { methodName: 'm' } }, context: { tenantId: OID } })
    expect('event' in answer && answer.event.tenantId).toBeNull()
  })

  test('labels that the caller wrote are claims', () => {
    expect(
      event({ request: { labels: { agent_oid: OID } } }, { labels: { agent_oid: OTHER, 'compute.googleapis.com/root_trigger_id': 'x' } }).asserted,
    ).toEqual([OID, OTHER])
  })

  test('text and JSON payloads are kept and prove nothing', () => {
    const value = { insertId: 'x', logName: 'projects/p/logs/app', timestamp: '2026-09-01T10:00:00Z', textPayload: OID }
    expect(format.recognise(value)).toBe(true)
    expect(answerTo(format, value)).toMatchObject({ event: { kind: 'other', proof: { by: 'nothing' }, cloud: { account: 'p' } } })
  })
})
