/**
 * An OpenID Connect issuer, by authorization code with PKCE as a public client. Loaded only where somebody signs in. oauth4webapi checks what the protocol wants checked:
 * state, issuer, nonce and claims of the ID token, the shape of every answer.
 */
import * as oauth from 'oauth4webapi'
import type { SignInWay } from '../api-types.ts'
import { keepAttempt, redirectUri } from './attempt.ts'
import type { Attempt } from './attempt.ts'
import type { Tokens } from './tokens.ts'

/** Said to the reader. */
export class SignInError extends Error {}

const PATIENCE_MS = 15_000
const LOOPBACK = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/
const isSecure = (url: URL): boolean => url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname))

/** Plain http only to this very machine, where the server's settings accept it, too. */
const options = (way: SignInWay) => ({
  [oauth.allowInsecureRequests]: LOOPBACK.test(new URL(way.issuer).hostname),
  signal: () => AbortSignal.timeout(PATIENCE_MS),
})
const clientOf = (way: SignInWay): oauth.Client => ({ client_id: way.clientId })

const known = new Map<string, Promise<oauth.AuthorizationServer>>()

function discover(way: SignInWay): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(way.issuer)
  const found =
    known.get(way.issuer) ??
    oauth.discoveryRequest(issuer, options(way)).then(
      (response) => oauth.processDiscoveryResponse(issuer, response),
      (error: unknown) => {
        throw new SignInError(`${issuer.host} does not answer, or does not let this page ask.`, { cause: error })
      },
    )
  known.set(way.issuer, found)
  // The next try asks anew.
  found.catch(() => known.delete(way.issuer))
  return found
}

/** An address of the issuer's that the browser may be sent to. @throws SignInError */
function placeOf(way: SignInWay, address: string | undefined): URL {
  const url = URL.parse(address ?? '')
  if (url === null || !isSecure(url)) throw new SignInError(`${new URL(way.issuer).host} names no https address to sign in at.`)
  return url
}

/**
 * Sends the browser to the issuer, from where it comes back to the same address. Does not end when it succeeds: the page does.
 * @param prompt `none`: without a word to the reader, if they are signed in there already; `login`: asks them again, so that they can be somebody else
 * @throws SignInError
 */
export async function leaveToSignIn(way: SignInWay, prompt: 'none' | 'login' | null): Promise<never> {
  if (!globalThis.crypto?.subtle) throw new SignInError('Signing in needs https: this page came by plain http.')
  const issuer = await inWords(way, () => discover(way))
  const [state, nonce, verifier] = [oauth.generateRandomState(), oauth.generateRandomNonce(), oauth.generateRandomCodeVerifier()]
  const target = placeOf(way, issuer.authorization_endpoint)
  const parameters = {
    client_id: way.clientId,
    response_type: 'code',
    redirect_uri: redirectUri(),
    scope: way.scope,
    state,
    nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    // A fragment reaches no server, and so no log of this one or of a proxy before it.
    ...(issuer.response_modes_supported?.includes('fragment') ? { response_mode: 'fragment' } : {}),
    ...(prompt === null ? {} : { prompt }),
  }
  for (const [name, value] of Object.entries(parameters)) target.searchParams.set(name, value)
  const address = location.pathname + location.search
  keepAttempt({ way, state, nonce, verifier, redirectUri: redirectUri(), address, silent: prompt === 'none' })
  // In the place of this page: without a token there is nothing to come back to.
  location.replace(target)
  return await new Promise<never>(() => undefined)
}

/**
 * Exchanges the issuer's answer for tokens.
 * @returns null where a silent attempt found that the reader has to sign in themselves
 * @throws SignInError
 */
export async function redeem(attempt: Attempt | null, answer: URLSearchParams): Promise<Tokens | null> {
  if (!attempt) throw new SignInError('An answer came to a sign-in that this tab did not begin, so it was not used. Sign in again.')
  const { way } = attempt
  return await inWords(way, async () => {
    const issuer = await discover(way)
    let parameters
    try {
      parameters = oauth.validateAuthResponse(issuer, clientOf(way), answer, attempt.state)
    } catch (error) {
      if (!(error instanceof oauth.AuthorizationResponseError))
        throw new SignInError('The answer is not to the sign-in that this tab began, so it was not used. Sign in again.', { cause: error })
      if (attempt.silent) return null
      throw error
    }
    const response = await oauth.authorizationCodeGrantRequest(
      issuer,
      clientOf(way),
      oauth.None(),
      parameters,
      attempt.redirectUri,
      attempt.verifier,
      options(way),
    )
    const tokens = await oauth.processAuthorizationCodeResponse(issuer, clientOf(way), response, { expectedNonce: attempt.nonce, requireIdToken: true })
    return tokensOf(way, tokens, nameIn(tokens))
  })
}

