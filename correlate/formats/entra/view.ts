/**
 * One Entra record, four shapes: a diagnostic-settings record (Event Hubs, Storage), a Log Analytics row, and the object of Graph
 * or the portal. Everything behind this file reads a record by its Graph name and never asks which shape it came in.
 */
import { appId, isGuid, tenantId, type EventId, type TenantId } from '#core/keys.ts'
import { canonicalJson, eventId, type JsonObject, type RecordContext } from '#core/record.ts'
import { parseTime } from '#core/time.ts'
import { isObj, num, parseIfText, str, type Value } from '../read.ts'

export type Shape = 'diagnostic' | 'log-analytics' | 'graph'
export type Family = 'signin' | 'audit' | 'graph-activity'

export interface EntraView {
  readonly shape: Shape
  /** Log category or table (`ManagedIdentitySignInLogs`, `AADManagedIdentitySignInLogs`), where the record names it. */
  readonly category: string | null
  /** Of the record or, where it is silent, as the operator declared it. */
  readonly tenantId: TenantId | null
  /** A field by its Graph name; JSON inside a text cell is parsed. */
  readonly get: (name: string) => Value
  /** A field of the envelope (diagnostic settings) or, where there is none, of the record; for what is called the same in both. */
  readonly outer: (name: string) => Value
}

/** Columns of Log Analytics that are not the Graph name with a capital. Its `ResourceId` is the log's own ARM id, never the resource signed in to. */
const COLUMN: Readonly<Record<string, string>> = {
  resourceId: 'resourceidentity',
  operationType: 'aadoperationtype',
  tenantId: 'aadtenantid',
  appliedConditionalAccessPolicies: 'conditionalaccesspolicies',
}

/** What the record is, from its content alone; null when it is none of Entra's. */
export function classify(value: JsonObject): { readonly family: Family; readonly shape: Shape } | null {
  const { properties } = value
  if (isObj(properties)) {
    const family = byCategory(value['category'] ?? value['Category']) ?? (isAudit(properties) ? 'audit' : null)
    return family && { family, shape: 'diagnostic' }
  }
  const row = byCategory(value['Type']) ?? byCategory(value['Category']) ?? rowFamily(value)
  if (row) return { family: row, shape: 'log-analytics' }
  const family = graphFamily(value)
  return family && { family, shape: 'graph' }
}

function byCategory(category: Value): Family | null {
  if (typeof category !== 'string') return null
  if (/signinlogs$/i.test(category)) return 'signin'
  if (/^auditlogs$/i.test(category)) return 'audit'
  return /^microsoftgraphactivitylogs$/i.test(category) ? 'graph-activity' : null
}

/** A row whose `Type` was dropped or, as in the OTRF exports, overwritten by a query. */
function rowFamily(value: JsonObject): Family | null {
  if ('ActivityDisplayName' in value && ('TargetResources' in value || 'InitiatedBy' in value)) return 'audit'
  if ('RequestUri' in value && 'RequestMethod' in value && 'SignInActivityId' in value) return 'graph-activity'
  return 'ResourceIdentity' in value && 'CreatedDateTime' in value && ('ServicePrincipalId' in value || 'UserId' in value) ? 'signin' : null
}

function graphFamily(value: JsonObject): Family | null {
  if (isAudit(value)) return 'audit'
  if ('requestUri' in value && 'requestMethod' in value && 'signInActivityId' in value) return 'graph-activity'
  if (!('appId' in value)) return null
  const signin =
    'signInEventTypes' in value || 'uniqueTokenIdentifier' in value || ('createdDateTime' in value && ('status' in value || 'conditionalAccessStatus' in value))
  return signin ? 'signin' : null
}

function isAudit(value: JsonObject): boolean {
  return 'activityDisplayName' in value && ('targetResources' in value || 'initiatedBy' in value)
}

/** The best text wins when one record comes in several: the diagnostic record says most, Graph knows no tenant. */
export function rankOf(value: JsonObject): number {
  const shape = classify(value)?.shape
  return shape === 'diagnostic' ? 0 : shape === 'log-analytics' ? 1 : 2
}

/** The view of a record that `classify` knows. */
export function viewOf(value: JsonObject, shape: Shape, context: RecordContext): EntraView {
  const outer = reader(value)
  const inner = shape === 'diagnostic' ? reader(value['properties'] as JsonObject) : outer
  const get = shape === 'log-analytics' ? (name: string): Value => outer(COLUMN[name] ?? name) : inner
  const category =
    shape === 'diagnostic' ? outer('category') : shape === 'log-analytics' ? [value['Type'], value['Category']].find((name) => byCategory(name)) : null
  const named =
    shape === 'graph' ? tenantOfGraph(get) : (tenantId(shape === 'diagnostic' ? outer('tenantId') : outer('aadtenantid')) ?? tenantOfPath(outer('resourceId')))
  return {
    shape,
    category: str(category),
    tenantId: named ?? tenantId(context.tenantId),
    get,
    outer,
  }
}

/** Reads keys in any case: forwarders lower-case the envelope (`resourceid`), Log Analytics writes capitals (`IPAddress`). */
function reader(value: JsonObject): (name: string) => Value {
  const keys = new Map<string, string>()
  for (const key of Object.keys(value)) {
    const lower = key.toLowerCase()
    if (!keys.has(lower)) keys.set(lower, key)
  }
  return (name) => {
    const key = Object.hasOwn(value, name) ? name : keys.get(name.toLowerCase())
    return key === undefined ? undefined : parseIfText(value[key])
  }
}

function tenantOfPath(resourceId: Value): TenantId | null {
  return tenantId(/^\/tenants\/([^/]+)/i.exec(str(resourceId) ?? '')?.[1])
}

/**
 * Graph gives no tenant: it answers for the caller's. Home and resource tenant name it only where both are one: a guest or a foreign
 * application signs in with an id of its home tenant, and the row does not say in whose log it stands.
 */
function tenantOfGraph(get: (name: string) => Value): TenantId | null {
  const home = tenantId(get('homeTenantId'))
  const resource = tenantId(get('resourceTenantId'))
  if (get('crossTenantAccessType') === 'none') return home ?? resource
  return home && (resource === null || resource === home) && !str(get('crossTenantAccessType')) ? home : null
}

/** The first of these fields that is a time. An epoch or year-1 time is what SDKs make of "no time" (facts/entra.md e.1). */
export function firstTime(...values: readonly Value[]): bigint | null {
  for (const value of values) {
    const time = parseTime(value)
    if (time !== null && time > 0n) return time
  }
  return null
}

/** Event id and native id: the record's own id whatever road it took, else its content. GUIDs are lower-cased, other ids kept as written. */
export function identityOf(value: JsonObject, family: Family, ...parts: readonly (string | null)[]): { readonly id: EventId; readonly nativeId: string } {
  const [first, ...rest] = parts.map((part) => (isGuid(part) ? part.toLowerCase() : part))
  if (first)
    return {
      id: eventId('entra', family, first, ...rest.map((part) => part ?? '')),
      nativeId: first,
    }
  const id = eventId('entra', 'content', canonicalJson(value))
  return { id, nativeId: id }
}

/** A code as text: exports write `"0"`, `7000215` or a word. */
export function codeOf(value: Value): string | null {
  return str(value) ?? (num(value) === null ? null : String(num(value)))
}

/** An application id in lower case; anything else that stands in its place as written. */
export function resourceOf(value: Value): string | null {
  return appId(value) ?? str(value)
}
