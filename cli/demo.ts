/** The bundled demo records: imported once into a store of their own, so that they never mix with real ones. */
import { access, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Database } from '#database/open.ts'
import { CommandError } from './cli.ts'
import type { Cli } from './cli.ts'
import { load } from './load.ts'

const RECORDS = join(import.meta.dirname, '..', 'demo', 'records')

/** The demo's folder beside the real one. */
export const demoDataDir = (dataDir: string): string => `${dataDir.replace(/[/\\]+$/, '')}-demo`

/**
 * Fills the demo store on its first start. A start that was killed half-way simply imports again: what is stored already counts as known.
 * @throws CommandError when the bundled records are missing or damaged
 */
export async function loadDemo(cli: Cli, database: Database, dataDir: string): Promise<void> {
  const marker = join(dataDir, 'demo-imported')
  if ((await readFile(marker, 'utf8').catch(() => null)) !== null) return
  await access(RECORDS).catch(() => {
    throw new CommandError(`The demo records are missing: there is no folder ${RECORDS}.`)
  })
  cli.say('Importing the demo records …')
  const summary = await load(cli, database, { paths: [RECORDS] })
  if (summary.errors.length > 0)
    throw new CommandError(`The demo records could not be read: ${summary.errors.map(({ file, reason }) => `${file}: ${reason}`).join('; ')}`)
  cli.say(`${summary.stored} events stored.`)
  await writeFile(marker, `${summary.read} records\n`)
}
