/** Google Cloud as exact as AWS: how it ended (70, 71), where it was done (72), and to what (73). */
import { afterAll, describe, expect, test } from 'vitest'
import { study, type Study } from './study.ts'

const studies: Study[] = []
afterAll(async () => {
  for (const one of studies) await one.close()
})
async function events(path: string) {
  const one = await study([path])
  studies.push(one)
  expect(one.summary.rejected).toBe(0)
  return one.events
}

describe('a sign-in event', () => {
  test('that failed is a failure', async () => {
    expect((await events('70-gcp-login-failure/in.ndjson')).map(({ action, outcome, error }) => [action, outcome, error?.code ?? null])).toEqual([
      ['login.googleapis.com:loginFailure', 'failure', 'login_failure'],
      ['login.googleapis.com:loginSuccess', 'success', null],
    ])
  })
  test('by name alone, of SAML, and with its reason', async () => {
    expect((await events('70-gcp-login-failure/own-by-name-and-saml.ndjson')).map(({ outcome, error }) => [outcome, error?.message ?? null])).toEqual([
      ['failure', null],
      ['failure', null],
      ['success', null],
      ['success', null],
      ['failure', 'login_failure_account_disabled'],
    ])
  })
  test('that is a challenge or a warning is unknown where nothing says', async () => {
    expect((await events('70-gcp-login-failure/own-challenges.ndjson')).map(({ outcome }) => outcome)).toEqual([
      'failure',
      'success',
      'unknown',
      'unknown',
      'failure',
    ])
  })
})

describe('an entry that is no audit record', () => {
  test('fails by its HTTP status', async () => {
    expect((await events('71-gcp-plain-entry/in.ndjson')).map(({ outcome, error, sourceIp }) => [outcome, error?.code, sourceIp])).toEqual([
      ['failure', '401', '192.0.2.11'],
    ])
  })
  test('of a program is unknown, unless it is an error', async () => {
    expect((await events('71-gcp-plain-entry/own-application-logs.ndjson')).map(({ outcome }) => outcome)).toEqual(['unknown', 'failure', 'unknown'])
  })
  test('needs no payload beside the request', async () => {
    const rows = await events('71-gcp-plain-entry/own-cloud-run-requests.ndjson')
    expect(rows.map(({ outcome, cloud }) => [outcome, cloud.region])).toEqual([
      ['success', 'europe-west1'],
      ['failure', 'europe-west1'],
    ])
  })
})

describe('the region', () => {
  const regions = async (path: string) => (await events(path)).map(({ cloud }) => cloud.region)
  test('is known from zone, location and the name of the resource', async () => {
    expect(await regions('72-gcp-region/in.ndjson')).toEqual(['us-central1', 'us-west1', 'us-east1'])
  })
  test('of GKE, Cloud SQL, BigQuery and Pub/Sub; of a service without one there is none', async () => {
    expect(await regions('72-gcp-region/own-other-services.ndjson')).toEqual(['europe-west1', 'us-central', 'eu', 'europe-west3', null, 'asia-northeast1'])
  })
  test('is the most exact that the entry has, and never one of two', async () => {
    expect(await regions('72-gcp-region/own-conflicting-places.ndjson')).toEqual(['us', 'global', 'global'])
  })
})

describe('the action', () => {
  const actions = async (path: string) => (await events(path)).map(({ action }) => action)
  test('tells kinds of resources apart', async () => {
    expect(await actions('73-gcp-action/in.ndjson')).toEqual([
      'compute.googleapis.com:instances.delete',
      'compute.googleapis.com:firewalls.delete',
      'storage.googleapis.com:objects.delete',
      'storage.googleapis.com:buckets.delete',
      'k8s.io:core.secrets.list',
      'k8s.io:core.pods.list',
    ])
  })
  test('of methods that are a bare verb, and not versions of one API', async () => {
    expect(await actions('73-gcp-action/own-grpc-and-rest.ndjson')).toEqual([
      'cloudsql.googleapis.com:SqlUsersService.Delete',
      'cloudsql.googleapis.com:SqlInstancesService.Delete',
      'dns.googleapis.com:managedZones.delete',
      'dns.googleapis.com:policies.delete',
      'compute.googleapis.com:instances.delete',
      'compute.googleapis.com:instances.delete',
    ])
  })
  test('keeps the names that findings and rules know', async () => {
    expect(await actions('73-gcp-action/own-names-that-stay.ndjson')).toEqual([
      'iam.googleapis.com:SetIAMPolicy',
      'cloudresourcemanager.googleapis.com:SetIamPolicy',
      'aiplatform.googleapis.com:ListPublisherModels',
      'logging.googleapis.com:DeleteSink',
      'compute.googleapis.com:disks.setIamPolicy',
      'compute.googleapis.com:images.setIamPolicy',
    ])
  })
  test('has its resource beside it', async () => {
    const rows = await events('73-gcp-action/in.ndjson')
    expect(rows.map(({ resource }) => resource).slice(2, 4)).toEqual(['projects/_/buckets/b/objects/o', 'projects/_/buckets/b'])
  })
})
