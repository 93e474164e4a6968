import { createGunzip, createInflateRaw } from 'node:zlib'
import type { Gunzip, InflateRaw } from 'node:zlib'

/** Compressed bytes fed at a time: at deflate's best ratio (1:1032) that makes 16 MiB, so a bomb stays small in memory. */
const SLICE = 16 * 1024

/** Gunzips a stream, all members of it. See `pump`. Throws when it is cut or damaged, and when something else follows it. */
export async function* gunzip(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const zlib = createGunzip({ chunkSize: 256 * 1024 })
  const fed = { bytes: 0, rest: false }
  yield* pump(zlib, source, fed)
  // Node stops at the first byte that begins no further member. Zeros are the usual padding (tar, tapes); anything else was data.
  if (fed.rest) throw new Error(`bytes that are no gzip data follow after ${zlib.bytesWritten} compressed bytes`)
}

/** Inflates the data of a zip entry. Throws when it is cut or damaged. */
export async function* inflateRaw(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield* pump(createInflateRaw({ chunkSize: 256 * 1024 }), source, { bytes: 0, rest: false })
}

/**
 * Yields everything that could be decompressed before it throws. (Iterating over the zlib stream itself drops what it has buffered as
 * soon as it fails, so the end of a cut file would be lost although it is intact.)
 */
async function* pump(zlib: Gunzip | InflateRaw, source: AsyncIterable<Buffer>, fed: { bytes: number; rest: boolean }): AsyncGenerator<Buffer> {
  const ready: Buffer[] = []
  let failure: Error | null = null
  const ended = new Promise<void>((resolve) => {
    zlib.on('data', (chunk: Buffer) => ready.push(chunk))
    zlib.on('error', (error: Error) => {
      failure = error
      resolve()
    })
    zlib.on('end', resolve)
  })
  const check = (): void => {
    if (failure)
      throw new Error(failure.message === 'unexpected end of file' ? 'the compressed data is cut off' : `the compressed data is damaged (${failure.message})`, {
        cause: failure,
      })
  }
  try {
    for await (const chunk of source) {
      for (let at = 0; at < chunk.length; at += SLICE) {
        const slice = chunk.subarray(at, at + SLICE)
        fed.bytes += slice.length
        await Promise.race([new Promise<void>((resolve) => zlib.write(slice, () => resolve())), ended])
        yield* ready.splice(0)
        check()
        const unread = fed.bytes - zlib.bytesWritten
        if (unread > 0 && slice.subarray(Math.max(0, slice.length - unread)).some((byte) => byte !== 0)) fed.rest = true
      }
    }
    zlib.end()
    await ended
    yield* ready.splice(0)
    check()
  } finally {
    zlib.destroy()
  }
}
