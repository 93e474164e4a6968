import { RULES } from '#core/finding.ts'
import type { JsonObject } from '#core/record.ts'
import { WATCHED_ACTION } from '#migrations/schema.ts'
import { readEntry } from '../formats/gcp-audit/entry.ts'
import { arr, at, bool, obj, str, type Value } from '../formats/read.ts'
import type { Draft, FindingRule } from './engine/rule.ts'
import type { StoredEvent } from './engine/stored-event.ts'
import { during, sorted } from './engine/text.ts'

/** Somebody made a cloud record less. */
export const finding: FindingRule = {
  ...RULES['logging-disabled'],
  why: 'Everything that is said about an agent rests on these logs. Who stops a trail, deletes a sink or exempts a principal from auditing makes the time after it unprovable; doing so before using stolen credentials is common practice ("blinding").',
  remediation:
    'Turn it on again, find out who did it and what happened meanwhile, and forbid it by policy (a service control policy on cloudtrail:StopLogging and DeleteTrail; organization-level sinks and audit configurations on Google).',
  falsePositives: ['A trail or sink that was replaced by another one.', 'A planned change of what is recorded.'],
  async evaluate(context) {
    // Index events_watched.
    const changes = await context.events(
      `e.kind in ('other', 'trust.changed') and e.outcome = 'success' and e.${WATCHED_ACTION} and e.action ~* '${CANDIDATE}'`,
    )
    const records = await context.records(changes)
    const hits = changes.flatMap((event) => {
      const record = records.get(event.id)
      const what = record === undefined ? null : event.source === 'aws' ? onAws(event, record) : onGoogle(event, record)
      return what === null ? [] : [{ event, ...what }]
    })
    return [...Map.groupBy(hits, ({ event, place }) => [event.source, event.account, place].join('\n')).values()].map((group): Draft => {
      const { event, place } = group[0]!
      const by = sorted(group.map((hit) => hit.event.principal))
      return {
        key: [event.source, event.account, place],
        confidence: 'exact',
        tenantId: group.find((hit) => hit.event.tenantId !== null)?.event.tenantId ?? null,
        oids: group.flatMap((hit) => [hit.event.subjectOid, hit.event.agentOid]),
        evidence: group.map((hit) => hit.event),
        explanation: `${place}${event.account === null ? '' : ` in ${event.account}`}: ${sorted(group.map((hit) => hit.how)).join('; ')} ${during(group.map((hit) => hit.event.timeNs))}${by.length > 0 ? ` by ${by.join(', ')}` : ''}.`,
      }
    })
  },
}

interface Change {
  readonly place: string
  readonly how: string
}

/** What may do it, as SQL matches it; whether it did stands in the record. */
const CANDIDATE = String.raw`^cloudtrail:(Stop|Delete|Update|PutEventSelectors)|^bedrock:(Put|Delete)ModelInvocationLogging|^logging\.googleapis\.com:(.*\.)?(Delete|Create|Update)|[:.]SetIam(Policy|Permissions)$`

function onAws({ action }: StoredEvent, record: JsonObject): Change | null {
  const request = obj(at(record, 'requestParameters'))
  const name = str(at(request, 'name')) ?? str(at(request, 'trailName')) ?? str(at(request, 'eventDataStore')) ?? 'the trail'
  const off = (path: string): boolean => bool(at(request, path)) === false
  switch (action) {
    case 'cloudtrail:StopLogging':
    case 'cloudtrail:StopEventDataStoreIngestion':
      return { place: name, how: 'recording was stopped' }
    case 'cloudtrail:DeleteTrail':
    case 'cloudtrail:DeleteEventDataStore':
      return { place: name, how: 'it was deleted' }
    case 'cloudtrail:UpdateTrail':
      return ['isMultiRegionTrail', 'includeGlobalServiceEvents', 'isOrganizationTrail'].some(off)
        ? { place: name, how: 'it no longer records all regions, global services or accounts' }
        : null
    case 'cloudtrail:UpdateEventDataStore':
      return ['multiRegionEnabled', 'organizationEnabled'].some(off) ? { place: name, how: 'it no longer records all regions or accounts' } : null
    case 'cloudtrail:PutEventSelectors':
      return dropsManagementEvents(request) ? { place: name, how: 'its selectors leave management events out' } : null
    case 'bedrock:DeleteModelInvocationLoggingConfiguration':
      return { place: 'the model invocation log', how: 'it was turned off' }
    case 'bedrock:PutModelInvocationLoggingConfiguration': {
      const configuration = at(request, 'loggingConfig')
      const nowhere = configuration !== undefined && at(configuration, 's3Config') === undefined && at(configuration, 'cloudWatchConfig') === undefined
      return nowhere || bool(at(configuration, 'textDataDeliveryEnabled')) === false
        ? { place: 'the model invocation log', how: 'it no longer holds the text of calls' }
        : null
    }
    default:
      return null
  }
}

