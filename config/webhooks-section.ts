/** The section `webhooks:` of the configuration file: who is told of findings. docs/findings-webhooks.md describes it. */
import { z } from 'zod'
import { SEVERITIES } from '#core/finding.ts'
import { isGuid } from '#core/keys.ts'
import { secretReference } from '#ingest/engine/secret.ts'
import type { SecretReference } from '#ingest/engine/secret.ts'
import { ConfigError } from '../config.ts'
import { faultsOf, readNamed, repeatedNames, sectionOf } from './yaml-file.ts'

const CHANGES = ['new', 'changed', 'gone'] as const

export interface FindingWebhook {
  /** What was told is remembered by it. */
  readonly name: string
  readonly url: string | SecretReference
  readonly secret: SecretReference
  /** Only findings at least so grave. */
  readonly severity: (typeof SEVERITIES)[number]
  /** Only of these rules; all without it. */
  readonly rules: readonly string[] | undefined
  readonly changes: readonly (typeof CHANGES)[number][]
  /** Only of this tenant. */
  readonly tenant: string | undefined
}

const Entry = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'is no name of a webhook: write lower-case letters, digits and hyphens, 63 at most'),
  url: z.union([z.string().min(1), secretReference], 'is no address: write https://… or {env: NAME}'),
  secret: secretReference,
  severity: z.enum(SEVERITIES, `is none of ${SEVERITIES.join(', ')}`).default('info'),
  rules: z
    .array(z.string().regex(/^[a-z0-9-]+$/, 'is no name of a rule'))
    .min(1, 'names no rule')
    .optional(),
  changes: z
    .array(z.enum(CHANGES, `is none of ${CHANGES.join(', ')}`))
    .min(1, 'names no change')
    .default(['new', 'changed']),
  tenant: z
    .string()
    .refine(isGuid, 'is no tenant id: write it as 8-4-4-4-12 hexadecimal digits')
    .transform((text) => text.toLowerCase())
    .optional(),
})

/**
 * The webhooks that the file names; none where there is no file or no such section.
 * @param named the file that somebody named: that one must be there
 * @throws ConfigError naming every fault at once, with line and path
 */
export async function readWebhooks(named: string | undefined): Promise<readonly FindingWebhook[]> {
  const found = await readNamed(named)
  return found === null ? [] : parseWebhooks(found.text, found.file)
}

/** The section of a text; `file` stands in the messages. @throws ConfigError as `readWebhooks` */
export function parseWebhooks(text: string, file: string): readonly FindingWebhook[] {
  const { yaml, value } = sectionOf(text, file, 'webhooks')
  if (value === undefined) return []
  const entries = z.array(Entry).safeParse(value)
  if (!entries.success) throw yaml.refusal(faultsOf(entries.error, ['webhooks']))
  const faults = repeatedNames(entries.data, 'webhooks', 'what was told is remembered by name')
  if (faults.length > 0) throw yaml.refusal(faults)
  if (entries.data.length > 50) throw new ConfigError(`${file}: more than 50 webhooks`)
  return entries.data.map(({ rules, tenant, ...entry }) => ({ ...entry, rules, tenant }))
}
