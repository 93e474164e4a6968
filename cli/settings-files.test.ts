import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readRules } from './sigma/rule.ts'
import { readPriceFile } from './report/price-file.ts'
import { readNamed, sectionOf } from '../config/yaml-file.ts'
import { readTextFile } from '../config/text-file.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'settings-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Every kind of file that people write for this program, read as the program does. */
const READERS: Readonly<Record<string, (file: string) => Promise<unknown>>> = {
  configuration: async (file) => {
    const found = await readNamed(file)
    return sectionOf(found!.text, file, 'sources')
  },
  prices: readPriceFile,
  'Sigma rule': async (file) => readRules(await readTextFile(file, 'Sigma rule'), file),
}

/** Its first line is harmless, so that the fault stands on the second or later. */
const bomb = [
  'a0: &a0 [x, x, x, x, x, x, x, x, x]',
  ...Array.from({ length: 9 }, (_, at) => `a${at + 1}: &a${at + 1} [${Array(9).fill(`*a${at}`).join(', ')}]`),
].join('\n')

const BAD: readonly (readonly [what: string, content: string | Buffer, sentence: RegExp])[] = [
  ['a YAML bomb', `title: x\n${bomb}\n`, /:\d+: .*its aliases \(\*\) repeat too much/],
  [
    'a bomb of many small aliases',
    `title: &t [${Array(400).fill('x').join(', ')}]\nall:\n${'  - *t\n'.repeat(40)}`,
    /:\d+: .*its aliases \(\*\) repeat too much/,
  ],
  ['an alias that contains itself', 'title: x\na: &a [*a]\n', /:2: .*an alias \(\*\) stands inside of what it repeats/],
  ['an alias of nothing', 'title: x\na: *nobody\n', /:2: /],
  ['brackets without end', `title: x\na: ${'['.repeat(50_000)}\n`, /:2: .*nested too deeply/],
  ['braces deeper than anybody needs', `title: x\na: ${'{a: '.repeat(150)}1${'}'.repeat(150)}\n`, /:2: .*nested too deeply/],
  ['a key that stands twice', 'title: x\ntitle: y\n', /:2: .*Map keys must be unique/],
  ['a tab in the place of blanks', 'title: x\na:\n\t- b\n', /:3: /],
  ['binary data', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), /:3: is a binary file, not a /],
  ['Latin-1', Buffer.from('title: x\nname: M\xfcller\n', 'latin1'), /:2: is not UTF-8 text/],
]

describe.each(Object.entries(READERS))('a file of the kind "%s"', (_kind, read) => {
  test.each(BAD)('that is %s is told with file, line and reason', async (what, content, sentence) => {
    const file = join(folder, `${what.replaceAll(/\W/g, '-')}.yaml`)
    writeFileSync(file, content)
    const error = await read(file).catch((thrown: unknown) => thrown as Error)
    expect(error).toMatchObject({
      name: expect.stringMatching(/^(?:ConfigError|CommandError|SigmaError|TextFileError)$/),
      message: expect.stringMatching(sentence),
    })
    expect((error as Error).message).toContain(file)
  })

  test('with 50,000 keys is judged in a moment', async () => {
    const file = join(folder, 'keys.yaml')
    writeFileSync(file, Array.from({ length: 50_000 }, (_, at) => `k${at}: 1`).join('\n'))
    await expect(read(file)).rejects.toThrow(file)
  }, 20_000)

  test('that is a folder, a giant, missing, or a link to itself is told with its name and the reason', async () => {
    const directory = join(folder, 'directory.yaml')
    mkdirSync(directory, { recursive: true })
    await expect(read(directory)).rejects.toThrow(`${directory}: is a folder`)
    const giant = join(folder, 'giant.yaml')
    writeFileSync(giant, 'title: x\n')
    truncateSync(giant, 3 * 1024 ** 3)
    await expect(read(giant)).rejects.toThrow(`${giant}: is larger than 4 MB`)
    await expect(read('/dev/zero')).rejects.toThrow('/dev/zero: is larger than 4 MB')
    const missing = join(folder, 'missing.yaml')
    await expect(read(missing)).rejects.toThrow(/missing\.yaml:? does not exist/)
    const loop = join(folder, 'loop.yaml')
    rmSync(loop, { force: true })
    symlinkSync(loop, loop)
    await expect(read(loop)).rejects.toThrow(`${loop}: is a symbolic link that leads back to itself`)
  })
})

test('aliases that a person writes, UTF-16 with its mark and a pipe are read', async () => {
  const file = join(folder, 'good.yaml')
  writeFileSync(file, `x: &x {a: 1}\ny: [*x, *x]\n`)
  await expect(readNamed(file)).resolves.toMatchObject({ file })
  writeFileSync(file, Buffer.from('\ufeffsources: []\n', 'utf16le'))
  expect((await readNamed(file))?.text).toBe('sources: []\n')
  const pipe = join(folder, 'pipe')
  const program = 'mkfifo'
  execFileSync(program, [pipe])
  const reading = readTextFile(pipe, 'Sigma rule')
  writeFileSync(pipe, 'title: x\n')
  expect(await reading).toBe('title: x\n')
})

test.skipIf(process.getuid?.() === 0)('a file that may not be read', async () => {
  const file = join(folder, 'closed.yaml')
  writeFileSync(file, 'sources: []\n')
  chmodSync(file, 0o000)
  await expect(readNamed(file)).rejects.toThrow(`${file}: may not be read (permission denied)`)
})
