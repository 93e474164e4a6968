import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import { z } from 'zod'
import type { Json } from '#core/record.ts'
import { isBodyObject } from '../../bodies.ts'
import { SourceError } from '../../engine/source-error.ts'
import type { Gap, Page } from '../../engine/source.ts'
import { parseKey, SERVICES, startOf } from './key.ts'
import { DELIVERY_MS, nanos, objectPiece, tellBodies } from './objects.ts'
import type { Bucket } from './objects.ts'

const HOUR_MS = 60 * 60_000
/** Files appear with names up to some minutes older than the newest there is (they are named before they are written, and in no order within a minute). */
const OVERLAP_MS = HOUR_MS
/** Objects a page: the cursor moves after each page. */
const PAGE_OBJECTS = 20

/** By stream: the delivery time of the newest file read, and the keys read that are inside the overlap (below the stream), so that none is fetched twice. */
const Cursor = z.object({ streams: z.record(z.string(), z.object({ newest: z.number(), read: z.array(z.string()) })) })
type Streams = z.output<typeof Cursor>['streams']

/** Lists the bucket stream by stream (account, service, region) and yields what was not read yet, in the order of delivery. */
export async function* pollList(bucket: Bucket, startMs: number, stored: Json | null, signal: AbortSignal): AsyncGenerator<Page, void, void> {
  const begin = bucket.context.now()
  const streams: Streams = stored === null ? {} : structuredClone(Cursor.parse(stored).streams)
  let bodies = 0
  for (const stream of await findStreams(bucket, signal)) {
    // A stream that appears later is read from the same start as the others: its first files may be older than its discovery.
    const known = (streams[stream] ??= { newest: begin - startMs, read: [] })
    const read = new Set(known.read)
    let keys: string[] = []
    const page = (): Page => {
      const gaps: Gap[] = []
      const pieces = keys.map((key) => objectPiece(bucket, key, gaps, signal))
      for (const key of keys) {
        read.add(key.slice(stream.length))
        known.newest = Math.max(known.newest, parseKey(key)?.deliveredMs ?? 0)
      }
      keys = []
      const overlap = startOf(stream, known.newest - OVERLAP_MS)
      known.read = [...read].filter((name) => stream + name >= overlap)
      return { pieces, cursor: structuredClone({ streams }), watermark: null, gaps }
    }
    for await (const key of keysAfter(bucket, stream, startOf(stream, known.newest - OVERLAP_MS), signal)) {
      if (isBodyObject(key)) bodies++
      if (parseKey(key) === null || read.has(key.slice(stream.length))) continue
      keys.push(key)
      if (keys.length >= PAGE_OBJECTS) yield page()
    }
    if (keys.length > 0) yield page()
  }
  tellBodies(bucket, bodies)
  // Only a delivered file proves that delivery works; the clock alone would call a trail that was switched off complete.
  const newest = Math.max(
    ...Object.values(streams)
      .filter(({ read }) => read.length > 0)
      .map((stream) => stream.newest),
  )
  yield { pieces: [], cursor: { streams }, watermark: Number.isFinite(newest) ? nanos(Math.min(newest, begin) - DELIVERY_MS) : null }
}

/** The folders of logs that the bucket has: `AWSLogs/[o-org/]<account>/<service>/<region>/`. */
export async function findStreams(bucket: Bucket, signal: AbortSignal): Promise<readonly string[]> {
  const found: string[] = []
  const root = `${bucket.prefix}AWSLogs/`
  for (const account of await folders(bucket, root, signal)) {
    // An organisation's folder holds its accounts, and beside it the management account may have one of its own.
    const accounts = /\/o-[a-z0-9]+\/$/.test(account) ? await folders(bucket, account, signal) : [account]
    for (const folder of accounts) {
      for (const service of SERVICES) found.push(...(await folders(bucket, `${folder}${service}/`, signal)))
    }
  }
  return found
}

async function folders(bucket: Bucket, prefix: string, signal: AbortSignal): Promise<readonly string[]> {
  const found: string[] = []
  for await (const answer of answers(bucket, { Prefix: prefix, Delimiter: '/' }, signal))
    found.push(...(answer.CommonPrefixes ?? []).flatMap(({ Prefix }) => (Prefix ? [Prefix] : [])))
  return found
}

async function* keysAfter(bucket: Bucket, prefix: string, after: string, signal: AbortSignal): AsyncGenerator<string, void, void> {
  for await (const answer of answers(bucket, { Prefix: prefix, StartAfter: after }, signal)) {
    for (const { Key } of answer.Contents ?? []) if (Key !== undefined) yield Key
  }
}

async function* answers(
  { bucket, client }: Bucket,
  query: { readonly Prefix: string; readonly Delimiter?: string; readonly StartAfter?: string },
  signal: AbortSignal,
) {
  let token: string | undefined
  do {
    const answer = await client.send(new ListObjectsV2Command({ Bucket: bucket, ...query, ...(token === undefined ? {} : { ContinuationToken: token }) }), {
      abortSignal: signal,
    })
    yield answer
    if (answer.IsTruncated === true && !answer.NextContinuationToken)
      throw new SourceError('SOURCE_PARTIAL', `the listing of s3://${bucket}/${query.Prefix} is cut off without a token to go on`)
    token = answer.IsTruncated === true ? answer.NextContinuationToken : undefined
  } while (token !== undefined)
}
