import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { queueMessage, startFakeAws } from '../../../test/clouds/aws.ts'
import type { FakeAws, FaultKind } from '../../../test/clouds/aws.ts'
import { collection } from '../../engine/test-run.ts'
import type { TestCollection } from '../../engine/test-run.ts'
import source from './source.ts'

const NOW = Date.UTC(2026, 8, 2, 0, 30)
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const ACCOUNT = '111122223333'

let aws: FakeAws
let bucket: Map<string, Buffer>
let now: number

beforeEach(async () => {
  aws = await startFakeAws({ listPage: 3 })
  aws.accounts.set('AKIAONE', ACCOUNT)
  bucket = new Map()
  aws.buckets.set('trail', bucket)
  aws.queues.set('news', [])
  now = NOW
})
afterEach(() => aws.close())

const environment = { ID: 'AKIAONE', SECRET: 'x' }
const credentials = { accessKeyId: { env: 'ID' }, secretAccessKey: { env: 'SECRET' } }
const queueSettings = (): Record<string, unknown> => ({ queueUrl: `${aws.url}/${ACCOUNT}/news`, waitSeconds: 0, visibilitySeconds: 1, list: false })

function collect(changes: Record<string, unknown> = {}): TestCollection {
  return collection({
    source,
    settings: { bucket: 'trail', region: 'us-east-1', startDays: 1, timeoutSeconds: 0.3, credentials, endpoint: aws.url, ...changes },
    environment,
    now: () => now,
  })
}

let serial = 0

interface Delivery {
  readonly account?: string
  readonly region?: string
  readonly prefix?: string
  readonly suffix?: string
}

/** Puts a trail file with two records into the bucket; gives its key and its records. */
function deliver(time: number, { account = ACCOUNT, region = 'us-east-1', prefix = '', suffix = String(serial).padStart(16, 'A') }: Delivery = {}) {
  const iso = new Date(time).toISOString()
  const day = iso.slice(0, 10).replaceAll('-', '/')
  const stamp = iso.slice(0, 16).replaceAll(/[-:]/g, '')
  const key = `${prefix}AWSLogs/${account}/CloudTrail/${region}/${day}/${account}_CloudTrail_${region}_${stamp}Z_${suffix}.json.gz`
  const texts = [0, 1].map((at) => `{"eventID":"${key.length}-${serial++}-${at}","eventTime":"${iso.slice(0, 19)}Z","n":1.0}`)
  bucket.set(key, gzipSync(`{"Records":[${texts.join(',')}]}`))
  return { key, texts }
}

function invocation(time: number): { key: string; texts: readonly string[] } {
  const iso = new Date(time).toISOString()
  const folder = `AWSLogs/${ACCOUNT}/BedrockModelInvocationLogs/us-east-1/${iso.slice(0, 13).replaceAll('-', '/').replace('T', '/')}`
  const key = `${folder}/${iso.replaceAll(/[-:.]/g, '')}_0123456789abcdef.json.gz`
  const text = `{"schemaType":"ModelInvocationLog","requestId":"${serial++}","timestamp":"${iso}"}`
  bucket.set(key, gzipSync(`${text}\n`))
  return { key, texts: [text] }
}

const stored = async (run: TestCollection): Promise<bigint> => (await run.statuses()).reduce((sum, status) => sum + status.stored, 0n)
const textsOf = (...deliveries: readonly { readonly texts: readonly string[] }[]): readonly string[] => deliveries.flatMap(({ texts }) => texts).toSorted()
const gets = (): readonly string[] => aws.requests.filter(({ operation }) => operation === 'GetObject').map(({ detail }) => detail)

