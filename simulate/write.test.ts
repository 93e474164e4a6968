import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { DEMO } from './demo.ts'
import { writeWorld } from './write.ts'
import type { WriteOptions } from './write.ts'

const base = mkdtempSync(join(tmpdir(), 'trailjoin-simulate-'))
afterAll(() => rmSync(base, { recursive: true, force: true }))

const OPTIONS: WriteOptions = {
  seed: 5,
  agents: 8,
  days: 1,
  turnsPerDay: 40,
  duplicates: 0.1,
  missing: { gcp: 0.1 },
}

const filesUnder = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    )
    .sort()

const textOf = (path: string) => (path.endsWith('.gz') ? gunzipSync(readFileSync(path)) : readFileSync(path)).toString('utf8')
const lines = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

/** Records of one file, by what its folder promises. */
function recordsOf(file: string, text: string): unknown[] {
  if (file.startsWith('eventhub/')) return (JSON.parse(text) as { records: unknown[] }).records
  if (file.startsWith('graph/')) return (JSON.parse(text) as { value: unknown[] }).value
  if (file.startsWith('log-analytics/')) return JSON.parse(text) as unknown[]
  if (file.includes('/CloudTrail/')) return (JSON.parse(text) as { Records: unknown[] }).Records
  if (file.startsWith('gcloud/')) {
    const parsed = JSON.parse(text) as unknown[] | { entries: unknown[] }
    return Array.isArray(parsed) ? parsed : parsed.entries
  }
  if (file.startsWith('cloudtrail-lookup/')) return lines(text).map((item) => JSON.parse(String(item['CloudTrailEvent'])) as unknown)
  if (file.startsWith('eventbridge/')) return lines(text).map((item) => item['detail'])
  if (file.startsWith('pubsub/'))
    return lines(text).map((item) => JSON.parse(Buffer.from((item['message'] as { data: string }).data, 'base64').toString()) as unknown)
  return lines(text)
}

test('every container can be read, and together they hold each delivery once', async () => {
  const folder = join(base, 'containers')
  const written = await writeWorld(folder, OPTIONS)
  const files = filesUnder(join(folder, 'records'))
  const found = files.flatMap((file) => recordsOf(file, textOf(join(folder, 'records', file))))
  expect(files.length).toBe(written.files)
  expect(found.length).toBe(written.records)
  expect(written.records).toBe(written.events + written.duplicates - written.missing)
  for (const record of found) expect(record).toBeTypeOf('object')
  const kinds = new Set(files.map((file) => (file.includes('Bedrock') ? 'invocation' : file.split('/')[0])))
  expect([...kinds].toSorted((a = '', b = '') => a.localeCompare(b))).toEqual([
    'cloudtrail-lookup',
    'eventbridge',
    'eventhub',
    'gcloud',
    'gcs',
    'graph',
    'invocation',
    'log-analytics',
    'pubsub',
    's3',
    'weather-api',
  ])
})

test('the truth has a line for each event and says where its record lies', async () => {
  const folder = join(base, 'truth')
  const written = await writeWorld(folder, OPTIONS)
  const truth = lines(readFileSync(join(folder, 'truth.ndjson'), 'utf8'))
  expect(truth.length).toBe(written.events)
  expect(truth.filter(({ delivered }) => delivered === false).length).toBe(written.missing)
  const texts = new Map<string, string>()
  for (const { file, nativeId, delivered, road } of truth) {
    if (delivered === false || road === 'pubsub') continue
    const path = String(file)
    if (!texts.has(path)) texts.set(path, textOf(join(folder, 'records', path)))
    expect(texts.get(path)).toContain(nativeId)
  }
})

test('writing twice gives the same bytes', async () => {
  const hashes = []
  for (const name of ['once', 'again']) {
    await writeWorld(join(base, name), { ...OPTIONS, compressAll: true })
    const hash = createHash('sha256')
    for (const file of filesUnder(join(base, name))) hash.update(file).update(readFileSync(join(base, name, file)))
    hashes.push(hash.digest('hex'))
  }
  expect(hashes[0]).toBe(hashes[1])
})

test('a folder that holds a world is left as it is', async () => {
  const folder = join(base, 'taken')
  await writeWorld(folder, { seed: 1, agents: 1, events: 20 })
  await expect(writeWorld(folder, { seed: 2, agents: 1, events: 20 })).rejects.toThrow('exists already: name a folder that holds no world yet')
  expect(lines(readFileSync(join(folder, 'truth.ndjson'), 'utf8')).length).toBe(20)
})

test('a writing that is stopped ends with the reason and leaves whole files', async () => {
  const folder = join(base, 'stopped')
  const stop = new AbortController()
  const work = writeWorld(folder, {
    seed: 1,
    agents: 8,
    events: 100_000,
    signal: stop.signal,
    onProgress: () => stop.abort(new Error('Stopped.')),
  })
  await expect(work).rejects.toThrow('Stopped.')
  for (const file of filesUnder(join(folder, 'records'))) expect(() => recordsOf(file, textOf(join(folder, 'records', file)))).not.toThrow()
})

test('the demo records are what the simulator writes for the demo options', async () => {
  const folder = join(base, 'demo')
  await writeWorld(folder, DEMO)
  const bundled = join(import.meta.dirname, '..', 'demo')
  expect(filesUnder(join(bundled, 'records'))).toEqual(filesUnder(join(folder, 'records')))
  // Texts, not bytes: zlib may pack differently from version to version.
  for (const file of filesUnder(join(folder, 'records')))
    expect(textOf(join(bundled, 'records', file)) === textOf(join(folder, 'records', file)), file).toBe(true)
  expect(readFileSync(join(bundled, 'world.json'), 'utf8')).toBe(readFileSync(join(folder, 'world.json'), 'utf8'))
})
