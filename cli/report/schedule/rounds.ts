/** Scheduled reports in a process that runs for long. */
import { setTimeout as pause } from 'node:timers/promises'
import { destination, pino } from 'pino'
import type { Logger } from 'pino'
import type { Database } from '#database/open.ts'
import { readReports } from '../../../config/reports-section.ts'
import type { Cli } from '../../cli.ts'
import { openTarget } from './deliver-report.ts'
import { periodName } from './periods.ts'
import { mustKeepRuns, runDue } from './run-due.ts'
import type { ReportOutcome } from './run-due.ts'
import { LOG_HOOKS } from '../../log-hooks.ts'

/** How often it is looked what is due. */
const EVERY_MS = 60_000

/**
 * Makes what the section `reports:` asks for whenever it is due, while `work` runs.
 * @param configFile the file that the command names, if it does
 * @throws ConfigError, CommandError before `work` begins where the section, an address or a secret cannot be used, or the login of the database may not keep what was made
 */
export async function withReportRounds<Result>(cli: Cli, pool: Database['pool'], configFile: string | undefined, work: () => Promise<Result>): Promise<Result> {
  const reports = await readReports(configFile ?? cli.config.configFile)
  if (reports.length === 0) return await work()
  for (const report of reports) await openTarget(report, cli.environment)
  await mustKeepRuns(pool)
  const log = pino({ name: 'trailjoin', hooks: LOG_HOOKS, base: { role: 'reports' }, level: cli.config.logLevel }, destination(2))
  const stop = new AbortController()
  const signal = AbortSignal.any([cli.signal, stop.signal])
  const loop = async (): Promise<void> => {
    do await round(pool, reports, { environment: cli.environment, signal }, log)
    while (await pause(EVERY_MS, true, { signal }).catch(() => false))
  }
  const running = loop()
  try {
    return await work()
  } finally {
    stop.abort(new Error('Stopped.'))
    await running
  }
}

/** Never rejects: what failed stays due. */
async function round(pool: Database['pool'], reports: Parameters<typeof runDue>[1], options: Parameters<typeof runDue>[2], log: Logger): Promise<void> {
  try {
    for (const outcome of (await runDue(pool, reports, options)) ?? []) {
      if (outcome.error === null) log.info({ report: outcome.name, period: periodName(outcome.period), target: outcome.target }, 'report made')
      else log.warn({ report: outcome.name, period: periodName(outcome.period), error: outcome.error }, 'report is left for the next time')
    }
  } catch (error) {
    if (!options.signal?.aborted) log.warn({ error: String(error) }, 'reports are left for the next time')
  }
}

/** An outcome as a line for people. */
export const outcomeText = ({ name, period, target, error }: ReportOutcome): string =>
  `${name} ${periodName(period)}: ${error === null ? `to ${target}` : `failed: ${error}`}`