describe('listing the bucket', () => {
  test('reads trails and invocation logs of every account and region, over the days, each object once', async () => {
    const found = [
      ...Array.from({ length: 9 }, (_, at) => deliver(NOW - at * HOUR)),
      deliver(NOW - HOUR, { region: 'eu-central-1' }),
      deliver(NOW - HOUR, { account: '444455556666' }),
      deliver(NOW - HOUR, { account: 'o-abc123/444455556666'.split('/')[1]!, region: 'eu-west-1' }),
      invocation(NOW - HOUR),
      invocation(NOW - 2 * HOUR),
    ]
    const run = collect()
    expect((await run.poll())[0]?.error).toBeNull()
    expect(run.texts()).toEqual(textsOf(...found))
    const before = gets().length
    expect(before).toBe(found.length)
    await run.poll()
    expect(gets()).toHaveLength(before)
    expect((await run.statuses())[0]?.watermark).toBe(BigInt(NOW - 15 * MINUTE) * 1_000_000n)
  })

  test('reads the accounts of an organisation trail behind a prefix, and nothing outside of it', async () => {
    deliver(NOW - HOUR)
    const one = deliver(NOW - HOUR, { prefix: 'logs/' })
    const key = one.key.replace('AWSLogs/', 'AWSLogs/o-abc123def4/')
    bucket.set(key, bucket.get(one.key)!)
    bucket.delete(one.key)
    const run = collect({ prefix: 'logs' })
    await run.poll()
    expect(run.texts()).toEqual(textsOf(one))
    expect(run.sink.records[0]?.origin.file).toBe(`s3://trail/${key}`)
  })

  test('does not read digests, insights, bodies of invocations, permission checks and strangers', async () => {
    const good = [deliver(NOW - HOUR), invocation(NOW - HOUR)]
    const [trail, model] = good.map(({ key }) => key) as [string, string]
    for (const key of [
      trail.replace('/CloudTrail/', '/CloudTrail-Digest/'),
      trail.replace('/CloudTrail/', '/CloudTrail-Insight/'),
      model.replace(/\/([^/]+)$/, '/data/$1'),
      model.replace(/[^/]+$/, 'data/0a1b2c3d-1234-4aaa-8bbb-100000000001_input.json.gz'),
      `AWSLogs/${ACCOUNT}/BedrockModelInvocationLogs/amazon-bedrock-logs-permission-check`,
      `AWSLogs/${ACCOUNT}/CloudTrail/us-east-1/2026/09/02/notes.txt`,
      'AWSLogs/elasticloadbalancing/x.log',
    ]) {
      bucket.set(key, Buffer.from('{"secret":"prompt"}'))
    }
    const run = collect()
    await run.poll()
    expect(run.texts()).toEqual(textsOf(...good))
    expect(gets()).toHaveLength(2)
    // Not silently: somebody may look for them.
    expect(run.logged.filter((line) => line.includes('never read'))).toEqual([expect.stringContaining('"objects":1')])
  })

  test('a file that appears late under an older name is found', async () => {
    const run = collect()
    const early = deliver(NOW - 5 * MINUTE, { suffix: 'MMMMMMMMMMMMMMMM' })
    await run.poll()
    const sameMinute = deliver(NOW - 5 * MINUTE, { suffix: 'AAAAAAAAAAAAAAAA' })
    const older = deliver(NOW - 50 * MINUTE)
    const newer = deliver(NOW)
    now += 10 * MINUTE
    await run.poll()
    expect(run.texts()).toEqual(textsOf(early, sameMinute, older, newer))
    expect(await stored(run)).toBe(8n)
    expect(gets()).toHaveLength(4)
  })

  test('a trail that went silent does not look complete up to now', async () => {
    const run = collect()
    deliver(NOW - 2 * HOUR)
    await run.poll()
    now += 24 * HOUR
    await run.poll()
    expect((await run.statuses())[0]?.watermark).toBe(BigInt(NOW - 2 * HOUR - 15 * MINUTE) * 1_000_000n)
  })

  test('an object that is gone when its turn comes is a gap, and the others arrive', async () => {
    const gone = deliver(NOW - 2 * HOUR)
    const good = deliver(NOW - HOUR)
    const listed = new Map(bucket)
    // Listed, but not there any more: the listing of the fake reads the keys, the object is asked for afterwards.
    aws.buckets.set(
      'trail',
      new Proxy(listed, {
        get: (target, property) => {
          if (property === 'get') return (key: string) => (key === gone.key ? undefined : target.get(key))
          const value = Reflect.get(target, property) as unknown
          return typeof value === 'function' ? (value.bind(target) as unknown) : value
        },
      }),
    )
    const run = collect()
    expect((await run.poll())[0]?.error).toBeNull()
    expect(run.texts()).toEqual(textsOf(good))
    expect((await run.statuses())[0]?.gaps).toMatchObject([{ reason: `gone before it was read: s3://trail/${gone.key}` }])
  })

  test('damaged objects are kept as rejections with their reason, and their neighbours arrive', async () => {
    const good = deliver(NOW - HOUR)
    const cut = deliver(NOW - 2 * HOUR)
    bucket.set(cut.key, bucket.get(cut.key)!.subarray(0, 40))
    const image = deliver(NOW - 3 * HOUR)
    bucket.set(image.key, Buffer.from('89504e470d0a1a0a', 'hex'))
    const run = collect()
    expect((await run.poll())[0]?.error).toBeNull()
    expect(textsOf(good).every((text) => run.texts().includes(text))).toBe(true)
    expect(run.sink.rejections.map(({ origin, reason }) => [origin.file, reason])).toEqual([
      [`s3://trail/${image.key}`, 'not JSON: a PNG image'],
      [`s3://trail/${cut.key}`, expect.stringContaining('cut off')],
    ])
  })

  describe('each fault: nothing is lost, nothing is stored twice', () => {
    const kinds: readonly [FaultKind, string][] = [
      ['throttle', 'ListObjectsV2'],
      ['throttle', 'GetObject'],
      ['status-429', 'GetObject'],
      ['error-500', 'GetObject'],
      ['html-502', 'ListObjectsV2'],
      ['denied', 'GetObject'],
      ['hang', 'ListObjectsV2'],
      ['hang', 'GetObject'],
      ['cut', 'GetObject'],
      ['partial', 'ListObjectsV2'],
    ]
    test.each(kinds)(
      '%s of %s',
      async (kind, operation) => {
        const found = Array.from({ length: 30 }, (_, at) => deliver(NOW - at * 20 * MINUTE))
        aws.fault({ service: 's3', kind, operation, times: 4 })
        const run = collect()
        const [outcome] = await run.poll(20)
        expect(outcome?.error).toBeNull()
        expect(run.texts()).toEqual(textsOf(...found))
        expect(await stored(run)).toBe(60n)
        expect(run.sink.rejections).toEqual([])
        expect(aws.injected()).toBeGreaterThan(3)
      },
      30_000,
    )
  })

  test('a poll that fails in the middle goes on after the last page that was delivered', async () => {
    const found = Array.from({ length: 50 }, (_, at) => deliver(NOW - (50 - at) * 10 * MINUTE))
    const run = collect()
    const deliverToSink = run.sink.deliver.bind(run.sink)
    let deliveries = 0
    Object.assign(run.sink, {
      deliver: (...batch: Parameters<typeof deliverToSink>) => (++deliveries === 2 ? Promise.reject(new Error('away')) : deliverToSink(...batch)),
    })
    expect((await run.poll(1))[0]?.error?.message).toContain('away')
    const before = gets().length
    await run.poll()
    expect(run.texts()).toEqual(textsOf(...found))
    expect(gets().length - before).toBe(30)
  })
})

