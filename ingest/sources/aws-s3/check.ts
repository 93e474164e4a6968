import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import type { Finding } from '../../engine/source.ts'
import { adviceFor, awsError } from '../aws/errors.ts'
import { parseKey, SERVICES, startOf } from './key.ts'
import { findStreams } from './list.ts'
import type { Bucket } from './objects.ts'
import type { Queue } from './queue.ts'

const DAY_MS = 24 * 3_600_000

/** Which logs lie in the bucket, for which accounts and regions; may they be listed and read? Reads one byte of one object. */
export async function checkBucket(bucket: Bucket, signal: AbortSignal): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  const problem = (error: unknown, check: string, permission: string): Finding => {
    signal.throwIfAborted()
    const failure = awsError(error, `s3://${bucket.bucket}`)
    return { check, level: 'problem', message: failure.message, next: adviceFor(failure, permission) }
  }
  let streams: readonly string[]
  try {
    streams = await findStreams(bucket, signal)
    findings.push({ check: 'reachable', level: 'ok', message: `s3://${bucket.bucket} can be listed`, next: null })
  } catch (error) {
    return [problem(error, 'reachable', `s3:ListBucket on arn:aws:s3:::${bucket.bucket}`)]
  }
  for (const service of SERVICES) {
    const mine = streams.filter((stream) => stream.includes(`/${service}/`))
    if (mine.length > 0) {
      const places = mine.map((stream) =>
        stream
          .split('/')
          .slice(-4, -1)
          .filter((part) => part !== service)
          .join('/'),
      )
      findings.push({ check: service, level: 'ok', message: `found for ${places.join(', ')}`, next: null })
    } else if (service === 'CloudTrail') {
      findings.push({
        check: service,
        level: 'problem',
        message: `no CloudTrail log below ${bucket.prefix}AWSLogs/`,
        next: 'Check bucket and prefix (the part in front of AWSLogs/), or switch on a trail that writes there.',
      })
    } else {
      findings.push({
        check: service,
        level: 'warning',
        message: 'no model-invocation log: calls are seen, tokens are not',
        next: "Switch on Bedrock's model invocation logging to this bucket, in every region with models.",
      })
    }
  }
  const newest = await newestKey(bucket, streams, signal).catch((error: unknown) => problem(error, 'newest', `s3:ListBucket on arn:aws:s3:::${bucket.bucket}`))
  if (newest === null) {
    if (streams.length > 0)
      findings.push({
        check: 'newest',
        level: 'warning',
        message: 'no file of the last two days',
        next: 'Check that the trail is switched on (aws cloudtrail get-trail-status).',
      })
    return findings
  }
  if (typeof newest !== 'string') return [...findings, newest]
  const minutes = Math.round((bucket.context.now() - (parseKey(newest)?.deliveredMs ?? 0)) / 60_000)
  findings.push({ check: 'newest', level: 'ok', message: `the newest file was delivered ${minutes} minutes ago`, next: null })
  try {
    const { Body } = await bucket.client.send(new GetObjectCommand({ Bucket: bucket.bucket, Key: newest, Range: 'bytes=0-0' }), { abortSignal: signal })
    await Body?.transformToByteArray()
    findings.push({ check: 'readable', level: 'ok', message: 'objects can be read', next: null })
  } catch (error) {
    findings.push(
      problem(error, 'readable', `s3:GetObject on arn:aws:s3:::${bucket.bucket}/* (and kms:Decrypt when the bucket is encrypted by a key of yours)`),
    )
  }
  return findings
}

/** The newest file of the last two days, of all streams. */
async function newestKey({ bucket, client, context }: Bucket, streams: readonly string[], signal: AbortSignal): Promise<string | null> {
  let newest: string | null = null
  for (const stream of streams) {
    const { Contents = [] } = await client.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: stream, StartAfter: startOf(stream, context.now() - 2 * DAY_MS) }),
      { abortSignal: signal },
    )
    for (const { Key = '' } of Contents) {
      const delivered = parseKey(Key)?.deliveredMs
      if (delivered !== undefined && (newest === null || delivered >= (parseKey(newest)?.deliveredMs ?? 0))) newest = Key
    }
  }
  return newest
}

/** Reachable and permitted? How much waits? */
export async function checkQueue(queue: Queue, signal: AbortSignal): Promise<readonly Finding[]> {
  try {
    const { Attributes = {} } = await queue.client.send(
      new GetQueueAttributesCommand({ QueueUrl: queue.url, AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] }),
      { abortSignal: signal },
    )
    const waiting = Attributes['ApproximateNumberOfMessages'] ?? 'an unknown number of'
    return [
      {
        check: 'queue',
        level: 'ok',
        message: `${waiting} messages wait, ${Attributes['ApproximateNumberOfMessagesNotVisible'] ?? 'an unknown number'} are being read`,
        next: null,
      },
    ]
  } catch (error) {
    signal.throwIfAborted()
    const failure = awsError(error, queue.url)
    return [
      {
        check: 'queue',
        level: 'problem',
        message: failure.message,
        next: adviceFor(failure, 'sqs:GetQueueAttributes, sqs:ReceiveMessage and sqs:DeleteMessage'),
      },
    ]
  }
}
