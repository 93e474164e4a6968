/**
 * `product: azure`: records of Entra by the names that published rules give their members. These are columns of Log Analytics, members of Graph, and headings
 * of the portal. A record is what a diagnostic setting, Log Analytics or Graph writes, in any spelling of its names.
 */
import type { Json, JsonObject } from '#core/record.ts'
import { nodesAt, values, valuesAt } from './record-path.ts'
import { recordReader, vendor } from './vendor.ts'
import type { Value, Vocabulary } from './vocabulary.ts'

/** A record, and the members that Graph knows: below `properties` in a diagnostic record, else the record's own. */
interface EntraView {
  readonly record: JsonObject
  readonly fields: Json
  readonly row: boolean
}
type Read = (view: EntraView) => readonly Value[]

/** Columns of Log Analytics that are not the Graph name with a capital. */
const COLUMNS: Readonly<Record<string, string>> = {
  resourceid: 'ResourceIdentity',
  tenantid: 'AADTenantId',
  appliedconditionalaccesspolicies: 'ConditionalAccessPolicies',
}
const nodes = ({ fields, row }: EntraView, path: string): readonly Json[] => {
  const [head = '', ...rest] = path.split('.')
  return nodesAt(fields, [(row ? COLUMNS[head.toLowerCase()] : undefined) ?? head, ...rest].join('.'))
}

/** At a Graph name, or below it. */
const graph =
  (...paths: readonly string[]): Read =>
  (view) => {
    for (const path of paths) {
      const found = nodes(view, path)
      if (found.length > 0) return found.flatMap(values)
    }
    return []
  }
/** A member of the envelope. */
const outer =
  (name: string): Read =>
  (view) =>
    valuesAt(view.record, name)
const either =
  (...reads: readonly Read[]): Read =>
  (view) => {
    for (const read of reads) {
      const found = read(view)
      if (found.length > 0) return found
    }
    return []
  }
const all =
  (...reads: readonly Read[]): Read =>
  (view) =>
    reads.flatMap((read) => read(view))

const errorCode = either(graph('status.errorCode', 'resultType'), outer('resultType'))
const failureReason = either(graph('status.failureReason', 'resultDescription'), outer('resultDescription'))

/** The portal's word, and the members of the status: rules ask for either. */
const signInStatus: Read = (view) => {
  const code = errorCode(view)[0]
  const word = code === undefined || code === null ? [] : [String(code) === '0' ? 'Success' : 'Failure']
  return [...word, ...graph('status', 'status.failureReason')(view), ...graph('status.additionalDetails')(view)]
}

/** What the portal's search shows of a sign-in: how the client signed in, or why it could not. */
const signInMessage = all(
  graph('authenticationProtocol'),
  (view) => (graph('authenticationProtocol')(view).includes('deviceCode') ? ['Device Code'] : []),
  failureReason,
  outer('operationName'),
)

/** By the rule's name without case, underscores and `properties.`; every other name is the Graph name or a path below it. */
const SIGN_IN: Readonly<Record<string, Read>> = {
  status: signInStatus,
  resulttype: errorCode,
  errorcode: errorCode,
  resultdescription: failureReason,
  failurereason: failureReason,
  message: signInMessage,
  username: graph('userPrincipalName'),
  upn: graph('userPrincipalName'),
  accountupn: graph('userPrincipalName'),
  authenticationresult: signInStatus,
  mfanotificationoutcome: graph('status.additionalDetails', 'mfaDetail'),
  targetusername: graph('userPrincipalName'),
  ipaddress: either(graph('ipAddress'), outer('callerIpAddress')),
  clientapp: graph('clientAppUsed'),
  // The portal's heading over all of them.
  activitydetails: () => ['Sign-ins'],
  category: either(outer('category'), outer('Type')),
  operationname: outer('operationName'),
  location: all(graph('location.countryOrRegion'), graph('location'), outer('location')),
  riskeventtype: all(graph('riskEventTypes_v2'), graph('riskEventTypes')),
  conditionalaccesspolicies: graph('appliedConditionalAccessPolicies'),
}

