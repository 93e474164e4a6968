import { tenantId, type TenantId } from '#core/keys.ts'

/**
 * Entra's token issuers as AWS names them. v1 issuers are `sts.windows.net/<tid>/` (with the slash, which some templates drop), v2
 * issuers `login.microsoftonline.com/<tid>/v2.0`; then the sovereign clouds (US government, China) and External ID.
 * One expression reads all spellings: provider ARN, URL, bare host and path, condition key (`<issuer>:sub`) and the start of a
 * WebIdentityUser's principalId (`<provider ARN>:<aud>:<sub>`).
 */
const ENTRA =
  /^(?:arn:[^:]*:iam::\d*:oidc-provider\/)?(?:https:\/\/)?(?:sts\.windows\.net|login\.microsoftonline\.(?:com|us)|login\.partner\.microsoftonline\.cn|sts\.chinacloudapi\.cn|[\w-]+\.ciamlogin\.com)(?:\/([^/:]+))?(?:\/v2\.0)?\/?(?=:|$)/i

export interface Issuer {
  readonly entra: boolean
  /** Of an Entra issuer that names its tenant by GUID. */
  readonly tenantId: TenantId | null
}

/** What an issuer, a provider ARN or a text that begins with one says about Entra and its tenant. */
export function issuerOf(provider: string): Issuer {
  const match = ENTRA.exec(provider)
  return match ? { entra: true, tenantId: tenantId(match[1]) } : { entra: false, tenantId: null }
}
