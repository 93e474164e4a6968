import { expect, test } from 'vitest'
import { callerOf } from './claims.ts'
import { ApiSection } from './settings.ts'
import type { OidcIssuer } from './settings.ts'

const TENANT = '6a0c1d52-8f7b-4e39-9c41-2b7d5a3e1f08'
const OTHER = '7b1d2e63-9a8c-4f4a-8d52-3c8e6b4f2a19'
const issuerWith = (fields: Readonly<Record<string, unknown>> = {}): OidcIssuer =>
  ApiSection.parse({ oidc: [{ issuer: 'https://login.example/v2.0', audience: 'x', ...fields }] }).oidc[0]!
const caller = (claims: Readonly<Record<string, unknown>>, fields?: Readonly<Record<string, unknown>>) => callerOf({ sub: 's', ...claims }, issuerWith(fields))

test('a token without a known role may do nothing, and one without tenants sees nothing', () => {
  expect(caller({})).toMatchObject({ roles: [], scope: [] })
  expect(caller({ roles: ['admin', 'trailjoin', 'trailjoin.', 'TRAILJOIN.ADMIN', 'trailjoin.root'], tid: 'not-a-guid' })).toMatchObject({
    roles: [],
    scope: [],
  })
  expect(caller({ roles: { admin: true }, tid: [1, null, {}] })).toMatchObject({ roles: [], scope: [] })
  // The nil GUID stands for "no tenant" in keys: naming it must not open what belongs to nobody.
  expect(caller({ tid: '00000000-0000-0000-0000-000000000000' })).toMatchObject({ scope: [] })
})

test('no claim says everything: only the configuration does', () => {
  for (const tid of ['everything', '*', ['everything']]) expect(caller({ tid })).toMatchObject({ scope: [] })
  expect(caller({}, { tenants: 'everything' })).toMatchObject({ scope: 'everything' })
  const grants = [{ when: { roles: 'trailjoin.all-tenants' }, tenants: 'everything' }]
  expect(caller({ tid: TENANT }, { grants })).toMatchObject({ scope: [TENANT] })
  expect(caller({ tid: TENANT, roles: ['trailjoin.all-tenants'] }, { grants })).toMatchObject({ scope: 'everything', roles: [] })
})

test('grants add roles and tenants to whoever has all the claims they name', () => {
  const grants = [
    { when: { groups: 'g1' }, roles: ['responder'], tenants: [OTHER] },
    { when: { groups: 'g2', azp: 'app' }, roles: ['admin'] },
  ]
  expect(caller({ tid: TENANT, groups: ['g1', 'g2'] }, { grants })).toMatchObject({ roles: ['responder'], scope: [TENANT, OTHER] })
  expect(caller({ groups: ['g2'], azp: 'app' }, { grants })).toMatchObject({ roles: ['admin'], scope: [] })
})

test('claims are found by name, also when the name is an address, and by path', () => {
  expect(caller({ 'https://example.com/roles': ['trailjoin.reader'] }, { rolesClaim: 'https://example.com/roles' })).toMatchObject({ roles: ['reader'] })
  expect(caller({ realm_access: { roles: ['trailjoin.reader'] } }, { rolesClaim: 'realm_access.roles' })).toMatchObject({ roles: ['reader'] })
  expect(caller({}, { rolesClaim: 'constructor.name' })).toMatchObject({ roles: [] })
  expect(caller({ t: TENANT }, { tenants: { claim: 't' } })).toMatchObject({ scope: [TENANT] })
  expect(caller({ tid: TENANT }, { tenants: [OTHER] })).toMatchObject({ scope: [OTHER] })
})

test('who it is comes from the claim that the configuration names; names are cut and cannot break the record', () => {
  expect(caller({ oid: 'o', sub: 's' }, { idClaim: 'oid' })).toMatchObject({ id: 'oidc:https://login.example/v2.0#o' })
  expect(callerOf({}, issuerWith())).toBeNull()
  expect(callerOf({ sub: '' }, issuerWith())).toBeNull()
  const name = caller({ name: `a\0b\ud800${'x'.repeat(500)}` })?.name ?? ''
  expect(name).toHaveLength(200)
  expect(name.includes('\0') || !name.isWellFormed()).toBe(false)
})
