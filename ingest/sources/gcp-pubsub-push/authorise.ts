import { createHash, timingSafeEqual } from 'node:crypto'
import { OAuth2Client } from 'google-auth-library'
import { z } from 'zod'
import { endpointUrl } from '../../engine/endpoint.ts'
import { secretReference } from '../../engine/secret.ts'
import type { SourceContext } from '../../engine/source.ts'

/** How a push proves that it comes from the subscription. */
export const pushAuth = z.union(
  [
    z.strictObject({ token: secretReference }),
    z.strictObject({
      oidc: z.strictObject({
        /** As the subscription's push configuration names it. */
        audience: z.string().min(1),
        serviceAccount: z.email('is no service account: write name@project.iam.gserviceaccount.com'),
        /** In the place of Google's own certificates. */
        certificates: endpointUrl.optional(),
      }),
    }),
  ],
  {
    error:
      'is neither {token: …} with a reference to a secret ({env: NAME} or {file: path}), sent as ?token= or as a bearer token, ' +
      'nor {oidc: {audience: …, serviceAccount: …}}',
  },
)

/** What of a request is looked at. */
interface PushCredentials {
  readonly queryToken: string | null
  readonly bearer: string | null
}

/** True when the push may be believed. Rejects when that cannot be found out now (a secret or Google's certificates cannot be read). */
export type Authorise = (credentials: PushCredentials) => Promise<boolean>

/** The check that the settings ask for. */
export function createAuthorise(auth: z.output<typeof pushAuth>, context: Pick<SourceContext, 'secret'>): Authorise {
  if ('token' in auth) {
    return async ({ queryToken, bearer }) => {
      const expected = digest(await context.secret(auth.token))
      return [queryToken, bearer].some((given) => given !== null && timingSafeEqual(digest(given), expected))
    }
  }
  const { audience, serviceAccount, certificates } = auth.oidc
  const client = new OAuth2Client(certificates === undefined ? {} : { endpoints: { oauth2FederatedSignonPemCertsUrl: certificates } })
  return async ({ bearer }) => {
    if (bearer === null) return false
    // Fetched (and cached) first: that Google cannot be reached must not look like a forgery.
    await client.getFederatedSignonCertsAsync()
    try {
      const payload = (await client.verifyIdToken({ idToken: bearer, audience })).getPayload()
      return payload?.email === serviceAccount && payload.email_verified === true
    } catch {
      return false
    }
  }
}

/** Of equal length, as the comparison wants it. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
