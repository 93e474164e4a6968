import { Command, Option } from 'commander'
import { z } from 'zod'
import type { Severity } from '#core/finding.ts'
import type { Finding } from '#api/findings/contract.ts'
import { acknowledge, Reason, reopen } from '#api/findings/decide.ts'
import { ocsfFinding } from '#api/findings/ocsf.ts'
import { FindingFilters, decodeFindingCursor } from '#api/findings/query.ts'
import { sarifLog } from '#api/findings/sarif.ts'
import { guid, MAX_LIMIT } from '#api/query.ts'
import { findingsPage } from '#api/read-models/findings.ts'
import { CommandError, parseUsage, withStore } from '../cli.ts'
import type { Cli, CommandFactory, GlobalOptions } from '../cli.ts'
import { allPages, printListing } from '../output/listing.ts'
import type { ListFormat } from '../output/listing.ts'
import type { Column } from '../output/table.ts'
import { type Queries, wholeStore } from '#api/read-models/store.ts'
import { whoever } from '../whoever.ts'

const STYLES: Readonly<Record<Severity, 'red' | 'magenta' | 'yellow' | 'cyan' | 'dim'>> = {
  critical: 'red',
  high: 'magenta',
  medium: 'yellow',
  low: 'cyan',
  info: 'dim',
}

const moment = (time: string): string => time.slice(0, 16).replace('T', ' ')

/** `acknowledged*`: the evidence has changed since. */
const statusText = ({ status, acknowledgement }: Finding): string => `${status}${acknowledgement?.evidenceChanged ? '*' : ''}`

const TABLE = (width: number): readonly Column<Finding>[] => [
  { title: 'last (UTC)', width: 16, text: (finding) => moment(finding.lastSeen) },
  { title: 'severity', width: 8, text: (finding) => finding.severity, style: (finding) => STYLES[finding.severity] },
  { title: 'confidence', width: 10, text: (finding) => finding.confidence },
  { title: 'status', width: 12, text: statusText },
  { title: 'rule', width: 32, text: (finding) => finding.rule },
  {
    title: 'oids',
    width: 15,
    text: (finding) => (finding.oids.length > 1 ? `${finding.oids[0]!.slice(0, 8)} +${finding.oids.length - 1}` : (finding.oids[0]?.slice(0, 8) ?? '')),
  },
  { title: 'what', width: Math.max(30, width - 99), text: (finding) => finding.explanation },
]

const CSV: Readonly<Record<string, (finding: Finding) => string | number | null>> = {
  id: (finding) => finding.id,
  rule: (finding) => finding.rule,
  severity: (finding) => finding.severity,
  confidence: (finding) => finding.confidence,
  status: (finding) => finding.status,
  title: (finding) => finding.title,
  tenantId: (finding) => finding.tenantId,
  oids: (finding) => finding.oids.join(' '),
  firstSeen: (finding) => finding.firstSeen,
  lastSeen: (finding) => finding.lastSeen,
  evidence: (finding) => finding.evidence.join(' '),
  explanation: (finding) => finding.explanation,
  remediation: (finding) => finding.remediation,
  acknowledgedBy: (finding) => finding.acknowledgement?.byName ?? finding.acknowledgement?.by ?? null,
  acknowledgedAt: (finding) => finding.acknowledgement?.at ?? null,
  acknowledgedBecause: (finding) => finding.acknowledgement?.reason ?? null,
  evidenceChangedSince: (finding) => (finding.acknowledgement ? String(finding.acknowledgement.evidenceChanged) : null),
}

type Format = ListFormat | 'sarif' | 'ocsf'

export const findingsCommand: CommandFactory = (cli) =>
  new Command('findings')
    .description('anti-patterns, broken trust and signs of abuse, each with its evidence')
    .addOption(new Option('--format <format>', 'how to print').choices(['table', 'json', 'ndjson', 'csv', 'sarif', 'ocsf']).default('table'))
    .option('--rule <names>', 'only of these rules, comma-separated')
    .option('--severity <levels>', 'only of these: info, low, medium, high, critical')
    .option('--status <status>', 'only these: open, acknowledged')
    .option('--oid <guid>', 'only those that name this oid')
    .option('--tenant <guid>', 'only of this tenant')
    .option('--from <time>', 'with evidence from here on')
    .option('--to <time>', 'that began before this time')
    .action(async (_options: unknown, command: Command) => {
      const { dataDir, format, ...given } = command.optsWithGlobals<GlobalOptions & { format: Format }>()
      const filters = parseUsage(FindingFilters, given)
      await withStore(cli, dataDir === undefined ? {} : { dataDir }, async ({ pool }) => {
        const pages = allPages((cursor) =>
          findingsPage(wholeStore(pool), filters, MAX_LIMIT, (cursor === undefined ? null : decodeFindingCursor(cursor)) ?? undefined),
        )
        const printed = await print(cli, format, pages)
        if (printed === 0) cli.say('No findings.')
      })
    })
    .addCommand(acknowledgeCommand(cli))
    .addCommand(reopenCommand(cli))

async function print(cli: Cli, format: Format, pages: AsyncIterable<readonly Finding[]>): Promise<number> {
  if (format !== 'sarif' && format !== 'ocsf') return printListing(cli.out, format, { pages, table: TABLE(cli.out.width), csv: CSV }, cli.signal)
  let printed = 0
  const counted = async function* (): AsyncGenerator<Finding> {
    for await (const page of pages) {
      cli.signal.throwIfAborted()
      printed += page.length
      yield* page
    }
  }
  if (format === 'sarif') for await (const text of sarifLog(counted())) await cli.out.write(text)
  else for await (const finding of counted()) await cli.out.write(`${JSON.stringify(ocsfFinding(finding))}\n`)
  return printed
}

const acknowledgeCommand: CommandFactory = (cli) =>
  new Command('acknowledge')
    .description('say that a finding needs nothing more, and why')
    .argument('<id>', 'of the finding')
    .requiredOption('--reason <text>', 'why nothing more needs to be done')
    .action(async (id: string, options: { reason: string }, command: Command) => {
      const { reason } = parseUsage(Reason, { reason: options.reason })
      await decide(cli, command, id, (store, pool, finding) => acknowledge(store, pool, finding, reason, whoever()))
    })

const reopenCommand: CommandFactory = (cli) =>
  new Command('reopen')
    .description('take an acknowledgement back')
    .argument('<id>', 'of the finding')
    .action((id: string, _options: unknown, command: Command) => decide(cli, command, id, (store, pool, finding) => reopen(store, pool, finding, whoever())))

async function decide(
  cli: Cli,
  command: Command,
  given: string,
  decision: (store: ReturnType<typeof wholeStore>, pool: Queries, id: string) => Promise<Finding | null>,
): Promise<void> {
  const { dataDir } = command.optsWithGlobals<GlobalOptions>()
  const { id } = parseUsage(z.object({ id: guid }), { id: given }, ['id'])
  await withStore(cli, dataDir === undefined ? {} : { dataDir }, async ({ pool }) => {
    const finding = await decision(wholeStore(pool), pool, id)
    if (!finding) throw new CommandError(`There is no finding ${id}. \`trailjoin findings --format json\` lists them with their ids.`)
    cli.say(`${finding.id} (${finding.rule}) is ${finding.status}.`)
  })
}