const activity = either(graph('activityDisplayName'), outer('operationName'))
/** The activity, and each changed property as its JSON text: some rules quote that. */
const auditMessage: Read = (view) => [
  ...activity(view),
  ...nodes(view, 'targetResources.modifiedProperties')
    .flatMap((list) => (Array.isArray(list) ? list : [list]))
    .map((property) => JSON.stringify(property).slice(1, -1)),
]
const result = either(graph('result'), outer('resultType'))

const AUDIT: Readonly<Record<string, Read>> = {
  operationname: activity,
  operationnamevalue: activity,
  activitydisplayname: activity,
  activitytype: activity,
  activity,
  message: auditMessage,
  eventname: activity,
  status: result,
  result,
  eventsource: () => ['AzureActiveDirectory'],
  category: either(graph('category'), outer('category')),
  actoruserid: either(graph('initiatedBy.user.id', 'initiatedBy.app.servicePrincipalId')),
  actorusername: either(graph('initiatedBy.user.userPrincipalName', 'initiatedBy.app.displayName')),
  targetuserid: graph('targetResources.id'),
  targetusername: graph('targetResources.userPrincipalName'),
  targetuser: graph('targetResources.userPrincipalName'),
}

const FAMILIES = { signin: { aliases: SIGN_IN, format: 'entra-signin' }, audit: { aliases: AUDIT, format: 'entra-audit' } } as const

function entra(family: keyof typeof FAMILIES, given: Pick<Vocabulary, 'name'> & Partial<Pick<Vocabulary, 'note' | 'hopeless'>>): Vocabulary {
  const { aliases, format } = FAMILIES[family]
  return vendor({
    ...given,
    formats: [format],
    sources: ['entra'],
    reader: (name) => {
      const path = name.replace(/^(?:azure\.\w+\.)?properties\./i, '')
      const read = aliases[path.replaceAll('_', '').toLowerCase()] ?? either(graph(path), outer(path), ...(family === 'audit' ? [modified(path)] : []))
      return recordReader(name, (record) => read(viewOfRecord(record)))
    },
  })
}

/** A property that the audit says was changed, by its name (`ConsentContext.IsAdminConsent`): its new value, which is JSON in text. */
const modified =
  (name: string): Read =>
  (view) =>
    nodes(view, 'targetResources.modifiedProperties')
      .flatMap((list) => nodesAt(list, name))
      .flatMap((value) => values(value))
      .map((value) => (typeof value === 'string' ? value.replaceAll(/^"+|"+$/g, '') : value))

function viewOfRecord(record: JsonObject): EntraView {
  const [properties] = nodesAt(record, 'properties')
  if (properties === undefined)
    return { record, fields: record, row: nodesAt(record, 'TimeGenerated').length > 0 || nodesAt(record, 'ResourceIdentity').length > 0 }
  return { record, fields: properties, row: false }
}

/** Operations on Azure resources (`MICROSOFT.KEYVAULT/VAULTS/DELETE`) stand in Azure's activity log. */
const ofResources = (value: string): string | null =>
  /^\*?microsoft\.[\w.*]+(?:\/|$)/i.test(value) ? `"${value}" is an operation on Azure resources: the Azure activity log, which holds these, is not read` : null

export const signInLogs = entra('signin', { name: 'azure/signinlogs' })
export const auditLogs = entra('audit', { name: 'azure/auditlogs' })
export const activityLogs = entra('audit', {
  name: 'azure/activitylogs',
  note: "the Azure activity log is not read: what the directory's own audit log says is looked through instead",
  hopeless: ofResources,
})
export const riskDetection = entra('signin', {
  name: 'azure/riskdetection',
  note: 'risk detections are no records that are read: the risk that stands on the sign-in itself is looked at, not what was found out later',
})
export const privilegedIdentities = entra('audit', {
  name: 'azure/pim',
  note: "alerts of Privileged Identity Management are no records that are read: what the directory's audit log says of them is looked through",
})
