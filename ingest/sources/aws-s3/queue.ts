import { DeleteMessageBatchCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import type { Message, SQSClient } from '@aws-sdk/client-sqs'
import { z } from 'zod'
import type { Json } from '#core/record.ts'
import { isBodyObject } from '../../bodies.ts'
import { SourceError } from '../../engine/source-error.ts'
import type { Gap, Page, Piece } from '../../engine/source.ts'
import { parseKey } from './key.ts'
import { readNotice } from './notification.ts'
import { DELIVERY_MS, nanos, objectPiece, tellBodies } from './objects.ts'
import type { Bucket } from './objects.ts'

export interface Queue {
  readonly url: string
  readonly client: Pick<SQSClient, 'send'>
  /** Seconds a call waits for messages. */
  readonly waitSeconds: number
  /** Seconds until an unacknowledged message comes again. */
  readonly visibilitySeconds: number
}

/** The queue is the real cursor; kept is only how new the files were. */
const Cursor = z.object({ newest: z.number().nullable() })
const MESSAGES = 10

/** Reads the objects that the messages name until the queue is empty. A message is deleted after the delivery of its objects, so a crash brings it again. */
export async function* pollQueue(bucket: Bucket, queue: Queue, stored: Json | null, signal: AbortSignal): AsyncGenerator<Page, void, void> {
  let newest = stored === null ? null : Cursor.parse(stored).newest
  let bodies = 0
  for (;;) {
    const { Messages: messages = [] } = await queue.client.send(
      new ReceiveMessageCommand({
        QueueUrl: queue.url,
        MaxNumberOfMessages: MESSAGES,
        WaitTimeSeconds: queue.waitSeconds,
        VisibilityTimeout: queue.visibilitySeconds,
      }),
      { abortSignal: signal },
    )
    if (messages.length === 0) {
      tellBodies(bucket, bodies)
      yield { pieces: [], cursor: { newest }, watermark: newest === null ? null : nanos(newest - DELIVERY_MS) }
      return
    }
    const gaps: Gap[] = []
    const keys = new Set<string>()
    const pieces: Piece[] = []
    for (const { Body = '' } of messages) {
      const notice = readNotice(Body)
      // Anybody who may send to the queue could otherwise make the collector read any bucket that its credentials reach.
      const foreign = notice?.objects.some((object) => object.bucket !== bucket.bucket) ?? true
      if (foreign)
        pieces.push({
          where: `sqs:${queue.url}`,
          refused: Body,
          reason: notice === null ? 'no notification of a new object' : `a notification of another bucket than ${bucket.bucket}`,
        })
      for (const object of notice?.objects ?? []) {
        if (object.bucket === bucket.bucket && isBodyObject(object.key)) bodies++
        if (object.bucket === bucket.bucket && object.key.startsWith(bucket.prefix) && parseKey(object.key) !== null) keys.add(object.key)
      }
    }
    for (const key of keys) {
      newest = Math.max(newest ?? 0, parseKey(key)?.deliveredMs ?? 0)
      pieces.push(objectPiece(bucket, key, gaps, signal))
    }
    yield { pieces, cursor: { newest }, watermark: null, gaps, acknowledge: () => remove(queue, messages) }
  }
}

async function remove({ client, url }: Queue, messages: readonly Message[]): Promise<void> {
  const Entries = messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }))
  // Not under the signal to stop: what is delivered should not come again.
  const { Failed = [] } = await client.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries }), { abortSignal: AbortSignal.timeout(10_000) })
  if (Failed.length > 0)
    throw new SourceError('SOURCE_PARTIAL', `${Failed.length} messages of ${url} were not deleted (${Failed[0]?.Code ?? 'no reason'}): they will come again`)
}
