/** A zip archive as a stream, the same bytes for the same entries everywhere, that ends with the hash of itself. */
import { createHash } from 'node:crypto'
import { Readable, Transform } from 'node:stream'
import { ZipFile } from 'yazl'
import { COMMENT_LENGTH, commentOf } from './format.ts'

export interface ZipPart {
  readonly name: string
  /** Read once, when those before it are written. */
  readonly content: () => AsyncIterable<string | Buffer>
}

/**
 * The archive. An error of a part destroys the stream.
 * @param tell gets the SHA-256 of the whole archive, in hexadecimal, before its last byte is read
 */
export function zipStream(parts: readonly ZipPart[], tell: (sha256: string) => void = () => undefined): Readable {
  const zip = new ZipFile()
  const sealed = withHashInComment(tell)
  // A local time, which is what the format stores: the same digits in every zone.
  const options = { mtime: new Date(1980, 0, 1), forceDosTimestamp: true, mode: 0o100600 }
  for (const { name, content } of parts) {
    zip.addReadStreamLazy(name, options, (give) => {
      const stream = Readable.from(content(), { objectMode: false })
      stream.on('error', (error: Error) => sealed.destroy(error))
      give(null, stream)
    })
  }
  zip.end({ comment: commentOf('0'.repeat(64)), forceZip64Format: false })
  const output = zip.outputStream as Readable
  output.on('error', (error: Error) => sealed.destroy(error))
  // A reader who leaves stops the archive, and with it the part that is being read.
  sealed.on('close', () => output.destroy())
  output.pipe(sealed)
  return sealed
}

/** Passes everything through but the comment, which is put in when the hash of what is before it is known. */
function withHashInComment(tell: (sha256: string) => void): Transform {
  const hash = createHash('sha256')
  let held: Buffer = Buffer.alloc(0)
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
      const ready = held.subarray(0, Math.max(0, held.length - COMMENT_LENGTH))
      held = held.subarray(ready.length)
      hash.update(ready)
      done(null, ready)
    },
    flush(done) {
      const comment = Buffer.from(commentOf(hash.copy().digest('hex')), 'latin1')
      tell(hash.update(comment).digest('hex'))
      done(null, comment)
    },
  })
}
