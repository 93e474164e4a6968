/** The three clouds as local servers that hold one world, and the configuration that collects from them. */
import { gzipSync } from 'node:zlib'
import { queueMessage, startFakeAws } from '../clouds/aws.ts'
import type { FakeAws } from '../clouds/aws.ts'
import { startFakeMonitor } from '../clouds/azure.ts'
import type { FakeMonitor } from '../clouds/azure.ts'
import { startFakeLogging } from '../clouds/gcp.ts'
import type { FakeLogging } from '../clouds/gcp.ts'
import { freePort } from './free-port.ts'
import { HUBS, createHubSender } from './hubs.ts'
import type { Hub } from './hubs.ts'
import { startPusher } from './pusher.ts'
import type { Pusher } from './pusher.ts'
import { DAY_MS, WORLD_DAYS } from './world.ts'
import type { Delivery, World } from './world.ts'

export interface Clouds {
  readonly aws: FakeAws
  readonly monitor: FakeMonitor
  readonly logging: FakeLogging
  readonly pubsub: Pusher
  /** For `trailjoin.yaml` (JSON is YAML), and the secrets that it refers to. */
  readonly configuration: string
  readonly secrets: Readonly<Record<string, string>>
  /** Of the configuration: whose status counts. */
  readonly sources: readonly string[]
  /**
   * What is delivered as it comes (objects of the bucket, notifications, pushes, event hubs) up to this share of the world (0 to 1). What collectors ask for (the
   * event history, Log Analytics, Cloud Logging) is there from the beginning, and the quotas spread it.
   */
  release(share: number): Promise<void>
  send(hub: Hub, messages: readonly string[]): Promise<void>
  /** Whether pull APIs throttle everything, and the senders hold. */
  throttle(on: boolean): void
  close(): Promise<void>
}

const TRAIL = 'company-trail'
const BEDROCK = 'bedrock-logs'
const QUEUE = 'bedrock-objects'
const TOKEN = 'fake-token'
const PUSH_SECRET = 'push-secret-of-the-test'
/** Records in one message of an event hub. */
const HUB_RECORDS = 40

/** Starts the servers and fills them; nothing that is released has been yet. `broker` plays the event hubs' endpoint, their topics exist. */
export async function startClouds(world: World, brokers: readonly string[]): Promise<Clouds> {
  const [aws, monitor, logging] = await Promise.all([startFakeAws(), startFakeMonitor(TOKEN), startFakeLogging(TOKEN)])
  const pushPort = await freePort()
  const pubsub = startPusher(`http://127.0.0.1:${pushPort}/pubsub?token=${PUSH_SECRET}`)
  const hubs = createHubSender(brokers)
  const { deliveries } = world

  const accounts = new Map<string, Set<string>>()
  for (const { text } of deliveries.lookup) {
    const { recipientAccountId, awsRegion, eventTime, eventName, eventSource } = JSON.parse(text) as Readonly<Record<string, string>>
    accounts.set(recipientAccountId!, (accounts.get(recipientAccountId!) ?? new Set()).add(awsRegion!))
    aws.events.push({ account: recipientAccountId!, region: awsRegion!, time: Date.parse(eventTime!), name: eventName!, source: eventSource!, text })
  }
  for (const account of accounts.keys()) aws.accounts.set(`AKIA${account}`, account)
  aws.accounts.set('AKIABUCKETS', '000000000000')
  aws.buckets.set(TRAIL, new Map())
  aws.buckets.set(BEDROCK, new Map())
  aws.queues.set(QUEUE, [])

  const workspaces = new Set<string>()
  for (const { text, happenedAt, deliveredAt } of deliveries['log-analytics']) {
    const row = JSON.parse(text) as Readonly<Record<string, unknown>> & { readonly Type: string; readonly TenantId: string }
    const columns = world.columns.get(row.Type)!
    if (!workspaces.has(row.TenantId))
      for (const [table, names] of world.columns) monitor.table(row.TenantId, table, Object.fromEntries(names.map((name) => [name, 'string'])))
    workspaces.add(row.TenantId)
    // Azure keeps a row's own time only where it comes within two days of it.
    const ingested = Math.min(deliveredAt, happenedAt + DAY_MS)
    monitor.add(
      row.TenantId,
      row.Type,
      columns.map((name) => JSON.stringify(row[name])),
      ingested,
    )
  }
  const resources = new Set<string>()
  for (const { text } of deliveries.entries) {
    const resource = /^projects\/[^/]+/.exec((JSON.parse(text) as { readonly logName: string }).logName)![0]
    resources.add(resource)
    logging.add(resource, text)
  }

  const waiting: readonly Releasing[] = [
    releasing(objectsOf(deliveries.s3), (objects) => Promise.resolve(objects.forEach(([key, body]) => aws.buckets.get(TRAIL)!.set(key, body)))),
    releasing(objectsOf(deliveries.invocation), (objects) => {
      for (const [key, body] of objects) {
        aws.buckets.get(BEDROCK)!.set(key, body)
        aws.queues.get(QUEUE)!.push(queueMessage(noticeOf(key)))
      }
      return Promise.resolve()
    }),
    releasing(deliveries.pubsub, (entries) => Promise.resolve(pubsub.push(entries.map(envelopeOf)))),
    releasing(chunked(deliveries.eventhub), (messages) =>
      hubs.send(
        'insights-logs',
        messages.map((records) => `{"records":[${textsOf(records).join(',')}]}`),
      ),
    ),
    releasing(chunked(deliveries.api), (messages) =>
      hubs.send(
        'api-access',
        messages.map((records) => textsOf(records).join('\n')),
      ),
    ),
  ]

  const startDays = Math.ceil((Date.now() - world.start) / DAY_MS) + 1
  const reference = (name: string) => ({ env: name })
  const bucketKey = { accessKeyId: reference('BUCKET_KEY'), secretAccessKey: reference('AWS_SECRET') }
  const sources = [
    {
      kind: 'aws-cloudtrail-lookup',
      name: 'event-history',
      everySeconds: 5,
      startDays,
      endpoint: aws.url,
      accounts: [...accounts].map(([account, regions]) => ({
        account,
        regions: [...regions],
        credentials: { accessKeyId: reference(`KEY_${account}`), secretAccessKey: reference('AWS_SECRET') },
      })),
    },
    { kind: 'aws-s3', name: 'trail', everySeconds: 3, bucket: TRAIL, region: 'us-east-1', endpoint: aws.url, startDays, credentials: bucketKey },
    {
      kind: 'aws-s3',
      name: 'bedrock',
      everySeconds: 2,
      bucket: BEDROCK,
      region: 'us-east-1',
      endpoint: aws.url,
      credentials: bucketKey,
      queueUrl: `${aws.url}/000000000000/${QUEUE}`,
      waitSeconds: 0,
      // A collector that dies keeps its messages for so long.
      visibilitySeconds: 8,
    },
    {
      kind: 'entra-log-analytics',
      name: 'workspaces',
      everySeconds: 5,
      startDays,
      workspaces: [...workspaces],
      credential: { token: reference('AZURE_TOKEN') },
      endpoint: monitor.url,
    },
    { kind: 'entra-event-hubs', name: 'hubs', everySeconds: 1, namespace: 'company', hubs: HUBS, emulator: brokers[0], idleSeconds: 2 },
    {
      kind: 'gcp-logging',
      name: 'projects',
      everySeconds: 5,
      // Together: one read for all.
      resources: [{ name: 'all', resources: [...resources] }],
      startDays: Math.max(WORLD_DAYS, startDays),
      credentials: { token: reference('GCP_TOKEN') },
      endpoint: logging.url,
    },
    {
      kind: 'gcp-pubsub-push',
      name: 'push',
      everySeconds: 1,
      listen: { host: '127.0.0.1', port: pushPort },
      auth: { token: reference('PUSH_SECRET') },
      idleSeconds: 2,
    },
  ]
  return {
    aws,
    monitor,
    logging,
    pubsub,
    configuration: JSON.stringify({ sources }, null, 1),
    secrets: {
      ...Object.fromEntries([...accounts.keys()].map((account) => [`KEY_${account}`, `AKIA${account}`])),
      BUCKET_KEY: 'AKIABUCKETS',
      AWS_SECRET: 'fake',
      AZURE_TOKEN: TOKEN,
      GCP_TOKEN: TOKEN,
      PUSH_SECRET,
    },
    sources: sources.map(({ name }) => name),
    async release(share) {
      for (const each of waiting) await each(share)
    },
    send: (hub, messages) => hubs.send(hub, messages),
    throttle(on) {
      aws.throttling = on
      logging.throttling = on
      monitor.throttled.clear()
      if (on) for (const table of world.columns.keys()) monitor.throttled.add(table)
      pubsub.holding = on
    },
    async close() {
      await pubsub.close()
      await hubs.close()
      await Promise.all([aws.close(), monitor.close(), logging.close()])
    },
  }
}

