import type { DirectoryFact } from '#core/event.ts'
import { guidsIn, isGuid, oid } from '#core/keys.ts'
import type { Oid } from '#core/keys.ts'
import type { JsonObject } from '#core/record.ts'
import { entraIssuerIn } from '#core/entra-issuer.ts'
import { arr, at, isObj, obj, str } from '../read.ts'
import type { Value } from '../read.ts'
import type { AuditCall, LogEntry } from './entry.ts'
import { isExchange } from './method.ts'
import { parsePool, parsePrincipal, subjectOid } from './principal.ts'

interface Binding {
  readonly role: string | null
  readonly member: string
}

/** Roles that let a member act as a service account. */
const IMPERSONATION = new Set(['roles/iam.workloadIdentityUser', 'roles/iam.serviceAccountTokenCreator', 'roles/iam.serviceAccountOpenIdTokenCreator'])

/** True when a policy change names federated members or hands out impersonation of a service account. */
export function changesFederatedAccess(call: AuditCall): boolean {
  return bindings(call).some(({ role, member }) => /^(deleted:)?principal(Set)?:\/\//.test(member) || (role !== null && IMPERSONATION.has(role)))
}

/** What a policy change added or removed; where the record holds no delta, the policy as it was set. */
function bindings(call: AuditCall): Binding[] {
  const deltas = arr(at(at(call.serviceData, 'policyDelta'), 'bindingDeltas'))
  if (deltas.length > 0) return deltas.flatMap((delta) => binding(at(delta, 'role'), at(delta, 'member')))
  return arr(at(at(call.request, 'policy'), 'bindings')).flatMap((entry) => arr(at(entry, 'members')).flatMap((member) => binding(at(entry, 'role'), member)))
}

function binding(role: Value, member: Value): Binding[] {
  const name = str(member)
  return name === null ? [] : [{ role: str(role), member: name }]
}

/**
 * Oids that a trust change names: subjects of `principal://` members, and GUIDs to which a provider's condition pins the
 * token's subject. Tenants, applications and audiences are no principals and never among them.
 */
export function trustTargets(call: AuditCall): Oid[] {
  const members = bindings(call).map(({ member }) => memberOid(member))
  const body = provider(call)
  // A GUID of another issuer's is no object id, whatever it looks like; an update that leaves the issuer as it is says nothing of it.
  const condition = body && !isOfAnotherIssuer(body) ? text(body, 'attributeCondition', 'attribute_condition') : null
  const found = [...members, ...(condition ? pinnedOids(condition) : [])].filter((target) => target !== null)
  return [...new Set(found)].toSorted()
}

/** True when a provider says whom it trusts and that is not Entra: another OpenID issuer, AWS, SAML or certificates. */
function isOfAnotherIssuer(body: JsonObject): boolean {
  const issuer = text(at(body, 'oidc'), 'issuerUri', 'issuer_uri')
  return issuer === null ? ['aws', 'saml', 'x509'].some((kind) => isObj(at(body, kind))) : !entraIssuerIn(issuer).entra
}

/** A deleted member reads `deleted:principal://…/subject/<subject>?uid=…`. */
function memberOid(member: string): Oid | null {
  const principal = parsePrincipal(member.replace(/^deleted:/, '').replace(/\?uid=\d+$/, ''))
  return principal && subjectOid(principal.subject)
}

const NAME = String.raw`(?:assertion\.(?:sub|oid)|assertion\[["'](?:sub|oid)["']\]|google\.subject)`
const PINNED = new RegExp(String.raw`${NAME}\s*==\s*["']([^"']+)["']|["']([^"']+)["']\s*==\s*${NAME}|${NAME}\s+in\s+\[([^\]]*)\]`, 'g')

/** GUIDs that a CEL condition compares the subject with (`==`, or `in` a list). */
export function pinnedOids(condition: string): Oid[] {
  return [...condition.matchAll(PINNED)].flatMap((match) => {
    const value = match[1] ?? match[2]
    if (value !== undefined) return isGuid(value) ? [oid(value)!] : []
    return guidsIn(match[3] ?? '').flatMap((guid) => oid(guid) ?? [])
  })
}

/** What a call teaches about pools and projects. A refused call changes nothing, so it teaches nothing about providers. */
export function directoryFacts(call: AuditCall, entry: LogEntry): DirectoryFact[] {
  return [...(call.failure === null ? providerIssuer(call) : []), ...projectNames(call, entry)]
}

function providerIssuer(call: AuditCall): DirectoryFact[] {
  const body = provider(call)
  const oidc = body && at(body, 'oidc')
  const issuer = text(oidc, 'issuerUri', 'issuer_uri')
  // On creation the record's resource is the pool, and only the request names the provider.
  const place = parsePool(call.resourceName) ?? parsePool(str(at(call.request, 'parent'))) ?? parsePool(text(body, 'name'))
  const name =
    place?.provider ?? text(call.request, 'workloadIdentityPoolProviderId', 'workload_identity_pool_provider_id') ?? parsePool(text(body, 'name'))?.provider
  if (!issuer || !place || !name) return []
  return [{ type: 'gcp-provider', project: place.project, pool: place.pool, provider: name, issuer }]
}

/** Principals carry the pool's project by number, its log by id; an exchange is logged in the pool's project and so shows both. */
function projectNames(call: AuditCall, entry: LogEntry): DirectoryFact[] {
  const number = isExchange(call) ? parsePool(call.resourceName)?.project : undefined
  if (number === undefined || !/^\d+$/.test(number) || entry.project === null || /^\d+$/.test(entry.project)) return []
  return [{ type: 'gcp-project', id: entry.project, number }]
}

/** The provider that a call creates or updates, as its request describes it; null for other calls. */
export function provider(call: AuditCall): JsonObject | null {
  if (!/^(create|update)workloadidentitypoolprovider$/i.test(call.operation)) return null
  return obj(at(call.request, 'workloadIdentityPoolProvider') ?? at(call.request, 'workload_identity_pool_provider'))
}

/** Requests are logged in camelCase by newer IAM methods and in snake_case by older ones. */
export function text(value: Value, ...spellings: readonly string[]): string | null {
  for (const spelling of spellings) {
    const found = str(at(value, spelling))
    if (found !== null) return found
  }
  return null
}
