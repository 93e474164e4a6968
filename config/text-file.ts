/** A file of settings as text: what cannot be one is told with its name and the reason, before a parser chokes on it. */
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'

/** A file that cannot be read as text. The message names file and reason. */
export class TextFileError extends Error {
  override readonly name = 'TextFileError'
  /** Whether it simply is not there. */
  readonly missing: boolean

  constructor(message: string, missing: boolean, cause?: unknown) {
    super(message, { cause })
    this.missing = missing
  }
}

const MEBIBYTE = 1024 * 1024

/** Nobody writes more than that by hand; a parser takes a hundred times the size in memory. */
const MOST_BYTES = 4 * MEBIBYTE

/**
 * Reads a text file: UTF-8, or UTF-16 with its mark (as PowerShell writes).
 * @param what the file should be, as in "is no <what>"
 * @throws TextFileError for a missing file, a folder, one that may not be read, a giant and a binary one
 */
export async function readTextFile(file: string, what: string): Promise<string> {
  let handle: FileHandle | null = null
  try {
    handle = await open(file, 'r')
    if ((await handle.stat()).isDirectory()) throw new TextFileError(`${file}: is a folder, not a ${what}`, false)
    return textOf(await bytesOf(handle, file, what), file, what)
  } catch (error) {
    throw error instanceof TextFileError ? error : new TextFileError(`${file}: ${whyNot(error)}`, (error as NodeJS.ErrnoException).code === 'ENOENT', error)
  } finally {
    await handle?.close()
  }
}

/** A pipe (`<(…)`) and a device tell no size, so the limit holds while reading. */
async function bytesOf(handle: FileHandle, file: string, what: string): Promise<Buffer> {
  const parts: Buffer[] = []
  let length = 0
  for (;;) {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(64 * 1024))
    if (bytesRead === 0) return Buffer.concat(parts)
    parts.push(buffer.subarray(0, bytesRead))
    length += bytesRead
    if (length > MOST_BYTES) throw new TextFileError(`${file}: is larger than ${MOST_BYTES / MEBIBYTE} MB, which no ${what} is`, false)
  }
}

function textOf(bytes: Buffer, file: string, what: string): string {
  const utf16 = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : null
  if (utf16 !== null) return new TextDecoder(utf16).decode(bytes)
  const zero = bytes.indexOf(0)
  if (zero !== -1) throw new TextFileError(`${file}:${lineAt(bytes, zero)}: is a binary file, not a ${what}`, false)
  try {
    // Takes a byte-order mark away.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new TextFileError(`${file}:${lineAt(bytes, firstBroken(bytes))}: is not UTF-8 text, so it is not a ${what}`, false, cause)
  }
}

const lineAt = (bytes: Buffer, end: number): number => bytes.subarray(0, end).filter((byte) => byte === 0x0a).length + 1

/** The place of the first byte that is no UTF-8: up to there decoding and encoding give the same bytes. */
function firstBroken(bytes: Buffer): number {
  const again = Buffer.from(bytes.toString('utf8'))
  const different = bytes.findIndex((byte, at) => byte !== again[at])
  return different === -1 ? bytes.length : different
}

function whyNot(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  switch (code) {
    case 'ENOENT':
      return 'does not exist'
    case 'EACCES':
    case 'EPERM':
      return 'may not be read (permission denied)'
    case 'EISDIR':
      return 'is a folder, not a file'
    case 'ENOTDIR':
      return 'does not exist: what stands before its name is no folder'
    case 'ELOOP':
      return 'is a symbolic link that leads back to itself'
    case 'ENXIO':
      return 'is no file that can be read'
    default:
      return `cannot be read: ${message}`
  }
}
