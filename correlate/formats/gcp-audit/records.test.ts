import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { answerTo } from '../golden.ts'
import { formatTime } from '#core/time.ts'
import type { JsonObject } from '#core/record.ts'
import { readRecord } from '../reading.ts'
import { format } from './index.ts'

const FIXTURES = join(import.meta.dirname, '../../../test/fixtures')

/** The entries of one file in the containers that the scenarios use: an entries.list answer, NDJSON, Pub/Sub push messages. */
function entriesOf(text: string): JsonObject[] {
  const bare = (value: JsonObject): JsonObject[] => {
    const { entries, message } = value as { entries?: JsonObject[]; message?: { data: string } }
    if (entries) return entries
    return message ? [JSON.parse(Buffer.from(message.data, 'base64').toString()) as JsonObject] : [value]
  }
  if (text.startsWith('{"entries"')) return bare(JSON.parse(text) as JsonObject)
  return text
    .split('\n')
    .filter(Boolean)
    .flatMap((line) => bare(JSON.parse(line) as JsonObject))
}

interface Expected {
  readonly records: readonly {
    readonly nativeId: string
    readonly source: string
    readonly kind: string
    readonly time: string
    readonly targets: readonly string[]
    readonly subjectOid: string | null
  }[]
}

const scenarios = readdirSync(join(FIXTURES, 'scenarios')).filter((name) => name.startsWith('option'))

describe('the worked cases', () => {
  test.each(scenarios)('%s: kind, time and targets are as expected, and a named subject is the right one', (name) => {
    const folder = join(FIXTURES, 'scenarios', name)
    const files = readdirSync(join(folder, 'records'), { recursive: true, encoding: 'utf8' }).filter((file) => /^(gcloud|gcs|pubsub)\/.*json$/.test(file))
    const records = files.flatMap((file) => entriesOf(readFileSync(join(folder, 'records', file), 'utf8')))
    const expected = (JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Expected).records.filter((record) => record.source === 'gcp')
    const events = records.map((value) => {
      expect(format.recognise(value)).toBe(true)
      const answer = answerTo(format, value)
      if ('reject' in answer) throw new Error(answer.reject)
      return answer.event
    })
    expect(new Set(events.map((event) => event.nativeId))).toEqual(new Set(expected.map((record) => record.nativeId)))
    for (const want of expected) {
      const event = events.find((candidate) => candidate.nativeId === want.nativeId)!
      expect({ kind: event.kind, time: formatTime(event.timeNs) }).toEqual({ kind: want.kind, time: want.time })
      expect(event.targets).toEqual(expect.arrayContaining([...want.targets]))
      if (event.proof.by === 'federation') expect(event.proof.oid).toBe(want.subjectOid)
      else expect([event.nativeId, event.proof.by]).toEqual([want.nativeId, want.subjectOid === null ? 'nothing' : 'proximity'])
    }
  })
})

describe('public sample records', () => {
  const samples = join(FIXTURES, 'samples/gcp')
  const lines = readdirSync(samples)
    .toSorted()
    .flatMap((file) => entriesOf(readFileSync(join(samples, file), 'utf8')).map((value) => ({ file, value })))

  test('every entry becomes an event unless it has no timestamp; lone fragments are not recognised', () => {
    const tally: Record<string, [events: number, rejected: number, unknown: number]> = {}
    for (const { file, value } of lines) {
      const count = (tally[file] ??= [0, 0, 0])
      if (readRecord(value)?.format !== format) {
        count[2] += 1
        continue
      }
      const answer = answerTo(format, value)
      if ('event' in answer) count[0] += 1
      else {
        expect(answer.reject).toBe('no event time (timestamp)')
        expect(value['timestamp']).toBeUndefined()
        count[1] += 1
      }
    }
    expect(tally).toEqual({
      'google-cloudevents.ndjson': [3, 0, 0],
      'google-docs-federation.ndjson': [1, 8, 0],
      'keyless-kingdom.ndjson': [1, 0, 0],
      'panther-audit.half.ndjson': [51, 5, 4],
      'plaso-gcp-logging.ndjson': [11, 0, 0],
      'security-analytics.ndjson': [13, 0, 0],
      'stratus-docs.ndjson': [0, 12, 0],
    })
  })

  test('no sample names an Entra principal: none of them proves an oid', () => {
    for (const { value } of lines) {
      const answer = readRecord(value)?.format === format ? answerTo(format, value) : { reject: 'unknown' }
      if ('event' in answer && answer.event.proof.by === 'federation') expect(answer.event.proof.oid).toBeNull()
    }
  })
})
