import { Command } from 'commander'
import type { Rejected } from '#api/contract.ts'
import { MAX_LIMIT } from '#api/query.ts'
import { rejectedPage } from '#api/read-models/rejected.ts'
import { withStore } from '../cli.ts'
import type { CommandFactory, GlobalOptions } from '../cli.ts'
import { allPages, formatOption, printListing } from '../output/listing.ts'
import type { ListFormat } from '../output/listing.ts'
import type { Column } from '../output/table.ts'
import { wholeStore } from '#api/read-models/store.ts'

const place = (item: Rejected): string => (item.line === null ? `${item.file} #${item.index}` : `${item.file}:${item.line}`)

const TABLE = (width: number): readonly Column<Rejected>[] => {
  const third = Math.floor((width - 2) / 3)
  return [
    { title: 'where', width: third, text: place },
    { title: 'reason', width: third, text: (item) => item.reason },
    { title: 'text', width: third, text: (item) => item.text.slice(0, 200) },
  ]
}

const CSV: Readonly<Record<string, (item: Rejected) => string | number | null>> = {
  file: (item) => item.file,
  line: (item) => item.line,
  index: (item) => item.index,
  reason: (item) => item.reason,
  text: (item) => item.text,
  rejectedAt: (item) => item.rejectedAt,
}

export const rejectedCommand: CommandFactory = (cli) =>
  new Command('rejected')
    .description('what was no known record, with file, line and reason; the latest first')
    .addOption(formatOption())
    .action(async (_options: unknown, command: Command) => {
      const { dataDir, format } = command.optsWithGlobals<GlobalOptions & { format: ListFormat }>()
      await withStore(cli, dataDir === undefined ? {} : { dataDir }, async ({ pool }) => {
        const pages = allPages((cursor) => rejectedPage(wholeStore(pool), MAX_LIMIT, cursor))
        const printed = await printListing(cli.out, format, { pages, table: TABLE(cli.out.width), csv: CSV }, cli.signal)
        if (printed === 0) cli.say('Nothing was rejected.')
      })
    })
