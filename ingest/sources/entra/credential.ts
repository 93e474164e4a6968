/** What the Entra sources share: how the collector proves who it is. */
import type { AccessToken, TokenCredential } from '@azure/core-auth'
import { ClientSecretCredential, DefaultAzureCredential, ManagedIdentityCredential } from '@azure/identity'
import { z } from 'zod'
import { secretReference } from '../../engine/secret.ts'
import type { SourceContext } from '../../engine/source.ts'
import { ADDRESSES } from './clouds.ts'
import type { AzureCloud } from './clouds.ts'

const guid = z.guid('is no GUID')

/** Absent: the SDK's default chain (environment, workload identity, managed identity, Azure CLI). */
export const azureCredential = z
  .union(
    [
      z.strictObject({ managedIdentity: z.strictObject({ clientId: guid.optional() }) }),
      z.strictObject({ tenantId: guid, clientId: guid, clientSecret: secretReference }),
      z.strictObject({ token: secretReference }),
    ],
    {
      error:
        'is none of {managedIdentity: {clientId?: GUID}}, {tenantId: GUID, clientId: GUID, clientSecret: …} and {token: …}, ' +
        'with references to secrets ({env: NAME} or {file: path})',
    },
  )
  .optional()

type CredentialSettings = z.output<typeof azureCredential>

/** A ready token says nothing about its end: it is read again after this, so that a rotated file counts. */
const TOKEN_LIFE_MS = 60_000

/** The SDK's credential for the settings. Asks for no token yet; secrets are read when a token is asked for. */
export function credentialOf(settings: CredentialSettings, cloud: AzureCloud, context: Pick<SourceContext, 'secret'>): TokenCredential {
  const authorityHost = ADDRESSES[cloud].authority
  if (settings === undefined) return new DefaultAzureCredential({ authorityHost })
  if ('managedIdentity' in settings) {
    const { clientId } = settings.managedIdentity
    return clientId === undefined ? new ManagedIdentityCredential() : new ManagedIdentityCredential({ clientId })
  }
  if ('token' in settings) {
    return {
      getToken: async (): Promise<AccessToken> => ({ token: await context.secret(settings.token), expiresOnTimestamp: Date.now() + TOKEN_LIFE_MS }),
    }
  }
  const { tenantId, clientId, clientSecret } = settings
  let made: { readonly secret: string; readonly credential: ClientSecretCredential } | null = null
  return {
    async getToken(scopes, options) {
      const secret = await context.secret(clientSecret)
      // Kept while the secret is the same: it holds the cache of tokens.
      if (made?.secret !== secret) made = { secret, credential: new ClientSecretCredential(tenantId, clientId, secret, { authorityHost }) }
      return made.credential.getToken(scopes, options)
    },
  }
}
