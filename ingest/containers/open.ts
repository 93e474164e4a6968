import { createReadStream } from 'node:fs'
import { asUtf8 } from './decode.ts'
import { gunzip } from './inflate.ts'
import { TAR_BLOCK, isTar, tarEntries } from './tar.ts'
import { zipEntries } from './zip.ts'

/** Archives that cannot be read from their file (on a pipe, in another archive) must fit into memory. */
const MAX_ARCHIVE = 256 * 1024 * 1024
/** Compression in compression beyond this is no log file. */
const MAX_LAYERS = 5

/** Reads one text to its end; what it throws is an error of this text, not of the archive around it. */
type ReadText = (name: string, bytes: AsyncIterable<Buffer>) => Promise<void>

export interface Opening {
  /** Called once for every text that is found: a plain file, what a gz holds, each entry of a zip or tar (`archive.zip!entry`). */
  readonly text: ReadText
  /** Counts bytes as they lie on the disk. */
  readonly onBytes: (count: number) => void
  readonly standardInput: AsyncIterable<Buffer>
}

/**
 * Opens a file by what it contains, never by its name: gzip (also in gzip, also many members in a row), zip and tar (each
 * entry; an archive in an archive once), UTF-8 or UTF-16 text. Throws when the bytes cannot be had.
 */
export async function openFile(path: string, opening: Opening): Promise<void> {
  const source = path === '-' ? opening.standardInput : (createReadStream(path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>)
  await openBytes(path, counted(source, opening.onBytes), opening.text, 0, path === '-' ? null : path)
}

/** The same for bytes that come from elsewhere (an object of a bucket); `name` is told to `text`. A zip is read into memory. */
export async function openStream(name: string, bytes: AsyncIterable<Buffer>, text: ReadText): Promise<void> {
  await openBytes(name, bytes, text, 0, null)
}

async function* counted(source: AsyncIterable<Buffer>, onBytes: (count: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    onBytes(chunk.length)
    yield chunk
  }
}

async function openBytes(name: string, source: AsyncIterable<Buffer>, text: ReadText, layers: number, path: string | null): Promise<void> {
  const { head, rest } = await peek(source)
  const kind = archiveKind(head)
  if (kind === null) return text(name, asUtf8(rest))
  if (layers >= MAX_LAYERS) throw new Error(`more than ${MAX_LAYERS} archives in one another`)
  if (kind === 'gzip') return openBytes(name, gunzip(rest), text, layers + 1, null)
  if (kind === 'zip' && path !== null) await rest.return(undefined)
  const entries = kind === 'tar' ? tarEntries(rest) : zipEntries(path ?? (await collect(rest)))
  // Two layers count: an archive in an archive is opened, one in that is refused.
  for await (const entry of entries) {
    const inner = `${name}!${entry.name}`
    await text(inner, nested(inner, entry.bytes, text, layers + 3))
  }
}

/** What an entry holds. A text of its own when it is one; otherwise nothing, after its own texts have been read. */
async function* nested(name: string, source: AsyncIterable<Buffer>, text: ReadText, layers: number): AsyncGenerator<Buffer> {
  const { head, rest } = await peek(source)
  if (archiveKind(head) !== null) await openBytes(name, rest, text, layers, null)
  else yield* asUtf8(rest)
}

function archiveKind(head: Buffer): 'gzip' | 'zip' | 'tar' | null {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip'
  if (head[0] === 0x50 && head[1] === 0x4b && ((head[2] === 3 && head[3] === 4) || (head[2] === 5 && head[3] === 6))) return 'zip'
  return isTar(head) ? 'tar' : null
}

async function peek(source: AsyncIterable<Buffer>): Promise<{ head: Buffer; rest: AsyncGenerator<Buffer> }> {
  const iterator = source[Symbol.asyncIterator]()
  let head: Buffer = Buffer.alloc(0)
  let failure: unknown = null
  try {
    while (head.length < TAR_BLOCK) {
      const next = await iterator.next()
      if (next.done) break
      head = head.length === 0 ? next.value : Buffer.concat([head, next.value])
    }
  } catch (error) {
    failure = error
  }
  async function* rest(): AsyncGenerator<Buffer> {
    try {
      if (head.length > 0) yield head
      if (failure) throw failure
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value
    } finally {
      await iterator.return?.()
    }
  }
  return { head, rest: rest() }
}

async function collect(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of source) {
    bytes += chunk.length
    if (bytes > MAX_ARCHIVE) throw new Error(`a zip archive larger than ${MAX_ARCHIVE} bytes that is not a file of its own; unpack it first`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
