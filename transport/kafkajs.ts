/**
 * kafkajs with one part replaced: how it reads a batch of a log. As published (2.2.4, its last release), one batch that cannot be read
 * makes every fetch of its partition fail, for ever, together with the batches beside it. Here such a batch becomes a single message,
 * at its last offset, that says so (`unreadableBatch`); the consumer sets it aside and the partition goes on (docs/adr/0040).
 */
import { createRequire } from 'node:module'
import { crc32c } from '@platformatic/wasm-utils'
import type { KafkaMessage } from 'kafkajs'
import { CODECS } from './codecs.ts'

/** A batch that could not be read, as it lies in the log. */
export interface UnreadableBatch {
  readonly reason: string
  readonly firstOffset: bigint
  readonly lastOffset: bigint
  /** Of the first and the last message, as the producer or the broker wrote them; milliseconds since 1970. */
  readonly firstMs: number
  readonly lastMs: number
  /** The whole batch, from its first offset on (Kafka's record batch, version 2). */
  readonly bytes: Buffer
}

/** kafkajs' own reader of a message fetch: holds the buffer and the place in it. */
interface Decoder {
  readonly buffer: Buffer
  readonly offset: number
  forward(bytes: number): void
}
type DecodeBatch = (decoder: Decoder) => Promise<{ readonly records: readonly KafkaMessage[] }>

const require = createRequire(import.meta.url)
const DECODER = require.resolve('kafkajs/src/protocol/recordBatch/v0/decoder')
const NewDecoder = require('kafkajs/src/protocol/decoder') as new (buffer: Buffer) => Decoder
const decodeBatch = require(DECODER) as DecodeBatch

/** Where the fields of a batch lie, in bytes from its start (kafka.apache.org, "Record Batch"). */
const AT = { length: 8, crc: 17, attributes: 21, lastOffsetDelta: 23, firstMs: 27, lastMs: 35, records: 61 } as const
/** Bytes before what `length` counts. */
const HEAD = 12
const CODEC_BITS = 7
const CODEC_NAMES = ['none', 'gzip', 'Snappy', 'LZ4', 'zstd']
/** A batch whose checksum is wrong is fetched again this many times: it may have been damaged on the way. */
const TRIES = 3

const unreadable = new WeakMap<KafkaMessage, UnreadableBatch>()
const failures = new Map<string, number>()

/** What a message stands for when it stands for a batch that could not be read; null for an ordinary message. */
export const unreadableBatch = (message: KafkaMessage): UnreadableBatch | null => unreadable.get(message) ?? null

/** Reads one batch, as the dead-letter topic keeps it. @throws Error when it still cannot be read */
export async function readBatch(bytes: Buffer): Promise<readonly KafkaMessage[]> {
  const { records } = await decodeBatch(new NewDecoder(bytes))
  return records
}

async function decodeOrSetAside(decoder: Decoder): ReturnType<DecodeBatch> {
  const start = decoder.offset
  const length = decoder.buffer.length - start < AT.records ? Infinity : decoder.buffer.readInt32BE(start + AT.length)
  const bytes = decoder.buffer.subarray(start, start + HEAD + length)
  // The end of a fetch may hold a part of a batch: kafkajs knows what to do.
  if (bytes.length < HEAD + length) return decodeBatch(decoder)
  try {
    if (crc32c(bytes.subarray(AT.attributes)) !== bytes.readUInt32BE(AT.crc)) throw new WrongChecksum()
    return await decodeBatch(decoder)
  } catch (error) {
    if (error instanceof WrongChecksum && comesAgain(bytes)) throw error
    // The batch may have been read in part.
    decoder.forward(start + bytes.length - decoder.offset)
    return { records: [standIn(bytes, reasonOf(error, bytes))] }
  }
}

class WrongChecksum extends Error {
  override readonly name = 'WrongChecksum'
  constructor() {
    super('its checksum is wrong')
  }
}

function comesAgain(bytes: Buffer): boolean {
  const id = `${bytes.readBigInt64BE(0)} ${bytes.readUInt32BE(AT.crc)} ${bytes.length}`
  const tries = (failures.get(id) ?? 0) + 1
  if (tries < TRIES) {
    failures.set(id, tries)
    return true
  }
  failures.delete(id)
  return false
}

function reasonOf(error: unknown, bytes: Buffer): string {
  const codec = bytes.readInt16BE(AT.attributes) & CODEC_BITS
  if (codec >= CODEC_NAMES.length) return `it is compressed by a method (${codec}) that Kafka does not know`
  const message = error instanceof Error ? error.message : String(error)
  return codec === 0 || error instanceof WrongChecksum ? message : `${message} (${CODEC_NAMES[codec]})`
}

function standIn(bytes: Buffer, reason: string): KafkaMessage {
  const firstOffset = bytes.readBigInt64BE(0)
  const lastOffset = firstOffset + BigInt(bytes.readInt32BE(AT.lastOffsetDelta))
  const [firstMs, lastMs] = [Number(bytes.readBigInt64BE(AT.firstMs)), Number(bytes.readBigInt64BE(AT.lastMs))]
  const message = {
    key: null,
    value: Buffer.alloc(0),
    timestamp: String(lastMs),
    attributes: 0,
    offset: String(lastOffset),
    headers: {},
    // kafkajs asks these of every message of a fetch.
    isControlRecord: false,
    batchContext: { inTransaction: false },
  } as unknown as KafkaMessage
  // Copied: the batch lies in the buffer of a whole fetch.
  unreadable.set(message, { reason, firstOffset, lastOffset, firstMs, lastMs, bytes: Buffer.from(bytes) })
  return message
}

require.cache[DECODER]!.exports = decodeOrSetAside
// Loaded now, when its parts are in place.
const kafkajs = require('kafkajs') as typeof import('kafkajs')
const { CompressionTypes, CompressionCodecs } = kafkajs as typeof kafkajs & { CompressionCodecs: Record<number, () => unknown> }
CompressionCodecs[CompressionTypes.GZIP] = () => CODECS.gzip
CompressionCodecs[CompressionTypes.Snappy] = () => CODECS.snappy
CompressionCodecs[CompressionTypes.LZ4] = () => CODECS.lz4
CompressionCodecs[CompressionTypes.ZSTD] = () => CODECS.zstd
for (const unknown of [5, 6, 7])
  CompressionCodecs[unknown] = () => {
    throw new Error('unknown compression')
  }

export { CompressionTypes }
export const { Kafka, logLevel } = kafkajs
