/** The section `apiLogs:` of the configuration file: access logs of the operator's own APIs in words of their own. docs/configuration.md describes it. */
import { z } from 'zod'
import { isGuid } from '#core/keys.ts'
import { API_LOG_FIELDS, TIME_FORMS } from '#ingest/api-logs.ts'
import type { ApiLog } from '#ingest/api-logs.ts'
import { faultsOf, readNamed, repeatedNames, sectionOf } from './yaml-file.ts'

const path = z.string('must be the name of a member, or its path with dots').min(1, 'must be the name of a member, or its path with dots').max(200)

const Entry = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and hyphens, 63 at most'),
  when: z
    .record(path, z.union([z.string(), z.number(), z.boolean()], 'must be a text, a number, or true for any value'))
    .refine((members) => Object.keys(members).length > 0, 'must name at least one member by which a line of this log is known'),
  fields: z
    .partialRecord(z.enum(API_LOG_FIELDS, `must be one of ${API_LOG_FIELDS.join(', ')}`), path)
    .refine((fields) => fields.time !== undefined, 'must say where the time stands (time: …)')
    .refine(
      (fields) => fields.oid !== undefined || fields.appid !== undefined || fields.azp !== undefined,
      'must say where the caller stands (oid, appid or azp of the validated token)',
    ),
  timeForm: z.enum(TIME_FORMS, `must be one of ${TIME_FORMS.join(', ')}`).optional(),
  zone: z
    .string()
    .regex(/^(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)$/, 'must be Z or an offset like +01:00')
    .optional(),
  api: z.string().min(1).max(100).optional(),
  tenantId: z
    .string()
    .refine(isGuid, 'is no tenant id: write it as 8-4-4-4-12 hexadecimal digits')
    .transform((text) => text.toLowerCase())
    .optional(),
})

/**
 * The logs that the file describes; none where there is no file or no such section.
 * @param named the file that somebody named: that one must be there
 * @throws ConfigError naming every fault at once, with line and path
 */
export async function readApiLogs(named: string | undefined): Promise<readonly ApiLog[]> {
  const found = await readNamed(named)
  return found === null ? [] : parseApiLogs(found.text, found.file)
}

/** The section of a text; `file` stands in the messages. @throws ConfigError as `readApiLogs` */
export function parseApiLogs(text: string, file: string): readonly ApiLog[] {
  const { yaml, value } = sectionOf(text, file, 'apiLogs')
  if (value === undefined) return []
  const entries = z.array(Entry).max(50, 'must be at most 50 logs').safeParse(value)
  if (!entries.success) throw yaml.refusal(faultsOf(entries.error, ['apiLogs']))
  const faults = repeatedNames(entries.data, 'apiLogs', 'records name their log by it')
  if (faults.length > 0) throw yaml.refusal(faults)
  return entries.data
}
