/**
 * An OpenID Connect provider on loopback: `oidc-provider`, a certified implementation by other people, so that the page is tested against the protocol and not against our own
 * reading of it. Anybody may sign in with any password; what they are is in `people`. As Entra does it: access tokens are JWTs for one API, with roles and a tenant.
 */
import { createServer } from 'node:http'
import { Provider } from 'oidc-provider'
import type { Configuration } from 'oidc-provider'

export const AUDIENCE = 'api://trailjoin-page-test'
export const CLIENT = 'trailjoin-page'
export const SCOPE = 'openid profile offline_access access'

export interface IdentityProvider {
  readonly issuer: string
  /** Lets the page at this address be a client. Call once, before anybody signs in. */
  readonly admit: (page: string) => void
  /** How it behaves from now on. */
  readonly behaviour: { refreshTokens: boolean; audience: string; lifetimeSeconds: number }
  readonly close: () => Promise<void>
}

/** @param people roles by the name that they sign in with; `tid` is everybody's tenant */
export async function startIdentityProvider(people: Readonly<Record<string, readonly string[]>>, tid: string): Promise<IdentityProvider> {
  const behaviour = { refreshTokens: true, audience: AUDIENCE, lifetimeSeconds: 3600 }
  let provider: Provider | null = null
  const grants = new Map<string, string>()
  const server = createServer((request, response) => {
    if (provider) void provider.callback()(request, response)
    else response.writeHead(503).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const issuer = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  const configuration = (page: string): Configuration => ({
    clients: [
      {
        client_id: CLIENT,
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        redirect_uris: [page],
        post_logout_redirect_uris: [page],
      },
    ],
    clientBasedCORS: (_context, origin) => origin === new URL(page).origin,
    conformIdTokenClaims: false,
    claims: { openid: ['sub'], profile: ['preferred_username'] },
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, preferred_username: `${id}@example.com` }) }),
    extraTokenClaims: (_context, token) => ('accountId' in token && token.accountId ? { roles: [...(people[token.accountId] ?? [])], tid } : {}),
    features: {
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => behaviour.audience,
        useGrantedResource: () => true,
        getResourceServerInfo: (_context, audience) => ({
          scope: 'access',
          audience,
          accessTokenFormat: 'jwt',
          accessTokenTTL: behaviour.lifetimeSeconds,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    issueRefreshToken: () => behaviour.refreshTokens,
    // As where an administrator consented for everybody.
    loadExistingGrant: async ({ oidc }) => {
      const accountId = oidc.session!.accountId!
      const key = `${accountId} ${behaviour.audience}`
      const given = await oidc.provider.Grant.find(grants.get(key) ?? 'none yet')
      if (given) return given
      const grant = new oidc.provider.Grant({ clientId: CLIENT, accountId })
      grant.addOIDCScope('openid profile offline_access')
      grant.addResourceScope(behaviour.audience, 'access')
      grants.set(key, await grant.save())
      return grant
    },
    cookies: { keys: ['for tests'] },
  })
  return {
    issuer,
    admit: (page) => {
      provider = new Provider(issuer, configuration(page))
    },
    behaviour,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
