import { Command, Option } from 'commander'
import { CONFIDENCES } from '#core/event.ts'
import type { WhatIf } from '#api/explain/contract.ts'
import { toCsv } from '#api/csv.ts'
import { wholeStore } from '#api/read-models/store.ts'
import { whatIf } from '#api/read-models/what-if.ts'
import { WhatIfQuery } from '#api/routes/what-if.ts'
import { parseUsage, withStore } from '../cli.ts'
import type { CommandFactory, GlobalOptions } from '../cli.ts'
import { paragraph } from '../output/paragraph.ts'
import { tableLines } from '../output/table.ts'
import type { Column } from '../output/table.ts'

type Item = WhatIf['items'][number]

const number = (value: number): string => value.toLocaleString('en')

const TABLE = (width: number): readonly Column<Item>[] => [
  { title: 'identity', width: 36, text: (item) => item.subjectOid },
  { title: 'name', width: Math.max(16, width - 99), text: (item) => item.name ?? '' },
  { title: 'clouds', width: 8, text: (item) => item.clouds.join(',') },
  { title: 'derived', width: 10, text: (item) => number(item.derivedEvents) },
  { title: 'ambiguous', width: 10, text: (item) => number(item.ambiguousEvents) },
  { title: 'calls', width: 8, text: (item) => number(item.calls) },
  { title: 'tokens', width: 12, text: (item) => number(item.tokens) },
  { title: 'agents', width: 7, text: (item) => number(item.candidates.length) },
]

export const whatIfCommand: CommandFactory = (cli) =>
  new Command('what-if')
    .description('how much of a period would be exact if every agent federated as itself (Option 2), for each managed identity')
    .addOption(new Option('--format <format>', 'how to print').choices(['table', 'json', 'csv']).default('table'))
    .option('--from <time>', 'from this time on (2026-09-01 or 2026-09-01T10:00:00Z)')
    .option('--to <time>', 'before this time')
    .option('--tenant <guid>', 'only of this tenant')
    .action(async (_options: unknown, command: Command) => {
      const { dataDir, format, ...given } = command.optsWithGlobals<GlobalOptions & { format: 'table' | 'json' | 'csv' }>()
      const filters = parseUsage(WhatIfQuery, given)
      await withStore(cli, dataDir === undefined ? {} : { dataDir }, async ({ pool }) => {
        const answer = await whatIf(wholeStore(pool), filters)
        if (format === 'json') return await cli.out.write(`${JSON.stringify(answer, null, 2)}\n`)
        if (format === 'csv') return await cli.out.write(csv(answer))
        await cli.out.write(text(answer, cli.out.width, cli.out.color))
      })
    })

function csv({ items }: WhatIf): string {
  const head = ['tenantId', 'subjectOid', 'name', 'kind', 'clouds', 'derivedEvents', 'ambiguousEvents', 'calls', 'tokens', 'candidates', 'trusts']
  return toCsv([
    head,
    ...items.map((item) => [
      item.tenantId,
      item.subjectOid,
      item.name,
      item.kind,
      item.clouds.join(' '),
      item.derivedEvents,
      item.ambiguousEvents,
      item.calls,
      item.tokens,
      item.candidates.map((candidate) => candidate.oid).join(' '),
      item.trusts.map((trust) => trust.name).join(' '),
    ]),
  ])
}

/** The answer as a page of text. */
export function text(answer: WhatIf, width: number, color: boolean): string {
  const total = CONFIDENCES.reduce((sum, confidence) => sum + answer.now[confidence], 0)
  if (total === 0) return 'No events of AWS or Google Cloud in this period.\n'
  const share = (events: number): string => `${number(events)} of ${number(total)} (${((100 * events) / total).toFixed(1)} %)`
  const lines = [
    paragraph(
      `Exact today: ${share(answer.now.exact)} events of AWS and Google Cloud. If every agent had federated as itself (Option 2): ${share(answer.underOption2.exact)}.`,
      width,
    ),
    answer.items.length === 0
      ? '\nNo identity that agents share or stand behind: Option 2 would change nothing.\n'
      : `\n${tableLines(TABLE(width), answer.items, { head: true, color })}`,
  ]
  const trusts = answer.items.flatMap((item) => item.trusts.map((trust) => `${trust.cloud}  ${trust.name}  (${item.name ?? item.subjectOid})`))
  if (trusts.length > 0) lines.push('\nThe trusts that would change:\n', ...trusts.map((trust) => paragraph(trust, width, '  ')))
  if (answer.unchanged.length > 0) {
    lines.push(
      '\nWhat would stay as it is:\n',
      ...answer.unchanged.map((one) => paragraph(`${number(one.events)} ${one.confidence}: ${one.words}`, width, '  ')),
    )
  }
  return lines.join('')
}
