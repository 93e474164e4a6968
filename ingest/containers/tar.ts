import { extract } from 'tar-stream'

/** A header is one block. */
export const TAR_BLOCK = 512

interface TarEntry {
  readonly name: string
  readonly bytes: AsyncIterable<Buffer>
}

/** Whether a block is the header of a tar archive: its checksum is its own (POSIX.1-2017, pax, "ustar Interchange Format"; older ones have it, too). */
export function isTar(block: Buffer): boolean {
  if (block.length < TAR_BLOCK || block[0] === 0) return false
  const stated = Number.parseInt(
    block
      .toString('latin1', 148, 156)
      .replace(/[\0 ]+$/, '')
      .trim(),
    8,
  )
  let sum = 8 * 32
  for (let at = 0; at < TAR_BLOCK; at++) if (at < 148 || at >= 156) sum += block[at]!
  return stated === sum
}

/**
 * The files of a tar archive, in its order, one after the other as they come by: nothing is kept, and nothing is written to disk, so names
 * need no guard. What is not read of one is skipped. Throws when the archive is cut off or damaged.
 */
export async function* tarEntries(source: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
  const archive = extract()
  let failure: unknown = null
  const feeding = feed(source, archive).catch((error: unknown) => {
    failure = error
    archive.destroy(error instanceof Error ? error : new Error(String(error)))
  })
  try {
    for await (const entry of archive) {
      const bytes = (entry as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
      if (entry.header.type === 'file' || entry.header.type === 'contiguous-file') yield { name: entry.header.name, bytes: untilLeft(bytes) }
      while (!(await bytes.next()).done);
    }
  } catch (error) {
    throw failure ?? damaged(error)
  } finally {
    archive.destroy(null)
    await feeding
  }
  if (failure !== null) throw failure
}

/** Who leaves an entry early must not end the archive, as leaving the entry's own iterator does. */
async function* untilLeft(bytes: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    for (let next = await bytes.next(); !next.done; next = await bytes.next()) yield next.value
  } catch (error) {
    throw damaged(error)
  }
}

function damaged(error: unknown): Error {
  return new Error(`the tar archive is cut off or damaged (${error instanceof Error ? error.message : String(error)})`, { cause: error })
}

/** A write that is refused waits until the archive has been read on, so memory stays that of a chunk. */
async function feed(source: AsyncIterable<Buffer>, archive: ReturnType<typeof extract>): Promise<void> {
  for await (const chunk of source) {
    if (archive.destroyed) return
    if (!archive.write(chunk))
      await new Promise<void>((resolve) => {
        archive.once('drain', resolve)
        archive.once('close', resolve)
      })
  }
  archive.end(null!)
}
