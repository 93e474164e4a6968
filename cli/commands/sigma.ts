import { Command } from 'commander'
import { z } from 'zod'
import type { Source } from '#core/event.ts'
import { formatTime } from '#core/time.ts'
import { findFiles } from '#ingest/paths.ts'
import { inOrder, instant } from '#api/query.ts'
import { readTextFile, TextFileError } from '../../config/text-file.ts'
import { CommandError, parseUsage, UsageError, withStore } from '../cli.ts'
import type { CommandFactory, GlobalOptions } from '../cli.ts'
import { formatOption, printListing } from '../output/listing.ts'
import type { ListFormat } from '../output/listing.ts'
import { printable } from '../output/table.ts'
import type { Column } from '../output/table.ts'
import { linkedEvents } from '../sigma/events.ts'
import { SigmaError } from '../sigma/fault.ts'
import { readRules } from '../sigma/rule.ts'
import type { SigmaRule } from '../sigma/rule.ts'
import { createRun, linkable } from '../sigma/run.ts'
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
    .option('--follow', 'follow symbolic links that lead out of a folder')
    .option('--from <time>', 'events from here on')
    .option('--to <time>', 'events before this time')
    .option('--skip-refused', 'run the other rules where some are refused; the refused ones are named')
    .action(async (paths: string[], given: { from?: string; to?: string; format: ListFormat; skipRefused?: true; follow?: true }, command: Command) => {
      const { dataDir } = command.optsWithGlobals<GlobalOptions>()
      const { format, skipRefused = false, follow = false, ...range } = given
      const { from = null, to = null } = parseUsage(Range, range)
      const { rules, refused } = await readAll(paths, { follow, say: cli.say })
      if (refused.length > 0 && !skipRefused) throw new UsageError(refused.map(({ reason }) => reason).join('\n'))
      for (const { reason } of refused) cli.say(`Refused: ${reason}`)
      if (rules.length === 0) throw new UsageError('No rule is left to run.')
      const { fields, records, offer, finish, unseen } = createRun(rules)
      const sources = sourcesOf(rules)
      for (const note of notesOf(rules)) cli.say(note)
      await withStore(cli, dataDir === undefined ? {} : { dataDir }, async ({ pool }) => {
        const pages = async function* (): AsyncGenerator<readonly Shown[]> {
          for await (const event of linkedEvents(pool, { fields, records }, { fromNs: from, toNs: to, sources })) {
            cli.signal.throwIfAborted()
            const matches = offer(event)
            if (matches.length > 0) yield matches.map(shown)
          }
          const rest = finish()
          if (rest.length > 0) yield rest.map(shown)
        }
        const printed = await printListing(cli.out, format, { pages: pages(), table: TABLE(cli.out.width), csv: CSV }, cli.signal)
        if (printed === 0) cli.say(`No match of ${rules.length} rule${rules.length === 1 ? '' : 's'}.`)
        for (const { rule, fields: nowhere, records: asked } of unseen()) {
          cli.say(
            `"${rule}" asks for ${nowhere.join(', ')}, which none of the ${asked} records has that it was asked of: that it found nothing there says nothing.`,
          )
        }
      })
    })
  return new Command('sigma').description('Sigma rules over linked events, where the agent is a field').addCommand(run).addCommand(checkCommand(cli))
}

/** What `sigma check` says of one rule, or of a file that holds none that can be run. */
interface Checked {
  readonly file: string
  readonly rule: string | null
  readonly accepted: boolean
  readonly logsource: string | null
  /** Why it is refused, or what it cannot see. */
  readonly reason: string | null
}

const CHECK_TABLE = (width: number): readonly Column<Checked>[] => [
  { title: 'accepted', width: 8, text: ({ accepted }) => (accepted ? 'yes' : 'no') },
  { title: 'logsource', width: 20, text: ({ logsource }) => logsource ?? '' },
  { title: 'rule', width: 40, text: ({ rule, file }) => rule ?? file },
  { title: 'reason', width: Math.max(40, width - 75), text: ({ reason }) => reason ?? '' },
]
const CHECK_CSV: Readonly<Record<string, (one: Checked) => string>> = {
  file: ({ file }) => file,
  rule: ({ rule }) => rule ?? '',
  accepted: ({ accepted }) => String(accepted),
  logsource: ({ logsource }) => logsource ?? '',
  reason: ({ reason }) => reason ?? '',
}

