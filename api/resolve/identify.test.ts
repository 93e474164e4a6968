import { describe, expect, test } from 'vitest'
import { identify } from './identify.ts'

const fieldsOf = (text: string) => identify(text).lookups.map(({ field, values, prefix }) => `${field}${prefix ? '^' : ''}=${values.join('|')}`)

describe('an identifier is looked up wherever its form allows', () => {
  test.each([
    [
      '6A0C1D52-8f7b-4e39-9c41-2b7d5a3e1f08',
      [
        'id=6a0c1d52-8f7b-4e39-9c41-2b7d5a3e1f08',
        'nativeId=6a0c1d52-8f7b-4e39-9c41-2b7d5a3e1f08|6A0C1D52-8f7b-4e39-9c41-2b7d5a3e1f08|6A0C1D52-8F7B-4E39-9C41-2B7D5A3E1F08',
        'requestId=6a0c1d52-8f7b-4e39-9c41-2b7d5a3e1f08|6A0C1D52-8f7b-4e39-9c41-2b7d5a3e1f08|6A0C1D52-8F7B-4E39-9C41-2B7D5A3E1F08',
      ],
    ],
    ['ASIAQWERTYUIOP123456', ['credential=aws:ASIAQWERTYUIOP123456']],
    ['asiaqwertyuiop123456', ['credential=aws:ASIAQWERTYUIOP123456']],
    [
      'serviceAccount:weather@proj.iam.gserviceaccount.com',
      [
        'principal=weather@proj.iam.gserviceaccount.com',
        'resource=weather@proj.iam.gserviceaccount.com|projects/-/serviceAccounts/weather@proj.iam.gserviceaccount.com',
      ],
    ],
    ['Ada@contoso.example', ['principal=Ada@contoso.example|ada@contoso.example']],
    ['123456789012', []],
    [
      '//storage.googleapis.com/projects/_/buckets/b',
      ['resource=//storage.googleapis.com/projects/_/buckets/b|projects/_/buckets/b', 'principal=//storage.googleapis.com/projects/_/buckets/b'],
    ],
    [
      'arn:aws:iam::123456789012:role/path/agents/weather',
      [
        'resource=arn:aws:iam::123456789012:role/path/agents/weather',
        'principal=arn:aws:iam::123456789012:role/path/agents/weather',
        'principal^=arn:aws:sts::123456789012:assumed-role/weather/',
      ],
    ],
    [
      'arn:aws-us-gov:sts::123456789012:assumed-role/weather/s',
      ['principal=arn:aws-us-gov:sts::123456789012:assumed-role/weather/s', 'resource=arn:aws-us-gov:sts::123456789012:assumed-role/weather/s'],
    ],
    [
      'Weather@proj.iam.gserviceaccount.com',
      [
        'principal=weather@proj.iam.gserviceaccount.com',
        'resource=weather@proj.iam.gserviceaccount.com|projects/-/serviceAccounts/weather@proj.iam.gserviceaccount.com',
      ],
    ],
    ['123456789012345678901', ['principal=123456789012345678901', 'resource=123456789012345678901|projects/-/serviceAccounts/123456789012345678901']],
    ['2001:DB8::1', ['sourceIp=2001:db8::1|2001:DB8::1']],
    ['192.0.2.7', ['sourceIp=192.0.2.7']],
    [
      'AbCdEfGhIjKlMnOpQrStUv',
      [
        'nativeId=AbCdEfGhIjKlMnOpQrStUv',
        'requestId=AbCdEfGhIjKlMnOpQrStUv',
        'tokenId=AbCdEfGhIjKlMnOpQrStUv',
        'principal=AbCdEfGhIjKlMnOpQrStUv',
        'resource=AbCdEfGhIjKlMnOpQrStUv',
      ],
    ],
  ])('%s', (text, fields) => {
    expect(fieldsOf(text)).toEqual(fields)
    expect(identify(text).refused).toBeNull()
  })
})

test('a federated principal also names the oid in it', () => {
  const uri = 'principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/subject/6a0c1d52-8f7b-4e39-9c41-2b7d5a3e1f08'
  expect(identify(uri)).toMatchObject({ looksLike: ['Google Cloud federated principal'], guids: ['6a0c1d52-8f7b-4e39-9c41-2b7d5a3e1f08'] })
})

test('a resource id is compared without regard to case or a missing slash', () => {
  expect(identify('subscriptions/S/resourceGroups/G').armId).toBe('/subscriptions/s/resourcegroups/g')
})

test.each(['AKIA****************', 'AKIAIOSFODNN7EXAMPLE', 'ASIASAMPLEKEY1234567', 'AKIA111', '***masked***', 'xxxx', 'ASIA…'])(
  '%s is not looked up: it is masked',
  (text) => {
    expect(identify(text)).toMatchObject({ lookups: [], guids: [], armId: null, name: null, refused: expect.stringMatching(/masked/) as string })
  },
)

test.each([
  ['123456789012', 'AWS account or Google Cloud project number'],
  ['ada@contoso.example', 'e-mail address or user principal name'],
  ['arn:aws:s3:::bucket/key', 'AWS resource name'],
  ['projects/p/secrets/s', 'Google Cloud resource name'],
  ['anthropic.claude-sonnet-4-v1:0', 'record id, request id, token id, principal, name, or a part of a record'],
])('%s is looked for inside records, too: no index holds all that it may stand in', (text, looksLike) => {
  expect(identify(text)).toMatchObject({ looksLike: [looksLike], inRecords: text })
})

test.each([
  'projects/p/zones/z/instances/i',
  '//compute.googleapis.com/projects/p/zones/z/instances/i',
  'https://www.googleapis.com/compute/v1/projects/p/zones/z/instances/i',
])('%s is one resource', (text) => expect(identify(text).inRecords).toBe('projects/p/zones/z/instances/i'))
