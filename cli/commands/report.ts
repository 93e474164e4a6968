import { Command, Option } from 'commander'
import { toCsv } from '#api/csv.ts'
import { readDirectory } from '#api/read-models/directory.ts'
import { llmUsage, withEveryShare } from '#api/read-models/llm-usage.ts'
import type { Store } from '#api/read-models/store.ts'
import type { UsageReport } from '#api/usage/contract.ts'
import { USAGE_COLUMNS } from '#api/usage/csv.ts'
import { focusHeader, focusRows } from '#api/usage/focus.ts'
import { chargesOf, formatMoney } from '#api/usage/price.ts'
import type { PriceTable } from '#api/usage/price.ts'
import { DIMENSIONS, UsageFilters } from '#api/usage/query.ts'
import type { Dimension } from '#api/usage/query.ts'
import { sha256 } from '#core/record.ts'
import { parseUsage, UsageError, withStore } from '../cli.ts'
import type { Cli, CommandFactory, GlobalOptions } from '../cli.ts'
import { printable, tableLines } from '../output/table.ts'
import type { Column } from '../output/table.ts'
import { reportDocument } from '../report/document.ts'
import { readPriceFile } from '../report/price-file.ts'
import { addUpPriced, pricedRows } from '../report/priced.ts'
import type { PricedRow } from '../report/priced.ts'
import { percent, whole } from '../report/html.ts'
import { VERSION } from '../version.ts'
import { wholeStore } from '#api/read-models/store.ts'

const FORMATS = ['table', 'json', 'ndjson', 'csv', 'focus', 'html'] as const
type ReportFormat = (typeof FORMATS)[number]

interface Options {
  readonly format: ReportFormat
  readonly prices?: string
  readonly madeBy?: string
  readonly groupBy?: string
}

const TABLE_GROUPS: readonly Dimension[] = ['agent', 'tenant', 'confidence', 'cloud', 'model']

const llmUsageCommand: CommandFactory = (cli) =>
  new Command('llm-usage')
    .description('LLM calls, failures, tokens and costs by agent, model, cloud and day; what is ambiguous or unattributed is always a row')
    .addOption(new Option('--format <format>', 'how to print').choices(FORMATS).default('table'))
    .option('--from <day>', 'from this UTC day on (2026-09-01)')
    .option('--to <day>', 'before this UTC day')
    .option('--tenant <guid>', 'only of this tenant')
    .option('--agent <oid>', 'its own use, ambiguous use it is a candidate for, and all that is unattributed')
    .option('--cloud <cloud>', 'only aws or gcp')
    .option('--group-by <list>', `add up but for these: ${DIMENSIONS.join(', ')}`)
    .option('--prices <file>', 'YAML file of prices: adds costs')
    .option('--made-by <name>', 'who made it, for the HTML report')
    .action(async (_options: unknown, command: Command) => {
      const { dataDir, format, prices, madeBy, ...given } = command.optsWithGlobals<GlobalOptions & Options>()
      const filters = parseUsage(UsageFilters, given)
      if (given.groupBy !== undefined && (format === 'focus' || format === 'html')) throw new UsageError(`--group-by: ${format} has its own rows`)
      const table = prices === undefined ? null : await readPriceFile(prices)
      await withStore(cli, dataDir === undefined ? {} : { dataDir }, async ({ pool }) => {
        // Every dimension, because a price depends on day, region and model.
        const report = await llmUsage(wholeStore(pool), { ...filters, groupBy: undefined })
        await print(cli, { store: wholeStore(pool), format, report, filters, table, madeBy: madeBy ?? null })
      })
    })

export const reportCommand: CommandFactory = (cli) => {
  const command = new Command('report').description('reports: llm-usage')
  command.addCommand(llmUsageCommand(cli).exitOverride().configureHelp({ showGlobalOptions: true }))
  return command
}

interface Printed {
  readonly store: Store
  readonly format: ReportFormat
  readonly report: UsageReport
  readonly filters: UsageFilters
  readonly table: PriceTable | null
  readonly madeBy: string | null
}

async function print(cli: Cli, printed: Printed): Promise<void> {
  const { format, report, filters, table } = printed
  const seen = pricedRows(
    report.rows.filter((row) => row.day !== null),
    table,
  )
  const groupBy = filters.groupBy ?? (format === 'table' ? TABLE_GROUPS : DIMENSIONS)
  const rows = withEveryShare(groupBy.length === DIMENSIONS.length ? seen : addUpPriced(seen, groupBy), { cost: null })
  switch (format) {
    case 'json':
      await cli.out.write(`${JSON.stringify({ ...report, groupBy, rows: rows.map((row) => shown(row, table)) })}\n`)
      return
    case 'ndjson':
      await cli.out.write(ndjson(rows, table))
      return
    case 'csv': {
      const columns = {
        ...USAGE_COLUMNS,
        ...(table === null
          ? {}
          : {
              cost: (row: PricedRow) => row.cost && formatMoney(row.cost.amount),
              currency: () => table.currency,
              unpricedCalls: (row: PricedRow) => row.cost?.unpricedCalls ?? null,
            }),
      }
      await cli.out.write(toCsv([Object.keys(columns), ...rows.map((row) => Object.values(columns).map((column) => column(row)))]))
      return
    }
    case 'focus':
      if (table === null) cli.say('No --prices: the cost columns are empty, which FOCUS does not allow.')
      await cli.out.write(focusHeader() + focusRows(seen, table))
      return
    case 'html':
      await cli.out.write(await htmlReport(seen, printed))
      return
    case 'table':
      await cli.out.write(tableLines(tableColumns(cli.out.width, table, await namesIn(printed.store, filters)), rows, { head: true, color: cli.out.color }))
      sayCoverage(cli, report, seen, table)
  }
}

