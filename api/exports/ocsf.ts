/**
 * An item as an OCSF 1.8 event. Classes by the schema's own words: Authentication (3002) for tokens issued ("user attempts to log on … OIDC, SAML"), exchanges ("a new logon session
 * was requested") and minted credentials (assumed roles and impersonated service accounts are an Account Switch of type Impersonate); Entity Management (3004, "a create, read, update,
 * and delete operation on a managed entity") for identity and trust changes; API Activity (6003) for every other call, model calls with the profile `ai_operation`.
 * What OCSF has no place for stands in `unmapped`, so nothing is lost; a required attribute that the record does not give says `Unknown`.
 */
import { isIP } from 'node:net'
import type { Kind, Outcome, Source } from '#core/event.ts'
import { parseTime } from '#core/time.ts'
import { sentence, splitAction } from './item.ts'
import type { ExportItem } from './item.ts'
import { observablesOf } from './ocsf-observables.ts'

export const OCSF_VERSION = '1.8.0'

/** `name`: how a sibling attribute spells the id. */
interface Choice {
  readonly id: number
  readonly name: string
}

const CLASSES = {
  authentication: { uid: 3002, name: 'Authentication', category: { id: 3, name: 'Identity & Access Management' } },
  entity: { uid: 3004, name: 'Entity Management', category: { id: 3, name: 'Identity & Access Management' } },
  api: { uid: 6003, name: 'API Activity', category: { id: 6, name: 'Application Activity' } },
} as const
type ClassName = keyof typeof CLASSES

const CLASS_OF: Readonly<Record<Kind, ClassName>> = {
  'token.issued': 'authentication',
  'token.exchanged': 'authentication',
  'credential.minted': 'authentication',
  'identity.changed': 'entity',
  'trust.changed': 'entity',
  'llm.invoked': 'api',
  'llm.metered': 'api',
  'api.called': 'api',
  other: 'api',
}

const PROVIDERS: Readonly<Record<Source, string | null>> = { entra: 'Azure', aws: 'AWS', gcp: 'GCP', app: null }

/** Absent values are left out: OCSF has no null. */
type Fields = Readonly<Record<string, unknown>>
const present = (fields: Fields): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0)))
const orNothing = (fields: Fields): Record<string, unknown> | null => {
  const given = present(fields)
  return Object.keys(given).length > 0 ? given : null
}

/** Milliseconds since 1970, rounded down as OCSF's `timestamp_t` wants; the nanoseconds stand in `metadata.original_time`. */
const millis = (time: string | null): number | null => {
  const nanos = parseTime(time)
  return nanos === null ? null : Number(nanos >= 0n ? nanos / 1_000_000n : (nanos - 999_999n) / 1_000_000n)
}

const STATUS: Readonly<Record<Outcome, Choice>> = {
  unknown: { id: 0, name: 'Unknown' },
  success: { id: 1, name: 'Success' },
  failure: { id: 2, name: 'Failure' },
}

/** The OCSF event of an item. */
export function ocsfEvent(item: ExportItem): Fields {
  const className = CLASS_OF[item.kind]
  const { uid, name, category } = CLASSES[className]
  const activity = activityOf(item, className)
  const provider = PROVIDERS[item.source]
  const ofModel = className === 'api' && item.model !== null
  const profiles = [...(provider === null ? [] : ['cloud']), ...(ofModel ? ['ai_operation'] : [])]
  const event = present({
    activity_id: activity.id,
    activity_name: activity.name,
    category_uid: category.id,
    category_name: category.name,
    class_uid: uid,
    class_name: name,
    type_uid: uid * 100 + activity.id,
    type_name: `${name}: ${activity.name}`,
    severity_id: 1,
    severity: 'Informational',
    time: millis(item.time),
    timezone_offset: 0,
    message: sentence(item),
    status_id: STATUS[item.outcome].id,
    status: STATUS[item.outcome].name,
    status_code: item.error?.code,
    status_detail: item.error?.message,
    metadata: metadataOf(item, profiles),
    cloud: provider === null ? null : cloudOf(item, provider),
    ...(className === 'authentication' ? authentication(item) : className === 'entity' ? entityManagement(item) : apiActivity(item)),
    unmapped: unmappedOf(item),
  })
  const observables = observablesOf(event)
  return observables.length > 0 ? { ...event, observables } : event
}

