/** Entra's token issuers, in the spellings that the clouds write down. */
import { tenantId, type TenantId } from './keys.ts'

/** v1 `sts.windows.net/<tid>/`, v2 `login.microsoftonline.com/<tid>/v2.0`; the sovereign clouds (US government, China); External ID. */
const HOSTS = String.raw`(?:sts\.windows\.net|login\.microsoftonline\.(?:com|us)|login\.partner\.microsoftonline\.cn|sts\.chinacloudapi\.cn|[\w-]+\.ciamlogin\.com)`

const URL_OF_ISSUER = new RegExp(String.raw`^https://${HOSTS}/([0-9a-f-]{36})(?:/|/v2\.0/?)?$`, 'i')

/**
 * One expression reads all spellings of AWS: provider ARN, URL, bare host and path, condition key (`<issuer>:sub`) and the start of a
 * WebIdentityUser's principalId (`<provider ARN>:<aud>:<sub>`). Some templates drop the slash of v1 issuers.
 */
const SPELLING = new RegExp(String.raw`^(?:arn:[^:]*:iam::\d*:oidc-provider/)?(?:https://)?${HOSTS}(?:/([^/:]+))?(?:/v2\.0)?/?(?=:|$)`, 'i')

/** Tenant of an Entra issuer URL, as federated credentials and Google's providers name it; null when it is no issuer of Entra, or names no tenant. */
export function entraIssuerTenant(issuer: string): TenantId | null {
  return tenantId(URL_OF_ISSUER.exec(issuer.trim())?.[1])
}

export interface EntraIssuer {
  readonly entra: boolean
  /** Of an Entra issuer that names its tenant by GUID. */
  readonly tenantId: TenantId | null
}

/** What an AWS provider ARN, a condition key or a text that begins with an issuer says about Entra and its tenant. */
export function entraIssuerIn(text: string): EntraIssuer {
  const match = SPELLING.exec(text)
  return match ? { entra: true, tenantId: tenantId(match[1]) } : { entra: false, tenantId: null }
}
