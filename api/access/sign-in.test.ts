import { expect, test } from 'vitest'
import { ApiSection } from './settings.ts'
import { signInOrigins, signInWays } from './sign-in.ts'

const { oidc } = ApiSection.parse({
  oidc: [
    { issuer: 'https://machines.example', audience: 'secret-audience', grants: [{ when: { group: 'secret-group' }, tenants: 'everything' }] },
    { issuer: 'https://login.example:8443/realm', audience: 'a', signIn: { clientId: 'page', origins: ['https://token.example'] } },
    {
      issuer: 'https://sts.example/1/',
      discovery: 'https://elsewhere.example/d',
      audience: 'secret-audience',
      signIn: { clientId: 'other', scope: 'openid x', issuer: 'https://elsewhere.example/v2.0' },
    },
  ],
})

test('who is not signed in learns the issuers where people sign in, the client, the scope, and nothing more', () => {
  expect(signInWays(oidc)).toEqual([
    { issuer: 'https://login.example:8443/realm', clientId: 'page', scope: 'openid offline_access' },
    { issuer: 'https://elsewhere.example/v2.0', clientId: 'other', scope: 'openid x' },
  ])
  expect(signInWays([])).toEqual([])
})

test('the page may ask these issuers and the origins that were named for them', () => {
  expect(signInOrigins(oidc)).toEqual(['https://login.example:8443', 'https://token.example', 'https://elsewhere.example'])
  expect(signInOrigins([])).toEqual([])
})
