import { Command } from 'commander'
import type { Trace } from '#api/contract.ts'
import { MAX_LIMIT, TraceFilters } from '#api/query.ts'
import { decodeTraceCursor } from '#api/cursor.ts'
import { tracePage } from '#api/read-models/traces.ts'
import { parseUsage, withStore } from '../cli.ts'
import type { CommandFactory, GlobalOptions } from '../cli.ts'
import { allPages, formatOption, printListing } from '../output/listing.ts'
import type { ListFormat } from '../output/listing.ts'
import type { Column } from '../output/table.ts'
import { wholeStore } from '#api/read-models/store.ts'

const moment = (time: string): string => time.slice(0, 19).replace('T', ' ')

const TABLE: readonly Column<Trace>[] = [
  { title: 'start (UTC)', width: 19, text: (trace) => moment(trace.start) },
  { title: 'end', width: 19, text: (trace) => moment(trace.end) },
  { title: 'owner', width: 36, text: (trace) => trace.ownerOid },
  { title: 'events', width: 7, text: (trace) => String(trace.events) },
  { title: 'sources', width: 17, text: (trace) => trace.sources.join(',') },
  { title: 'trace', width: 36, text: (trace) => trace.id },
]

const CSV: Readonly<Record<string, (trace: Trace) => string | number | null>> = {
  id: (trace) => trace.id,
  tenantId: (trace) => trace.tenantId,
  ownerOid: (trace) => trace.ownerOid,
  start: (trace) => trace.start,
  end: (trace) => trace.end,
  events: (trace) => trace.events,
  sessions: (trace) => trace.sessions,
  sources: (trace) => trace.sources.join(' '),
}

export const tracesCommand: CommandFactory = (cli) =>
  new Command('traces')
    .description('linked traces: what one owner did without a pause of more than 30 minutes')
    .addOption(formatOption())
    .option('--oid <guid>', 'only of this owner')
    .option('--tenant <guid>', 'only of this tenant')
    .option('--from <time>', 'that touch the time from here on')
    .option('--to <time>', 'that began before this time')
    .action(async (_options: unknown, command: Command) => {
      const { dataDir, format, ...given } = command.optsWithGlobals<GlobalOptions & { format: ListFormat }>()
      const filters = parseUsage(TraceFilters, given)
      await withStore(cli, dataDir === undefined ? {} : { dataDir }, async ({ pool }) => {
        const pages = allPages((cursor) =>
          tracePage(wholeStore(pool), filters, MAX_LIMIT, (cursor === undefined ? null : decodeTraceCursor(cursor)) ?? undefined),
        )
        const printed = await printListing(cli.out, format, { pages, table: TABLE, csv: CSV }, cli.signal)
        if (printed === 0) cli.say('No traces.')
      })
    })
