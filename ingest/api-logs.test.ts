import { describe, expect, test } from 'vitest'
import type { JsonObject } from '#core/record.ts'
import type { ApiLog } from './api-logs.ts'
import { apiLogs, translatingSink } from './api-logs.ts'
import { collectingSink } from './collecting-sink.ts'

const LOG: ApiLog = { name: 'weather', when: { logger: 'access' }, fields: { time: 'at', oid: 'who.object', path: 'http.path', status: 'code' }, api: 'w' }

const record = (text: string, masked: readonly string[] = []) => ({
  text,
  value: JSON.parse(text) as JsonObject,
  masked,
  origin: { file: 'f', line: 1, index: 0 },
  context: {},
})

test('a line of the log is put into our words, and stands under `logged` as it was written', () => {
  const line = '{ "logger":"access", "at": "2026-11-10T10:00:00Z", "who":{"object":"o"}, "http.path":"/w", "code":200.0 }'
  const { translate } = apiLogs([LOG])
  const said = translate(record(line, ['/who/secret']))
  expect(said.text).toBe(`{"apiLog":"weather","api":"w","time":"2026-11-10T10:00:00Z","oid":"o","path":"/w","status":200,"logged":${line}}`)
  expect(said.value).toEqual(JSON.parse(said.text))
  expect(said.masked).toEqual(['/logged/who/secret'])
  // Whoever imports an export of ours again gets the same record.
  expect(translate(said)).toBe(said)
})

test('a line of none of the logs stays as it is', () => {
  const other = record('{"logger":"audit"}')
  expect(apiLogs([LOG]).translate(other)).toBe(other)
})

test('the first log that a line fits is meant; true asks for any value', () => {
  const logs = apiLogs([
    { ...LOG, when: { logger: 'access', tenant: true } },
    { ...LOG, name: 'rest' },
  ])
  const names = ['{"logger":"access","tenant":"t"}', '{"logger":"access","tenant":null}', '{"logger":"access"}'].map(
    (text) => logs.translate(record(text)).value['apiLog'],
  )
  expect(names).toEqual(['weather', 'rest', 'rest'])
})

describe('times', () => {
  test.each<[Partial<ApiLog>, string, string]>([
    [{}, '1794305100', '1794305100'],
    [{ timeForm: 'epoch-seconds' }, '1794305100.5', '"2026-11-10T10:05:00.500000000Z"'],
    [{ timeForm: 'epoch-milliseconds' }, '"1794305100123"', '"2026-11-10T10:05:00.123000000Z"'],
    [{ timeForm: 'epoch-microseconds' }, '1794305100123456', '"2026-11-10T10:05:00.123456000Z"'],
    [{ timeForm: 'epoch-nanoseconds' }, '"1794305100123456789"', '"2026-11-10T10:05:00.123456789Z"'],
    [{ timeForm: 'epoch-seconds' }, '"soon"', '"not epoch-seconds: soon"'],
    [{ timeForm: 'iso', zone: '+01:00' }, '"2026-11-10T11:05:00.1"', '"2026-11-10T11:05:00.1+01:00"'],
    [{ zone: '+01:00' }, '"2026-11-10 11:05:00"', '"2026-11-10 11:05:00+01:00"'],
    [{ zone: '+01:00' }, '"2026-11-10T11:05:00Z"', '"2026-11-10T11:05:00Z"'],
    [{ timeForm: 'clf' }, '"10/Nov/2026:10:05:00 +0000"', '"2026-11-10T10:05:00+0000"'],
    [{ timeForm: 'clf', zone: '+01:00' }, '"[10/Nov/2026:10:05:00]"', '"2026-11-10T10:05:00+01:00"'],
    [{ timeForm: 'clf' }, '"31/Nov/2026:10:05:00 +0000"', '"not clf: 31/Nov/2026:10:05:00 +0000"'],
  ])('%j: %s', (log, written, time) => {
    const said = apiLogs([{ ...LOG, ...log }]).translate(record(`{"logger":"access","at":${written}}`))
    expect(JSON.stringify(said.value['time'])).toBe(time)
  })
})

test('a sink hands on what it is told in our words', async () => {
  const sink = collectingSink()
  await translatingSink(sink, apiLogs([LOG])).deliver([record('{"logger":"access"}'), record('{"a":1}')], [])
  expect(sink.records.map(({ text }) => text)).toEqual(['{"apiLog":"weather","api":"w","logged":{"logger":"access"}}', '{"a":1}'])
})
