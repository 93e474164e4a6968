/** The configuration file: which live sources there are. docs/configuration.md describes it for operators. */
import { z } from 'zod'
import { isGuid } from '#core/keys.ts'
import type { SourceEntry } from '#ingest/engine/open.ts'
import type { Source } from '#ingest/engine/source.ts'
import { ConfigError } from '../config.ts'
import { faultsOf, parseYaml, readIfThere, sectionOf } from './yaml-file.ts'
import type { Fault } from './yaml-file.ts'

const Common = z.looseObject({
  kind: z.string(),
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'is no name of a source: write lower-case letters, digits and hyphens, 63 at most'),
  everySeconds: z.number().min(1).max(86_400).optional(),
  tenantId: z
    .string()
    .refine(isGuid, 'is no tenant id: write it as 8-4-4-4-12 hexadecimal digits')
    .transform((text) => text.toLowerCase())
    .optional(),
})

/** From the end of one poll to the begin of the next, where the file does not say. */
const EVERY_SECONDS = 60

/**
 * Reads the file.
 * @throws ConfigError naming every fault at once, with line and path; values are not repeated, they may be secrets written into the wrong place
 */
export async function readSourcesFile(file: string, kinds: ReadonlyMap<string, Source<unknown>>): Promise<readonly SourceEntry[]> {
  const text = await readIfThere(file)
  if (text === null)
    throw new ConfigError(
      `${file} does not exist. Write one (docs/configuration.md has examples), or name another by --config or TRAILJOIN_CONFIG. Without live sources, \`trailjoin import\` reads log files.`,
    )
  return parseSources(text, file, kinds)
}

/** The same where collecting is no must: null when there is no file, or it has no section `sources`. @throws ConfigError as `readSourcesFile` */
export async function readSourcesIfAny(file: string, kinds: ReadonlyMap<string, Source<unknown>>): Promise<readonly SourceEntry[] | null> {
  const text = await readIfThere(file)
  if (text === null) return null
  return sectionOf(text, file, 'sources').value === undefined ? null : parseSources(text, file, kinds)
}

/** The sources that a configuration text names. `file` stands in the messages. @throws ConfigError as `readSourcesFile` */
export function parseSources(text: string, file: string, kinds: ReadonlyMap<string, Source<unknown>>): readonly SourceEntry[] {
  const yaml = parseYaml(text, file)
  const faults: Fault[] = []
  const entries = readDocument(yaml.value, kinds, faults)
  if (faults.length > 0) throw yaml.refusal(faults)
  return entries
}

function readDocument(value: unknown, kinds: ReadonlyMap<string, Source<unknown>>, faults: Fault[]): readonly SourceEntry[] {
  const file = z
    .strictObject({
      sources: z.array(z.unknown()).min(1, 'names no source'),
      api: z.unknown().optional(),
      apiLogs: z.unknown().optional(),
      webhooks: z.unknown().optional(),
      reports: z.unknown().optional(),
    })
    .safeParse(value ?? {})
  if (!file.success) {
    faults.push(...faultsOf(file.error, []))
    return []
  }
  const names = new Set<string>()
  return file.data.sources.flatMap((item, index) => {
    const entry = readEntry(item, ['sources', index], kinds, faults)
    if (entry === null) return []
    if (names.has(entry.name))
      faults.push({ path: ['sources', index, 'name'], message: `"${entry.name}" is the name of another source: cursors are kept by name` })
    names.add(entry.name)
    return [entry]
  })
}

function readEntry(item: unknown, path: readonly PropertyKey[], kinds: ReadonlyMap<string, Source<unknown>>, faults: Fault[]): SourceEntry | null {
  const common = Common.safeParse(item)
  if (!common.success) faults.push(...faultsOf(common.error, path))
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return null
  const { kind, name: _name, everySeconds: _every, tenantId: _tenant, ...own } = item as Record<string, unknown>
  const source = typeof kind === 'string' ? kinds.get(kind) : undefined
  if (!source) {
    if (typeof kind === 'string') faults.push({ path: [...path, 'kind'], message: `is no kind of source: write one of ${[...kinds.keys()].join(', ')}` })
    return null
  }
  const settings = source.settings.safeParse(own)
  if (!settings.success) faults.push(...faultsOf(settings.error, path))
  if (!common.success || !settings.success) return null
  const { name, everySeconds = EVERY_SECONDS, tenantId } = common.data
  return { kind: source.kind, name, everySeconds, context: tenantId === undefined ? {} : { tenantId }, settings: settings.data }
}
