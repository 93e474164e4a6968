import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import { z } from 'zod'
import { formatTime } from '#core/time.ts'
import { findFiles } from '#ingest/paths.ts'
import { inOrder, instant } from '#api/query.ts'
import { CommandError, parseUsage, UsageError, withStore } from '../cli.ts'
import type { CommandFactory, GlobalOptions } from '../cli.ts'
import { formatOption, printListing } from '../output/listing.ts'
import type { ListFormat } from '../output/listing.ts'
import type { Column } from '../output/table.ts'
import { linkedEvents } from '../sigma/events.ts'
import { SigmaError } from '../sigma/fault.ts'
import { readRules } from '../sigma/rule.ts'
import type { SigmaRule } from '../sigma/rule.ts'
import { createRun } from '../sigma/run.ts'
import type { Match } from '../sigma/run.ts'

/** A match as it is printed. */
interface Shown extends Omit<Match, 'firstNs' | 'lastNs'> {
  readonly first: string
  readonly last: string
}

const Range = z.strictObject({ from: instant.optional(), to: instant.optional() }).refine(inOrder.check, inOrder.params)
const groupText = (group: Shown['group']): string =>
  Object.entries(group)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')

const TABLE = (width: number): readonly Column<Shown>[] => [
  { title: 'first (UTC)', width: 19, text: (match) => match.first.slice(0, 19).replace('T', ' ') },
  { title: 'level', width: 8, text: (match) => match.level ?? '' },
  { title: 'events', width: 6, text: (match) => String(match.count) },
  { title: 'oids', width: 39, text: (match) => (match.oids.length > 1 ? `${match.oids[0]!} +${match.oids.length - 1}` : (match.oids[0] ?? '')) },
  { title: 'rule', width: Math.max(30, Math.floor((width - 80) * 0.6)), text: (match) => match.rule },
  { title: 'group', width: Math.max(20, Math.floor((width - 80) * 0.4)), text: (match) => groupText(match.group) },
]
const CSV: Readonly<Record<string, (match: Shown) => string | number | null>> = {
  rule: (match) => match.rule,
  ruleId: (match) => match.ruleId,
  level: (match) => match.level,
  tenantId: (match) => match.tenantId,
  first: (match) => match.first,
  last: (match) => match.last,
  count: (match) => match.count,
  oids: (match) => match.oids.join(' '),
  group: (match) => groupText(match.group),
  events: (match) => match.events.join(' '),
}

export const sigmaCommand: CommandFactory = (cli) => {
  const run = new Command('run')
    .description('runs Sigma rules over the linked events; docs/sigma.md says what of Sigma is understood')
    .argument('<rules...>', 'YAML files or folders of them')
    .addOption(formatOption())
    .option('--from <time>', 'events from here on')
    .option('--to <time>', 'events before this time')
    .action(async (paths: string[], given: { from?: string; to?: string; format: ListFormat }, command: Command) => {
      const { dataDir } = command.optsWithGlobals<GlobalOptions>()
      const { format, ...range } = given
      const { from = null, to = null } = parseUsage(Range, range)
      const rules = await readAll(paths)
      const { fields, offer, finish } = prepared(rules)
      const sources = rules.flatMap((rule) => (rule.kind === 'event' ? [rule.source] : []))
      await withStore(cli, dataDir === undefined ? {} : { dataDir }, async ({ pool }) => {
        const pages = async function* (): AsyncGenerator<readonly Shown[]> {
          const all = sources.includes(null)
          for await (const event of linkedEvents(pool, fields, {
            fromNs: from,
            toNs: to,
            sources: all ? null : sources.filter((one) => one !== null),
          })) {
            cli.signal.throwIfAborted()
            const matches = offer(event)
            if (matches.length > 0) yield matches.map(shown)
          }
          const rest = finish()
          if (rest.length > 0) yield rest.map(shown)
        }
        const printed = await printListing(cli.out, format, { pages: pages(), table: TABLE(cli.out.width), csv: CSV }, cli.signal)
        if (printed === 0) cli.say(`No match of ${rules.length} rule${rules.length === 1 ? '' : 's'}.`)
      })
    })
  return new Command('sigma').description('Sigma rules over linked events, where the agent is a field').addCommand(run)
}

/** @throws UsageError naming every faulty file at once */
async function readAll(paths: readonly string[]): Promise<readonly SigmaRule[]> {
  const rules: SigmaRule[] = []
  const faults: string[] = []
  const files: string[] = []
  const found = await findFiles(paths)
  if (found.errors.length > 0) throw new CommandError(found.errors.map(({ file, reason }) => `${file} ${reason}`).join('\n'))
  for (const { path } of found.files) if (paths.includes(path) || /\.ya?ml$/i.test(path)) files.push(path)
  if (files.length === 0) throw new CommandError(`There is no rule in ${paths.join(', ')}: rules are files that end in .yml or .yaml.`)
  for (const file of files) {
    try {
      rules.push(...readRules(await readFile(file, 'utf8'), file))
    } catch (error) {
      if (!(error instanceof SigmaError)) throw error
      faults.push(error.message)
    }
  }
  if (faults.length > 0) throw new UsageError(faults.join('\n'))
  return rules
}

function prepared(rules: readonly SigmaRule[]): ReturnType<typeof createRun> {
  try {
    return createRun(rules)
  } catch (error) {
    throw error instanceof SigmaError ? new UsageError(error.message) : error
  }
}

const shown = ({ firstNs, lastNs, ...match }: Match): Shown => ({ ...match, first: formatTime(firstNs), last: formatTime(lastNs) })
