import { Command } from 'commander'
import type { Unmapped } from '#api/contract.ts'
import { MAX_LIMIT } from '#api/query.ts'
import { unmappedPage } from '#api/read-models/rejected.ts'
import { withStore } from '../cli.ts'
import type { CommandFactory, GlobalOptions } from '../cli.ts'
import { allPages, formatOption, printListing } from '../output/listing.ts'
import type { ListFormat } from '../output/listing.ts'
import type { Column } from '../output/table.ts'
import { wholeStore } from '#api/read-models/store.ts'

const TABLE = (width: number): readonly Column<Unmapped>[] => [
  { title: 'format', width: 24, text: (item) => item.format },
  { title: 'paths that nothing reads', width: width - 62, text: (item) => item.paths.join(' ') },
  { title: 'example event', width: 36, text: (item) => item.exampleEvent },
]

const CSV: Readonly<Record<string, (item: Unmapped) => string | number | null>> = {
  format: (item) => item.format,
  paths: (item) => item.paths.join(' '),
  exampleEvent: (item) => item.exampleEvent,
}

export const unmappedCommand: CommandFactory = (cli) =>
  new Command('unmapped')
    .description('what was not understood inside known records')
    .addOption(formatOption())
    .action(async (_options: unknown, command: Command) => {
      const { dataDir, format } = command.optsWithGlobals<GlobalOptions & { format: ListFormat }>()
      await withStore(cli, dataDir === undefined ? {} : { dataDir }, async ({ pool }) => {
        const pages = allPages((cursor) => unmappedPage(wholeStore(pool), MAX_LIMIT, cursor))
        const printed = await printListing(cli.out, format, { pages, table: TABLE(cli.out.width), csv: CSV }, cli.signal)
        if (printed === 0) cli.say('Every path of every record was understood.')
      })
    })