function metadataOf(item: ExportItem, profiles: readonly string[]): Fields {
  return present({
    version: OCSF_VERSION,
    product: { name: 'trailjoin', vendor_name: 'trailjoin' },
    profiles,
    uid: item.id,
    original_event_uid: item.nativeId,
    original_time: item.time,
    event_code: item.action,
    log_provider: item.source,
    tenant_uid: item.tenantId,
    correlation_uid: item.traceId,
    logged_time: millis(item.deliveredAt),
    processed_time: millis(item.ingestedAt),
  })
}

function cloudOf(item: ExportItem, provider: string): Fields {
  const { account, region } = item.cloud
  // 10 and 11: "AWS Account" and "GCP Project" of `account.type_id`.
  const kind = item.source === 'aws' ? { type_id: 10, type: 'AWS Account' } : item.source === 'gcp' ? { type_id: 11, type: 'GCP Project' } : {}
  return present({ provider, region, account: account === null ? null : { uid: account, ...kind } })
}

function authentication(item: ExportItem): Fields {
  const { service } = splitAction(item.action)
  const impersonated = item.kind === 'credential.minted' && IMPERSONATIONS.test(item.action)
  const protocol = protocolOf(item)
  return {
    user: userOf(item),
    service: { name: item.source === 'entra' ? 'Microsoft Entra ID' : (service ?? 'Unknown') },
    ...(impersonated ? { account_switch_type_id: 2, account_switch_type: 'Impersonate' } : {}),
    ...(protocol ? { auth_protocol_id: protocol.id, auth_protocol: protocol.name } : {}),
    session: orNothing({ uid: item.sessionId }),
    src_endpoint: endpointOf(item),
    http_request: orNothing({ user_agent: item.userAgent }),
    api: PROVIDERS[item.source] === null ? null : apiOf(item),
  }
}

function apiActivity(item: ExportItem): Fields {
  return {
    actor: actorOf(item),
    src_endpoint: endpointOf(item) ?? { name: 'Unknown' },
    http_request: orNothing({ user_agent: item.userAgent }),
    api: apiOf(item),
    resources: item.resource === null ? null : [{ uid: item.resource }],
    ...(item.model === null ? {} : modelOf(item.model, item)),
  }
}

function entityManagement(item: ExportItem): Fields {
  const [target] = item.targets
  // What was changed, as the record names it; else the principal that the change names.
  const entity = item.resource ?? target
  return {
    actor: actorOf(item),
    entity: entity === undefined ? { name: 'Unknown' } : { uid: entity },
    src_endpoint: endpointOf(item),
    http_request: orNothing({ user_agent: item.userAgent }),
    api: PROVIDERS[item.source] === null ? null : apiOf(item),
  }
}

function modelOf(model: NonNullable<ExportItem['model']>, { action, usage }: ExportItem): Fields {
  const { service } = splitAction(action)
  const ai_model = { name: model.name ?? model.id, uid: model.id, ai_provider: model.provider ?? 'Unknown' }
  if (usage === null) return { ai_model }
  // Cached tokens are part of the prompt; ours count apart. Exact figures stand in `unmapped.usage`.
  const prompt = usage.inputTokens === null ? null : usage.inputTokens + (usage.cacheReadTokens ?? 0) + (usage.cacheWriteTokens ?? 0)
  const total = prompt === null || usage.outputTokens === null ? null : prompt + usage.outputTokens
  return {
    ai_model,
    message_context: present({ service: { name: service ?? 'Unknown' }, prompt_tokens: prompt, completion_tokens: usage.outputTokens, total_tokens: total }),
  }
}

/** The principal that the record proves, under the name that its cloud gives it. */
function userOf({ subjectOid, cloud, tenantId }: ExportItem): Fields {
  if (subjectOid === null && cloud.principal === null) return { name: 'Unknown' }
  return present({ uid: subjectOid, name: cloud.principal, org: subjectOid === null || tenantId === null ? null : { uid: tenantId } })
}

