/** Importing into the store: what `import` and the demo share. */
import { concludeAll } from '#correlate/conclude-all.ts'
import { createCorrelator } from '#correlate/index.ts'
import type { Database } from '#database/open.ts'
import { importPaths } from '#ingest/import.ts'
import { translatingSink } from '#ingest/api-logs.ts'
import type { ApiLogs } from '#ingest/api-logs.ts'
import type { ImportProgress, ImportSummary } from '#ingest/import.ts'
import type { Cli } from './cli.ts'
import { guardedSink } from './guarded-sink.ts'
import { printable } from './output/table.ts'

export interface LoadOptions {
  readonly paths: readonly string[]
  /** Tenant of exports that do not name their own. */
  readonly tenantId?: string | undefined
  /** Access logs in words of their own. */
  readonly apiLogs?: ApiLogs | undefined
  /** Follows symbolic links that lead out of the folder that they lie in. */
  readonly follow?: boolean | undefined
}

/** Imports files into an open store, with progress where standard error is a terminal. Resolves when every conclusion is stored, too. */
export async function load(
  { terminal, signal }: Pick<Cli, 'terminal' | 'signal'>,
  { pool, folder }: Pick<Database, 'pool' | 'folder'>,
  { paths, tenantId, apiLogs, follow = false }: LoadOptions,
): Promise<ImportSummary> {
  const progress = progressLine(terminal)
  const guarded = guardedSink(createCorrelator(pool), folder)
  try {
    const summary = await importPaths(paths, {
      sink: apiLogs === undefined ? guarded : translatingSink(guarded, apiLogs),
      signal,
      follow,
      onProgress: progress.show,
      ...(tenantId === undefined ? {} : { context: { tenantId } }),
    })
    // An import that was stopped is not an import that is done; what it delivered stays.
    signal.throwIfAborted()
    await concludeAll(pool)
    return summary
  } finally {
    progress.clear()
  }
}

/** A line that overwrites itself. */
function progressLine(terminal: NodeJS.WriteStream | null): { show: (progress: ImportProgress) => void; clear: () => void } {
  if (terminal === null) return { show: () => undefined, clear: () => undefined }
  let shown = false
  return {
    show: ({ file, filesDone, files, bytes, totalBytes, read }) => {
      shown = true
      const part = totalBytes ? `${Math.floor((100 * bytes) / totalBytes)} %, ` : ''
      const line = `${part}${read.toLocaleString('en')} records, file ${Math.min(filesDone + 1, files)} of ${files}: ${printable(file)}`
      terminal.write(`\r\u001b[2K${line.slice(0, Math.max(20, terminal.columns - 1))}`)
    },
    clear: () => {
      if (shown) terminal.write('\r\u001b[2K')
    },
  }
}
