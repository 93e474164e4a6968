/**
 * What a record is, as far as masking must know: what is of no known kind keeps structure and identifiers only, and services of models
 * keep a list of members. Looser than the correlator's recognition, which ingest does not know: what a format reads must be known here
 * (`test/mask-kinds.test.ts`).
 */
import type { Json, JsonObject } from '#core/record.ts'
import { API_BODIES, COMMON_MEMBERS, membersOf } from './services.ts'

/**
 * `plain`: only credentials are masked, and what stands under the keys of bodies. `listed`: texts stay only as `allowed` says.
 * `bodies`: members of a plain record that are listed, by their key in lower case.
 */
export interface Kind {
  readonly mode: 'plain' | 'listed'
  readonly allowed: ReadonlySet<string>
  readonly bodies: ReadonlySet<string> | null
}

/** Only credentials, and what stands under the keys of bodies. */
export const PLAIN: Kind = { mode: 'plain', allowed: COMMON_MEMBERS, bodies: null }
/** What nobody knows: structure and identifiers. */
export const UNKNOWN: Kind = { mode: 'listed', allowed: COMMON_MEMBERS, bodies: null }
const TRAIL_BODIES: ReadonlySet<string> = new Set(['requestparameters', 'responseelements', 'additionaleventdata', 'serviceeventdetails'])
const AUDIT_BODIES: ReadonlySet<string> = new Set([
  'request',
  'response',
  'metadata',
  'servicedata',
  // As BigQuery's sink names them.
  'requestjson',
  'responsejson',
  'metadatajson',
  'servicedatajson',
])
const ENTRY_BODIES: ReadonlySet<string> = new Set(['jsonpayload', 'textpayload'])
const API: Kind = { mode: 'plain', allowed: COMMON_MEMBERS, bodies: API_BODIES }
const ENTRY: Kind = { mode: 'plain', allowed: COMMON_MEMBERS, bodies: ENTRY_BODIES }

/** The log of an own API. */
export const isApi = (kind: Kind): boolean => kind === API
/** A record of a service of models, or a log of models' calls. */
export const isModels = (kind: Kind): boolean => kind === INVOCATION || kind.bodies === TRAIL_BODIES || kind.bodies === AUDIT_BODIES

const kindsOfServices = new Map<string, Kind>()
function kindOfService(service: string, bodies: ReadonlySet<string>): Kind {
  const key = `${bodies === TRAIL_BODIES ? 'a' : 'g'}${service}`
  let kind = kindsOfServices.get(key)
  if (kind === undefined) {
    const allowed = membersOf(service)
    kind = allowed === null ? PLAIN : { mode: 'plain', allowed, bodies }
    if (kindsOfServices.size < 5_000) kindsOfServices.set(key, kind)
  }
  return kind
}

const INVOCATION_MEMBERS: ReadonlySet<string> = new Set([...COMMON_MEMBERS, 'schemaversion', 'modelid', 'arn', 'errormessage'])
const INVOCATION: Kind = { mode: 'listed', allowed: INVOCATION_MEMBERS, bodies: null }

const isObject = (value: Json | undefined): value is JsonObject => value !== null && typeof value === 'object' && !Array.isArray(value)

/** The kind of a record, or of an object that may be one; null when it is of none that is known. */
export function kindOf(value: JsonObject): Kind | null {
  // As its cloud writes it, at the price of three look-ups.
  if (typeof value['eventSource'] === 'string' && typeof value['eventName'] === 'string') return kindOfService(value['eventSource'], TRAIL_BODIES)
  if (isObject(value['protoPayload'])) return kindOfAudit(value['protoPayload'])
  if (typeof value['category'] === 'string' && MODEL_CATEGORIES.test(value['category'])) return null
  if (isObject(value['properties']) && (typeof value['category'] === 'string' || typeof value['Category'] === 'string')) return PLAIN
  if (value['schemaType'] === 'ModelInvocationLog') return INVOCATION
  const table = value['Type']
  if (typeof table === 'string' && TABLES.test(table) && !('EventSource' in value) && !('ServiceName' in value)) return PLAIN
  return rewritten(value)
}

/** Diagnostic categories of Azure's services of models, bots, gateways and applications, which hold what was asked and answered. */
const MODEL_CATEGORIES =
  /^(?:RequestResponse|Trace|AzureOpenAI\w{0,40}|Gateway\w{0,40}|Aml\w{1,60}|Bot\w{1,40}|App\w{1,60}Logs|Function\w{1,40}|Container\w{1,40}|OperationLogs)$/

/** Tables of Log Analytics that Entra writes to. */
const TABLES = /^(?:AAD\w{1,40}SignInLogs|SigninLogs|AuditLogs|MicrosoftGraphActivityLogs)$/