type Releasing = (share: number) => Promise<void>

/** Gives out a list from its front, up to the share that is asked for. */
function releasing<Item>(items: readonly Item[], give: (items: readonly Item[]) => Promise<void>): Releasing {
  let given = 0
  return async (share) => {
    const until = Math.max(given, Math.ceil(items.length * share))
    const next = items.slice(given, until)
    given = until
    if (next.length > 0) await give(next)
  }
}

/** Objects of a bucket in the order of their delivery, compressed as the service compresses them. */
function objectsOf(deliveries: readonly Delivery[]): readonly (readonly [key: string, body: Buffer])[] {
  const files = Map.groupBy(deliveries, ({ file }) => file.replace(/^s3\//, ''))
  return [...files]
    .map(([key, records]) => {
      const texts = textsOf(records)
      return [key, gzipSync(key.includes('/CloudTrail/') ? `{"Records":[${texts.join(',')}]}` : texts.join('\n'))] as const
    })
    .toSorted(([a], [b]) => (timeOf(a) < timeOf(b) ? -1 : 1))
}

/** `20260918T0600` of a key of either kind. */
const timeOf = (key: string): string => /\d{8}T\d{4}/.exec(key)?.[0] ?? ''

const textsOf = (records: readonly Delivery[]): string[] => records.map(({ text }) => text)

function chunked(records: readonly Delivery[]): readonly (readonly Delivery[])[] {
  return Array.from({ length: Math.ceil(records.length / HUB_RECORDS) }, (_, at) => records.slice(at * HUB_RECORDS, (at + 1) * HUB_RECORDS))
}

/** An S3 event, as a bucket sends it to a queue. */
const noticeOf = (key: string): string =>
  JSON.stringify({ Records: [{ eventName: 'ObjectCreated:Put', s3: { bucket: { name: BEDROCK }, object: { key: encodeURIComponent(key) } } }] })

const envelopeOf = ({ text, deliveredAt }: Delivery): string => pushEnvelope(Buffer.from(text), deliveredAt)

/** A push of Pub/Sub. */
export function pushEnvelope(data: Buffer, publishedAt: number): string {
  return JSON.stringify({
    message: { data: data.toString('base64'), messageId: `${publishedAt}`, publishTime: new Date(publishedAt).toISOString() },
    subscription: 'projects/company/subscriptions/trailjoin',
  })
}
