import { Command } from 'commander'
import { canonicalExport } from '#api/read-models/canonical-export.ts'
import { withStore } from '../cli.ts'
import type { CommandFactory, GlobalOptions } from '../cli.ts'

export const exportCommand: CommandFactory = (cli) =>
  new Command('export')
    .description('the canonical export: sorted NDJSON of events, principals, sessions and traces; the same records always give the same bytes')
    .action(async (_options: unknown, command: Command) => {
      const { dataDir } = command.optsWithGlobals<GlobalOptions>()
      await withStore(cli, dataDir === undefined ? {} : { dataDir }, async ({ pool }) => {
        for await (const line of canonicalExport(pool)) {
          cli.signal.throwIfAborted()
          await cli.out.write(`${line}\n`)
        }
      })
    })
