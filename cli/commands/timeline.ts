import { writeFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { z } from 'zod'
import { TIMELINE_COLUMNS } from '#api/csv.ts'
import { EXPORT_FORMATS } from '#api/exports/formats.ts'
import type { ExportFormat } from '#api/exports/formats.ts'
import { exportRows, exportTimeline } from '#api/exports/timeline-export.ts'
import type { TimelineExport } from '#api/exports/timeline-export.ts'
import { guid, TimelineFilters } from '#api/query.ts'
import { toItem } from '#api/read-models/item.ts'
import { explainUnknown } from '#api/read-models/oid-info.ts'
import { timelineCount, timelinePages, timelineRows } from '#api/read-models/timeline.ts'
import type { TimelineRow } from '#api/read-models/timeline.ts'
import { CommandError, parseUsage, UsageError, withStore } from '../cli.ts'
import type { Cli, CommandFactory, GlobalOptions } from '../cli.ts'
import { printListing } from '../output/listing.ts'
import { timelineColumns } from '../output/timeline-table.ts'
import { type Store, wholeStore } from '#api/read-models/store.ts'

const Limit = z.object({
  limit: z
    .string()
    .regex(/^[1-9]\d{0,8}$/, 'is no whole number above 0')
    .transform(Number)
    .optional(),
})

const FORMATS = ['table', 'json', ...EXPORT_FORMATS] as const
type Format = (typeof FORMATS)[number]
const isExport = (format: Format): format is ExportFormat => (EXPORT_FORMATS as readonly string[]).includes(format)

interface Options extends GlobalOptions {
  readonly format: Format
  readonly manifest?: string
  readonly limit?: string
}

export const timelineCommand: CommandFactory = (cli) =>
  new Command('timeline')
    .description('what this oid did, across all clouds, in order of time')
    .argument('<oid>', 'object id of an agent, managed identity, user …')
    .addOption(new Option('--format <format>', 'how to print').choices(FORMATS).default('table'))
    .option('--manifest <file>', 'write beside it what it holds: counts, what was left out, SHA-256 (not for table and json)')
    .option('--from <time>', 'from this time on (2026-09-01 or 2026-09-01T10:00:00Z)')
    .option('--to <time>', 'before this time')
    .option('--source <list>', 'only entra, aws, gcp, app (comma-separated)')
    .option('--kind <list>', 'only these kinds, e.g. llm.invoked,llm.metered')
    .option('--outcome <list>', 'only success, failure or unknown')
    .option('--confidence <list>', 'only exact, derived, probable, asserted, ambiguous, none')
    .option('--text <part>', 'only where action, resource, principal, error, model, native id or address contain it')
    .option('--tenant <guid>', 'only of this tenant')
    .option('--limit <n>', 'only the newest n')
    .action(async (id: string, _options: unknown, command: Command) => {
      const { dataDir, format, manifest, limit, ...given } = command.optsWithGlobals<Options>()
      const { oid } = parseUsage(z.object({ oid: guid }), { oid: id }, ['oid'])
      const { limit: newest } = parseUsage(Limit, { limit })
      const filters = parseUsage(TimelineFilters, given)
      if (manifest !== undefined && !isExport(format)) throw new UsageError(`--manifest: is of an export; choose --format ${EXPORT_FORMATS.join(', ')}`)
      await withStore(cli, dataDir === undefined ? {} : { dataDir }, async ({ pool }) => {
        const store = wholeStore(pool)
        const unknown = await explainUnknown(store, oid, filters.tenant)
        if (unknown !== null) throw new CommandError(unknown)
        const wanted: Wanted = { store, oid, filters, newest }
        const printed = isExport(format) ? await printExport(cli, wanted, format, manifest) : await printList(cli, wanted, format)
        if (printed === 0) cli.say('No events: the oid is known, but nothing matches.')
        if (printed === newest) {
          const older = await olderThan(wanted, printed)
          if (older > 0) cli.say(`${older} older events left out (--limit ${newest}).`)
        }
      })
    })

interface Wanted {
  readonly store: Store
  readonly oid: string
  readonly filters: TimelineFilters
  readonly newest: number | undefined
}

async function printList(cli: Cli, wanted: Wanted, format: 'table' | 'json'): Promise<number> {
  const { store, oid, filters, newest } = wanted
  const pages = newest === undefined ? timelinePages(store, { oid, filters, order: 'asc' }) : asItems(newestFirstTurned(wanted, newest))
  return printListing(cli.out, format, { pages, table: timelineColumns(cli.out.width), csv: TIMELINE_COLUMNS }, cli.signal)
}

async function printExport(cli: Cli, wanted: Wanted, format: ExportFormat, manifestFile: string | undefined): Promise<number> {
  const made = makeExport(wanted, format)
  for await (const text of made.texts) {
    cli.signal.throwIfAborted()
    await cli.out.write(text)
  }
  if (manifestFile !== undefined) await writeFile(manifestFile, `${JSON.stringify(await made.manifest(), null, 2)}\n`)
  return made.items()
}

function makeExport(wanted: Wanted, format: ExportFormat): TimelineExport {
  const { store, oid, filters, newest } = wanted
  const range = { oid, filters, order: 'asc' } as const
  if (newest === undefined) return exportTimeline(store, range, format)
  return exportRows(store, range, format, newestFirstTurned(wanted, newest), async (items) => {
    const byLimit = await olderThan(wanted, items)
    const all = await timelineCount(store, oid, {})
    return { complete: byLimit === 0, leftOut: { byFilters: Math.max(0, all - items - byLimit), byLimit } }
  })
}

/** How many events match beside those printed. */
const olderThan = async ({ store, oid, filters }: Wanted, printed: number): Promise<number> => Math.max(0, (await timelineCount(store, oid, filters)) - printed)

async function* asItems(pages: AsyncIterable<readonly TimelineRow[]>) {
  for await (const rows of pages) yield rows.map((row) => toItem(row, row.role))
}

/** The newest n in order of time: read from the end, then turned round. */
async function* newestFirstTurned({ store, oid, filters }: Wanted, limit: number): AsyncGenerator<readonly TimelineRow[]> {
  const items: TimelineRow[] = []
  for await (const page of timelineRows(store, { oid, filters, order: 'desc', limit })) items.push(...page)
  if (items.length > 0) yield items.toReversed()
}
