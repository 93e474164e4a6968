/** Token audiences: which of them name another API (DESIGN §5.3, audience-trap), in whatever spelling. */
import type { Context } from './context.ts'
import { APIS } from './digest/use-topics.ts'

/** An audience without the differences that do not matter: Entra writes `api://<appId>` on v1 tokens and the bare GUID on v2 ones (facts/entra.md a.1). */
export function audienceKey(audience: string): string {
  return audience
    .trim()
    .toLowerCase()
    .replace(/\/+$/, '')
    .replace(/^api:\/\//, '')
    .replace(/\/\.default$/, '')
}

/** Microsoft's own APIs that agents commonly hold tokens for: Graph (and its predecessor) and Azure Resource Manager, all clouds. */
const MICROSOFT: ReadonlyMap<string, string> = new Map([
  ['00000003-0000-0000-c000-000000000000', 'Microsoft Graph'],
  ['https://graph.microsoft.com', 'Microsoft Graph'],
  ['https://graph.microsoft.us', 'Microsoft Graph'],
  ['https://dod-graph.microsoft.us', 'Microsoft Graph'],
  ['https://microsoftgraph.chinacloudapi.cn', 'Microsoft Graph'],
  ['00000002-0000-0000-c000-000000000000', 'Azure AD Graph'],
  ['https://graph.windows.net', 'Azure AD Graph'],
  ['797f4846-ba00-4fd7-ba43-dac1f8f63013', 'Azure Resource Manager'],
  ['https://management.azure.com', 'Azure Resource Manager'],
  ['https://management.core.windows.net', 'Azure Resource Manager'],
  ['https://management.usgovcloudapi.net', 'Azure Resource Manager'],
  ['https://management.core.usgovcloudapi.net', 'Azure Resource Manager'],
  ['https://management.chinacloudapi.cn', 'Azure Resource Manager'],
  ['https://management.core.chinacloudapi.cn', 'Azure Resource Manager'],
])

export interface ApiAudiences {
  /** What API the audience belongs to, in words, or null: it is no other API's, or nobody knows. */
  readonly nameOf: (audience: string, tenantId: string | null) => string | null
}

/** The audiences of other APIs: Microsoft's, and every one that an API access log shows; never a Blueprint's. */
export async function apiAudiences({ groups, blueprints }: Context): Promise<ApiAudiences> {
  const logged = new Map<string, Set<string | null>>()
  for (const { profile } of await groups(APIS)) {
    const key = audienceKey(profile.audience)
    logged.set(key, (logged.get(key) ?? new Set()).add(profile.tenantId))
  }
  return {
    nameOf(audience, tenantId) {
      const key = audienceKey(audience)
      if (blueprints.hasAppId(key)) return null
      const microsoft = MICROSOFT.get(key)
      if (microsoft) return microsoft
      const tenants = logged.get(key)
      const known = tenants !== undefined && (tenantId === null || tenants.has(tenantId) || tenants.has(null))
      return known ? `the API ${audience}` : null
    },
  }
}
