import { crc32 } from 'node:zlib'
import { fromBufferPromise, openPromise } from 'yauzl'
import type { Entry, ZipFile } from 'yauzl'
import { inflateRaw } from './inflate.ts'

/** One file inside a zip archive. `bytes` throws when the entry is encrypted, cut, damaged or stored in a way that is not understood. */
export interface ZipEntry {
  readonly name: string
  readonly bytes: AsyncIterable<Buffer>
}

/**
 * The files of an archive, one after the other; each must be read (or given up) before the next is asked for. `source` is a path, or
 * the whole archive in memory. Throws when the archive's directory cannot be read. Nothing is written to disk, so names need no guard.
 */
export async function* zipEntries(source: string | Buffer): AsyncGenerator<ZipEntry> {
  const options = { lazyEntries: true, decodeStrings: false, autoClose: true }
  const zip = typeof source === 'string' ? await openPromise(source, options) : await fromBufferPromise(source, options)
  for await (const entry of zip.eachEntry()) {
    const name = entry.fileNameRaw.toString('utf8')
    if (!name.endsWith('/')) yield { name, bytes: entryBytes(zip, entry) }
  }
}

async function* entryBytes(zip: ZipFile, entry: Entry): AsyncGenerator<Buffer> {
  if (entry.isEncrypted()) throw new Error('the zip entry is encrypted')
  if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8)
    throw new Error(`the zip entry is compressed by method ${entry.compressionMethod}, which is not supported`)
  const raw = (await zip.openReadStreamPromise(entry, {
    decodeFileData: false,
  })) as AsyncIterable<Buffer>
  let checksum = 0
  for await (const chunk of entry.compressionMethod === 8 ? inflateRaw(raw) : raw) {
    checksum = crc32(chunk, checksum)
    yield chunk
  }
  if (checksum !== entry.crc32) throw new Error('the zip entry is damaged (its checksum does not fit)')
}
