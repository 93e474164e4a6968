import { readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Something to read: a regular file (with its size in bytes), a pipe, or standard input (`-`). */
export interface Readable {
  readonly path: string
  readonly bytes: number | null
}

/** A file that was not read, or not to its end. `reason` names line and byte where they are known. */
export interface FileError {
  readonly file: string
  readonly reason: string
}

/**
 * The files behind the given paths, folders with everything below them, in the order of their names (by code unit), so that the same
 * folder is always read in the same order. Symbolic links are followed; a folder is entered once, so loops end. What cannot be
 * listed is an error of its own and does not keep the rest from being read.
 */
export async function findFiles(paths: readonly string[]): Promise<{ readonly files: readonly Readable[]; readonly errors: readonly FileError[] }> {
  const files: Readable[] = []
  const errors: FileError[] = []
  for (const path of paths) {
    if (path === '-') files.push({ path, bytes: null })
    else await visit(path, true, new Set(), files, errors)
  }
  return { files, errors }
}

async function visit(path: string, named: boolean, entered: Set<string>, files: Readable[], errors: FileError[]): Promise<void> {
  try {
    const found = await stat(path)
    if (found.isFile()) files.push({ path, bytes: found.size })
    else if (found.isDirectory()) {
      const real = await realpath(path)
      if (entered.has(real)) return
      entered.add(real)
      for (const name of (await readdir(path)).sort()) await visit(join(path, name), false, entered, files, errors)
    } // A pipe that the user named is his way of feeding us (`<(…)`); one that lies in a folder would block for ever.
    else if (named && (found.isFIFO() || found.isCharacterDevice())) files.push({ path, bytes: null })
    else errors.push({ file: path, reason: 'is neither a file nor a folder' })
  } catch (error) {
    errors.push({ file: path, reason: explain(error) })
  }
}

/** An error in words, without the stack. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOENT') return 'does not exist'
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read (permission denied)'
  if (code === 'ELOOP') return 'is a symbolic link that leads back to itself'
  return error.message
}
