/** Records that nobody can read, one or more in each source, among good ones. */
import { gzipSync } from 'node:zlib'
import { queueMessage } from '../clouds/aws.ts'
import { pushEnvelope } from './clouds.ts'
import type { Scene } from './scene.ts'

export interface Poison {
  readonly where: string
  /** The file of the rejection begins so. */
  readonly origin: string
  /** How many rejections it makes; 1 without it. */
  readonly count?: number
  put(scene: Scene): Promise<void>
}

/** CloudTrail without a time and without an id. */
const TIMELESS = '{"eventVersion":"1.10","eventSource":"sts.amazonaws.com","eventName":"AssumeRole","eventTime":"yesterday"}'
const STREAM = 'AWSLogs/999999999999'
const newest = (): string => new Date().toISOString().slice(0, 16).replaceAll(/[-:]/g, '')
const day = (): string => new Date().toISOString().slice(0, 10).replaceAll('-', '/')

export const POISON: readonly Poison[] = [
  {
    where: 'an event of the event history that is cut off',
    origin: 'aws:cloudtrail-lookup/',
    async put({ clouds }) {
      const neighbour = clouds.aws.events[0]!
      clouds.aws.events.push({ ...neighbour, time: Date.now(), text: '{"eventVersion":"1.10","userIdentity":{"type":' })
    },
  },
  {
    where: 'an object of the bucket that holds a record without a time',
    origin: 's3://company-trail/',
    async put({ clouds }) {
      const key = `${STREAM}/CloudTrail/us-east-1/${day()}/999999999999_CloudTrail_us-east-1_${newest()}Z_POISONPOISON0001.json.gz`
      clouds.aws.buckets.get('company-trail')!.set(key, gzipSync(`{"Records":[${TIMELESS}]}`))
    },
  },
  {
    where: 'an object of the bucket that is no gzip at all',
    origin: 's3://bedrock-logs/',
    async put({ clouds }) {
      const hour = new Date().toISOString().slice(11, 13)
      const key = `${STREAM}/BedrockModelInvocationLogs/us-east-1/${day()}/${hour}/${newest()}00000Z_POISONPOISON0002.json.gz`
      clouds.aws.buckets.get('bedrock-logs')!.set(key, Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 255, 254, 253, 252]))
      clouds.aws.queues
        .get('bedrock-objects')!
        .push(queueMessage(JSON.stringify({ Records: [{ eventName: 'ObjectCreated:Put', s3: { bucket: { name: 'bedrock-logs' }, object: { key } } }] })))
    },
  },
  {
    where: 'a message of the queue that is no notification',
    origin: 'sqs:',
    async put({ clouds }) {
      clouds.aws.queues.get('bedrock-objects')!.push(queueMessage('<hello>'))
    },
  },
  {
    where: 'a row of Log Analytics with fewer cells than columns',
    origin: 'entra:log-analytics/',
    async put({ clouds, stage }) {
      const row = stage.world.deliveries['log-analytics'].at(-1)!
      const { Type, TenantId } = JSON.parse(row.text) as { readonly Type: string; readonly TenantId: string }
      // A later row: what was read of the past is not asked for again.
      const ingested = Date.now() - 6 * 60_000
      clouds.monitor.add(TenantId, Type, [JSON.stringify(new Date(ingested).toISOString())], ingested)
    },
  },
  {
    where: 'an entry of Cloud Logging that is no object',
    origin: 'gcp:logging/',
    async put({ clouds, stage }) {
      const { text } = stage.world.deliveries.entries[0]!
      clouds.logging.add(/projects\/[^/]+/.exec(text)![0], '42')
    },
  },
  {
    where: 'a push whose data is no log entry',
    origin: 'gcp:pubsub/',
    async put({ clouds }) {
      clouds.pubsub.push([pushEnvelope(Buffer.from([0xff, 0x00, 0x7b]), Date.now())])
    },
  },
  {
    where: 'a message of an event hub that is no JSON, and a record in one without a time',
    origin: 'entra:event-hubs/',
    count: 2,
    async put({ clouds }) {
      await clouds.send('insights-logs', ['{"records":[{"category":', '{"records":[{"category":"ManagedIdentitySignInLogs","properties":{"id":"x"}}]}'])
    },
  },
  {
    where: 'a message on the topic of records that is no record',
    origin: 'kafka:records',
    async put({ stage }) {
      await stage.log.poison('no record')
    },
  },
]
