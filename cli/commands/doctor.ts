import { Command } from 'commander'
import { SourceError } from '#ingest/engine/source-error.ts'
import type { Finding } from '#ingest/engine/source.ts'
import { createSourceStore } from '#ingest/engine/store.ts'
import type { PartStatus } from '#ingest/engine/store.ts'
import { CORRELATORS } from '#transport/deliver.ts'
import { inspectKafka } from '#transport/kafka-check.ts'
import { ConfigError } from '../../config.ts'
import { CommandError, withStore } from '../cli.ts'
import type { Cli, CommandFactory, GlobalOptions } from '../cli.ts'
import { kafkaClientSettings } from '../kafka.ts'
import { printable } from '../output/table.ts'
import { openConfigured, readSources } from '../sources.ts'
import type { ConfiguredSources } from '../sources.ts'

/** A check that takes longer is a finding of its own. */
const CHECK_MS = 60_000
/** Behind by more than this is worth a look: the slowest clouds deliver within an hour. */
const LAG_WARNING_SECONDS = 2 * 3600

interface DoctorOptions extends GlobalOptions {
  readonly config?: string
  readonly json?: true
}

interface Report {
  /** The source's name, or what stands above all sources: `configuration`, `store`. */
  readonly subject: string
  readonly part: string
  readonly findings: readonly Finding[]
}

export const doctorCommand: CommandFactory = (cli) =>
  new Command('doctor')
    .description('checks configuration, permissions, log coverage and lag of each live source, and says what to do next')
    .option('--config <file>', 'configuration file (default: TRAILJOIN_CONFIG, else trailjoin.yaml here)')
    .option('--json', 'print one object')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<DoctorOptions>()
      const reports = await examine(cli, options)
      const problems = reports.reduce((sum, { findings }) => sum + findings.filter(({ level }) => level === 'problem').length, 0)
      await cli.out.write(options.json ? `${JSON.stringify({ ok: problems === 0, problems, sources: reports })}\n` : textOf(reports, cli.out.color))
      if (problems > 0) throw new CommandError(`${problems} problem${problems === 1 ? '' : 's'} found.`)
    })

async function examine(cli: Cli, options: DoctorOptions): Promise<readonly Report[]> {
  let configured: ConfiguredSources
  try {
    configured = await readSources(cli, options.config)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const findings = error.message.split('\n').map((message): Finding => ({ check: 'configuration', level: 'problem', message, next: null }))
    return [{ subject: 'configuration', part: '', findings }]
  }
  const head: Report = { subject: 'configuration', part: '', findings: [ok('configuration', `${configured.file} names ${configured.entries.length} sources`)] }
  const { store, statuses } = await statusesOf(cli, options)
  const kafka = await kafkaReport(cli)
  const checked = await Promise.all(configured.entries.map((entry) => checkSource(cli, entry, configured, statuses)))
  return [head, store, ...kafka, ...checked.flat()]
}

/** What the collectors have written about themselves so far. A store that is away is a problem of its own, and the clouds are checked all the same. */
async function statusesOf(cli: Cli, options: GlobalOptions): Promise<{ readonly store: Report; readonly statuses: readonly PartStatus[] | null }> {
  try {
    const statuses = await withStore(cli, options, ({ pool }) => createSourceStore(pool).statuses())
    return { store: { subject: 'store', part: '', findings: [ok('database', 'answers')] }, statuses }
  } catch (error) {
    const finding: Finding = {
      check: 'database',
      level: 'problem',
      message: wordsOf(error),
      next: 'Correct DATABASE_URL or --data-dir, or start the database. Collectors keep their cursors there.',
    }
    return { store: { subject: 'store', part: '', findings: [finding] }, statuses: null }
  }
}

/** Behind by more than this, the correlators are too few, or none runs. */
const BEHIND_WARNING = 100_000n

/** What Kafka says, where brokers are named. */
async function kafkaReport(cli: Cli): Promise<readonly Report[]> {
  const { kafka } = cli.config
  if (kafka === undefined) return []
  const report = (finding: Finding): readonly Report[] => [{ subject: 'kafka', part: '', findings: [finding] }]
  try {
    const settings = await kafkaClientSettings(kafka, cli.environment)
    const { brokers, missing, behind } = await inspectKafka({ ...settings, namespace: kafka.namespace, group: CORRELATORS })
    if (missing.length > 0)
      return report(
        ok('kafka', `${brokers} broker${brokers === 1 ? '' : 's'} answer${brokers === 1 ? 's' : ''}; ${missing.join(' and ')} will be made on first use`),
      )
    const message = `${brokers} broker${brokers === 1 ? '' : 's'} answer${brokers === 1 ? 's' : ''}; the correlators are ${behind ?? 0n} messages behind`
    if ((behind ?? 0n) <= BEHIND_WARNING) return report(ok('kafka', message))
    return report({ check: 'kafka', level: 'warning', message, next: 'Is `trailjoin correlate` running? Any number of them share the work.' })
  } catch (error) {
    return report({
      check: 'kafka',
      level: 'problem',
      message: wordsOf(error),
      next: 'docs/operators/kafka.md lists the settings and the rights that are needed.',
    })
  }
}