function kindOfAudit(payload: JsonObject): Kind {
  const service = payload['serviceName'] ?? anyCase(payload, 'servicename')
  return typeof service === 'string' ? kindOfService(service, AUDIT_BODIES) : PLAIN
}

function anyCase(value: JsonObject, plain: string): Json | undefined {
  for (const key in value) if (key.length < 64 && key.replace(/[-_@]/g, '').toLowerCase() === plain) return value[key]
  return undefined
}

const TRAIL = [
  'eventversion',
  'eventsource',
  'eventname',
  'eventid',
  'eventtype',
  'awsregion',
  'recipientaccountid',
  'sourceipaddress',
  'useridentity',
  'eventtime',
]
const SIGNIN = [
  'signineventtypes',
  'uniquetokenidentifier',
  'status',
  'conditionalaccessstatus',
  'createddatetime',
  'resultype',
  'resulttype',
  'serviceprincipalid',
  'userprincipalname',
  'authenticationdetails',
  'ipaddress',
]
const CALLERS = ['oid', 'appid', 'azp', 'callerobjectid']
/** Of other tools' logs of model calls. */
const MODEL_LOGS = [
  'messages',
  'prompt',
  'prompts',
  'completion',
  'completions',
  'choices',
  'contents',
  'candidates',
  'generations',
  'genai',
  'calltype',
  'modelid',
  'llm',
]
const REQUESTS = [
  'method',
  'path',
  'status',
  'statuscode',
  'url',
  'uri',
  'requesturi',
  'aud',
  'uti',
  'api',
  'req',
  'request',
  'requestmethod',
  'responsetime',
  'durationms',
]

const TABLE = /(?:signinlogs|auditlogs|activitylogs|awscloudtrail)$/i

/** Spelled by others: capitals, lower case, snake case, columns of tables. */
function rewritten(value: JsonObject): Kind | null {
  const keys = new Map<string, string>()
  let number = 0
  for (const key in value) {
    if (++number > 400) break
    if (key.length < 64) keys.set(key.replace(/[-_@\s]/g, '').toLowerCase(), key)
  }
  const get = (plain: string): Json | undefined => (keys.has(plain) ? value[keys.get(plain)!] : undefined)
  const count = (names: readonly string[]): number => names.reduce((sum, name) => sum + (keys.has(name) ? 1 : 0), 0)
  if (get('schematype') === 'ModelInvocationLog' || (keys.has('modelid') && keys.has('requestid') && keys.has('operation') && !keys.has('eventname')))
    return INVOCATION
  if (['fullrequest', 'requestpayload', 'inputbodyjson'].some((name) => keys.has(name))) return UNKNOWN
  const trail = count(TRAIL)
  if (trail >= 2) {
    const source = get('eventsource')
    return typeof source === 'string' ? kindOfService(source, TRAIL_BODIES) : PLAIN
  }
  const audit = get('protopayload') ?? get('protopayloadauditlog')
  if (isObject(audit)) return kindOfAudit(audit)
  // In a cell of a table. The service stands in the text; without it, the list of all services decides.
  if (typeof audit === 'string')
    return kindOfService(/"service_?name\\?"\s*:\s*\\?"([\w.]{3,80})/i.exec(audit.slice(0, 4000))?.[1] ?? 'aiplatform.googleapis.com', AUDIT_BODIES)
  if (keys.has('servicename') && keys.has('methodname')) return kindOfAudit(value)
  const flat = get('protopayload.servicename')
  if (typeof flat === 'string') return kindOfService(flat, AUDIT_BODIES)
  if (keys.has('logname') && (keys.has('jsonpayload') || keys.has('textpayload') || keys.has('insertid'))) return ENTRY
  if (value['inventory'] === 1) return PLAIN
  if (isObject(get('properties')) && (keys.has('category') || keys.has('operationname'))) return PLAIN
  if (keys.has('activitydisplayname') || (keys.has('operationname') && (keys.has('targetresources') || keys.has('initiatedby') || keys.has('correlationid'))))
    return PLAIN
  if (keys.has('requesturi') && keys.has('requestmethod')) return PLAIN
  const called = count(REQUESTS)
  if (count(CALLERS) >= 1 && (keys.has('method') || keys.has('path') || keys.has('url') || keys.has('api'))) return API
  if (keys.has('appid') && count(SIGNIN) >= 1) return PLAIN
  if (count(SIGNIN) >= 2) return PLAIN
  if ([get('category'), get('type')].some((name) => typeof name === 'string' && TABLE.test(name))) return PLAIN
  if (count(MODEL_LOGS) > 0) return null
  if ((count(CALLERS) >= 1 && called >= 1) || called >= 3) return API
  return null
}