/** A row as JSON has it: money is decimal text. */
function shown({ cost, ...row }: PricedRow, table: PriceTable | null): unknown {
  return table === null ? row : { ...row, cost: cost && { currency: table.currency, amount: formatMoney(cost.amount), unpricedCalls: cost.unpricedCalls } }
}

const ndjson = (rows: readonly PricedRow[], table: PriceTable | null): string => rows.map((row) => `${JSON.stringify(shown(row, table))}\n`).join('')

type NameOf = (tenantId: string | null, oid: string) => string | null

async function namesIn(store: Store, filters: UsageFilters): Promise<NameOf> {
  const directory = await readDirectory(store, filters.tenant)
  return (tenantId, oid) => (tenantId === null ? null : (directory.find(tenantId, oid)?.names[0] ?? null))
}

async function htmlReport(rows: readonly PricedRow[], { store, report, filters, table, madeBy }: Printed): Promise<string> {
  const asked = (['from', 'to', 'tenant', 'agent', 'cloud'] as const).flatMap((name) => (filters[name] === undefined ? [] : [`--${name}`, filters[name]]))
  return reportDocument({
    period: report.period,
    scope: { tenant: filters.tenant ?? null, agent: filters.agent ?? null, cloud: filters.cloud ?? null },
    rows,
    coverage: report.coverage,
    nameOf: await namesIn(store, filters),
    severalTenants: new Set(rows.flatMap((row) => row.tenantId ?? [])).size > 1,
    prices: table && { currency: table.currency, sha256: table.sha256 },
    madeBy,
    version: VERSION,
    dataSha256: sha256(ndjson(withEveryShare(rows, { cost: null }), null)),
    dataCommand: ['trailjoin report llm-usage --format ndjson', ...asked].join(' '),
  })
}

function tableColumns(width: number, table: PriceTable | null, nameOf: NameOf): readonly Column<PricedRow>[] {
  const spare = Math.max(0, width - 120)
  const tokens = (row: PricedRow, count: number): string => (row.tokenBasis === 'none' || (row.tokenBasis === null && count === 0) ? '–' : whole(count))
  return [
    { title: 'whose', width: 26 + Math.floor(spare / 2), text: (row) => whose(row, nameOf) },
    { title: 'certainty', width: 10, text: (row) => row.confidence ?? '' },
    { title: 'cloud', width: 5, text: (row) => row.cloud ?? '' },
    { title: 'model', width: (table === null ? 28 : 17) + Math.ceil(spare / 2), text: (row) => row.model ?? row.modelId ?? '' },
    { title: 'calls', width: 8, text: (row) => whole(row.calls) },
    { title: 'failed', width: 7, text: (row) => whole(row.errors) },
    { title: 'input', width: 11, text: (row) => tokens(row, row.inputTokens) },
    { title: 'output', width: 10, text: (row) => tokens(row, row.outputTokens) },
    ...(table === null
      ? []
      : [
          {
            title: table.currency,
            width: 11,
            text: (row: PricedRow) =>
              row.cost === null
                ? ''
                : row.calls > 0 && row.cost.unpricedCalls === row.calls && row.cost.amount === 0n
                  ? 'unknown'
                  : `${row.cost.unpricedCalls > 0 ? '≥ ' : ''}${formatMoney(row.cost.amount, 2)}`,
          },
        ]),
  ]
}

function whose(row: PricedRow, nameOf: NameOf): string {
  if (row.share === 'unattributed') return 'nobody'
  if (row.share === 'ambiguous') return row.candidates.length === 0 ? 'one of several' : `one of ${row.candidates.length} agents`
  return row.agentOid === null ? 'agents' : (nameOf(row.tenantId, row.agentOid) ?? row.agentOid)
}

function sayCoverage(
  cli: Cli,
  { coverage: { total, byConfidence, pendingEvents, otherTenants } }: UsageReport,
  rows: readonly PricedRow[],
  table: PriceTable | null,
): void {
  const parts = Object.entries(byConfidence).map(([confidence, { calls }]) => `${confidence} ${percent(calls, total.calls)}`)
  cli.say(`${whole(total.calls)} calls: ${parts.join(', ')}. Tokens are known of ${percent(total.meteredCalls, total.calls)} of them.`)
  if (otherTenants > 0) cli.say(`${whole(otherTenants)} calls of other tenants, or of none that is proven, are left out (--tenant).`)
  if (pendingEvents > 0) cli.say(`${whole(pendingEvents)} stored events are not evaluated yet and not counted.`)
  if (table === null) return
  const unpriced = [
    ...new Set(
      rows.flatMap((row) =>
        chargesOf(row, table).flatMap((charge) =>
          charge.cost !== null || charge.of === 'request' ? [] : [`${charge.of} of ${row.modelId ?? row.model ?? 'unnamed'} (${row.region ?? 'no region'})`],
        ),
      ),
    ),
  ].toSorted()
  if (unpriced.length > 0)
    cli.say(printable(`No price for: ${unpriced.slice(0, 20).join(', ')}${unpriced.length > 20 ? ` and ${unpriced.length - 20} more` : ''}.`))
}
