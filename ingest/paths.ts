import { lstat, readdir, realpath, stat } from 'node:fs/promises'
import { isAbsolute, join, relative, sep } from 'node:path'

/** Something to read: a regular file (with its size in bytes), a pipe, or standard input (`-`). */
interface Readable {
  readonly path: string
  readonly bytes: number | null
}

/** A file that was not read, or not to its end. `reason` names line and byte where they are known. */
export interface FileError {
  readonly file: string
  readonly reason: string
}

/** What `findFiles` gives. */
export interface FoundFiles {
  readonly files: readonly Readable[]
  readonly errors: readonly FileError[]
  /** Symbolic links that lead out of the folder that they were found in: not followed. */
  readonly leftOut: readonly FileError[]
}

/**
 * The files behind the given paths, folders with everything below them, in the order of their names (by code unit), so that the same
 * folder is always read in the same order. A path that the user named is followed wherever it leads. A symbolic link below it is followed within that folder, and beyond it
 * with `follow` only: who may write into a folder of logs must not choose what else is read. A folder is entered once, so loops end. What cannot be
 * listed is an error of its own and does not keep the rest from being read.
 */
export async function findFiles(paths: readonly string[], { follow = false }: { readonly follow?: boolean } = {}): Promise<FoundFiles> {
  const files: Readable[] = []
  const errors: FileError[] = []
  const leftOut: FileError[] = []
  for (const path of paths) {
    if (path === '-') files.push({ path, bytes: null })
    else await visit(path, { root: null, follow, entered: new Set(), files, errors, leftOut })
  }
  return { files, errors, leftOut }
}

interface Visit {
  /** The folder that the user named, real path; null for what he named himself. */
  readonly root: string | null
  readonly follow: boolean
  readonly entered: Set<string>
  readonly files: Readable[]
  readonly errors: FileError[]
  readonly leftOut: FileError[]
}

async function visit(path: string, at: Visit): Promise<void> {
  const { root, follow, entered, files, errors, leftOut } = at
  try {
    if (root !== null && !follow && (await lstat(path)).isSymbolicLink()) {
      const real = await realpath(path)
      if (!isWithin(root, real)) {
        leftOut.push({ file: path, reason: `is a symbolic link that leads out of ${root}; --follow follows it` })
        return
      }
    }
    const found = await stat(path)
    if (found.isFile()) files.push({ path, bytes: found.size })
    else if (found.isDirectory()) {
      const real = await realpath(path)
      if (entered.has(real)) return
      entered.add(real)
      for (const name of (await readdir(path)).sort()) await visit(join(path, name), { ...at, root: root ?? real })
    } // A pipe that the user named is his way of feeding us (`<(…)`); one that lies in a folder would block for ever.
    else if (root === null && (found.isFIFO() || found.isCharacterDevice())) files.push({ path, bytes: null })
    else errors.push({ file: path, reason: 'is neither a file nor a folder' })
  } catch (error) {
    errors.push({ file: path, reason: explain(error) })
  }
}

function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way))
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