function actorOf(item: ExportItem): Fields {
  return present({ user: userOf(item), session: item.sessionId === null ? null : { uid: item.sessionId } })
}

function endpointOf({ sourceIp }: ExportItem): Fields | null {
  if (sourceIp === null) return null
  // Clouds write a service's name (bedrock.amazonaws.com) or a word (gce-internal-ip) where a service called.
  return isIP(sourceIp) === 0 ? { svc_name: sourceIp } : { ip: sourceIp }
}

function apiOf({ action, requestId, error }: ExportItem): Fields {
  const { service, operation } = splitAction(action)
  return present({
    operation,
    service: service === null ? null : { name: service },
    request: requestId === null ? null : { uid: requestId },
    response: error === null ? null : present({ error: error.code, error_message: error.message }),
  })
}

/** AssumeRole, AssumeRoot and the Generate… methods act as another principal; GetSessionToken and GetFederationToken do not. */
const IMPERSONATIONS = /:(?:AssumeRo|Generate|Sign)/

/** AWS takes an OpenID Connect token, Google's exchange is OAuth 2.0 (RFC 8693). Entra also signs in by other protocols, which the item does not tell. */
function protocolOf(item: ExportItem): Choice | null {
  if (item.kind === 'token.exchanged' && item.source === 'aws') return { id: 4, name: 'OpenID' }
  if (item.kind === 'token.exchanged' && item.source === 'gcp') return { id: 6, name: 'OAUTH 2.0' }
  return null
}

/** Entity Management and API Activity number these alike. First words of operations that say what they do; anything else is `Other` under its own name. */
const VERBS: readonly (readonly [RegExp, Choice])[] = [
  [/^(?:get|list|describe|read|query|search)/i, { id: 2, name: 'Read' }],
  [/^(?:create|add|upload)/i, { id: 1, name: 'Create' }],
  [/^(?:update|put|patch|modify|set)/i, { id: 3, name: 'Update' }],
  [/^(?:delete|remove|hard delete)/i, { id: 4, name: 'Delete' }],
]
/** `Add owner to application`, `Remove service principal credentials`, `CreateAccessKey`. */
const PART_CHANGED = / (?:to|from) | credentials?$|AccessKey$|LoginProfile$|ServiceSpecificCredential$|ServiceAccountKey$/

function activityOf(item: ExportItem, className: ClassName): Choice {
  const { operation } = splitAction(item.action)
  if (className === 'authentication') {
    const impersonated = item.kind === 'credential.minted' && IMPERSONATIONS.test(item.action)
    return impersonated ? { id: 7, name: 'Account Switch' } : { id: 1, name: 'Logon' }
  }
  if (className === 'entity') {
    // What gains or loses a credential, an owner or a member is itself still there.
    if ((item.kind === 'trust.changed' && item.source === 'entra') || PART_CHANGED.test(operation)) return { id: 3, name: 'Update' }
    if (/^enable/i.test(operation)) return { id: 8, name: 'Enable' }
    if (/^disable/i.test(operation)) return { id: 9, name: 'Disable' }
    return verbOf(operation) ?? other(operation)
  }
  // A model that is run is neither read nor changed.
  if (item.kind !== 'other') return other(operation)
  return verbOf(operation) ?? other(operation)
}

const verbOf = (operation: string): Choice | undefined => VERBS.find(([pattern]) => pattern.test(operation))?.[1]

const other = (operation: string): Choice => ({ id: 99, name: operation })

/** Ours, under our own names. */
function unmappedOf(item: ExportItem): Fields {
  return present({
    source: item.source,
    kind: item.kind,
    role: item.role,
    agentOid: item.agentOid,
    onBehalfOf: item.onBehalfOf,
    targets: item.targets,
    attribution: present({ ...item.attribution }),
    parentId: item.parentId,
    resource: CLASS_OF[item.kind] === 'authentication' ? item.resource : null,
    tokenId: item.tokenId,
    model: CLASS_OF[item.kind] === 'api' ? null : item.model,
    usage: item.usage === null ? null : present(item.usage),
    rawSha256: item.rawSha256,
  })
}
