import { describe, expect, test } from 'vitest'
import { read } from './testing.ts'
import { yamlReader } from './yaml.ts'

const yaml = (text: string, size?: number) => read(yamlReader, text, size)

test('each document of `gcloud logging read --format=yaml` is a record', () => {
  expect(yaml('---\ninsertId: a\nlogName: l\nprotoPayload:\n  text: |-\n    x\n    - y\n---\ninsertId: b\nlogName: l\n')).toEqual({
    records: [
      [2, { insertId: 'a', logName: 'l', protoPayload: { text: 'x\n- y' } }],
      [9, { insertId: 'b', logName: 'l' }],
    ],
    rejected: [],
  })
})

test('each item of a list is one, at the top (az) or under a key (aws)', () => {
  const items = '- EventId: a\n  CloudTrailEvent: \'{"eventID":"a"}\'\n- EventId: b\n  CloudTrailEvent: \'{"eventID":"b"}\'\n'
  const records = [
    { EventId: 'a', CloudTrailEvent: '{"eventID":"a"}' },
    { EventId: 'b', CloudTrailEvent: '{"eventID":"b"}' },
  ]
  expect(yaml(items)?.records.map(([, value]) => value)).toEqual(records)
  expect(yaml(`Events:\n${items}NextToken: abc\n`)).toEqual({
    records: [
      [2, records[0]],
      [4, records[1]],
    ],
    rejected: [],
  })
})

describe('a text is not taken for a number that it only looks like', () => {
  test.each([
    ['5e12', '5e12'],
    ['0189', '0189'],
    ['012345678901', '012345678901'],
    ['123456789012345678901', '123456789012345678901'],
    ['0x1f', '0x1f'],
    ['.5', '.5'],
    ['2026-11-10T10:00:00Z', '2026-11-10T10:00:00Z'],
    ['7', 7],
    ['-1.5', -1.5],
    ['true', true],
    ['null', null],
    ["'7'", '7'],
    ['yes', 'yes'],
  ])('%s', (written, value) => expect(yaml(`---\ninsertId: a\nlogName: ${written}\n`)?.records[0]![1]).toEqual({ insertId: 'a', logName: value }))
})

test('one bad document costs that document, and one that repeats itself by aliases is refused', () => {
  const text = '---\ninsertId: "open\nlogName: l\n---\ninsertId: b\nlogName: &a [x]\nother: *a\n---\ninsertId: c\nlogName: l\n'
  const { records, rejected } = yaml(text)!
  expect(records).toEqual([[9, { insertId: 'c', logName: 'l' }]])
  expect(rejected.map(([line, reason]) => [line, reason.slice(0, 8)])).toEqual([
    [2, 'no YAML:'],
    [5, 'no YAML:'],
  ])
})

test.each([
  'services:\n  web:\n    image: x\n',
  'AnalysisType: rule\nTests:\n  - Name: a\n    Log: { eventName: x }\n',
  'ERROR: something\nINFO: else\n',
  '---\ntitle: Post\n---\ntext\n',
])('%j is none of ours', (text) => expect(yaml(text)).toBeNull())