describe('the queue of the notifications', () => {
  const s3Event = (key: string, eventName = 'ObjectCreated:Put', name = 'trail'): string =>
    JSON.stringify({
      Records: [
        { eventVersion: '2.1', eventSource: 'aws:s3', eventName, s3: { bucket: { name }, object: { key: encodeURIComponent(key).replaceAll('%20', '+') } } },
      ],
    })
  const sns = (Message: string): string => JSON.stringify({ Type: 'Notification', MessageId: 'm', TopicArn: 'arn', Message })
  const send = (...bodies: readonly string[]): void => void aws.queues.get('news')!.push(...bodies.map(queueMessage))

  test('understands S3 events, SNS around them, the message of the trail, and EventBridge, and empties the queue', async () => {
    const found = Array.from({ length: 14 }, (_, at) => deliver(NOW - at * MINUTE))
    const [first, second, third, fourth, ...rest] = found
    send(
      s3Event(first!.key),
      sns(s3Event(second!.key)),
      sns(JSON.stringify({ s3Bucket: 'trail', s3ObjectKey: [third!.key] })),
      JSON.stringify({ 'detail-type': 'Object Created', detail: { bucket: { name: 'trail' }, object: { key: fourth!.key } } }),
      JSON.stringify({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'trail' }),
      s3Event('AWSLogs/gone', 'ObjectRemoved:Delete'),
      ...rest.map(({ key }) => s3Event(key)),
      s3Event(`AWSLogs/${ACCOUNT}/BedrockModelInvocationLogs/us-east-1/2026/09/02/00/data/0a1b2c3d-1234_output.json.gz`),
    )
    const run = collect(queueSettings())
    expect(await run.poll()).toMatchObject([{ part: 'queue', error: null }])
    expect(run.texts()).toEqual(textsOf(...found))
    expect(aws.queues.get('news')).toEqual([])
    expect(run.logged.filter((line) => line.includes('never read'))).toEqual([expect.stringContaining('"objects":1')])
    expect((await run.statuses())[0]?.watermark).toBe(BigInt(NOW - 15 * MINUTE) * 1_000_000n)
  })

  test('a message is deleted only after the delivery, and comes again after a crash', async () => {
    const found = deliver(NOW - HOUR)
    send(s3Event(found.key))
    const run = collect(queueSettings())
    const deliverToSink = run.sink.deliver.bind(run.sink)
    let away = true
    Object.assign(run.sink, { deliver: (...batch: Parameters<typeof deliverToSink>) => (away ? Promise.reject(new Error('away')) : deliverToSink(...batch)) })
    await run.poll(1)
    expect(aws.queues.get('news')).toHaveLength(1)
    expect(aws.requests.some(({ operation }) => operation === 'DeleteMessageBatch')).toBe(false)
    away = false
    await new Promise((resolve) => setTimeout(resolve, 1100))
    await run.poll()
    expect(run.texts()).toEqual(textsOf(found))
    expect(aws.queues.get('news')).toEqual([])
  })

  test('a message whose deletion fails comes again and is stored once', async () => {
    const found = deliver(NOW - HOUR)
    send(s3Event(found.key))
    aws.fault({ service: 'sqs', kind: 'error-500', operation: 'DeleteMessageBatch', times: 3 })
    const run = collect(queueSettings())
    await run.poll(1)
    await new Promise((resolve) => setTimeout(resolve, 1100))
    await run.poll()
    expect(aws.queues.get('news')).toEqual([])
    expect(run.sink.records).toHaveLength(4)
    expect(await stored(run)).toBe(2n)
  })

  test('a message of a stranger is kept as a rejection, never read for records, and no other bucket is touched', async () => {
    aws.buckets.set('other', new Map(bucket))
    const found = deliver(NOW - HOUR)
    const forged = '{"Records":[{"eventVersion":"1.08","eventSource":"sts.amazonaws.com","eventName":"AssumeRoleWithWebIdentity","eventID":"forged"}]}'
    send('not json', forged, s3Event(found.key, 'ObjectCreated:Put', 'other'), s3Event(found.key))
    const run = collect(queueSettings())
    await run.poll()
    expect(run.texts()).toEqual(textsOf(found))
    expect(run.sink.rejections.map(({ reason }) => reason).toSorted()).toEqual([
      'a notification of another bucket than trail',
      'no notification of a new object',
      'no notification of a new object',
    ])
    expect(gets().some((path) => path.startsWith('/other/'))).toBe(false)
    expect(aws.queues.get('news')).toEqual([])
  })

  test.each(['throttle', 'status-429', 'error-500', 'html-502', 'hang', 'denied'] as const)(
    '%s of ReceiveMessage loses nothing',
    async (kind) => {
      const found = Array.from({ length: 12 }, (_, at) => deliver(NOW - at * MINUTE))
      send(...found.map(({ key }) => s3Event(key)))
      aws.fault({ service: 'sqs', kind, operation: 'ReceiveMessage', times: kind === 'hang' ? 2 : 4 })
      const run = collect(queueSettings())
      expect((await run.poll(20))[0]?.error).toBeNull()
      expect(run.texts()).toEqual(textsOf(...found))
      expect(await stored(run)).toBe(24n)
    },
    30_000,
  )
})

