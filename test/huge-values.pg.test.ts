/** One record with an enormous value harms nobody beside it, wherever the value stands: no step may recurse or go square with the input's size. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { keptText, recordsIn } from '#ingest/records-in.ts'
import type { JsonObject } from '#core/record.ts'
import { trail } from './mask-corpus.ts'
import { type TestDatabase, createTestDatabase } from './postgres.ts'
import { importInto } from './samples.ts'

const MB = 1_000_000
const RUN = 'aB3'.repeat(2 * MB)
const VALUES: Readonly<Record<string, object>> = {
  'a parameter': { requestParameters: { note: RUN } },
  'the user agent': { userAgent: RUN },
  'the error': { errorCode: 'AccessDenied', errorMessage: RUN },
  'the event name': { eventName: RUN },
  'the address': { sourceIPAddress: RUN },
  'a key': { requestParameters: { [RUN]: 1 } },
  'the ARN': { userIdentity: { type: 'AssumedRole', arn: `arn:aws:sts::123456789012:assumed-role/${RUN}/s` } },
  'the model': { eventSource: 'bedrock.amazonaws.com', eventName: 'Converse', requestParameters: { modelId: RUN } },
}

let database: TestDatabase
let folder: string
beforeAll(async () => {
  database = await createTestDatabase()
  folder = await mkdtemp(join(tmpdir(), 'trailjoin-huge-'))
})
afterAll(async () => {
  await database?.drop()
  await rm(folder, { recursive: true, force: true })
})

test('a value of six million letters and digits', { timeout: 240_000 }, async () => {
  for (const [name, value] of Object.entries(VALUES)) {
    const path = join(folder, `${name.replaceAll(' ', '-')}.ndjson`)
    await writeFile(path, [trail({}), { ...trail({}), ...value }, trail({})].map((record) => JSON.stringify(record)).join('\n'))
    const summary = await importInto(database.pool, path)
    expect({ name, read: summary.read, stored: summary.stored >= 2, errors: summary.errors }).toEqual({ name, read: 3, stored: true, errors: [] })
    expect(summary.stored + summary.rejected).toBe(3)
    for (const { text } of summary.rejections) expect(text.length).toBeLessThanOrEqual(64 * 1024)
  }
})

test('masking takes time by the size of a text, whatever it repeats', { timeout: 60_000 }, () => {
  const started = performance.now()
  for (const unit of [
    'aB3',
    'eyJ',
    'ya29.',
    'password=',
    '"name":"',
    '-----BEGIN ',
    'http://a:',
    'key=',
    '-eyA',
    'ghp_-',
    '[[',
    '{"a":',
    '%25',
    '\\u005c',
    '<a>',
    "'",
    'MII',
    'Q~',
  ]) {
    const text = unit.repeat(MB / unit.length)
    keptText(text)
    const record = JSON.stringify({ ...trail({}), userAgent: text })
    recordsIn(record, JSON.parse(record) as JsonObject, () => true)
  }
  expect(performance.now() - started).toBeLessThan(30_000)
})
