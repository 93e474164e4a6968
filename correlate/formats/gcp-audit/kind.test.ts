import { describe, expect, test } from 'vitest'
import type { TrailEvent } from '#core/event.ts'
import type { JsonObject } from '#core/record.ts'
import { format } from './index.ts'
import { modelOf, regionOf } from './model.ts'
import { pinnedOids } from './trust.ts'

const OID = 'aaaaaaaa-1111-2222-3333-444444444444'
const OTHER = 'bbbbbbbb-1111-2222-3333-444444444444'
const TENANT = '11111111-aaaa-4bbb-8ccc-222222222222'
const POOL = 'projects/100000000001/locations/global/workloadIdentityPools/pool-1'

function event(serviceName: string | null, methodName: string, more: JsonObject = {}): TrailEvent {
  const answer = format.normalise({ value: { timestamp: '2026-09-01T10:00:00Z', protoPayload: { serviceName, methodName, ...more } }, context: {} })
  if ('reject' in answer) throw new Error(answer.reject)
  return answer.event
}

describe('kinds', () => {
  test.each([
    ['sts.googleapis.com', 'google.identity.sts.v1beta.SecurityTokenService.ExchangeToken', 'token.exchanged'],
    [null, 'google.identity.sts.v1.SecurityTokenService.ExchangeToken', 'token.exchanged'],
    ['sts.googleapis.com', 'google.identity.sts.SecurityTokenService.WebSignIn', 'other'],
    ['iamcredentials.googleapis.com', 'GenerateAccessToken', 'credential.minted'],
    ['iamcredentials.googleapis.com', 'google.iam.credentials.v1.IAMCredentials.GenerateIdToken', 'credential.minted'],
    ['iamcredentials.googleapis.com', 'SignJwt', 'credential.minted'],
    ['iamcredentials.googleapis.com', 'SignBlob', 'credential.minted'],
    ['aiplatform.googleapis.com', 'google.cloud.aiplatform.v1beta1.PredictionService.GenerateContent', 'llm.invoked'],
    ['aiplatform.googleapis.com', 'google.cloud.aiplatform.v1.PredictionService.streamrawpredict', 'llm.invoked'],
    ['aiplatform.googleapis.com', 'google.cloud.aiplatform.v1.PredictionService.ChatCompletions', 'llm.invoked'],
    ['aiplatform.googleapis.com', 'google.cloud.aiplatform.v1.ReasoningEngineExecutionService.StreamQueryReasoningEngine', 'llm.invoked'],
    ['aiplatform.googleapis.com', 'google.cloud.aiplatform.v1beta1.PredictionService.CountTokens', 'other'],
    ['aiplatform.googleapis.com', 'google.cloud.aiplatform.v1.ModelGardenService.ListPublisherModels', 'other'],
    ['notaiplatform.example.com', 'x.PredictionService.GenerateContent', 'other'],
    ['iam.googleapis.com', 'google.iam.admin.v1.CreateServiceAccount', 'identity.changed'],
    ['iam.googleapis.com', 'google.iam.admin.v1.CreateServiceAccountKey', 'identity.changed'],
    ['iam.googleapis.com', 'google.iam.admin.v1.ListServiceAccounts', 'other'],
    ['iam.googleapis.com', 'google.iam.v1.WorkloadIdentityPools.UpdateWorkloadIdentityPoolProvider', 'trust.changed'],
    ['iam.googleapis.com', 'google.iam.v1.WorkloadIdentityPools.DeleteWorkloadIdentityPool', 'trust.changed'],
    ['iam.googleapis.com', 'google.iam.v1.WorkloadIdentityPools.GetWorkloadIdentityPool', 'other'],
    ['iam.googleapis.com', 'google.iam.admin.v1.WorkforcePools.CreateWorkforcePoolProvider', 'trust.changed'],
    ['compute.googleapis.com', 'v1.compute.instances.insert', 'other'],
  ])('%s %s is %s', (service, method, kind) => expect(event(service, method).kind).toBe(kind))

  test('an action is the service and the last segment of the method', () => {
    expect(event('sts.googleapis.com', 'google.identity.sts.v1.SecurityTokenService.ExchangeToken').action).toBe('sts.googleapis.com:ExchangeToken')
  })
})

