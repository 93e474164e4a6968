/**
 * Every compression that a Kafka batch can have. kafkajs brings gzip alone; a topic's own setting (`compression.type`), or any other
 * producer, may choose one of the others.
 */
import { promisify } from 'node:util'
import { constants, gunzip, gzip, zstdCompress, zstdDecompress } from 'node:zlib'
import { lz4Compress, lz4Decompress, snappyCompress, snappyDecompress } from '@platformatic/wasm-utils'

/** In the shape that kafkajs asks for. */
export interface Codec {
  readonly compress: (encoder: { readonly buffer: Buffer }) => Promise<Buffer>
  readonly decompress: (buffer: Buffer) => Promise<Buffer>
}

/** A batch is at most a few MiB; what claims to become more than this was not written by us. */
const LARGEST = 256 * 1024 * 1024
const LIMIT = { maxOutputLength: LARGEST }
/** Level 1: log records shrink five- to ninefold already, and higher levels cost several times the processor time. */
const ZSTD_LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

const [zip, unzip, zstd, unzstd] = [promisify(gzip), promisify(gunzip), promisify(zstdCompress), promisify(zstdDecompress)]

/** The package `@kafkajs/zstd` does not compile on Node 24; Node brings zstd along. */
export const CODECS = {
  gzip: { compress: ({ buffer }) => zip(buffer), decompress: (buffer) => unzip(buffer, LIMIT) },
  snappy: { compress: ({ buffer }) => Promise.resolve(snappyCompress(buffer)), decompress: (buffer) => inWasm('Snappy', () => unsnappy(buffer)) },
  lz4: { compress: ({ buffer }) => Promise.resolve(lz4Compress(buffer)), decompress: (buffer) => inWasm('LZ4', () => lz4Decompress(buffer)) },
  zstd: { compress: ({ buffer }) => zstd(buffer, ZSTD_LEVEL), decompress: (buffer) => unzstd(buffer, LIMIT) },
} as const satisfies Readonly<Record<string, Codec>>

/** WebAssembly says "unreachable" for anything that it cannot read. */
function inWasm(name: string, read: () => Buffer): Promise<Buffer> {
  try {
    return Promise.resolve(read())
  } catch (cause) {
    return Promise.reject(cause instanceof WebAssembly.RuntimeError ? new Error(`the ${name} data is damaged`, { cause }) : (cause as Error))
  }
}

/** Java's producers write Snappy in blocks, behind a head of their own (xerial's snappy-java); librdkafka writes it bare. */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const XERIAL_HEAD = 16

function unsnappy(buffer: Buffer): Buffer {
  if (!buffer.subarray(0, XERIAL.length).equals(XERIAL)) return snappyBlock(buffer)
  const blocks: Buffer[] = []
  let total = 0
  for (let at = XERIAL_HEAD; at < buffer.length;) {
    const length = at + 4 <= buffer.length ? buffer.readUInt32BE(at) : Infinity
    if (at + 4 + length > buffer.length) throw new Error('the Snappy data ends inside a block')
    const block = snappyBlock(buffer.subarray(at + 4, at + 4 + length))
    total += block.length
    if (total > LARGEST) throw new Error(`the Snappy data becomes more than ${LARGEST} bytes`)
    blocks.push(block)
    at += 4 + length
  }
  return Buffer.concat(blocks)
}

/** A block begins with its size, as a number of seven bits a byte. */
function snappyBlock(block: Buffer): Buffer {
  let size = 0
  for (let index = 0; index < 5; index++) {
    const byte = block[index] ?? 0
    size += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) break
  }
  if (size > LARGEST) throw new Error(`the Snappy data becomes ${size} bytes`)
  return snappyDecompress(block)
}
