import { GetObjectCommand } from '@aws-sdk/client-s3'
import type { S3Client } from '@aws-sdk/client-s3'
import { BODY_REASON } from '../../bodies.ts'
import { SourceError } from '../../engine/source-error.ts'
import type { Gap, Piece, SourceContext } from '../../engine/source.ts'
import { parseKey } from './key.ts'

/** A bucket and how it is read. */
export interface Bucket {
  readonly bucket: string
  /** Folder inside the bucket, ending in `/`, or empty. */
  readonly prefix: string
  readonly client: Pick<S3Client, 'send'>
  readonly context: Pick<SourceContext, 'now' | 'log'>
}

/**
 * CloudTrail delivers about 5 minutes after an event on average; in a real set 10 minutes were the longest. Promised is nothing. So a file is taken to complete
 * what happened a quarter of an hour before it, and objects are looked for an hour back.
 */
export const DELIVERY_MS = 15 * 60_000

/** The object as a piece. One that is gone when its turn comes (a lifecycle rule, a clean-up) cannot be waited for: it becomes a gap, and the others go on. */
export function objectPiece({ bucket, client, context }: Bucket, key: string, gaps: Gap[], signal: AbortSignal): Piece {
  const where = `s3://${bucket}/${key}`
  return {
    where,
    async bytes() {
      try {
        const { Body, ContentLength } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: signal })
        return counted(Body as AsyncIterable<Buffer>, ContentLength ?? null, where)
      } catch (error) {
        if (!(error instanceof Error) || error.name !== 'NoSuchKey') throw error
        const delivered = parseKey(key)?.deliveredMs
        context.log('warn', 'object is gone', { key })
        if (delivered !== undefined) gaps.push({ from: nanos(delivered - DELIVERY_MS), until: nanos(delivered), reason: `gone before it was read: ${where}` })
        return nothing()
      }
    },
  }
}

/** A connection that ends early must not pass for a damaged file: the object is whole, and is asked for again. */
async function* counted(body: AsyncIterable<Buffer>, length: number | null, where: string): AsyncGenerator<Buffer> {
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    yield chunk
  }
  if (length !== null && bytes !== length) throw new SourceError('SOURCE_UNAVAILABLE', `${where}: the answer ended after ${bytes} of ${length} bytes`)
}

async function* nothing(): AsyncGenerator<Buffer> {}

const told = new WeakMap<Bucket, number>()

/** Says how many objects with prompts and completions were passed over; once, until the number changes: every listing goes an hour back. */
export function tellBodies(bucket: Bucket, objects: number): void {
  if (objects === 0 || told.get(bucket) === objects) return
  told.set(bucket, objects)
  bucket.context.log('info', `left out: ${BODY_REASON}`, { objects })
}

export const nanos = (millis: number): bigint => BigInt(millis) * 1_000_000n