describe('policy changes', () => {
  const set = (bindingDeltas: JsonObject[]): TrailEvent =>
    event('cloudresourcemanager.googleapis.com', 'SetIamPolicy', { serviceData: { policyDelta: { bindingDeltas } } })

  test('federated members and impersonation roles make a trust change; other grants do not', () => {
    expect(set([{ action: 'ADD', role: 'roles/aiplatform.user', member: `principalSet://iam.googleapis.com/${POOL}/*` }]).kind).toBe('trust.changed')
    expect(set([{ action: 'REMOVE', role: 'roles/iam.serviceAccountTokenCreator', member: 'user:kim@acme.example' }]).kind).toBe('trust.changed')
    expect(set([{ action: 'ADD', role: 'roles/editor', member: 'user:kim@acme.example' }]).kind).toBe('other')
  })

  test('subjects added, removed and deleted are targets, in order and once; tenants in attribute sets are not', () => {
    const member = (subject: string): string => `principal://iam.googleapis.com/${POOL}/subject/${subject}`
    const { targets } = set([
      { action: 'ADD', role: 'r', member: member(OTHER.toUpperCase()) },
      { action: 'REMOVE', role: 'r', member: member(OID) },
      { action: 'REMOVE', role: 'r', member: `deleted:${member(OID)}?uid=123456789` },
      { action: 'ADD', role: 'r', member: `principalSet://iam.googleapis.com/${POOL}/attribute.tid/${TENANT}` },
    ])
    expect(targets).toEqual([OID, OTHER])
  })

  test('without a delta the policy as set counts', () => {
    const change = event('storage.googleapis.com', 'storage.setIamPermissions', {
      request: { policy: { bindings: [{ role: 'r', members: [`principal://iam.googleapis.com/${POOL}/subject/${OID}`] }] } },
    })
    expect(change).toMatchObject({ kind: 'trust.changed', targets: [OID] })
  })
})

describe('workload identity providers', () => {
  test.each([
    [`assertion.sub == '${OID}'`, [OID]],
    [`assertion.tid == '${TENANT}' && assertion.oid=="${OID}"`, [OID]],
    [`'${OID}' == google.subject || assertion['sub'] == '${OTHER}'`, [OID, OTHER]],
    [`assertion.sub in ['${OID}', '${OTHER}']`, [OID, OTHER]],
    [`assertion.sub != '${OID}'`, []],
    [`assertion.appid == '${OID}' || assertion.aud == '${OTHER}' || assertion.tid == '${TENANT}'`, []],
    [`assertion.sub.startsWith('${OID}')`, []],
  ])('the condition %s pins %j', (condition, expected) => expect(pinnedOids(condition)).toEqual(expected))

  const body = { oidc: { issuerUri: `https://sts.windows.net/${TENANT}/` } }
  const issuer = `https://sts.windows.net/${TENANT}/`

  test('creating or updating one teaches its issuer', () => {
    const created = event('iam.googleapis.com', 'google.iam.v1.WorkloadIdentityPools.CreateWorkloadIdentityPoolProvider', {
      resourceName: 'projects/acme/locations/global/workloadIdentityPools/pool-1',
      request: { workloadIdentityPoolProviderId: 'p-1', workloadIdentityPoolProvider: body },
    })
    expect(created.directory).toEqual([{ type: 'gcp-provider', project: 'acme', pool: 'pool-1', provider: 'p-1', issuer }])
    const updated = event('iam.googleapis.com', 'google.iam.v1.WorkloadIdentityPools.UpdateWorkloadIdentityPoolProvider', {
      resourceName: `${POOL}/providers/p-2`,
      request: { workload_identity_pool_provider: { oidc: { issuer_uri: issuer } } },
    })
    expect(updated.directory).toEqual([{ type: 'gcp-provider', project: '100000000001', pool: 'pool-1', provider: 'p-2', issuer }])
  })

  test('a refused change teaches nothing', () => {
    const refused = event('iam.googleapis.com', 'google.iam.v1.WorkloadIdentityPools.UpdateWorkloadIdentityPoolProvider', {
      resourceName: `${POOL}/providers/p-2`,
      request: { workloadIdentityPoolProvider: body },
      status: { code: 7 },
    })
    expect(refused).toMatchObject({ kind: 'trust.changed', outcome: 'failure', directory: [] })
  })
})

describe('models', () => {
  test.each([
    ['projects/p/locations/global/publishers/google/models/gemini-2.5-flash', { id: 'gemini-2.5-flash', name: 'gemini-2.5-flash', provider: 'google' }],
    [
      'projects/p/locations/us-east5/publishers/anthropic/models/claude-3-haiku@20240307',
      { id: 'claude-3-haiku@20240307', name: 'claude-3-haiku', provider: 'anthropic' },
    ],
    ['projects/p/locations/us-central1/endpoints/openapi', { id: 'endpoints/openapi', name: null, provider: null }],
    ['projects/p/locations/us-central1/endpoints/1234567890', { id: 'endpoints/1234567890', name: null, provider: null }],
    ['projects/p/locations/us-central1', null],
    [null, null],
  ])('%s names %j', (resource, model) => expect(modelOf(resource)).toEqual(model))

  test('the region is the location of the resource', () => {
    expect([regionOf('projects/p/locations/us-east5/endpoints/1'), regionOf('projects/p/locations/global'), regionOf('projects/p')]).toEqual([
      'us-east5',
      'global',
      null,
    ])
  })
})
