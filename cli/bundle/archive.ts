/** An evidence bundle as a zip file: its seal over all bytes, and its entries as they stand in it. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { openPromise } from 'yauzl'
import type { Entry, ZipFile } from 'yauzl'
import { COMMENT_LENGTH, commentOf } from '#api/exports/bundle/format.ts'

/** Hash of the whole file, and whether the comment at its end holds the hash of all bytes before it. */
export async function fileSeal(path: string): Promise<{ readonly sha256: string; readonly sealed: boolean }> {
  const { size } = await stat(path)
  const whole = createHash('sha256')
  const body = createHash('sha256')
  const end = Math.max(0, size - COMMENT_LENGTH)
  let position = 0
  for await (const part of createReadStream(path) as AsyncIterable<Buffer>) {
    whole.update(part)
    body.update(part.subarray(0, Math.max(0, end - position)))
    position += part.length
  }
  const comment = Buffer.alloc(Math.min(size, COMMENT_LENGTH))
  const file = await open(path)
  try {
    await file.read(comment, 0, comment.length, end)
  } finally {
    await file.close()
  }
  return { sha256: whole.digest('hex'), sealed: comment.equals(Buffer.from(commentOf(body.digest('hex')), 'latin1')) }
}

export interface Archive {
  /** Names as they stand in the directory, in its order; the same name may stand there twice. */
  readonly names: readonly string[]
  /** The bytes of the n-th entry. Several may be read at once. Throws what is wrong with it. */
  readonly bytes: (index: number) => AsyncGenerator<Buffer>
  readonly close: () => void
}

/** Opens a zip. Throws when its directory cannot be read. */
export async function openArchive(path: string): Promise<Archive> {
  const zip = await openPromise(path, { lazyEntries: true, decodeStrings: false, autoClose: false })
  try {
    const entries: Entry[] = []
    for await (const entry of zip.eachEntry()) entries.push(entry)
    return { names: entries.map((entry) => entry.fileNameRaw.toString('utf8')), bytes: (index) => bytesOf(zip, entries[index]!), close: () => zip.close() }
  } catch (error) {
    zip.close()
    throw error
  }
}

async function* bytesOf(zip: ZipFile, entry: Entry): AsyncGenerator<Buffer> {
  if (entry.isEncrypted()) throw new Error('it is encrypted')
  const stream = await zip.openReadStreamPromise(entry)
  let checksum = 0
  for await (const part of stream as AsyncIterable<Buffer>) {
    checksum = crc32(part, checksum)
    yield part
  }
  if (checksum !== entry.crc32) throw new Error('its checksum does not fit')
}
