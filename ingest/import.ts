import type { RecordContext, Rejection } from '#core/record.ts'
import type { RecordSink } from '#core/sink.ts'
import { BODY_REASON, isBodyObject } from './bodies.ts'
import { keptName, keptReason } from './records-in.ts'
import { BATCH_RECORDS, createBatches } from './batches.ts'
import { openFile } from './containers/open.ts'
import { explain, findFiles } from './paths.ts'
import type { FileError } from './paths.ts'
import { readText } from './read-text.ts'

/** How far an import has come. `totalBytes` counts bytes on the disk; null when a pipe is among the inputs. */
export interface ImportProgress {
  readonly file: string
  readonly filesDone: number
  readonly files: number
  readonly bytes: number
  readonly totalBytes: number | null
  readonly read: number
}

export interface ImportOptions {
  readonly sink: RecordSink
  /** What the operator knows about the records and they do not say. */
  readonly context?: RecordContext
  /** Called a few times a second. */
  readonly onProgress?: (progress: ImportProgress) => void
  /** Stops the import after the batch that is on its way; `importPaths` then throws the signal's reason. */
  readonly signal?: AbortSignal
  /** Records a delivery. */
  readonly batchSize?: number
  /** Follows symbolic links that lead out of the folder that they lie in. */
  readonly follow?: boolean
  /** What `-` reads; the process's standard input unless a test says otherwise. */
  readonly standardInput?: AsyncIterable<Buffer>
}

export interface ImportSummary {
  /** Always stored + duplicates + rejected. */
  readonly read: number
  readonly stored: number
  readonly duplicates: number
  /** Of the duplicates: those whose text was new. */
  readonly variants: number
  readonly rejected: number
  readonly byFormat: Readonly<Record<string, number>>
  /** `read` counts what was found in the file, records and rejections. */
  readonly files: readonly {
    readonly path: string
    readonly read: number
    readonly error: string | null
  }[]
  /** Files that could not be read to their end, or of whose text nothing could be read; `file` names the entry of an archive, `reason` line and byte. */
  readonly errors: readonly FileError[]
  /** Files and entries of archives that were left out on purpose, and symbolic links that were not followed, each with its reason. */
  readonly skipped: readonly FileError[]
  /** The first thousand. All of them have been handed to the sink. */
  readonly rejections: readonly Rejection[]
}

/** A name or a reason may hold a secret, too. */
const masked = ({ file, reason }: FileError): FileError => ({ file: keptName(file), reason: keptReason(reason) })

const REJECTIONS_KEPT = 1000

/**
 * Imports files, folders (with everything below them, in the order of their names) and `-` for standard input. The rules:
 * - what a file is follows from its content: gzip, zip, tar, UTF-8 or UTF-16; tables (tables/), arrays, wrappers, lines, single values
 *   (split/splitter.ts);
 * - a corrupt line, an item that is no record, and what no format recognises is a rejection: kept with file, line and reason;
 * - a foreign file is one rejection; an empty file is nothing;
 * - a file that cannot be read to its end (missing, no permission, cut off) is an entry of `errors`: what was complete in it is
 *   delivered, and the other files are read;
 * - so is a text in which nothing at all is a JSON object, and a file that was named itself and whose records were all rejected;
 * - a delivery that fails ends the import: the promise is rejected with that error.
 */
