import { Command } from 'commander'
import { z } from 'zod'
import type { AccessEntry } from '#api/access/log-page.ts'
import { AccessLogFilters, accessLogPage } from '#api/access/log-page.ts'
import { NotTheOwner, prunable, pruneAccessLog } from '#api/access/prune-log.ts'
import { instant, MAX_LIMIT } from '#api/query.ts'
import { CommandError, parseUsage, withStore } from '../cli.ts'
import type { Cli, CommandFactory, GlobalOptions } from '../cli.ts'
import { allPages, formatOption, printListing } from '../output/listing.ts'
import type { ListFormat } from '../output/listing.ts'
import type { Column } from '../output/table.ts'
import { whoever } from '../whoever.ts'

const filtersText = ({ filters }: AccessEntry): string =>
  Object.entries(filters)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')

const statusText = ({ status, cut }: AccessEntry): string => (status === null ? 'open' : `${status}${cut ? ' cut' : ''}`)

const TABLE = (width: number): readonly Column<AccessEntry>[] => [
  { title: 'when (UTC)', width: 19, text: (entry) => entry.time.slice(0, 19).replace('T', ' ') },
  { title: 'who', width: 28, text: (entry) => entry.callerName ?? entry.caller },
  { title: 'route', width: 27, text: (entry) => entry.route },
  { title: 'of', width: 13, text: (entry) => entry.target?.slice(0, 13) ?? '' },
  { title: 'status', width: 8, text: statusText, style: (entry) => (entry.status !== null && entry.status < 400 ? null : 'yellow') },
  { title: 'rows', width: 7, text: (entry) => (entry.rows === null ? '' : String(entry.rows)) },
  { title: 'filters', width: Math.max(14, width - 110), text: filtersText },
]

const CSV: Readonly<Record<string, (entry: AccessEntry) => string | number | null>> = {
  id: (entry) => entry.id,
  time: (entry) => entry.time,
  caller: (entry) => entry.caller,
  callerName: (entry) => entry.callerName,
  tenants: (entry) => entry.tenants?.join(' ') ?? 'all',
  method: (entry) => entry.method,
  route: (entry) => entry.route,
  target: (entry) => entry.target,
  filters: filtersText,
  status: (entry) => entry.status,
  rows: (entry) => entry.rows,
  cut: (entry) => String(entry.cut),
  address: (entry) => entry.address,
}

export const accessLogCommand: CommandFactory = (cli) =>
  new Command('access-log')
    .description('who looked at what through the API, the latest first (what is asked by this program itself is not in it)')
    .addOption(formatOption())
    .option('--caller <id>', 'only of this caller: local, token:<id>, oidc:<issuer>#<subject>')
    .option('--target <id>', 'only about this oid, event, trace or finding')
    .option('--from <time>', 'from here on')
    .option('--to <time>', 'before this time')
    .action(async (_options: unknown, command: Command) => {
      const { dataDir, format, ...given } = command.optsWithGlobals<GlobalOptions & { format: ListFormat }>()
      const filters = parseUsage(AccessLogFilters, given)
      await withStore(cli, dataDir === undefined ? {} : { dataDir }, async ({ pool }) => {
        const pages = allPages((cursor) => accessLogPage(pool, 'everything', { ...filters, limit: MAX_LIMIT, cursor }))
        const printed = await printListing(cli.out, format, { pages, table: TABLE(cli.out.width), csv: CSV }, cli.signal)
        if (printed === 0) cli.say('Nobody has asked anything like that.')
      })
    })
    .addCommand(pruneCommand(cli))

const Before = z.object({ before: instant.refine((nanos) => nanos <= BigInt(Date.now()) * 1_000_000n, 'lies in the future') })

/** For the owner of the tables: the program that serves may have a login that cannot (docs/operators/access.md). */
function pruneCommand(cli: Cli): Command {
  return new Command('prune')
    .description('takes old entries out for good; that it was done stays on record')
    .requiredOption('--before <time>', 'entries of requests that came before this time (2026-01-01)')
    .option('--dry-run', 'take nothing out, only tell how many entries would go')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .action(async (options: { before: string; dryRun?: true }, command: Command) => {
      const { before } = parseUsage(Before, { before: options.before })
      const { dataDir } = command.optsWithGlobals<GlobalOptions>()
      await withStore(cli, dataDir === undefined ? {} : { dataDir }, async ({ pool }) => {
        if (options.dryRun) return cli.say(`${await prunable(pool, before)} entries would go.`)
        const gone = await pruneAccessLog(pool, { before, by: whoever(), signal: cli.signal }).catch((error: unknown) => {
          throw error instanceof NotTheOwner
            ? new CommandError(`${error.message} is not the owner of access_log: only the owner of the tables takes entries out.`)
            : error
        })
        cli.say(`${gone} entries are gone.`)
      })
    })
}
