/** What the claims of a verified token give: who it is, what they may do, and whose records they may see. */
import type { JWTPayload } from 'jose'
import { isGuid } from '#core/keys.ts'
import { storable } from '#core/text.ts'
import { ACCESS_ROLES } from './caller.ts'
import type { AccessRole, Caller, Scope } from './caller.ts'
import type { OidcIssuer } from './settings.ts'

/**
 * The caller behind a token whose signature, issuer, audience and times are already checked.
 * @returns null when the token does not say who it is about. A caller without a known role or without tenants is one all the same: they may do, or see, nothing
 */
export function callerOf(claims: JWTPayload, issuer: OidcIssuer): Caller | null {
  const [subject] = textsOf(claims, issuer.idClaim)
  if (subject === undefined || subject === '') return null
  const granted = issuer.grants.filter(({ when }) => Object.entries(when).every(([claim, value]) => textsOf(claims, claim).includes(value)))
  const roles = new Set([...rolesOf(claims, issuer), ...granted.flatMap((grant) => grant.roles ?? [])])
  return {
    id: storable(`oidc:${issuer.issuer}#${subject}`).slice(0, 500),
    name: nameOf(claims),
    roles: ACCESS_ROLES.filter((role) => roles.has(role)),
    scope: scopeOf([tenantsOf(claims, issuer), ...granted.map((grant) => grant.tenants ?? [])]),
  }
}

/** Only names with the prefix count: `admin` alone may be a role of the directory, not of this product. */
function rolesOf(claims: JWTPayload, { rolesClaim, rolePrefix }: OidcIssuer): AccessRole[] {
  const names = new Set(textsOf(claims, rolesClaim))
  return ACCESS_ROLES.filter((role) => names.has(`${rolePrefix}${role}`))
}

function tenantsOf(claims: JWTPayload, { tenants }: OidcIssuer): Scope {
  if (tenants === 'everything' || Array.isArray(tenants)) return tenants
  return textsOf(claims, tenants.claim)
    .filter((text) => isGuid(text))
    .map((text) => text.toLowerCase())
}

function scopeOf(scopes: readonly Scope[]): Scope {
  if (scopes.includes('everything')) return 'everything'
  return [...new Set(scopes.flatMap((scope) => (scope === 'everything' ? [] : scope)))].toSorted()
}

/** For people who read the record of who looked at what: never a key for anything. */
function nameOf(claims: JWTPayload): string | null {
  const [name] = ['preferred_username', 'upn', 'email', 'name', 'app_displayname'].flatMap((claim) => textsOf(claims, claim))
  return name === undefined ? null : storable(name).slice(0, 200)
}

/** The texts of a claim: its own, or those of a list. The name is the claim's own, or a path of names with dots between them (`realm_access.roles`). */
function textsOf(claims: JWTPayload, name: string): string[] {
  const value = Object.hasOwn(claims, name) ? claims[name] : valueAt(claims, name.split('.'))
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  const [first, ...rest] = path
  if (first === undefined) return value
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, first)) return undefined
  return valueAt((value as Readonly<Record<string, unknown>>)[first], rest)
}
