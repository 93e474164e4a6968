/** What the documents name is there: files, headings, commands and scripts. */
import { existsSync, globSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { COMMANDS } from '../cli/commands/index.ts'
import type { Cli } from '../cli/cli.ts'
import { readConfig } from '../config.ts'

const ROOT = resolve(import.meta.dirname, '..')
const documents = globSync(['*.md', 'docs/**/*.md', 'dashboards/*.md', 'bench/*.md', 'correlate/*.md', 'test/reports/README.md'], { cwd: ROOT }).toSorted()
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')
/** What a heading is called in a link. */
const anchor = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-')
const anchorsOf = (file: string): ReadonlySet<string> => new Set([...read(file).matchAll(/^#{1,6}\s+(.+)$/gm)].map((match) => anchor(match[1]!)))
const folders = new Set(
  readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name),
)
/** Commands are built only to ask for their names. */
const cli: Cli = { config: readConfig({}), environment: {}, out: {} as Cli['out'], say: () => undefined, terminal: null, signal: new AbortController().signal }
const commands = new Set(COMMANDS.map((make) => make(cli).name()))
const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts)

describe.each(documents)('%s', (document) => {
  const text = read(document)

  test('links to files and headings that are there', () => {
    const missing = [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) => {
      if (/^[a-z]+:/.test(target)) return []
      const [path = '', heading] = target.split('#')
      const file = path === '' ? document : join(dirname(document), path)
      if (!existsSync(join(ROOT, file))) return [target]
      return heading !== undefined && !anchorsOf(file).has(heading) ? [target] : []
    })
    expect(missing).toEqual([])
  })

  test('names files and folders of this repository that are there', () => {
    const missing = [...text.matchAll(/`([\w.-]+\/[\w./-]*)`/g)].flatMap(([, path = '']) => {
      if (!folders.has(path.split('/')[0]!) || existsSync(join(ROOT, path))) return []
      // Names of a pattern: `correlate/formats/<name>/` is written without its brackets in places, e.g. as a folder of examples.
      return existsSync(join(ROOT, dirname(document), path)) ? [] : [path]
    })
    expect(missing).toEqual([])
  })

  test('names commands and scripts that there are', () => {
    const code = [...text.matchAll(/^ *```[\s\S]*?^ *```|`[^`\n]+`/gm)].map(([block]) => block).join('\n')
    const unknown = [...code.matchAll(/(?:^|`|npx |\$ )trailjoin ([a-z][a-z-]+)/gm)].flatMap(([, name = '']) =>
      commands.has(name) ? [] : [`trailjoin ${name}`],
    )
    const noScript = [...text.matchAll(/npm run ([\w:-]+)/g)].flatMap(([, name = '']) => (scripts.includes(name) ? [] : [`npm run ${name}`]))
    expect([...unknown, ...noScript]).toEqual([])
  })
})
