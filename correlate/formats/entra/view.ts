/**
 * One Entra record, four shapes: a diagnostic-settings record (Event Hubs, Storage), a Log Analytics row, and the object of Graph
 * or the portal. Everything behind this file reads a record by its Graph name and never asks which shape it came in.
 */
import { appId, isGuid, tenantId, type EventId, type TenantId } from '#core/keys.ts'
import { canonicalJson, eventId, type JsonObject, type RecordContext } from '#core/record.ts'
import { noTime, readTime } from '../time.ts'
import { has, isObj, num, obj, str, type Value } from '../read.ts'

export type Shape = 'diagnostic' | 'log-analytics' | 'graph'
export type Family = 'signin' | 'audit' | 'graph-activity'

export interface EntraView {
  readonly shape: Shape
  /** Log category or table (`ManagedIdentitySignInLogs`, `AADManagedIdentitySignInLogs`), where the record names it. */
  readonly category: string | null
  /** Of the record or, where it is silent, as the operator declared it. */
  readonly tenantId: TenantId | null
  /** A field by its Graph name. */
  readonly get: (name: string) => Value
  /** A field of the envelope (diagnostic settings) or, where there is none, of the record; for what is called the same in both. */
  readonly outer: (name: string) => Value
}

/** Columns of Log Analytics that are not the Graph name with a capital. Its `ResourceId` is the log's own ARM id, never the resource signed in to. */
const COLUMN: Readonly<Record<string, string>> = {
  resourceId: 'ResourceIdentity',
  operationType: 'AADOperationType',
  tenantId: 'AADTenantId',
  ipAddress: 'IPAddress',
  appliedConditionalAccessPolicies: 'ConditionalAccessPolicies',
}

/** The column of Log Analytics that holds the field. */
export function columnOf(field: string): string {
  return COLUMN[field] ?? capitalised(field)
}

const CAPITALISED = new Map<string, string>()

function capitalised(field: string): string {
  let column = CAPITALISED.get(field)
  if (column === undefined) CAPITALISED.set(field, (column = field[0]!.toUpperCase() + field.slice(1)))
  return column
}

interface Class {
  readonly family: Family
  readonly shape: Shape
}

/** The answer for the record that was asked about last: each is asked about several times in a row. */
let last: { readonly value: JsonObject; readonly is: Class | null } | null = null

/** What the record is, from its content alone; null when it is none of Entra's. */
export function classify(value: JsonObject): Class | null {
  if (last?.value !== value) last = { value, is: classOf(value) }
  return last.is
}

function classOf(value: JsonObject): Class | null {
  const { properties } = value
  if (isObj(properties) || typeof properties === 'string') {
    const family = byCategory(value['category']) ?? (isObj(properties) && isAudit(properties) ? 'audit' : null)
    return family && { family, shape: 'diagnostic' }
  }
  // A diagnostic record with capitals has a category, too, and its fields one level down.
  const row = has(value, 'Properties') ? null : (byCategory(value['Type']) ?? byCategory(value['Category']) ?? rowFamily(value))
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
  // A time of generation is the table's; PowerShell writes Graph's own names with the same capitals.
  if (has(value, 'ActivityDisplayName') && (has(value, 'TimeGenerated') || has(value, 'OperationName'))) return 'audit'
  if (has(value, 'RequestUri') && has(value, 'RequestMethod') && has(value, 'SignInActivityId')) return 'graph-activity'
  return has(value, 'ResourceIdentity') && has(value, 'CreatedDateTime') && ('ServicePrincipalId' in value || 'UserId' in value) ? 'signin' : null
}

function graphFamily(value: JsonObject): Family | null {
  if (isAudit(value)) return 'audit'
  if (has(value, 'requestUri') && has(value, 'requestMethod') && (has(value, 'signInActivityId') || has(value, 'operationId'))) return 'graph-activity'
  if (!('appId' in value)) return null
  const signin =
    has(value, 'signInEventTypes') ||
    has(value, 'uniqueTokenIdentifier') ||
    ('createdDateTime' in value && (has(value, 'status') || has(value, 'conditionalAccessStatus')))
  return signin ? 'signin' : null
}

function isAudit(value: JsonObject): boolean {
  return has(value, 'activityDisplayName') && (has(value, 'targetResources') || has(value, 'initiatedBy'))
}

/** The best text wins when one record comes in several: the diagnostic record says most, Graph knows no tenant. */
export function rankOf(value: JsonObject, respelled = false): number {
  const shape = classify(value)?.shape
  return (shape === 'diagnostic' ? 0 : shape === 'log-analytics' ? 1 : 2) + (respelled ? 3 : 0)
}

/** The view of a record that `classify` knows. */
export function viewOf(value: JsonObject, shape: Shape, context: RecordContext): EntraView {
  const row = shape === 'log-analytics'
  const fields = shape === 'diagnostic' ? obj(value['properties']) : value
  const get = (name: string): Value => fields[row ? columnOf(name) : name]
  const outer = (name: string): Value => value[row ? capitalised(name) : name]
  const category = shape === 'diagnostic' ? value['category'] : row ? [value['Type'], value['Category']].find((name) => byCategory(name)) : null
  const named =
    shape === 'graph'
      ? tenantOfGraph(get)
      : (tenantId(row ? (value['AADTenantId'] ?? value['AadTenantId']) : value['tenantId']) ?? tenantOfPath(outer('resourceId')))
  return {
    shape,
    category: str(category),
    tenantId: named ?? tenantId(context.tenantId),
    get,
    outer,
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

/** The first of these fields that is a time. */
export function firstTime(...values: readonly Value[]): bigint | null {
  for (const value of values) {
    const time = readTime(value)
    if (time !== null) return time
  }
  return null
}

/** Why a record has no time: the fields where it may stand, and what does. */
export function withoutTime(view: EntraView, fields: readonly string[]): string {
  const name = (field: string): string => (view.shape === 'log-analytics' ? columnOf(field) : view.shape === 'diagnostic' ? `properties.${field}` : field)
  return noTime({
    ...Object.fromEntries(fields.map((field) => [name(field), view.get(field)])),
    ...(view.shape === 'diagnostic' ? { time: view.outer('time') } : {}),
  })
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
