/**
 * The formats, found by looking at the folders beside this file: a new format is one new folder with an `index.ts` that exports
 * `format`. A folder without one fails at start, with its path.
 */
import { readdirSync } from 'node:fs'
import type { FormatModule } from '#core/event.ts'
import type { Spelling } from './spelling/vocabulary.ts'

/** A format with what it knows of spelling. */
export interface Format extends FormatModule {
  readonly spelling: Spelling
}

/** Folders that formats share and that are none themselves. */
const SHARED = new Set(['entra', 'spelling', 'titles'])

async function load(name: string): Promise<readonly [string, Format]> {
  const module = (await import(`./${name}/index.ts`)) as { readonly format?: Format }
  if (!module.format) throw new Error(`correlate/formats/${name}/index.ts does not export a format.`)
  return [name, module.format]
}

const names = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !SHARED.has(entry.name))
  .map((entry) => entry.name)
  .toSorted()

/** Every format under its folder's name, sorted by name. At most one of them recognises a record. */
export const formats: readonly (readonly [string, Format])[] = await Promise.all(names.map(load))
