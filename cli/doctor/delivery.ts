/** Whether what is told to others could be told: addresses, secrets, folders, prices. Nothing is sent. */
import { access, constants } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Finding } from '#ingest/engine/source.ts'
import type { ScheduledReport } from '../../config/reports-section.ts'
import type { FindingWebhook } from '../../config/webhooks-section.ts'
import type { Cli } from '../cli.ts'
import { readPriceFile } from '../report/price-file.ts'
import { openTarget } from '../report/schedule/deliver-report.ts'
import { openWebhooks } from '../webhook/findings.ts'
import { ok, problem, wordsOf } from './report.ts'
import type { Report } from './report.ts'

/** Webhooks of the section `webhooks`. */
export async function webhooksReport(webhooks: readonly FindingWebhook[], environment: Cli['environment']): Promise<Report> {
  const findings = await Promise.all(
    webhooks.map(async (webhook): Promise<Finding> => {
      try {
        const [opened] = await openWebhooks([webhook], environment)
        return ok(webhook.name, `address and secret can be read; findings go to ${new URL(opened!.target.url).host}`)
      } catch (error) {
        return problem(webhook.name, withoutName(error, `webhook ${webhook.name}`), 'docs/findings-webhooks.md shows how a webhook is written.')
      }
    }),
  )
  return { subject: 'webhooks', part: '', findings }
}

/** Whether the login of the database may keep which reports were made: without that none is (`mustKeepRuns`). */
export type KeepsRuns = { readonly may: true } | { readonly may: false; readonly why: string }

/**
 * Reports of the section `reports`.
 * @param keeps null where the store does not answer
 */
export async function reportsReport(reports: readonly ScheduledReport[], environment: Cli['environment'], keeps: KeepsRuns | null): Promise<Report> {
  const refused = keeps?.may === false ? [problem('database', keeps.why, null)] : []
  const findings = await Promise.all(reports.map((report) => checkReport(report, environment, keeps?.may === true)))
  return { subject: 'reports', part: '', findings: [...refused, ...findings] }
}

async function checkReport(report: ScheduledReport, environment: Cli['environment'], kept: boolean): Promise<Finding> {
  try {
    const target = await openTarget(report, environment)
    if ('folder' in target) await mustTakeFiles(target.folder)
    if (report.prices !== undefined) await readPriceFile(report.prices)
    return ok(report.name, `${kept ? 'can be made, and ' : ''}goes to ${'folder' in target ? target.folder : new URL(target.url).host}`)
  } catch (error) {
    return problem(report.name, withoutName(error, `report ${report.name}`), 'docs/llm-usage.md shows how a report is written.')
  }
}

/** The finding says already which one it is about. */
const withoutName = (error: unknown, name: string): string => wordsOf(error).replace(`${name}: `, '')

/** A folder that is not there yet is made on first use: then the nearest one above it counts. */
async function mustTakeFiles(folder: string): Promise<void> {
  try {
    await access(folder, constants.W_OK | constants.X_OK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' || dirname(folder) === folder)
      throw new Error(`the folder ${folder} cannot be written into: ${code ?? wordsOf(error)}`, { cause: error })
    await mustTakeFiles(dirname(folder))
  }
}
