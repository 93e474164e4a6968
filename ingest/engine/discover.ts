import { access, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Source } from './source.ts'

const SOURCES = join(import.meta.dirname, '..', 'sources')

/**
 * Every source, by kind: each `ingest/sources/<kind>/source.ts`. A folder without that file holds what several sources share.
 * @throws Error naming the file whose default export is no source of that name
 */
export async function discoverSources(folder: string = SOURCES): Promise<ReadonlyMap<string, Source<unknown>>> {
  const found = new Map<string, Source<unknown>>()
  for (const { name } of (await readdir(folder, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = join(folder, name, 'source.ts')
    if (
      !(await access(file).then(
        () => true,
        () => false,
      ))
    )
      continue
    const { default: source } = (await import(pathToFileURL(file).href)) as {
      readonly default?: Source<unknown>
    }
    if (source?.kind !== name || typeof source.open !== 'function') throw new Error(`${file} has no default export that is a source of the kind "${name}"`)
    found.set(name, source)
  }
  return found
}
