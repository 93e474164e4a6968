/** Who asks: what they may do (roles) and whose records they may see (tenants). */

/**
 * What a caller may do. `reader`: timelines, traces, events, findings; `responder`: raw records and evidence, too; `compliance`: reports, coverage and findings;
 * `ingest`: pushes records, reads nothing; `admin`: all of it, and who looked at what. Each route says which of them it is for.
 */
export const ACCESS_ROLES = ['reader', 'responder', 'compliance', 'ingest', 'admin'] as const
export type AccessRole = (typeof ACCESS_ROLES)[number]

/** Tenants whose records a caller may see. Records that belong to no tenant are seen only by those who may see everything (DESIGN §6). */
export type Scope = 'everything' | readonly string[]

export interface Caller {
  /** Stable and unique among callers, as the record of who looked at what names them: `local`, `oidc:<issuer>#<subject>`, `token:<id>`. */
  readonly id: string
  /** For people; null where the identity has none. */
  readonly name: string | null
  readonly roles: readonly AccessRole[]
  readonly scope: Scope
}

/** Whether the caller holds one of these roles. An admin holds them all. */
export function mayUse(caller: Caller, roles: readonly AccessRole[]): boolean {
  return caller.roles.some((role) => role === 'admin' || roles.includes(role))
}
