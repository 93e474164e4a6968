import { writeFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { readDirectory } from '#api/read-models/directory.ts'
import { withEveryShare } from '#api/read-models/llm-usage.ts'
import { inWholeSnapshot } from '#api/read-models/store.ts'
import type { Store } from '#api/read-models/store.ts'
import { usageByPrincipal } from '#api/usage/by-principal.ts'
import { DIMENSIONS, UsageFilters } from '#api/usage/query.ts'
import type { Dimension } from '#api/usage/query.ts'
import type { Database } from '#database/open.ts'
import { readReports } from '../../config/reports-section.ts'
import type { ScheduledReport } from '../../config/reports-section.ts'
import { CommandError, parseUsage, UsageError, withStore } from '../cli.ts'
import type { Cli, CommandFactory, GlobalOptions } from '../cli.ts'
import { printable, tableLines } from '../output/table.ts'
import { currencyOf, namesOfAny, reconciledColumns, reconciledCsv, reconciledLines, reconciledNdjson } from '../report/cur/print.ts'
import { readCur } from '../report/cur/read-cur.ts'
import type { Billed } from '../report/cur/read-cur.ts'
import { reconcile } from '../report/cur/reconcile.ts'
import { FILE_FORMATS, reportFile, usageData } from '../report/make.ts'
import type { FileFormat, ReportRequest } from '../report/make.ts'
import { readPriceFile } from '../report/price-file.ts'
import { addUpPriced } from '../report/priced.ts'
import { dueAt, duePeriods, nextPeriod, periodName } from '../report/schedule/periods.ts'
import { outcomeText } from '../report/schedule/rounds.ts'
import { mustKeepRuns, runDue } from '../report/schedule/run-due.ts'
import { coverageLines, usageColumns } from '../report/table.ts'

interface Options {
  readonly format: 'table' | FileFormat
  readonly prices?: string
  readonly madeBy?: string
  readonly output?: string
  readonly groupBy?: string
  readonly cur?: string
}

const TABLE_GROUPS: readonly Dimension[] = ['agent', 'tenant', 'confidence', 'cloud', 'model']
/** Formats of the comparison with AWS's bill. */
const COMPARED: ReadonlySet<string> = new Set(['table', 'json', 'ndjson', 'csv'])
/** Formats whose rows are their own: nothing can be added up in them. */
const UNGROUPED: ReadonlySet<string> = new Set(['focus', 'html', 'pdf'])

const llmUsageCommand: CommandFactory = (cli) =>
  new Command('llm-usage')
    .description('LLM calls, failures, tokens and costs by agent, model, cloud and day; what is ambiguous or unattributed is always a row')
    .addOption(new Option('--format <format>', 'how to print').choices(['table', ...FILE_FORMATS]).default('table'))
    .option('--output <file>', 'write to this file (a PDF is not written to a terminal)')
    .option('--from <day>', 'from this UTC day on (2026-09-01)')
    .option('--to <day>', 'before this UTC day')
    .option('--tenant <guid>', 'only of this tenant')
    .option('--agent <oid>', 'its own use, ambiguous use it is a candidate for, and all that is unattributed')
    .option('--cloud <cloud>', 'only aws or gcp')
    .option('--group-by <list>', `add up but for these: ${DIMENSIONS.join(', ')}`)
    .option('--prices <file>', 'YAML file of prices: adds costs')
    .option('--cur <file>', 'compare with what AWS billed: a Cost and Usage Report 2.0 (CSV, also .gz), by day and caller')
    .option('--made-by <name>', 'who made it, for the HTML and PDF report')
    .action(async (_options: unknown, command: Command) => {
      const { dataDir, format, prices, madeBy, output, cur, ...given } = command.optsWithGlobals<GlobalOptions & Options>()
      const filters = parseUsage(UsageFilters, given)
      if (given.groupBy !== undefined && UNGROUPED.has(format)) throw new UsageError(`--group-by: ${format} has its own rows`)
      if (format === 'pdf' && output === undefined && cli.out.terminal) throw new UsageError('--format pdf: a terminal cannot show it: name a file by --output')
      if (cur !== undefined) checkComparison(format, filters, prices)
      const request: ReportRequest = { filters, prices: prices === undefined ? null : await readPriceFile(prices), madeBy: madeBy ?? null }
      const billed = cur === undefined ? null : await readCur(cur)
      await withStore(cli, dataDir === undefined ? {} : { dataDir }, async ({ pool }) => {
        const made = await inWholeSnapshot(pool, async (store) =>
          billed !== null
            ? comparison(cli, store, format, filters, billed)
            : format === 'table'
              ? tableReport(cli, await usageData(store, request), request)
              : { content: await reportFile(store, format, request), lines: [] },
        )
        if (format === 'focus' && request.prices === null) cli.say('No --prices: the cost columns are empty, which FOCUS does not allow.')
        await write(cli, made.content, output)
        for (const line of made.lines) cli.say(line)
      })
    })

/** `report run`: for cron and the like; `up` and `api` do it by themselves. */
const runCommand: CommandFactory = (cli) =>
  new Command('run')
    .description('makes the reports of the section reports: of the configuration that are due, each period once')
    .option('--config <file>', 'configuration file (default: TRAILJOIN_CONFIG, else trailjoin.yaml)')
    .option('--list', 'make nothing: show each report, what was made last and what is due next')
    .action(async (_options: unknown, command: Command) => {
      const { dataDir, config, list } = command.optsWithGlobals<GlobalOptions & { config?: string; list?: true }>()
      const reports = await readReports(config ?? cli.config.configFile)
      if (reports.length === 0) throw new CommandError('No report is configured: write a section reports: into the configuration file (docs/llm-usage.md).')
      await withStore(cli, dataDir === undefined ? {} : { dataDir }, async ({ pool }) => {
        await mustKeepRuns(pool)
        if (list) return await listReports(cli, pool, reports)
        const outcomes = await runDue(pool, reports, { environment: cli.environment, signal: cli.signal })
        if (outcomes === null) throw new CommandError('Another process is making reports at this moment.')
        for (const outcome of outcomes) cli.say(printable(outcomeText(outcome)))
        if (outcomes.length === 0) cli.say('No report is due.')
        if (outcomes.some(({ error }) => error !== null)) throw new CommandError('Not every report was made; what is missing stays due.')
      })
    })

async function listReports(cli: Cli, pool: Database['pool'], reports: readonly ScheduledReport[]): Promise<void> {
  for (const { name, every, afterMinutes, format } of reports) {
    const { rows } = await pool.query<{ to: string; made: Date; target: string }>(
      'select period_to::text as to, made_at as made, target from report_runs where name = $1 order by period_to desc limit 1',
      [name],
    )
    const next = duePeriods(every, afterMinutes, rows[0]?.to ?? null, Date.now())[0] ?? nextPeriod(every, afterMinutes, Date.now())
    const last = rows[0] ? `last made ${rows[0].made.toISOString().slice(0, 16)}Z to ${rows[0].target}` : 'never made'
    const due = new Date(dueAt(next, afterMinutes)).toISOString().slice(0, 16)
    await cli.out.write(`${printable(`${name}  every ${every} as ${format}; ${last}; ${periodName(next)} is due ${due}Z`)}\n`)
  }
}

export const reportCommand: CommandFactory = (cli) => {
  const command = new Command('report').description('reports: llm-usage, and those that are made by themselves')
  for (const create of [llmUsageCommand, runCommand]) command.addCommand(create(cli).exitOverride().configureHelp({ showGlobalOptions: true }))
  return command
}

function tableReport(cli: Cli, { report, seen, nameOf }: Awaited<ReturnType<typeof usageData>>, { filters, prices }: ReportRequest) {
  const rows = withEveryShare(addUpPriced(seen, filters.groupBy ?? TABLE_GROUPS), { cost: null })
  return {
    content: tableLines(usageColumns(cli.out.width, prices, nameOf), rows, { head: true, color: cli.out.color }),
    lines: coverageLines(report, seen, prices),
  }
}

/** @throws UsageError: AWS's bill knows callers only, so that nothing else can be asked of the comparison */
function checkComparison(format: Options['format'], { groupBy, agent, cloud, tenant }: UsageFilters, prices: string | undefined): void {
  if (!COMPARED.has(format)) throw new UsageError(`--cur: the comparison is printed as ${[...COMPARED].join(', ')}`)
  const others = Object.entries({ 'group-by': groupBy, agent, cloud, tenant, prices }).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`]))
  if (others.length > 0) throw new UsageError(`--cur goes with --from and --to only, not with ${others.join(', ')}: the bill is by caller`)
}

async function comparison(
  cli: Cli,
  store: Store,
  format: Options['format'],
  { from = null, to = null }: { readonly from?: string | null | undefined; readonly to?: string | null | undefined },
  billed: Billed,
) {
  const rows = reconcile(await usageByPrincipal(store, { from: from ?? undefined, to: to ?? undefined }), billed, { from, to })
  const currency = currencyOf(billed)
  const lines = reconciledLines(rows, billed)
  switch (format) {
    case 'json':
      return { content: `${JSON.stringify({ currency, rows, leftOut: Object.fromEntries(billed.leftOut), missing: billed.missing })}\n`, lines }
    case 'ndjson':
      return { content: reconciledNdjson(rows), lines }
    case 'csv':
      return { content: reconciledCsv(rows, currency), lines }
    default: {
      const directory = await readDirectory(store)
      const tenants = [...new Set(directory.principals.map(({ tenantId }) => tenantId))]
      const nameOf = namesOfAny(tenants, (tenantId, oid) => (tenantId === null ? null : (directory.find(tenantId, oid)?.names[0] ?? null)))
      return { content: tableLines(reconciledColumns(cli.out.width, currency, nameOf), rows, { head: true, color: cli.out.color }), lines }
    }
  }
}

async function write(cli: Cli, content: string | Uint8Array, file: string | undefined): Promise<void> {
  if (file === undefined) {
    await cli.out.write(content)
    return
  }
  await writeFile(file, content).catch((error: Error) => {
    throw new CommandError(`${file}: cannot be written: ${error.message}`)
  })
}
