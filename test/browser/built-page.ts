import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'vite'

export interface BuiltPage {
  readonly folder: string
  readonly remove: () => Promise<void>
}

/** Builds the page as it stands in the sources into a folder of its own. */
export async function buildPage(): Promise<BuiltPage> {
  const folder = await mkdtemp(join(tmpdir(), 'trailjoin-page-'))
  await build({ root: join(import.meta.dirname, '../../dashboards'), logLevel: 'error', build: { outDir: folder, emptyOutDir: true } })
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
}
