/** The section `api:` of the configuration file: who may call. docs/operators/access.md describes it. */
import { z } from 'zod'
import { ApiSection, DEFAULT_ACCESS } from '#api/access/settings.ts'
import type { AccessSettings } from '#api/access/settings.ts'
import { ConfigError } from '../config.ts'
import { DEFAULT_FILE, faultsOf, parseYaml, readIfThere } from './yaml-file.ts'

/**
 * Reads the section; what it does not say, and a file that is not there, mean this machine alone.
 * @param named the file that somebody named: that one must be there
 * @throws ConfigError naming every fault at once
 */
export async function readApiSection(named: string | undefined): Promise<AccessSettings> {
  const file = named ?? DEFAULT_FILE
  const text = await readIfThere(file)
  if (text !== null) return parseApiSection(text, file)
  if (named !== undefined)
    throw new ConfigError(`${file} does not exist. Write one (docs/configuration.md has examples), or name another by --config or TRAILJOIN_CONFIG.`)
  return DEFAULT_ACCESS
}

/** The section of a text; `file` stands in the messages. @throws ConfigError as `readApiSection` */
export function parseApiSection(text: string, file: string): AccessSettings {
  const yaml = parseYaml(text, file)
  const section = z.looseObject({ api: z.unknown() }).safeParse(yaml.value ?? {})
  // What else stands in the file is the sources' to judge; without a map there is no section.
  if (!section.success || section.data.api === undefined || section.data.api === null) return DEFAULT_ACCESS
  const settings = ApiSection.safeParse(section.data.api)
  if (!settings.success) throw yaml.refusal(faultsOf(settings.error, ['api']))
  return settings.data
}
