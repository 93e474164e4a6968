import { oid, type Oid, type TenantId } from '#core/keys.ts'
import type { Json, JsonObject } from '#core/record.ts'
import { arr, at, isObj, obj, parseIfText, str, type Value } from '../read.ts'
import { entraIssuerIn } from '#core/entra-issuer.ts'

/** What a change of a role or an identity provider says about who is trusted. */
export interface Trust {
  /** True when the trust is given to an identity provider (`Principal.Federated`). */
  readonly federated: boolean
  /** The one Entra tenant that is named; null for none or several. */
  readonly tenantId: TenantId | null
  /** GUIDs that an Entra issuer's `:sub` condition names. Sorted, distinct. Never audiences: `:aud` holds application ids. */
  readonly targets: readonly Oid[]
}

/** Reads the trust document or the provider of an IAM record; all empty where it has none. */
export function trustOf(record: JsonObject): Trust {
  const request = obj(record['requestParameters'])
  const document = policy(request['assumeRolePolicyDocument'] ?? request['policyDocument'] ?? at(record, 'responseElements.role.assumeRolePolicyDocument'))
  const tenants = new Set<TenantId>()
  const targets = new Set<Oid>()
  let federated = false
  const note = (text: string | null): boolean => {
    const issuer = entraIssuerIn(text ?? '')
    if (issuer.tenantId !== null) tenants.add(issuer.tenantId)
    return issuer.entra
  }
  note(str(request['url']))
  note(str(request['openIDConnectProviderArn']))
  for (const statement of listOf(document['Statement'])) {
    for (const provider of listOf(at(statement, 'Principal.Federated'))) {
      federated = true
      note(str(provider))
    }
    for (const [key, values] of conditions(statement)) {
      if (!/:sub$/i.test(key) || !note(key)) continue
      for (const value of values) {
        const target = oid(value)
        if (target !== null) targets.add(target)
      }
    }
  }
  return { federated, tenantId: tenants.size === 1 ? [...tenants][0]! : null, targets: [...targets].toSorted() }
}

/** Every key of every condition operator with its values as a list. */
export function conditions(statement: Value): [string, readonly Json[]][] {
  return Object.values(obj(at(statement, 'Condition'))).flatMap((operator) =>
    Object.entries(obj(operator)).map(([key, value]): [string, readonly Json[]] => [key, listOf(value)]),
  )
}

/** Policies allow one value or a list wherever several are possible. */
export function listOf(value: Value): readonly Json[] {
  if (Array.isArray(value)) return arr(value)
  return value === undefined || value === null ? [] : [value]
}

/** A policy document: JSON text in requests, URL-encoded JSON text in responses (as IAM returns it), or an object. */
export function policy(value: Value): JsonObject {
  if (isObj(value)) return value
  if (typeof value !== 'string') return {}
  return obj(parseIfText(/^\s*%7b/i.test(value) ? decoded(value) : value))
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
