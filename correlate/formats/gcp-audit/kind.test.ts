import { describe, expect, test } from 'vitest'
import type { TrailEvent } from '#core/event.ts'
import type { JsonObject } from '#core/record.ts'
import { format } from './index.ts'
import { operationName } from './action.ts'
import { modelOf } from './model.ts'
import { regionOf } from './place.ts'
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
    ['aiplatform.googleapis.com', 'google.cloud.aiplatform.v1.ReasoningEngineExecutionService.StreamQueryReasoningEngine', 'other'],
    ['aiplatform.googleapis.com', 'google.cloud.aiplatform.v1beta1.LlmBidiService.BidiGenerateContent', 'llm.invoked'],
    ['aiplatform.googleapis.com', 'google.cloud.aiplatform.v1beta1.PredictionService.CountTokens', 'other'],
    ['aiplatform.googleapis.com', 'google.cloud.aiplatform.v1.LlmUtilityService.ComputeTokens', 'other'],
    ['aiplatform.googleapis.com', 'google.cloud.aiplatform.v1.JobService.CreateBatchPredictionJob', 'other'],
    ['generativelanguage.googleapis.com', 'google.ai.generativelanguage.v1beta.GenerativeService.BatchGenerateContent', 'other'],
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

  test.each([
    ['projects/p/locations/us-east5/endpoints/1', null, {}, 'us-east5'],
    ['projects/p/locations/global', null, { location: 'us-east1' }, 'global'],
    ['projects/p/zones/us-central1-a/instances/vm', null, {}, 'us-central1'],
    ['projects/p/regions/europe-west4/subnetworks/s', null, {}, 'europe-west4'],
    ['projects/p/global/firewalls/f', null, {}, 'global'],
    ['https://www.googleapis.com/compute/v1/projects/p/zones/us-east4-a/disks/d', null, {}, 'us-east4'],
    ['//run.googleapis.com/projects/p/locations/us-west1/services/s', null, {}, 'us-west1'],
    ['projects/_/buckets/b/objects/zones/none', null, {}, null],
    ['projects/_/buckets/b', { currentLocations: ['us-east1'] }, { location: 'us' }, 'us-east1'],
    ['projects/_/buckets/b', { currentLocations: ['US'] }, {}, 'us'],
    ['projects/_/buckets/b', { currentLocations: ['us-central1', 'us-east1'] }, {}, null],
    ['projects/_/buckets/b', { currentLocations: ['us-central1-a', 'us-central1-b'] }, {}, 'us-central1'],
    ['x', null, { zone: 'northamerica-northeast1-c' }, 'northamerica-northeast1'],
    ['x', null, { region: 'us-central' }, 'us-central'],
    ['x', null, { location: 'europe-west1-b', cluster_name: 'c' }, 'europe-west1'],
    ['projects/p', null, { location: '-', project_id: 'p' }, null],
    [null, null, {}, null],
  ] as const)('of %s, located %j and labelled %j the region is %s', (name, location, labels, region) => {
    expect(regionOf(name, location, labels)).toBe(region)
  })
})

describe('the name of an action says what kind of thing it was done to', () => {
  test.each([
    ['compute.googleapis.com', 'v1.compute.instances.delete', 'instances.delete'],
    ['compute.googleapis.com', 'v1.compute.firewalls.delete', 'firewalls.delete'],
    ['compute.googleapis.com', 'beta.compute.instances.insert', 'instances.insert'],
    ['compute.googleapis.com', 'compute.instances.setIamPolicy', 'instances.setIamPolicy'],
    ['compute.googleapis.com', 'google.cloud.compute.v1.Instances.Delete', 'Instances.Delete'],
    ['storage.googleapis.com', 'storage.objects.delete', 'objects.delete'],
    ['storage.googleapis.com', 'storage.setIamPermissions', 'setIamPermissions'],
    ['k8s.io', 'io.k8s.core.v1.secrets.list', 'core.secrets.list'],
    ['k8s.io', 'io.k8s.core.v1.pods.exec.create', 'core.pods.exec.create'],
    ['k8s.io', 'io.k8s.authorization.rbac.v1.clusterrolebindings.create', 'authorization.rbac.clusterrolebindings.create'],
    ['k8s.io', 'io.k8s.get', 'get'],
    ['cloudsql.googleapis.com', 'cloudsql.users.create', 'users.create'],
    ['cloudsql.googleapis.com', 'google.cloud.sql.v1beta4.SqlUsersService.Delete', 'SqlUsersService.Delete'],
    ['cloudsql.googleapis.com', 'google.cloud.sql.v1beta4.SqlInstancesService.Delete', 'SqlInstancesService.Delete'],
    ['bigquery.googleapis.com', 'tableservice.insert', 'tableservice.insert'],
    ['bigquery.googleapis.com', 'google.cloud.bigquery.v2.JobService.InsertJob', 'InsertJob'],
    ['pubsub.googleapis.com', 'google.pubsub.v1.Publisher.CreateTopic', 'CreateTopic'],
    ['run.googleapis.com', 'google.cloud.run.v1.Services.CreateService', 'CreateService'],
    ['login.googleapis.com', 'google.login.LoginService.loginFailure', 'loginFailure'],
    ['iam.googleapis.com', 'google.iam.admin.v1.CreateServiceAccountKey', 'CreateServiceAccountKey'],
    ['iamcredentials.googleapis.com', 'GenerateAccessToken', 'GenerateAccessToken'],
    ['x.googleapis.com', 'google.iam.v1.Delete', 'Delete'],
    [null, 'v1.', 'v1'],
  ])('of %s %s: %s', (service, method, name) => expect(operationName(method, service)).toBe(name))

  test('and model calls, mints and changes of trust keep theirs, in every spelling', () => {
    expect(event('aiplatform.googleapis.com', 'google.cloud.aiplatform.v1.endpoints.predict').action).toBe('aiplatform.googleapis.com:predict')
    expect(event('compute.googleapis.com', 'v1.compute.instances.delete').action).toBe('compute.googleapis.com:instances.delete')
  })
})
