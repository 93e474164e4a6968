/** A webhook as the configuration names it, made ready: its address and its secret read. */
import { readSecret } from '#ingest/engine/secret.ts'
import type { SecretReference } from '#ingest/engine/secret.ts'
import { CommandError } from '../cli.ts'
import { webhookUrlFault } from './deliver.ts'
import type { WebhookTarget } from './deliver.ts'
import { webhookKey } from './sign.ts'

/**
 * Reads address and secret.
 * @param subject what the message names: `webhook soc`, `report monthly`
 * @throws CommandError when one of them cannot be used; no value is repeated
 */
export async function openWebhook(
  subject: string,
  { url: address, secret }: { readonly url: string | SecretReference; readonly secret: SecretReference },
  environment: Readonly<Record<string, string | undefined>>,
): Promise<WebhookTarget> {
  try {
    const url = typeof address === 'string' ? address : await readSecret(address, environment)
    const fault = webhookUrlFault(url)
    if (fault !== null) throw new Error(`the webhook's address ${fault}`)
    return { url, key: webhookKey(await readSecret(secret, environment)) }
  } catch (cause) {
    throw new CommandError(`${subject}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}
