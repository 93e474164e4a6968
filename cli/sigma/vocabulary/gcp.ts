/**
 * `product: gcp`, `service: gcp.audit`: entries of Cloud Audit Logs. Published rules name a member as Elastic does (`gcp.audit.method_name`), as a
 * Pub/Sub envelope does (`data.protoPayload.methodName`) or plainly. Google Workspace writes its audit into the same logs where an organisation shares it.
 */
import type { JsonObject } from '#core/record.ts'
import { nodesAt, values, valuesAt } from './record-path.ts'
import { recordReader, vendor } from './vendor.ts'
import type { Reader, Value, Vocabulary } from './vocabulary.ts'

export const gcpAudit: Vocabulary = vendor({ name: 'gcp/gcp.audit', formats: ['gcp-audit'], sources: ['gcp'], reader: auditReader })

export const googleWorkspace = (service: string): Vocabulary =>
  vendor({
    name: `gcp/${service}`,
    formats: ['gcp-audit'],
    sources: ['gcp'],
    reader: workspaceReader,
    note: 'of Google Workspace only what Cloud Logging holds is read: the audit that an organisation shares with Google Cloud',
  })

/** Where an entry keeps its payload: in Cloud Logging, in BigQuery, in Log Analytics. */
const PAYLOADS = ['protoPayload', 'protopayload_auditlog', 'proto_payload.audit_log']

function auditReader(name: string): Reader {
  const path = name.replace(/^(?:gcp\.audit|gcp|data)\./i, '')
  return recordReader(name, (record) => {
    if (/^(?:protoPayload\.)?log_?name$/i.test(path)) return logNames(record)
    // A rule may ask the payload for what is the entry's own (`data.protoPayload.resource.type`).
    const inner = path.replace(/^protoPayload\./i, '')
    // BigQuery keeps what has no fixed shape as JSON in text.
    const asText = inner.replace(/^(request|response|metadata)(?=\.|$)/i, '$1Json')
    return first(record, [path, ...PAYLOADS.flatMap((payload) => [`${payload}.${inner}`, ...(asText === inner ? [] : [`${payload}.${asText}`])]), inner])
  })
}

/** The log's whole name, and its short name with and without the escaped slash: rules give any. */
function logNames(record: JsonObject): readonly Value[] {
  return valuesAt(record, 'logName').flatMap((value) => {
    const short = typeof value === 'string' ? /\/logs\/(.+)$/.exec(value)?.[1] : undefined
    return short === undefined ? [value] : [value, short, short.replaceAll(/%2F/gi, '/')]
  })
}

const WORKSPACE: Readonly<Record<string, readonly string[]>> = {
  eventservice: ['protoPayload.serviceName'],
  eventname: ['protoPayload.metadata.event.eventName'],
  eventtype: ['protoPayload.metadata.event.eventType'],
}

function workspaceReader(name: string): Reader {
  const paths = WORKSPACE[name.replaceAll('_', '').toLowerCase()]
  if (!paths) {
    // A setting's name, its old and new value: parameters of the event.
    return recordReader(name, (record) => {
      const own = auditReader(name).read({ id: '', timeNs: 0n, tenantId: null, field: () => null, record: () => record })
      return own.some((value) => value !== null) ? own : valuesAt(record, `protoPayload.metadata.event.parameter.${name}`)
    })
  }
  return recordReader(name, (record) => first(record, paths))
}

/** The values under the first of the paths that leads anywhere. */
function first(record: JsonObject, paths: readonly string[]): readonly Value[] {
  for (const path of paths) {
    const found = nodesAt(record, path)
    if (found.length > 0) return found.flatMap(values)
  }
  return []
}
