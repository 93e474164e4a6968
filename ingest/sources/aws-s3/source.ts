import { S3Client } from '@aws-sdk/client-s3'
import { SQSClient } from '@aws-sdk/client-sqs'
import { z } from 'zod'
import type { Collector, Source } from '../../engine/source.ts'
import { awsCredentials, awsRegion, clientConfig, endpoint, timeoutSeconds } from '../aws/client.ts'
import { awsError } from '../aws/errors.ts'
import { refusePlainHttp } from '../aws/plain-http.ts'
import { awsRole } from '../aws/role.ts'
import { checkBucket, checkQueue } from './check.ts'
import { pollList } from './list.ts'
import type { Bucket } from './objects.ts'
import { pollQueue } from './queue.ts'
import type { Queue } from './queue.ts'

const settings = z
  .strictObject({
    bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'is no bucket name: write it without s3:// and without a folder'),
    region: awsRegion,
    /** Folder in front of `AWSLogs/`. */
    prefix: z
      .string()
      .regex(/^[^/].*[^/]$|^$/, 'must neither begin nor end with /')
      .default(''),
    credentials: awsCredentials,
    role: awsRole,
    /** Queue of the bucket's notifications: then it is read in the place of listing the bucket. */
    queueUrl: endpoint,
    waitSeconds: z.int().min(0).max(20).default(20),
    /** Longer than it takes to deliver ten messages' objects; else they come again while they are still being read. */
    visibilitySeconds: z.int().min(1).max(43_200).default(900),
    /** List the bucket. Beside a queue: for what lay there before the queue did. */
    list: z.boolean().optional(),
    /** How far back the first listing reaches. */
    startDays: z.number().positive().default(7),
    timeoutSeconds,
    endpoint,
  })
  .superRefine(({ list, queueUrl }, context) => {
    if (list === false && queueUrl === undefined)
      context.addIssue({ code: 'custom', path: ['list'], message: 'is false and there is no queueUrl: nothing would be read' })
  })

const source: Source<z.output<typeof settings>> = {
  kind: 'aws-s3',
  description: 'CloudTrail trails and Bedrock model-invocation logs in a bucket, by listing it or by its notifications in an SQS queue',
  settings,
  open(
    {
      bucket: name,
      region,
      prefix,
      credentials,
      role,
      queueUrl,
      waitSeconds,
      visibilitySeconds,
      list = queueUrl === undefined,
      startDays,
      endpoint: address,
      timeoutSeconds: seconds,
    },
    context,
  ) {
    // A bucket in the path in the place of one in the host name: what local servers understand.
    const client = refusePlainHttp(
      new S3Client({
        ...clientConfig({ region, credentials, role, endpoint: address, timeoutSeconds: seconds }, context),
        forcePathStyle: address !== undefined,
      }),
    )
    const bucket: Bucket = { bucket: name, prefix: prefix === '' ? '' : `${prefix}/`, client, context }
    const collectors: Collector[] = []
    if (list) {
      collectors.push({
        part: 'list',
        poll: (cursor, signal) => pollList(bucket, startDays * 24 * 3_600_000, cursor, signal),
        check: (signal) => checkBucket(bucket, signal),
        classify: (error) => awsError(error, `s3://${name}`),
      })
    }
    if (queueUrl !== undefined) {
      const sqs = refusePlainHttp(
        new SQSClient(clientConfig({ region, credentials, role, endpoint: new URL(queueUrl).origin, timeoutSeconds: seconds }, context)),
      )
      const queue: Queue = { url: queueUrl, client: sqs, waitSeconds, visibilitySeconds }
      collectors.push({
        part: 'queue',
        poll: (cursor, signal) => pollQueue(bucket, queue, cursor, signal),
        check: async (signal) => [...(list ? [] : await checkBucket(bucket, signal)), ...(await checkQueue(queue, signal))],
        classify: (error) => awsError(error, `s3://${name} by ${queueUrl}`),
        close: () => sqs.destroy(),
      })
    }
    return collectors
  },
}

export default source