describe('doctor', () => {
  test('tells which logs there are and how old the newest is', async () => {
    deliver(now - 7 * MINUTE)
    const findings = await collect({ ...queueSettings(), list: true }).check()
    expect(findings.map(({ check, level }) => [check, level])).toEqual([
      ['reachable', 'ok'],
      ['CloudTrail', 'ok'],
      ['BedrockModelInvocationLogs', 'warning'],
      ['newest', 'ok'],
      ['readable', 'ok'],
      ['queue', 'ok'],
    ])
    expect(findings[1]?.message).toBe(`found for ${ACCOUNT}/us-east-1`)
    expect(findings[3]?.message).toContain('7 minutes ago')
  })

  test('names the permission that is missing, the bucket that is not there, the wrong prefix', async () => {
    deliver(now - 7 * MINUTE)
    aws.fault({ service: 's3', kind: 'denied', operation: 'GetObject', times: 3 })
    expect((await collect().check()).at(-1)).toMatchObject({ check: 'readable', level: 'problem', next: expect.stringContaining('s3:GetObject') })
    expect(await collect({ bucket: 'nowhere' }).check()).toMatchObject([
      { check: 'reachable', level: 'problem', message: expect.stringContaining('NoSuchBucket') },
    ])
    expect(await collect({ prefix: 'wrong' }).check()).toContainEqual(expect.objectContaining({ check: 'CloudTrail', level: 'problem' }))
  })

  test('says which variable of a credential is missing', async () => {
    const run = collect({ credentials: { ...credentials, secretAccessKey: { env: 'NOT_SET' } } })
    expect(await run.check()).toMatchObject([{ level: 'problem', message: expect.stringContaining('the environment variable NOT_SET is not set') }])
  })
})