export async function importPaths(paths: readonly string[], options: ImportOptions): Promise<ImportSummary> {
  const { sink, context = {}, onProgress, signal, batchSize = BATCH_RECORDS, follow = false } = options
  const { files, errors, leftOut } = await findFiles(paths, { follow })
  const totalBytes = files.every((file) => file.bytes !== null) ? files.reduce((sum, file) => sum + (file.bytes ?? 0), 0) : null
  const found = {
    errors: errors.map(masked),
    skipped: leftOut.map(masked),
    files: [] as { path: string; read: number; error: string | null }[],
    rejections: [] as Rejection[],
  }
  const count = { stored: 0, duplicates: 0, variants: 0, rejected: 0, read: 0, seen: 0, bytes: 0 }
  const byFormat: Record<string, number> = {}
  const named = new Set(paths)
  const refusedOf = new Map<string, number>()

  const batches = createBatches(sink, batchSize, (receipt, delivered, refused) => {
    const rejected = [...refused, ...receipt.rejected]
    count.read += delivered + refused.length
    count.stored += receipt.stored
    count.duplicates += receipt.duplicates
    count.variants += receipt.variants
    count.rejected += rejected.length
    for (const [format, records] of Object.entries(receipt.byFormat)) byFormat[format] = (byFormat[format] ?? 0) + records
    found.rejections.push(...rejected.slice(0, REJECTIONS_KEPT - found.rejections.length))
    for (const { origin } of rejected) if (named.has(pathOf(origin.file))) refusedOf.set(pathOf(origin.file), (refusedOf.get(pathOf(origin.file)) ?? 0) + 1)
  })

  let told = 0
  const tell = (file: string, last: boolean): void => {
    const now = performance.now()
    if (!onProgress || (!last && now - told < 200)) return
    told = now
    onProgress({
      file,
      filesDone: found.files.length,
      files: files.length,
      bytes: count.bytes,
      totalBytes,
      read: count.seen,
    })
  }

  for (const { path } of files) {
    const before = count.seen
    if (isBodyObject(path)) {
      found.skipped.push({ file: keptName(path), reason: BODY_REASON })
      found.files.push({ path: keptName(path), read: 0, error: null })
      continue
    }
    const failed: FileError[] = []
    const held = { objects: 0, places: 0 }
    const reading = {
      context,
      knows: sink.knows,
      record: (record: Parameters<typeof batches.record>[0]) => {
        count.seen++
        batches.record(record)
      },
      reject: (rejection: Rejection) => {
        count.seen++
        batches.reject(rejection)
      },
      turn: async () => {
        signal?.throwIfAborted()
        await stop(batches.turn())
        tell(path, false)
      },
    }
    const text = async (file: string, bytes: AsyncIterable<Buffer>): Promise<void> => {
      if (isBodyObject(file)) {
        found.skipped.push({ file: keptName(file), reason: BODY_REASON })
        return
      }
      try {
        const { objects, places } = await readText(file, bytes, reading)
        held.objects += objects
        held.places += places
      } catch (error) {
        if (error instanceof Stopped || signal?.aborted) throw error
        failed.push({ file: keptName(file), reason: keptReason(explain(error)) })
      }
    }
    try {
      await openFile(path, {
        text,
        onBytes: (bytes) => (count.bytes += bytes),
        standardInput: options.standardInput ?? process.stdin,
      })
    } catch (error) {
      // The caller may close the store as soon as this promise is settled: nothing may be on its way then.
      if (error instanceof Stopped || signal?.aborted) await batches.settled()
      if (error instanceof Stopped) throw error.cause
      signal?.throwIfAborted()
      failed.push({ file: keptName(path), reason: keptReason(explain(error)) })
    }
    if (failed.length === 0 && held.objects === 0 && held.places > 0)
      failed.push({ file: keptName(path), reason: 'nothing in it could be read: it holds no JSON record' })
    found.errors.push(...failed)
    found.files.push({ path: keptName(path), read: count.seen - before, error: failed[0]?.reason ?? null })
    tell(path, false)
  }
  await batches.finish()
  await sink.drain()
  found.files.forEach((file, index) => {
    if (file.error !== null || file.read === 0 || refusedOf.get(file.path) !== file.read) return
    const reason = `nothing in it could be read: ${file.read === 1 ? 'its only record was' : `all ${file.read} records were`} rejected`
    found.errors.push({ file: file.path, reason })
    found.files[index] = { ...file, error: reason }
  })
  tell(files.at(-1)?.path ?? '', true)
  const { stored, duplicates, variants, rejected, read } = count
  return {
    read,
    stored,
    duplicates,
    variants,
    rejected,
    byFormat,
    files: found.files,
    errors: found.errors,
    skipped: found.skipped,
    rejections: found.rejections,
  }
}

/** The file on the disk: an entry of an archive is named `archive!entry`. */
const pathOf = (file: string): string => file.split('!', 1)[0]!

/** A failed delivery on its way out through the readers: no fault of the file that is being read. */
class Stopped extends Error {}

async function stop(delivery: Promise<void>): Promise<void> {
  try {
    await delivery
  } catch (cause) {
    throw new Stopped('delivery failed', { cause })
  }
}
