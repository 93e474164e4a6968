/**
 * `trailjoin import` as a user runs it, on the embedded database: killed at random moments and run again, and given what is broken. (What is
 * typed wrong, a corrupt line and a missing path are in cli/cli.pg.test.ts.)
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createRandom } from '../simulate/random.ts'
import { writeWorld } from '../simulate/write.ts'
import { testDataDir } from './postgres.ts'

const PROGRAM = join(import.meta.dirname, '..', 'bin', 'trailjoin.ts')
const SAMPLES = join(import.meta.dirname, 'fixtures', 'samples')
const SEED = Number(process.env['IMPORT_SEED'] ?? 1)
const KILLS = 5

let folder: string
beforeAll(async () => {
  folder = await testDataDir()
})
afterAll(() => rm(folder, { recursive: true, force: true }))

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

function start(dataDir: string, args: readonly string[]): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [PROGRAM, '--data-dir', dataDir, ...args], {
    env: { PATH: process.env['PATH'], HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
  child.stdout.on('data', (part: Buffer) => said.stdout.push(part))
  child.stderr.on('data', (part: Buffer) => said.stderr.push(part))
  const text = (parts: readonly Buffer[]): string => Buffer.concat(parts).toString()
  const ended = new Promise<Ended>((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal, stdout: text(said.stdout), stderr: text(said.stderr) })),
  )
  return { child, ended }
}
const run = (dataDir: string, ...args: readonly string[]): Promise<Ended> => start(dataDir, args).ended

async function exported(dataDir: string): Promise<string> {
  const { code, stdout, stderr } = await run(dataDir, 'export')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}

describe('an import that is killed', () => {
  test(`ends in the same store when it is run again, whenever it was killed (${KILLS} times, IMPORT_SEED=${SEED})`, async () => {
    const random = createRandom(SEED, 'import kills')
    const world = join(folder, 'world')
    await writeWorld(world, { seed: SEED, agents: 6, days: 40, events: 15000, duplicates: 0.1, delays: 'wild', rollMinutes: 1440 })
    const records = join(world, 'records')
    const [straight, killed] = [join(folder, 'straight'), join(folder, 'killed')]
    // Makes the databases first: a kill during that is tested with the database.
    for (const store of [straight, killed]) expect((await run(store, 'import', join(SAMPLES, 'aws', 'keyless-kingdom.ndjson'))).code).toBe(0)
    const began = performance.now()
    const whole = await run(straight, 'import', records, '--json')
    let takes = performance.now() - began
    expect(whole.code, whole.stderr).toBe(0)
    const total = JSON.parse(whole.stdout) as { read: number; stored: number }

    let kills = 0
    for (let attempt = 0; kills < KILLS && attempt < 3 * KILLS; attempt++) {
      const { child, ended } = start(killed, ['import', records])
      const moment = takes * (random.int(20, 95) / 100)
      await pause(moment)
      child.kill('SIGKILL')
      if ((await ended).signal === 'SIGKILL') kills++
      // It was done already: what is known is faster.
      else takes = moment
    }
    expect(kills).toBe(KILLS)
    const last = await run(killed, 'import', records, '--json')
    expect(last.code, last.stderr).toBe(0)
    const { read, stored, duplicates } = JSON.parse(last.stdout) as { read: number; stored: number; duplicates: number }
    expect({ read, known: stored + duplicates }).toEqual({ read: total.read, known: total.read })
    // What was committed before a kill stayed.
    expect(stored).toBeLessThan(total.stored)
    const result = await exported(killed)
    expect(result.split('\n').length).toBeGreaterThan(total.stored)
    expect(result).toBe(await exported(straight))
  }, 300_000)
})

describe('an import that meets what is broken names it, ends with the right code and harms nothing else', () => {
  const line = (number: number): string =>
    JSON.stringify({
      time: `2026-05-12T08:20:1${number}.250Z`,
      api: 'weather',
      requestId: `5f0e0000-0000-4000-8000-00000000000${number}`,
      method: 'GET',
      path: '/',
      status: 200,
      oid: 'a0000000-0000-4000-8000-000000000001',
    })
  let store: string
  let imports: string
  beforeAll(async () => {
    store = join(folder, 'store')
    imports = join(folder, 'imports')
    await mkdir(imports)
  })

  /** Imports with `--json`; no stack trace may reach the user. */
  async function importing(...args: readonly string[]) {
    const ended = await run(store, 'import', '--json', ...args)
    expect(ended.stderr).not.toMatch(/\n\s+at /)
    return {
      ...ended,
      summary: (ended.stdout === '' ? null : JSON.parse(ended.stdout)) as { read: number; stored: number; rejected: number; errors: readonly unknown[] } | null,
    }
  }

  test('a gzip file that is cut off: what is whole in it is stored, and so are the files beside it', async () => {
    const cut = join(imports, 'cut')
    await mkdir(cut)
    // Not compressible, so that the cut falls behind some records.
    const noise = (seed: number): string => Array.from({ length: 60_000 }, (_, at) => ((at * 2_654_435_761 * seed) % 4_294_967_296).toString(36)).join('')
    const packed = gzipSync(
      `${line(1)}\n${JSON.stringify({ ...(JSON.parse(line(2)) as object), note: noise(3) })}\n${JSON.stringify({ ...(JSON.parse(line(3)) as object), note: noise(7) })}\n`,
    )
    await writeFile(join(cut, 'a-cut.ndjson.gz'), packed.subarray(0, packed.length - 1000))
    await writeFile(join(cut, 'b-whole.ndjson'), `${line(4)}\n`)
    const { code, stderr, summary } = await importing(cut)
    expect(code).toBe(1)
    expect(stderr).toContain(`${join(cut, 'a-cut.ndjson.gz')}: the compressed data is cut off`)
    expect(summary).toMatchObject({ stored: 3, errors: [{ file: join(cut, 'a-cut.ndjson.gz') }] })
  })

  test('a corrupt line in the middle: named with file and line, its neighbours stored, code 0', async () => {
    const file = join(imports, 'corrupt.ndjson')
    await writeFile(file, `${line(5)}\n{"time": "2026-05-12T08:20:11Z", "oid": \n${line(6)}\n`)
    const { code, stderr, summary } = await importing(file)
    expect({ code, summary }).toMatchObject({ code: 0, summary: { read: 3, stored: 2, rejected: 1, errors: [] } })
    expect(stderr).toContain(`rejected: ${file}:2: `)
  })

  test('a folder with foreign files: each is one rejection that says what it is; empty files are nothing', async () => {
    const mixed = join(imports, 'mixed')
    await mkdir(join(mixed, 'deep', 'deeper'), { recursive: true })
    await writeFile(join(mixed, 'picture.png'), Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'))
    await writeFile(join(mixed, 'notes.txt'), 'Dear diary,\ntoday nothing happened.\n')
    await writeFile(join(mixed, 'table.csv'), 'time,oid\n2026-05-12,a\n')
    await writeFile(join(mixed, 'program'), Buffer.from('7f454c4602010100', 'hex'))
    await writeFile(join(mixed, 'settings.json'), '{"theme": "dark"}')
    await writeFile(join(mixed, 'empty.json'), '')
    await writeFile(join(mixed, 'deep', 'deeper', 'log'), line(7))
    const { code, stderr, summary } = await importing(mixed)
    // A text of which nothing could be read fails the command: it may have been meant to be a log.
    expect({ code, summary }).toMatchObject({ code: 1, summary: { read: 6, stored: 1, rejected: 5, errors: [{ file: join(mixed, 'notes.txt') }] } })
    for (const [name, reason] of [
      ['picture.png', 'a PNG image'],
      ['notes.txt', 'not JSON'],
      ['table.csv', 'no known record format'],
      ['program', 'a program'],
      ['settings.json', 'no known record format'],
    ]) {
      expect(stderr).toMatch(new RegExp(`rejected: ${join(mixed, name!).replaceAll('.', '\\.')}(:\\d+| #\\d+): .*${reason}`))
    }
    expect((await importing('--strict', mixed)).code).toBe(1)
  })

  test('paths that cannot be read: below a file, a link to nowhere; the others are read', async () => {
    const file = join(imports, 'plain.ndjson')
    await writeFile(file, line(8))
    const linked = join(imports, 'linked')
    await mkdir(linked)
    await symlink(join(folder, 'nowhere'), join(linked, 'broken-link'))
    await writeFile(join(linked, 'whole.ndjson'), line(9))
    const { code, stderr, summary } = await importing(join(file, 'below'), linked, file)
    expect(code).toBe(1)
    expect(stderr).toContain(`error: ${join(file, 'below')}: `)
    expect(stderr).toContain(`error: ${join(linked, 'broken-link')}: `)
    expect(summary).toMatchObject({ stored: 2 })
  })

  test('damage inside an array: line and byte are named, and what stands behind it is stored, too', async () => {
    const { code, stderr, summary } = await importing(join(SAMPLES, 'containers', 'broken-array.opensearch.json'))
    expect({ code, summary }).toMatchObject({ code: 1, summary: { read: 12, stored: 10, rejected: 2 } })
    expect(stderr).toMatch(/broken-array\.opensearch\.json:\d+: /)
  })

  test('a data folder that cannot be made: nothing is imported, the message names it', async () => {
    const file = join(imports, 'plain.ndjson')
    const impossible = join(file, 'data')
    const { code, stdout, stderr } = await run(impossible, 'import', file, '--json')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(impossible)
    expect(stderr).not.toMatch(/\n\s+at /)
    expect(await readFile(file, 'utf8')).toBe(line(8))
  })

  test("a data folder that is somebody else's: refused, and nothing in it is touched", async () => {
    const theirs = join(folder, 'theirs')
    await mkdir(join(theirs, 'postgres'), { recursive: true })
    await writeFile(join(theirs, 'postgres', 'thesis.txt'), 'irreplaceable')
    const { code, stderr } = await run(theirs, 'import', join(imports, 'plain.ndjson'))
    expect(code).toBe(1)
    expect(stderr).toContain(theirs)
    expect(await readFile(join(theirs, 'postgres', 'thesis.txt'), 'utf8')).toBe('irreplaceable')
  })

  test('a wrong oid and a wrong date end with 2 without touching the store; the store holds what was whole', async () => {
    const before = await exported(store)
    expect(await run(store, 'timeline', 'a0000000-0000-4000-8000-00000000000')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('is no GUID'),
    })
    expect(await run(store, 'timeline', 'a0000000-0000-4000-8000-000000000001', '--from', '2026-02-30')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('is no time'),
    })
    const { stdout } = await run(store, 'timeline', 'a0000000-0000-4000-8000-000000000001', '--format', 'ndjson')
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((item) => (JSON.parse(item) as { nativeId: string }).nativeId.at(-1))
    expect(lines).toEqual(['1', '2', '4', '5', '6', '7', '8', '9'])
    expect(await exported(store)).toBe(before)
  })
})
