/** Hands a finished report over: a file in a folder, or a signed webhook. */
import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '#core/record.ts'
import type { ScheduledReport } from '../../../config/reports-section.ts'
import { deliverWebhook } from '../../webhook/deliver.ts'
import type { DeliverOptions, WebhookTarget } from '../../webhook/deliver.ts'
import { openWebhook } from '../../webhook/open.ts'
import { FILE_TYPES } from '../make.ts'
import type { Period } from './periods.ts'
import { periodName } from './periods.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** What was handed over, and to where: a path, or a webhook's host. */
export interface Delivered {
  readonly target: string
  readonly sha256: string
}

/** Where a report goes, with secrets read. @throws CommandError naming the report, when its address or secret cannot be used */
export async function openTarget(report: ScheduledReport, environment: Environment): Promise<{ readonly folder: string } | WebhookTarget> {
  return 'folder' in report.to ? report.to : await openWebhook(`report ${report.name}`, report.to, environment)
}

/**
 * Hands the report of one period over. A file is there whole or not at all, and one that is there already stays as it is: it was written by a run
 * that ended before it could say so. A webhook has the same id whenever it is sent again.
 */
export async function deliverReport(
  report: Pick<ScheduledReport, 'name' | 'format'>,
  period: Period,
  content: string | Uint8Array,
  target: { readonly folder: string } | WebhookTarget,
  options: DeliverOptions,
): Promise<Delivered> {
  const { contentType, ending } = FILE_TYPES[report.format]
  const name = `${report.name}_${periodName(period)}.${ending}`
  if ('folder' in target) return await writeOnce(target.folder, name, content)
  const id = `report-${report.name}-${period.from}-${period.to}`
  const headers = {
    'content-disposition': `attachment; filename="${name}"`,
    'x-trailjoin-report': report.name,
    'x-trailjoin-period': `${period.from}/${period.to}`,
  }
  await deliverWebhook(target, { id, contentType, body: content, headers }, options)
  return { target: new URL(target.url).host, sha256: sha256(content) }
}

async function writeOnce(folder: string, name: string, content: string | Uint8Array): Promise<Delivered> {
  await mkdir(folder, { recursive: true })
  const path = join(folder, name)
  const draft = join(folder, `.${name}.${randomBytes(6).toString('hex')}`)
  const file = await open(draft, 'wx', 0o644)
  try {
    await file.writeFile(content)
    await file.sync()
    await file.close()
    await link(draft, path)
    return { target: path, sha256: sha256(content) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return { target: path, sha256: sha256(await readFile(path)) }
  } finally {
    await file.close().catch(() => undefined)
    await unlink(draft)
  }
}