/** What says that a refresh token is good no more (RFC 6749 §5.2; the others are of OpenID Connect Core §3.1.2.6; Entra gives interaction_required here, too). Everything else may pass by. */
const SIGN_IN_AGAIN: ReadonlySet<string> = new Set(['invalid_grant', 'interaction_required', 'login_required', 'consent_required'])

/**
 * New tokens for those at hand.
 * @returns null when the issuer wants the reader to sign in again
 * @throws SignInError when it does not answer, or refuses for a reason that may pass by
 */
export async function renew({ way, refresh, scope, name }: Tokens): Promise<Tokens | null> {
  if (refresh === null) return null
  return await inWords(way, async () => {
    const issuer = await discover(way)
    // Never more than was granted (RFC 6749 §6): an issuer may give a refresh token without granting offline_access, and refuses to hear of it then.
    const more = { ...options(way), ...(scope === null ? {} : { additionalParameters: { scope } }) }
    try {
      const response = await oauth.refreshTokenGrantRequest(issuer, clientOf(way), oauth.None(), refresh, more)
      const tokens = await oauth.processRefreshTokenResponse(issuer, clientOf(way), response)
      return { ...tokensOf(way, { ...tokens, refresh_token: tokens.refresh_token ?? refresh }, name), scope }
    } catch (error) {
      if (error instanceof oauth.ResponseBodyError && SIGN_IN_AGAIN.has(error.error)) return null
      throw error
    }
  })
}

const REVOCATION_MS = 2_000

/**
 * Withdraws the refresh token and sends the browser to the issuer's sign-out, from where it comes back to the page without anything chosen.
 * @returns false when the issuer has none
 */
export async function leaveToSignOut(way: SignInWay, refresh: string | null): Promise<false> {
  const issuer = await discover(way)
  if (refresh !== null && issuer.revocation_endpoint !== undefined) {
    const quick = { ...options(way), signal: AbortSignal.timeout(REVOCATION_MS) }
    // It ends by itself if this does not reach the issuer.
    await oauth.revocationRequest(issuer, clientOf(way), oauth.None(), refresh, quick).catch(() => undefined)
  }
  if (issuer.end_session_endpoint === undefined) return false
  const target = placeOf(way, issuer.end_session_endpoint)
  // Not `id_token_hint`: the ID token would stand in an address.
  target.searchParams.set('client_id', way.clientId)
  target.searchParams.set('post_logout_redirect_uri', redirectUri())
  location.replace(target)
  return await new Promise<never>(() => undefined)
}

function tokensOf(way: SignInWay, tokens: oauth.TokenEndpointResponse, name: string | null): Tokens {
  return {
    way,
    access: tokens.access_token,
    refresh: tokens.refresh_token ?? null,
    scope: tokens.scope ?? null,
    lifetimeSeconds: tokens.expires_in ?? null,
    name,
  }
}

/** For the reader to see as whom they are signed in; nothing rests on it. */
function nameIn(tokens: oauth.TokenEndpointResponse): string | null {
  const claims = oauth.getValidatedIdTokenClaims(tokens)
  return [claims?.['preferred_username'], claims?.['email'], claims?.['name']].find((name) => typeof name === 'string' && name !== '') as string | null
}

/** Errors of the protocol as sentences. */
async function inWords<Result>(way: SignInWay, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof SignInError) throw error
    throw new SignInError(wordsFor(new URL(way.issuer).host, error), { cause: error })
  }
}

function wordsFor(host: string, error: unknown): string {
  if (error instanceof oauth.AuthorizationResponseError || error instanceof oauth.ResponseBodyError)
    return error.error === 'access_denied' && !error.error_description
      ? `The sign-in at ${host} was cancelled or refused.`
      : `${host} refused the sign-in (${error.error})${error.error_description ? `: ${error.error_description}` : '.'}`
  if (error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError'))
    return `${host} does not answer this page. If it does elsewhere: its sign-in must allow this page’s address, and signIn.origins must name its token endpoint’s origin where that is another.`
  return `The answer of ${host} is not a good one: ${error instanceof Error ? error.message : 'it cannot be read'}.`
}
