/** Bearer tokens of OpenID Connect issuers (Entra and others): JWTs, verified by jose. */
import { decodeJwt, errors, jwtVerify } from 'jose'
import type { JWTVerifyGetKey } from 'jose'
import { callerOf } from './claims.ts'
import { IssuerUnavailable, issuerKeys } from './oidc-keys.ts'
import type { KeyTimes } from './oidc-keys.ts'
import type { OidcIssuer } from './settings.ts'
import { Refused, Unavailable } from './check.ts'
import type { TokenCheck } from './check.ts'
import type { Log } from '../log.ts'

/** Clocks differ. */
const SKEW_SECONDS = 30

/**
 * Accepts tokens of these issuers.
 * @param options.times for tests
 */
export function oidcTokens(issuers: readonly OidcIssuer[], { log, times }: { readonly log: Log; readonly times?: KeyTimes }): TokenCheck {
  const known = new Map(issuers.map((issuer) => [issuer.issuer, { issuer, keys: issuerKeys(issuer.issuer, issuer.discovery, times) }]))
  return async (token) => {
    const name = issuerOf(token)
    if (name === null) return null
    const entry = known.get(name)
    if (!entry) throw new Refused('The token is of an issuer that this server does not know.')
    return await verified(token, entry.issuer, entry.keys, log)
  }
}

/** The issuer that a token names, before anything is proven: it only says whose keys to try. Null when it is no JWT. */
function issuerOf(token: string): string | null {
  if (token.split('.').length !== 3) return null
  try {
    return decodeJwt(token).iss ?? ''
  } catch {
    return null
  }
}

async function verified(token: string, issuer: OidcIssuer, keys: JWTVerifyGetKey, log: Log): ReturnType<TokenCheck> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer: issuer.issuer,
      audience: issuer.audience,
      algorithms: issuer.algorithms,
      clockTolerance: SKEW_SECONDS,
      // Without an end a token would be good for ever.
      requiredClaims: ['exp', 'aud'],
    })
    const caller = callerOf(payload, issuer)
    if (!caller) throw new Refused(`The token has no ${issuer.idClaim}.`)
    return caller
  } catch (error) {
    if (error instanceof Refused) throw error
    if (error instanceof IssuerUnavailable) {
      log.error({ err: error, issuer: issuer.issuer }, 'the keys of an issuer cannot be read')
      throw new Unavailable('The issuer of the token does not answer, so the token cannot be checked. Try again in a moment.')
    }
    if (error instanceof errors.JOSEError) throw new Refused(reasonOf(error))
    throw error
  }
}

/** In plain words, so that a person can tell an expired token from one for another API; nothing that a signature would be needed to know. */
function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'The token has expired.'
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud') return 'The token is for another audience.'
    if (error.claim === 'nbf') return 'The token is not valid yet.'
    return `The claim ${error.claim} of the token is missing or wrong.`
  }
  return 'The signature of the token is not one that this server accepts.'
}
