/** The corpus of marked values through the whole product: none is found in the store, on the way there, in logs or in what is printed. */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Message, Transport } from '#core/transport.ts'
import { maskNamed } from '#core/secrets/looks.ts'
import { maskMessage } from '#core/secrets/message.ts'
import { concludeAll } from '#correlate/conclude-all.ts'
import { importPaths } from '#ingest/import.ts'
import { readLines } from '#ingest/read-lines.ts'
import { knows as known } from '#correlate/accept.ts'
import { createTransportSink } from '#transport/sink.ts'
import { LOG_HOOKS } from '../cli/log-hooks.ts'
import { dump } from './dump.ts'
import { LOOKS, corpus } from './mask-corpus.ts'
import { type TestDatabase, createTestDatabase } from './postgres.ts'
import { exported, importInto } from './samples.ts'

const { lines, planted } = corpus()
const needles = planted.flatMap((one) => one.needles)
/** Names of files hold secrets, too. */
const NAMED = ['gh', 'p_', 'ZqFILExaB3dE5fG7hI9jK1lM3nO5pQ7rS'].join('')
/** Every marker has this shape; the needles without it are texts in base64. */
const MARK = /Zq(?:\d{4}|FILE)x/
const others = needles.filter((needle) => !MARK.test(needle))
const leaks = (text: string): boolean => MARK.test(text) || others.some((needle) => text.includes(needle))

let database: TestDatabase
let folder: string
beforeAll(async () => {
  database = await createTestDatabase()
  folder = await mkdtemp(join(tmpdir(), 'trailjoin-corpus-'))
  await mkdir(join(folder, 'in'))
  await writeFile(join(folder, 'in', 'lines.ndjson'), `${lines.map((line) => line.replaceAll('\n', ' ')).join('\n')}\n`)
  // Each for itself as well, in a few files: what is at the top of a text is read differently from what is a line of it.
  for (let index = 0; index < lines.length; index += 97) await writeFile(join(folder, 'in', `one-${index}.json`), lines[index]!)
  await writeFile(join(folder, 'in', `${NAMED}.ndjson.gz`), gzipSync(lines.slice(0, 50).join('\n')))
})
afterAll(async () => {
  await database?.drop()
  await rm(folder, { recursive: true, force: true })
})

test('the search would find what got in', () => {
  expect(lines.every((line, index) => leaks(line) || planted[index]!.needles.some((needle) => line.includes(needle)))).toBe(true)
})

test('the store, the export and the summary', { timeout: 300_000 }, async () => {
  const summary = await importInto(database.pool, join(folder, 'in'))
  await concludeAll(database.pool)
  expect(summary.stored).toBeGreaterThan(500)
  expect(summary.rejected).toBeGreaterThan(300)
  const everything = [...(await dump(database.pool)), await exported(database.pool), JSON.stringify(summary)]
  expect(everything.filter(leaks).map((text) => text.slice(0, 300))).toEqual([])
})

test('what is published to Kafka', { timeout: 120_000 }, async () => {
  const published: string[] = []
  const transport: Transport = {
    publish: async (topic, messages: readonly Message[]) => void published.push(...messages.map((message) => JSON.stringify([topic, message]))),
    consume: async () => undefined,
    close: async () => undefined,
  }
  await importPaths([join(folder, 'in')], { sink: createTransportSink(transport, known) })
  expect(published.length).toBeGreaterThan(1000)
  expect(published.filter(leaks)).toEqual([])
})

test('what is pushed', () => {
  const { records, rejections } = readLines('push:x', Buffer.from(lines.map((line) => line.replaceAll('\n', ' ')).join('\n')), {}, known)
  expect(records.length + rejections.length).toBeGreaterThan(lines.length - 10)
  expect([...records, ...rejections].map((one) => JSON.stringify(one)).filter(leaks)).toEqual([])
})

test('what the command prints', { timeout: 120_000 }, async () => {
  const run = promisify(execFile)
  // Some of the files hold nothing that can be read: it says so, and ends with 1.
  const { stdout, stderr } = await run(process.execPath, ['bin/trailjoin.ts', 'import', '--json', join(folder, 'in')], {
    cwd: join(import.meta.dirname, '..'),
    env: { ...process.env, DATABASE_URL: database.url },
    maxBuffer: 64 * 1024 * 1024,
  }).catch((error: unknown) => error as { readonly stdout: string; readonly stderr: string })
  expect(JSON.parse(stdout)).toMatchObject({ skipped: [] })
  expect(stderr).toContain('line')
  expect([stdout, stderr].filter(leaks)).toEqual([])
})

test('logs, messages of errors, and queries in the access log', () => {
  let written = ''
  const log = pino(
    { hooks: LOG_HOOKS },
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        written += chunk.toString()
        done()
      },
    }),
  )
  for (const [kind, make] of Object.entries(LOOKS)) {
    const { text, needles: hidden = ['Zq9999x'] } = make('Zq9999x')
    const has = (kept: string): boolean => hidden.some((needle) => kept.includes(needle))
    expect([kind, has(maskNamed('q', text)), has(maskMessage(`invalid input: ${text}`))]).toEqual([kind, false, false])
    log.warn({ error: `refused: ${text}` }, `could not store ${text}`)
  }
  expect(maskNamed('access_token', 'Zq9999x')).not.toContain('Zq9999x')
  for (const text of ['{"a":Zq9999x}', '"text":"Zq9999x is"', 'Zq9999x']) {
    try {
      JSON.parse(text)
    } catch (error) {
      expect(maskMessage(String(error))).not.toContain('Zq9999x')
    }
  }
  expect(maskMessage('duplicate key: Key (name)=(Zq9999x) already exists.')).not.toContain('Zq9999x')
  expect(maskMessage('invalid input syntax for type json: "please tell Zq9999x about the weather"')).not.toContain('Zq9999x')
  expect(leaks(written.replaceAll('Zq9999x', 'Zq0001x'))).toBe(false)
  for (const line of written.trim().split('\n')) expect(() => JSON.parse(line) as unknown).not.toThrow()
})
