import { Command } from 'commander'
import { countUsableTokens } from '#api/access/tokens.ts'
import { lacksAccess } from '#database/open.ts'
import { readerQueries } from '#database/reader.ts'
import { roomIn } from '#database/space.ts'
import type { Room } from '#database/space.ts'
import type { Finding } from '#ingest/engine/source.ts'
import { readStatuses } from '#ingest/engine/store.ts'
import type { PartStatus } from '#ingest/engine/store.ts'
import { CommandError, withStore } from '../cli.ts'
import type { Cli, CommandFactory, GlobalOptions } from '../cli.ts'
import { accessReport } from '../doctor/access.ts'
import { readConfiguration } from '../doctor/configuration.ts'
import { reportsReport, webhooksReport } from '../doctor/delivery.ts'
import type { KeepsRuns } from '../doctor/delivery.ts'
import { kafkaReport, logFindings } from '../doctor/kafka.ts'
import { ok, problem, textOf, warning, wordsOf } from '../doctor/report.ts'
import type { Report } from '../doctor/report.ts'
import { checkSource } from '../doctor/sources.ts'
import { mustKeepRuns } from '../report/schedule/run-due.ts'

interface DoctorOptions extends GlobalOptions {
  readonly config?: string
  readonly json?: true
}

export const doctorCommand: CommandFactory = (cli) =>
  new Command('doctor')
    .description(
      'checks the configuration: of each live source permissions, log coverage and lag; who may call; webhooks and reports; and says what to do next',
    )
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
  const { report, sources, access, webhooks, reports } = await readConfiguration(cli, options.config)
  const { store, statuses, tokens, keeps } = await storeReport(cli, options)
  const [kafka, ...rest] = await Promise.all([
    kafkaReport(cli),
    ...(access === null ? [] : [accessReport(access, tokens)]),
    ...(webhooks.length === 0 ? [] : [webhooksReport(webhooks, cli.environment)]),
    ...(reports.length === 0 ? [] : [reportsReport(reports, cli.environment, keeps)]),
  ])
  const checked = sources === null ? [] : await Promise.all(sources.entries.map((entry) => checkSource(cli, entry, sources, statuses)))
  return [report, store, ...kafka, ...rest, ...checked.flat()]
}

interface Store {
  readonly store: Report
  /** What the collectors have written about themselves so far; null when the store does not answer. */
  readonly statuses: readonly PartStatus[] | null
  readonly tokens: number | null
  readonly keeps: KeepsRuns | null
}

/** A store that is away is a problem of its own, and everything else is checked all the same. */
async function storeReport(cli: Cli, options: GlobalOptions): Promise<Store> {
  const report = (...findings: Report['findings']): Report => ({ subject: 'store', part: '', findings })
  try {
    return await withStore(
      cli,
      options,
      async ({ pool, pending, missing, folder, embedded }) => {
        const room = folder === null ? [] : [roomFinding(await roomIn(folder))]
        // An older schema may lack what the rest asks for.
        if (missing.length > 0) return { store: report(accessFinding(missing), ...room), statuses: null, tokens: null, keeps: null }
        if (pending > 0) return { store: report(schemaFinding(pending, embedded), ...room), statuses: null, tokens: null, keeps: null }
        return {
          store: report(ok('database', 'answers'), ...room, ...(await logFindings(readerQueries(pool, null)))),
          // As the API reads them: a login of its own reads no table of sources by itself (docs/operators/access.md).
          statuses: await readStatuses(readerQueries(pool, null)),
          tokens: await countUsableTokens(pool),
          keeps: await mustKeepRuns(pool).then(
            (): KeepsRuns => ({ may: true }),
            (error: unknown): KeepsRuns => ({ may: false, why: wordsOf(error) }),
          ),
        }
      },
      'look',
    )
  } catch (error) {
    const next = 'Correct DATABASE_URL or --data-dir, or start the database. Collectors keep their cursors there.'
    return { store: report(problem('database', wordsOf(error), next)), statuses: null, tokens: null, keeps: null }
  }
}

/** Looking changes nothing, the schema neither. */
function schemaFinding(pending: number, embedded: boolean): Finding {
  const message = `${pending} migration${pending === 1 ? '' : 's'} of this release ${pending === 1 ? 'is' : 'are'} not applied`
  return embedded
    ? warning('schema', message, 'The next command that reads or imports brings an embedded store up to date; `trailjoin migrate` does it at once.')
    : problem('schema', message, 'Run `trailjoin migrate`: no other command changes the schema of a server.')
}

/** Nothing can be read without the roles, so nothing more is asked. */
function accessFinding(missing: readonly string[]): Finding {
  return problem('roles', lacksAccess(missing), 'Run `trailjoin migrate`: it makes roles, grants and policies anew.')
}

function roomFinding({ state, message }: Room): Finding {
  if (state === 'enough') return ok('disk', message)
  const next = 'Make room: on a full disk nothing can be stored. docs/operators/running.md names the limits.'
  return state === 'scarce' ? warning('disk', message, next) : problem('disk', message, next)
}
