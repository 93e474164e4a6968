/** The section `api:` of the configuration file: who may call. docs/operators/access.md describes it. */
import { accessFromEnvironment, ApiSection, DEFAULT_ACCESS } from '#api/access/settings.ts'
import type { AccessSettings } from '#api/access/settings.ts'
import { ConfigError } from '../config.ts'
import { faultsOf, readNamed, sectionOf } from './yaml-file.ts'

/**
 * The section with the environment over it: the nearer word wins. What neither says, and a file that is not there, mean this machine alone.
 * @param named the file that somebody named: that one must be there
 * @throws ConfigError naming every fault of both at once
 */
export async function readAccess(named: string | undefined, environment: Readonly<Record<string, string | undefined>>): Promise<AccessSettings> {
  const { settings, faults } = accessFromEnvironment(environment)
  const section = await readApiSection(named).catch((error: unknown) => {
    if (error instanceof ConfigError) return error
    throw error
  })
  if (section instanceof ConfigError) throw new ConfigError([...faults, section.message].join('\n'))
  if (faults.length > 0) throw new ConfigError(faults.join('\n'))
  return { ...section, ...settings }
}

async function readApiSection(named: string | undefined): Promise<AccessSettings> {
  const found = await readNamed(named)
  return found === null ? DEFAULT_ACCESS : parseApiSection(found.text, found.file)
}

/** The section of a text; `file` stands in the messages. @throws ConfigError naming every fault at once */
export function parseApiSection(text: string, file: string): AccessSettings {
  const { yaml, value } = sectionOf(text, file, 'api')
  if (value === undefined) return DEFAULT_ACCESS
  const settings = ApiSection.safeParse(value)
  if (!settings.success) throw yaml.refusal(faultsOf(settings.error, ['api']))
  return settings.data
}
