/** The configuration file as text: faults are told with file, line and path, all at once, and no value is repeated: it may be a secret in the wrong place. */
import { isMap, isNode, isScalar, LineCounter } from 'yaml'
import type { Document } from 'yaml'
import type { z } from 'zod'
import { ConfigError } from '../config.ts'
import { readTextFile, TextFileError } from './text-file.ts'
import { readYaml } from './yaml-text.ts'

/** The file where no other is named. */
export const DEFAULT_FILE = 'trailjoin.yaml'

/** More are told by their number: a file of another kind has one in each line. */
const MOST_FAULTS = 20

export interface Fault {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

export interface YamlFile {
  readonly value: unknown
  /** An error that tells all these faults, each with its line. */
  readonly refusal: (faults: readonly Fault[]) => ConfigError
}

/** @returns the text of the file; null when there is none. @throws ConfigError when it cannot be read */
export async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readTextFile(file, 'configuration file')
  } catch (error) {
    if (!(error instanceof TextFileError)) throw error
    if (error.missing) return null
    throw new ConfigError(error.message)
  }
}

/** Everything that may stand at the top of the file; each section is read where it is used. */
const SECTIONS = ['sources', 'api', 'apiLogs', 'webhooks', 'reports'] as const
export type Section = (typeof SECTIONS)[number]

/**
 * The text of the configuration file.
 * @param named the file that somebody named: that one must be there
 * @returns null when none was named and there is none here
 * @throws ConfigError
 */
export async function readNamed(named: string | undefined): Promise<{ readonly file: string; readonly text: string } | null> {
  const file = named ?? DEFAULT_FILE
  const text = await readIfThere(file)
  if (text !== null) return { file, text }
  if (named === undefined) return null
  throw new ConfigError(`${file} does not exist. Write one (docs/configuration.md has examples), or name another by --config or TRAILJOIN_CONFIG.`)
}

/**
 * One section of a text, `value` undefined where it is not there. A word that is no section is refused whoever reads: `webhook:` would otherwise mean that nobody is told.
 * @throws ConfigError
 */
export function sectionOf(text: string, file: string, section: Section): { readonly yaml: YamlFile; readonly value: unknown } {
  const yaml = parseYaml(text, file)
  const { value } = yaml
  if (value === null || value === undefined) return { yaml, value: undefined }
  if (typeof value !== 'object' || Array.isArray(value)) throw yaml.refusal([{ path: [], message: 'is no group of settings: write them as `name: value`' }])
  const unknown = Object.keys(value).filter((key) => !(SECTIONS as readonly string[]).includes(key))
  if (unknown.length > 0) throw yaml.refusal(unknown.map((key) => ({ path: [key], message: `is not known here: the sections are ${SECTIONS.join(', ')}` })))
  return { yaml, value: (value as Readonly<Record<string, unknown>>)[section] ?? undefined }
}

/** Faults of a list whose entries are remembered by name. */
export function repeatedNames(entries: readonly { readonly name: string }[], section: Section, remembered: string): readonly Fault[] {
  return entries.flatMap(({ name }, index) =>
    entries.findIndex((other) => other.name === name) < index
      ? [{ path: [section, index, 'name'], message: `"${name}" is the name of another ${section.replace(/s$/, '')}: ${remembered}` }]
      : [],
  )
}

/** Parses a text; `file` stands in the messages. @throws ConfigError where it is no YAML */
export function parseYaml(text: string, file: string): YamlFile {
  const lines = new LineCounter()
  const [first] = readYaml(text, lines, { single: true })
  if (first === undefined || 'faults' in first)
    throw new ConfigError((first?.faults ?? []).map(({ line, message }) => `${file}:${line}: ${message}`).join('\n'))
  const { document, value } = first
  return {
    value,
    refusal: (faults) => {
      const told = faults
        .slice(0, MOST_FAULTS)
        .map((fault) => ({ line: lineOf(document, lines, fault.path), text: `${pathText(fault.path)}${fault.message}` }))
        .map(({ line, text: message }) => `${file}${line === null ? '' : `:${line}`}: ${message}`)
      const more = faults.length > MOST_FAULTS ? [`${file}: … and ${faults.length - MOST_FAULTS} more faults`] : []
      return new ConfigError([...told, ...more].join('\n'))
    },
  }
}

/** What zod found wrong, in the words of an operator. `path` is where the checked value stands. */
export function faultsOf(error: z.ZodError, path: readonly PropertyKey[]): readonly Fault[] {
  return error.issues.flatMap((issue): readonly Fault[] => {
    const at = [...path, ...issue.path]
    // Each unknown key where it stands.
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ path: [...at, key], message: 'is not known here' }))
    return [{ path: at, message: wordsOf(issue) }]
  })
}

function wordsOf({ message }: z.core.$ZodIssue): string {
  const missing = /^Invalid input: expected (.+), received undefined$/.exec(message)
  if (missing) return `is missing (${missing[1] ?? ''})`
  if (message.startsWith('Invalid input: expected array')) return 'is no list: write its entries below it, each on a line of its own behind a hyphen'
  if (message.startsWith('Invalid input: expected object')) return 'is no group of settings: write them as `name: value`'
  return message.startsWith('Invalid') || message.startsWith('Too') ? `is wrong: ${message}` : message
}

function pathText(path: readonly PropertyKey[]): string {
  const text = path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '')
  return text === '' ? '' : `${text} `
}

/** The line of the path's end (of its name, where it has one), or of the nearest of its parents that is there. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number | null {
  for (let length = path.length; length > 0; length--) {
    const above = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true)
    const name = isMap(above) ? above.items.find(({ key }) => isScalar(key) && key.value === path[length - 1])?.key : undefined
    const node = name ?? document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line
  }
  return null
}