const checkCommand: CommandFactory = (cli) =>
  new Command('check')
    .description('says which Sigma rules can be run here, and why the others cannot; ends with 1 where one is refused')
    .argument('<rules...>', 'YAML files or folders of them')
    .addOption(formatOption())
    .option('--follow', 'follow symbolic links that lead out of a folder')
    .action(async (paths: string[], { format, follow }: { format: ListFormat; follow?: true }) => {
      const { rules, refused } = await readAll(paths, { follow: follow === true, say: cli.say })
      const accepted = rules.flatMap((rule): Checked[] => {
        // Of a count, the rule that is counted stands for both.
        if (rule.kind === 'event' && rule.id === null && rules.some((other) => other.kind === 'correlation' && other.place === rule.place)) return []
        const vocabulary = rule.kind === 'event' ? rule.vocabulary : null
        return [{ file: rule.place.file, rule: rule.title, accepted: true, logsource: vocabulary?.name ?? null, reason: vocabulary?.note ?? null }]
      })
      const not = refused.map(({ file, reason }): Checked => ({ file, rule: null, accepted: false, logsource: null, reason }))
      const pages = async function* (): AsyncGenerator<readonly Checked[]> {
        yield [...accepted, ...not]
      }
      await printListing(cli.out, format, { pages: pages(), table: CHECK_TABLE(cli.out.width), csv: CHECK_CSV }, cli.signal)
      // A table cuts texts that are too wide for it.
      if (format === 'table') for (const { reason } of refused) cli.say(`Refused: ${reason}`)
      if (not.length > 0) throw new CommandError(`${accepted.length} rules are accepted, and ${not.length} files hold one that is refused.`)
    })

/** The sources whose events the rules look at; null for all. */
function sourcesOf(rules: readonly SigmaRule[]): readonly Source[] | null {
  const asked = rules.flatMap((rule) => (rule.kind === 'event' ? [rule.vocabulary.sources] : []))
  return asked.includes(null) ? null : [...new Set(asked.flatMap((sources) => sources ?? []))]
}

/** What the rules' logsources cannot see here, one line a logsource. */
function notesOf(rules: readonly SigmaRule[]): readonly string[] {
  const notes = rules.flatMap((rule) => (rule.kind === 'event' && rule.vocabulary.note !== null ? [`${rule.vocabulary.name}: ${rule.vocabulary.note}.`] : []))
  return [...new Set(notes)]
}

interface Refused {
  readonly file: string
  /** With file and line. */
  readonly reason: string
}

/** The rules of all files, and the files that hold one that is refused. */
async function readAll(
  paths: readonly string[],
  { follow, say }: { readonly follow: boolean; readonly say: (line: string) => void },
): Promise<{ readonly rules: readonly SigmaRule[]; readonly refused: readonly Refused[] }> {
  const rules: SigmaRule[] = []
  const refused: Refused[] = []
  const files: string[] = []
  const found = await findFiles(paths, { follow })
  for (const { file, reason } of found.leftOut) say(printable(`left out: ${file}: ${reason}`))
  if (found.errors.length > 0) throw new CommandError(found.errors.map(({ file, reason }) => `${file}: ${reason}`).join('\n'))
  for (const { path } of found.files) if (paths.includes(path) || /\.ya?ml$/i.test(path)) files.push(path)
  if (files.length === 0) throw new CommandError(`There is no rule in ${paths.join(', ')}: rules are files that end in .yml or .yaml.`)
  for (const file of files) {
    try {
      rules.push(...readRules(await readTextFile(file, 'Sigma rule'), file))
    } catch (error) {
      if (!(error instanceof SigmaError) && !(error instanceof TextFileError)) throw error
      refused.push({ file, reason: error.message })
    }
  }
  const linked = linkable(rules)
  return { rules: linked.rules, refused: [...refused, ...linked.refused] }
}

const shown = ({ firstNs, lastNs, ...match }: Match): Shown => ({ ...match, first: formatTime(firstNs), last: formatTime(lastNs) })
