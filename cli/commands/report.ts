import { writeFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { withEveryShare } from '#api/read-models/llm-usage.ts'
import { DIMENSIONS, UsageFilters } from '#api/usage/query.ts'
import type { Dimension } from '#api/usage/query.ts'
import { CommandError, parseUsage, UsageError, withStore } from '../cli.ts'
import type { Cli, CommandFactory, GlobalOptions } from '../cli.ts'
import { tableLines } from '../output/table.ts'
import { FILE_FORMATS, inSnapshot, reportFile, usageData } from '../report/make.ts'
import type { FileFormat, ReportRequest } from '../report/make.ts'
import { readPriceFile } from '../report/price-file.ts'
import { addUpPriced } from '../report/priced.ts'
import { coverageLines, usageColumns } from '../report/table.ts'

interface Options {
  readonly format: 'table' | FileFormat
  readonly prices?: string
  readonly madeBy?: string
  readonly output?: string
  readonly groupBy?: string
}

const TABLE_GROUPS: readonly Dimension[] = ['agent', 'tenant', 'confidence', 'cloud', 'model']
/** Formats whose rows are their own. */
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
    .option('--made-by <name>', 'who made it, for the HTML and PDF report')
    .action(async (_options: unknown, command: Command) => {
      const { dataDir, format, prices, madeBy, output, ...given } = command.optsWithGlobals<GlobalOptions & Options>()
      const filters = parseUsage(UsageFilters, given)
      if (given.groupBy !== undefined && UNGROUPED.has(format)) throw new UsageError(`--group-by: ${format} has its own rows`)
      if (format === 'pdf' && output === undefined && cli.out.terminal) throw new UsageError('--format pdf: a terminal cannot show it: name a file by --output')
      const request: ReportRequest = { filters, prices: prices === undefined ? null : await readPriceFile(prices), madeBy: madeBy ?? null }
      await withStore(cli, dataDir === undefined ? {} : { dataDir }, async ({ pool }) => {
        const made = await inSnapshot(pool, async (store) =>
          format === 'table' ? tableReport(cli, await usageData(store, request), request) : { content: await reportFile(store, format, request), lines: [] },
        )
        if (format === 'focus' && request.prices === null) cli.say('No --prices: the cost columns are empty, which FOCUS does not allow.')
        await write(cli, made.content, output)
        for (const line of made.lines) cli.say(line)
      })
    })

export const reportCommand: CommandFactory = (cli) => {
  const command = new Command('report').description('reports: llm-usage')
  command.addCommand(llmUsageCommand(cli).exitOverride().configureHelp({ showGlobalOptions: true }))
  return command
}

function tableReport(cli: Cli, { report, seen, nameOf }: Awaited<ReturnType<typeof usageData>>, { filters, prices }: ReportRequest) {
  const rows = withEveryShare(addUpPriced(seen, filters.groupBy ?? TABLE_GROUPS), { cost: null })
  return {
    content: tableLines(usageColumns(cli.out.width, prices, nameOf), rows, { head: true, color: cli.out.color }),
    lines: coverageLines(report, seen, prices),
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