async function checkSource(
  cli: Cli,
  entry: ConfiguredSources['entries'][number],
  configured: ConfiguredSources,
  statuses: readonly PartStatus[] | null,
): Promise<readonly Report[]> {
  try {
    const source = await openConfigured(cli, entry, configured, () => undefined)
    return await Promise.all(
      source.collectors.map(async (collector) => {
        const status = statuses?.find((one) => one.source === entry.name && one.part === collector.part) ?? null
        const signal = AbortSignal.any([cli.signal, AbortSignal.timeout(CHECK_MS)])
        const findings = await Promise.race([collector.check(signal), aborted(signal)]).catch((error: unknown): readonly Finding[] => [
          {
            check: 'reachable',
            level: 'problem',
            message: signal.aborted ? `no answer within ${CHECK_MS / 1000} seconds` : wordsOf(error),
            next: 'Check the network between this machine and the cloud.',
          },
        ])
        cli.signal.throwIfAborted()
        await collector.close?.()
        return { subject: entry.name, part: collector.part, findings: [...findings, ...(statuses === null ? [] : progressOf(status))] }
      }),
    )
  } catch (error) {
    if (!(error instanceof SourceError)) throw error
    return [
      {
        subject: entry.name,
        part: '',
        findings: [{ check: 'settings', level: 'problem', message: error.message, next: `Correct the source in ${configured.file}.` }],
      },
    ]
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason instanceof Error ? signal.reason : new Error('stopped')), { once: true })
  })
}

/** What the collector's own status says: lag, last error, gaps. */
function progressOf(status: PartStatus | null): readonly Finding[] {
  if (status === null) return [{ check: 'progress', level: 'warning', message: 'never collected', next: 'Start `trailjoin ingest`.' }]
  const findings: Finding[] = []
  if (status.watermark === null)
    findings.push({ check: 'lag', level: 'warning', message: `no time is known up to which it is complete (${status.records} records so far)`, next: null })
  else {
    const seconds = Math.max(0, Math.round((Date.now() - Number(status.watermark / 1_000_000n)) / 1000))
    const late = seconds > LAG_WARNING_SECONDS
    findings.push({
      check: 'lag',
      level: late ? 'warning' : 'ok',
      message: `complete up to ${durationOf(seconds)} ago (${status.records} records so far)`,
      next: late ? 'Is `trailjoin ingest` running? A first collection takes a while; a source that went silent stays behind.' : null,
    })
  }
  if (status.failures > 0) {
    const since = status.lastSuccessAt === null ? 'it never succeeded' : `it last succeeded at ${status.lastSuccessAt.toISOString()}`
    findings.push({
      check: 'collector',
      level: 'problem',
      message: `${status.failures} polls failed in a row, ${since}: ${status.lastError ?? ''}`,
      next: 'The findings above say whether it would succeed now.',
    })
  }
  const gap = status.gaps.at(-1)
  if (gap)
    findings.push({
      check: 'gaps',
      level: 'warning',
      message: `${status.gaps.length} stretches of time are missing, the latest: ${gap.reason}`,
      next: 'Import what you have of that time: `trailjoin import`.',
    })
  return findings
}

function durationOf(seconds: number): string {
  if (seconds < 120) return `${seconds} seconds`
  if (seconds < 7200) return `${Math.round(seconds / 60)} minutes`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} hours` : `${Math.round(seconds / 86_400)} days`
}

const ok = (check: string, message: string): Finding => ({ check, level: 'ok', message, next: null })
const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const MARKS = { ok: 'ok     ', warning: 'warning', problem: 'PROBLEM' } as const
const COLOURS = { ok: 32, warning: 33, problem: 31 } as const

function textOf(reports: readonly Report[], color: boolean): string {
  const lines = reports.flatMap(({ subject, part, findings }) => [
    printable(part === '' ? subject : `${subject} ${part}`),
    ...findings.flatMap(({ check, level, message, next }) => {
      const mark = color ? `\u001b[${COLOURS[level]}m${MARKS[level]}\u001b[0m` : MARKS[level]
      return [`  ${mark}  ${printable(check === subject ? message : `${check}: ${message}`)}`, ...(next === null ? [] : [`           → ${printable(next)}`])]
    }),
  ])
  return `${lines.join('\n')}\n`
}