/** Model calls are management events (facts/aws.md b.3): selectors without them, or with a part of them only, do not see agents. */
function dropsManagementEvents(request: JsonObject): boolean {
  const basic = arr(at(request, 'eventSelectors'))
  if (basic.length > 0) {
    return !basic.some(
      (selector) =>
        bool(at(selector, 'includeManagementEvents')) !== false &&
        (str(at(selector, 'readWriteType')) ?? 'All') === 'All' &&
        arr(at(selector, 'excludeManagementEventSources')).length === 0,
    )
  }
  const advanced = arr(at(request, 'advancedEventSelectors'))
  return (
    advanced.length > 0 &&
    !advanced.some((selector) => {
      const fields = arr(at(selector, 'fieldSelectors'))
      return fields.length === 1 && str(at(fields[0], 'field')) === 'eventCategory' && arr(at(fields[0], 'equals')).includes('Management')
    })
  )
}

function onGoogle({ action, resource, account }: StoredEvent, record: JsonObject): Change | null {
  const { call } = readEntry(record)
  if (!call) return null
  const place = resource ?? account ?? 'a project'
  const operation = action.replace(/^.*[:.]/, '').toLowerCase()
  if (operation.startsWith('setiam')) return auditConfiguration(at(call.serviceData, 'policyDelta'), `the audit configuration of ${place}`)
  if (!action.startsWith('logging.')) return null
  switch (operation) {
    case 'deletesink':
    case 'deletebucket':
    case 'deletelog':
    case 'deleteview':
      return { place, how: 'it was deleted' }
    case 'createexclusion':
      return { place, how: 'an exclusion was added' }
    case 'updateexclusion':
      return bool(at(call.request, 'exclusion.disabled')) === false ? { place, how: 'an exclusion was turned on' } : null
    case 'updatesink': {
      if (bool(at(call.request, 'sink.disabled')) === true) return { place, how: 'the sink was disabled' }
      return arr(at(call.request, 'sink.exclusions')).some((exclusion) => bool(at(exclusion, 'disabled')) !== true)
        ? { place, how: 'the sink excludes records' }
        : null
    }
    case 'updatesettings':
    case 'updatecmeksettings':
      return bool(at(call.request, 'settings.disableDefaultSink')) === true ? { place, how: 'the default sink was disabled' } : null
    default:
      return null
  }
}

/** A log type that is taken away, or a principal that is exempted. Taking an exemption away records more. */
function auditConfiguration(delta: Value, place: string): Change | null {
  for (const change of arr(at(delta, 'auditConfigDeltas'))) {
    const removed = str(at(change, 'action'))?.toUpperCase() === 'REMOVE'
    const exempted = str(at(change, 'exemptedMember')) !== null
    const what = `${str(at(change, 'logType')) ?? 'logging'} of ${str(at(change, 'service')) ?? 'a service'}`
    if (removed && !exempted) return { place, how: `${what} was taken away` }
    if (!removed && exempted) return { place, how: `a principal was exempted from ${what}` }
  }
  return null
}
