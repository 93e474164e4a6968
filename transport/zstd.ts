import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

/** Level 1: log records shrink five- to ninefold already, and higher levels cost several times the processor time. */
const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** A batch is at most a few MiB; what says that it becomes more than this is no batch of ours. */
const LARGEST = 256 * 1024 * 1024

/** Zstandard in the shape that kafkajs asks for. The package `@kafkajs/zstd` does not compile on Node 24; Node brings zstd along. */
export const zstdCodec = {
  compress: ({ buffer }: { readonly buffer: Buffer }): Promise<Buffer> => compress(buffer, LEVEL),
  decompress: (buffer: Buffer): Promise<Buffer> => decompress(buffer, { maxOutputLength: LARGEST }),
}
