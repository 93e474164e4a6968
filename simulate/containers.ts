/** Envelopes that records travel in. */
import type { Road } from './draft.ts'
import type { Truth } from './truth.ts'

export interface Container {
  readonly head: string
  readonly between: string
  readonly tail: string
  readonly item: (text: string, truth: Truth) => string
}

const same = (text: string) => text
const array = (head: string, tail: string): Container => ({
  head,
  between: ',\n',
  tail,
  item: same,
})
const lines = (item: Container['item']): Container => ({
  head: '',
  between: '',
  tail: '',
  item: (text, truth) => `${item(text, truth)}\n`,
})

const ENTRY_PAGE = array('{"entries":[', ']}')
const ENTRY_ARRAY = array('[', ']')
const CONTAINERS: Readonly<Record<Exclude<Road, 'entries'>, Container>> = {
  eventhub: array('{"records":[', ']}'),
  'log-analytics': array('[', ']'),
  graph: array('{"@odata.context":"https://graph.microsoft.com/beta/$metadata#auditLogs/signIns","value":[', ']}'),
  s3: array('{"Records":[', ']}'),
  lookup: lines(lookupItem),
  eventbridge: lines(eventBridgeItem),
  invocation: lines(same),
  gcs: lines(same),
  pubsub: lines(pubSubItem),
  api: lines(same),
}

/** The container of a file. `entries` files come in both shapes that tools write: an API page, and the bare array of `gcloud` and the Logs Explorer. */
export function wrap(road: Road, file: string): Container {
  if (road !== 'entries') return CONTAINERS[road]
  return Number(/entries-(\d+)/.exec(file)?.[1] ?? 0) % 2 === 0 ? ENTRY_PAGE : ENTRY_ARRAY
}

interface TrailFields {
  readonly eventID: string
  readonly eventName: string
  readonly eventTime: string
  readonly eventSource: string
  readonly awsRegion: string
  readonly readOnly: boolean
  readonly recipientAccountId: string
  readonly userIdentity: {
    readonly accessKeyId?: string
    readonly userName?: string
    readonly principalId?: string
  }
}

function lookupItem(text: string): string {
  const record = JSON.parse(text) as TrailFields
  const { userIdentity } = record
  return JSON.stringify({
    EventId: record.eventID,
    EventName: record.eventName,
    ReadOnly: String(record.readOnly),
    ...(userIdentity.accessKeyId ? { AccessKeyId: userIdentity.accessKeyId } : {}),
    EventTime: record.eventTime,
    EventSource: record.eventSource,
    Username: userIdentity.userName ?? userIdentity.principalId?.split(':')[1] ?? '',
    Resources: [],
    CloudTrailEvent: text,
  })
}

function eventBridgeItem(text: string): string {
  const record = JSON.parse(text) as TrailFields
  const head = {
    version: '0',
    id: record.eventID.split('-').reverse().join('-'),
    'detail-type': 'AWS API Call via CloudTrail',
    source: `aws.${record.eventSource.split('.')[0]}`,
    account: record.recipientAccountId,
    time: record.eventTime,
    region: record.awsRegion,
    resources: [],
  }
  return `${JSON.stringify(head).slice(0, -1)},"detail":${text}}`
}

function pubSubItem(text: string, truth: Truth): string {
  const project = /^projects\/([^/]+)/.exec((JSON.parse(text) as { readonly logName: string }).logName)?.[1] ?? ''
  return JSON.stringify({
    message: {
      attributes: { 'logging.googleapis.com/timestamp': truth.time },
      data: Buffer.from(text).toString('base64'),
      // Any number that is the message's own serves; a record delivered twice is published twice and keeps it here.
      messageId: String(Number.parseInt(truth.nativeId.slice(0, 10), 36)),
      publishTime: truth.time,
    },
    subscription: `projects/${project}/subscriptions/audit-export`,
  })
}
