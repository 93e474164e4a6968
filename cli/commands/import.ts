import { Command } from 'commander'
import { z } from 'zod'
import { guid } from '#api/query.ts'
import type { ImportSummary } from '#ingest/import.ts'
import { ConfigError } from '../../config.ts'
import { CommandError, UsageError, parseUsage, withStore } from '../cli.ts'
import type { Cli, CommandFactory, GlobalOptions } from '../cli.ts'
import { load } from '../load.ts'
import { printable } from '../output/table.ts'
import { readConfiguredApiLogs } from '../sink.ts'

/** More than these are counted only: `trailjoin rejected` lists them all. */
const SHOWN_REJECTIONS = 20

export const importCommand: CommandFactory = (cli) =>
  new Command('import')
    .description('imports log files: CloudTrail, Bedrock, Google Cloud, Entra, your own API; the format is recognised by content')
    .argument('<path...>', 'files, folders, or - for standard input; gz, zip and tar are unpacked')
    .option('--json', 'print one summary object')
    .option('--strict', 'fail when any record is rejected')
    .option('--config <file>', 'configuration file, for access logs in words of their own (default: TRAILJOIN_CONFIG, else trailjoin.yaml here)')
    .option('--follow', 'follow symbolic links that lead out of a folder')
    .option('--tenant <guid>', 'tenant of exports that do not name their own (Graph, portal)')
    .action(async (paths: string[], _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions & { json?: true; strict?: true; tenant?: string; config?: string; follow?: true }>()
      const { tenant } = parseUsage(z.object({ tenant: guid.optional() }), { tenant: options.tenant })
      const apiLogs = await readConfiguredApiLogs(cli, options.config).catch((error: unknown) => {
        throw error instanceof ConfigError ? new UsageError(error.message) : error
      })
      const summary = await withStore(
        cli,
        options,
        (database) => load(cli, database, { paths, tenantId: tenant, apiLogs, follow: options.follow === true }),
        'store',
      )
      await report(cli, summary, options.json === true)
      if (summary.errors.length > 0)
        throw new CommandError(`${summary.errors.length} of ${summary.files.length} files could not be read, or not to their end; the rest is stored.`)
      if (options.strict && summary.rejected > 0) throw new CommandError(`${summary.rejected} records were rejected (--strict); the rest is stored.`)
    })

async function report(cli: Cli, summary: ImportSummary, json: boolean): Promise<void> {
  const { read, stored, duplicates, rejected, byFormat, files, errors, skipped, rejections } = summary
  for (const { file, reason } of errors) cli.say(printable(`error: ${file}: ${reason}`))
  for (const { file, reason } of skipped.slice(0, SHOWN_REJECTIONS)) cli.say(printable(`left out: ${file}: ${reason}`))
  if (skipped.length > SHOWN_REJECTIONS) cli.say(`… and ${skipped.length - SHOWN_REJECTIONS} more files left out`)
  for (const { origin, reason } of rejections.slice(0, SHOWN_REJECTIONS))
    cli.say(printable(`rejected: ${origin.file}${origin.line === null ? ` #${origin.index}` : `:${origin.line}`}: ${reason}`))
  if (rejected > SHOWN_REJECTIONS) cli.say(`… and ${rejected - SHOWN_REJECTIONS} more rejected records: \`trailjoin rejected\` lists them all.`)
  if (json) {
    await cli.out.write(`${JSON.stringify({ read, stored, duplicates, rejected, byFormat, files: files.length, errors, skipped })}\n`)
    return
  }
  const formats = Object.entries(byFormat).toSorted(([, a], [, b]) => b - a)
  cli.say(`${files.length} files, ${read} records read: ${stored} stored, ${duplicates} known already, ${rejected} rejected.`)
  if (formats.length > 0) cli.say(formats.map(([format, count]) => `${format} ${count}`).join(', '))
}
