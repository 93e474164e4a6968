import { Command } from 'commander'
import { z } from 'zod'
import type { TimelineItem } from '#api/contract.ts'
import { TIMELINE_COLUMNS } from '#api/csv.ts'
import { guid, TimelineFilters } from '#api/query.ts'
import { explainUnknown } from '#api/read-models/oid-info.ts'
import { timelineCount, timelinePages } from '#api/read-models/timeline.ts'
import { CommandError, parseUsage, withStore } from '../cli.ts'
import type { CommandFactory, GlobalOptions } from '../cli.ts'
import { formatOption, printListing } from '../output/listing.ts'
import type { ListFormat } from '../output/listing.ts'
import { timelineColumns } from '../output/timeline-table.ts'
import { type Store, wholeStore } from '#api/read-models/store.ts'

const Limit = z.object({
  limit: z
    .string()
    .regex(/^[1-9]\d{0,8}$/, 'is no whole number above 0')
    .transform(Number)
    .optional(),
})

export const timelineCommand: CommandFactory = (cli) =>
  new Command('timeline')
    .description('what this oid did, across all clouds, in order of time')
    .argument('<oid>', 'object id of an agent, managed identity, user …')
    .addOption(formatOption())
    .option('--from <time>', 'from this time on (2026-09-01 or 2026-09-01T10:00:00Z)')
    .option('--to <time>', 'before this time')
    .option('--source <list>', 'only entra, aws, gcp, app (comma-separated)')
    .option('--kind <list>', 'only these kinds, e.g. llm.invoked,llm.metered')
    .option('--outcome <list>', 'only success or failure')
    .option('--confidence <list>', 'only exact, derived, probable, asserted, ambiguous, none')
    .option('--text <part>', 'only where action, resource, principal, error, model, native id or address contain it')
    .option('--tenant <guid>', 'only of this tenant')
    .option('--limit <n>', 'only the newest n')
    .action(async (id: string, _options: unknown, command: Command) => {
      const { dataDir, format, limit, ...filters } = command.optsWithGlobals<GlobalOptions & { format: ListFormat; limit?: string }>()
      const { oid } = parseUsage(z.object({ oid: guid }), { oid: id }, ['oid'])
      const { limit: newest } = parseUsage(Limit, { limit })
      const chosen = parseUsage(TimelineFilters, filters)
      await withStore(cli, dataDir === undefined ? {} : { dataDir }, async ({ pool }) => {
        const store = wholeStore(pool)
        const unknown = await explainUnknown(store, oid, chosen.tenant)
        if (unknown !== null) throw new CommandError(unknown)
        const pages = newest === undefined ? timelinePages(store, { oid, filters: chosen, order: 'asc' }) : newestFirstTurned(store, oid, chosen, newest)
        const printed = await printListing(cli.out, format, { pages, table: timelineColumns(cli.out.width), csv: TIMELINE_COLUMNS }, cli.signal)
        if (printed === 0) cli.say('No events: the oid is known, but nothing matches.')
        if (newest !== undefined && printed === newest) {
          const older = (await timelineCount(store, oid, chosen)) - printed
          if (older > 0) cli.say(`${older} older events left out (--limit ${newest}).`)
        }
      })
    })

/** The newest n in order of time: read from the end, then turned round. */
async function* newestFirstTurned(store: Store, oid: string, filters: TimelineFilters, limit: number): AsyncGenerator<readonly TimelineItem[]> {
  const items: TimelineItem[] = []
  for await (const page of timelinePages(store, { oid, filters, order: 'desc', limit })) items.push(...page)
  if (items.length > 0) yield items.toReversed()
}
