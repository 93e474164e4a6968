import { Command } from 'commander'
import type { Severity } from '#core/finding.ts'
import type { Finding } from '#api/findings/contract.ts'
import { FindingFilters, decodeFindingCursor } from '#api/findings/query.ts'
import { MAX_LIMIT } from '#api/query.ts'
import { findingsPage } from '#api/read-models/findings.ts'
import { parseUsage, withStore } from '../cli.ts'
import type { CommandFactory, GlobalOptions } from '../cli.ts'
import { allPages, formatOption, printListing } from '../output/listing.ts'
import type { ListFormat } from '../output/listing.ts'
import type { Column } from '../output/table.ts'
import { wholeStore } from '#api/read-models/store.ts'

const STYLES: Readonly<Record<Severity, 'red' | 'magenta' | 'yellow' | 'cyan' | 'dim'>> = {
  critical: 'red',
  high: 'magenta',
  medium: 'yellow',
  low: 'cyan',
  info: 'dim',
}

const moment = (time: string): string => time.slice(0, 16).replace('T', ' ')

const TABLE = (width: number): readonly Column<Finding>[] => [
  { title: 'last (UTC)', width: 16, text: (finding) => moment(finding.lastSeen) },
  { title: 'severity', width: 8, text: (finding) => finding.severity, style: (finding) => STYLES[finding.severity] },
  { title: 'confidence', width: 10, text: (finding) => finding.confidence },
  { title: 'rule', width: 32, text: (finding) => finding.rule },
  {
    title: 'oids',
    width: 15,
    text: (finding) => (finding.oids.length > 1 ? `${finding.oids[0]!.slice(0, 8)} +${finding.oids.length - 1}` : (finding.oids[0]?.slice(0, 8) ?? '')),
  },
  { title: 'what', width: Math.max(30, width - 86), text: (finding) => finding.explanation },
]

const CSV: Readonly<Record<string, (finding: Finding) => string | number | null>> = {
  id: (finding) => finding.id,
  rule: (finding) => finding.rule,
  severity: (finding) => finding.severity,
  confidence: (finding) => finding.confidence,
  title: (finding) => finding.title,
  tenantId: (finding) => finding.tenantId,
  oids: (finding) => finding.oids.join(' '),
  firstSeen: (finding) => finding.firstSeen,
  lastSeen: (finding) => finding.lastSeen,
  evidence: (finding) => finding.evidence.join(' '),
  explanation: (finding) => finding.explanation,
  remediation: (finding) => finding.remediation,
}

export const findingsCommand: CommandFactory = (cli) =>
  new Command('findings')
    .description('anti-patterns, broken trust and signs of abuse, each with its evidence')
    .addOption(formatOption())
    .option('--rule <names>', 'only of these rules, comma-separated')
    .option('--severity <levels>', 'only of these: info, low, medium, high, critical')
    .option('--oid <guid>', 'only those that name this oid')
    .option('--tenant <guid>', 'only of this tenant')
    .option('--from <time>', 'with evidence from here on')
    .option('--to <time>', 'that began before this time')
    .action(async (_options: unknown, command: Command) => {
      const { dataDir, format, ...given } = command.optsWithGlobals<GlobalOptions & { format: ListFormat }>()
      const filters = parseUsage(FindingFilters, given)
      await withStore(cli, dataDir === undefined ? {} : { dataDir }, async ({ pool }) => {
        const pages = allPages((cursor) =>
          findingsPage(wholeStore(pool), filters, MAX_LIMIT, (cursor === undefined ? null : decodeFindingCursor(cursor)) ?? undefined),
        )
        const printed = await printListing(cli.out, format, { pages, table: TABLE(cli.out.width), csv: CSV }, cli.signal)
        if (printed === 0) cli.say('No findings.')
      })
    })
