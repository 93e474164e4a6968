/** What a browser must know to sign somebody in: nothing of it is secret, and nothing more is told to who is not signed in. */
import { z } from 'zod'
import type { OidcIssuer } from './settings.ts'

export const SignInWay = z
  .object({
    issuer: z.string().meta({ description: 'Its discovery document says where to go.' }),
    clientId: z.string().meta({ description: 'A public client: authorization code with PKCE, without a secret.' }),
    scope: z.string(),
  })
  .meta({ id: 'SignInWay' })
export type SignInWay = z.infer<typeof SignInWay>

/** The issuers where people can sign in to the page, in the order of the configuration. */
export function signInWays(issuers: readonly OidcIssuer[]): readonly SignInWay[] {
  return issuers.flatMap(({ issuer, signIn }) => (signIn ? [{ issuer: signIn.issuer ?? issuer, clientId: signIn.clientId, scope: signIn.scope }] : []))
}

/** The origins that the page's own scripts may ask besides this server: those of the issuers where people sign in, and no other. */
export function signInOrigins(issuers: readonly OidcIssuer[]): readonly string[] {
  return [...new Set(issuers.flatMap(({ issuer, signIn }) => (signIn ? [new URL(signIn.issuer ?? issuer).origin, ...signIn.origins] : [])))]
}
