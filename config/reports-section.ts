/** The section `reports:` of the configuration file: reports that are made by themselves. docs/llm-usage.md describes it. */
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { SOURCES } from '#core/event.ts'
import { isGuid } from '#core/keys.ts'
import { secretReference } from '#ingest/engine/secret.ts'
import type { SecretReference } from '#ingest/engine/secret.ts'
import { ConfigError } from '../config.ts'
import { faultsOf, readNamed, repeatedNames, sectionOf } from './yaml-file.ts'

const FORMATS = ['pdf', 'html', 'json', 'ndjson', 'csv', 'focus'] as const

export interface ScheduledReport {
  /** What was made is remembered by it. */
  readonly name: string
  readonly every: 'day' | 'week' | 'month'
  /** Minutes after the UTC midnight that the period ends with. */
  readonly afterMinutes: number
  readonly format: (typeof FORMATS)[number]
  readonly to: { readonly folder: string } | { readonly url: string | SecretReference; readonly secret: SecretReference }
  readonly tenant: string | undefined
  readonly cloud: (typeof SOURCES)[number] | undefined
  /** File of prices. */
  readonly prices: string | undefined
  readonly madeBy: string | undefined
}

const Entry = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'is no name of a report: write lower-case letters, digits and hyphens, 63 at most'),
    every: z.enum(['day', 'week', 'month'], 'is none of day, week, month'),
    at: z
      .string("is no time of day: write '06:00' (UTC)")
      .regex(/^([01]\d|2[0-3]):[0-5]\d$/, "is no time of day: write '06:00' (UTC)")
      .default('06:00'),
    afterDays: z.int('is no whole number of days').min(0).max(60).default(0),
    format: z.enum(FORMATS, `is none of ${FORMATS.join(', ')}`),
    folder: z.string().min(1).optional(),
    webhook: z
      .strictObject({
        url: z.union([z.string().min(1), secretReference], 'is no address: write https://… or {env: NAME}'),
        secret: secretReference,
      })
      .optional(),
    tenant: z
      .string()
      .refine(isGuid, 'is no tenant id: write it as 8-4-4-4-12 hexadecimal digits')
      .transform((text) => text.toLowerCase())
      .optional(),
    cloud: z.enum(SOURCES, `is none of ${SOURCES.join(', ')}`).optional(),
    prices: z.string().min(1).optional(),
    madeBy: z.string().min(1).max(200).optional(),
  })
  .refine(({ folder, webhook }) => (folder === undefined) !== (webhook === undefined), 'goes nowhere, or to two places: write either folder or webhook')

/**
 * The reports that the file asks for; none where there is no file or no such section.
 * @param named the file that somebody named: that one must be there
 * @throws ConfigError naming every fault at once, with line and path
 */
export async function readReports(named: string | undefined): Promise<readonly ScheduledReport[]> {
  const found = await readNamed(named)
  return found === null ? [] : parseReports(found.text, found.file)
}

/** The section of a text. Paths in it are relative to the folder of `file`. @throws ConfigError as `readReports` */
export function parseReports(text: string, file: string): readonly ScheduledReport[] {
  const { yaml, value } = sectionOf(text, file, 'reports')
  if (value === undefined) return []
  const entries = z.array(Entry).safeParse(value)
  if (!entries.success) throw yaml.refusal(faultsOf(entries.error, ['reports']))
  const faults = repeatedNames(entries.data, 'reports', 'what was made is remembered by name')
  if (faults.length > 0) throw yaml.refusal(faults)
  const path = (name: string): string => resolve(dirname(file), name)
  return entries.data.map(({ at, afterDays, folder, webhook, prices, ...entry }): ScheduledReport => {
    const [hours, minutes] = at.split(':').map(Number) as [number, number]
    if (webhook === undefined && folder === undefined) throw new ConfigError(`${file}: ${entry.name} goes nowhere`)
    return {
      name: entry.name,
      every: entry.every,
      format: entry.format,
      tenant: entry.tenant,
      cloud: entry.cloud,
      madeBy: entry.madeBy,
      afterMinutes: afterDays * 1440 + hours * 60 + minutes,
      to: webhook ?? { folder: path(folder ?? '') },
      prices: prices === undefined ? undefined : path(prices),
    }
  })
}
