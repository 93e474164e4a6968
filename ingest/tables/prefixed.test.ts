import { describe, expect, test } from 'vitest'
import { prefixedReader } from './prefixed.ts'
import { read } from './testing.ts'

const lines = (text: string, size?: number) => read(prefixedReader, text, size)

describe('the record in a line with something before it is read', () => {
  test.each([
    ['CloudWatch Logs exported to S3', '2026-11-10T10:05:01.000Z {"a":1}'],
    ['aws logs tail', '2026-11-10T10:05:01.000000+00:00 aws/bedrock/modelinvocations {"a":1}'],
    ['aws logs tail --format short', '2026-11-10T10:05:01 {"a":1}'],
    ['the AWS CLI with --output text', 'EVENTS\t369\t1794304802000\tstream\t{"a":1}\t1794304801000'],
    ['syslog', '<134>1 2026-11-10T10:05:01Z host app - - - {"a":1}'],
    ['old syslog', 'Nov 10 10:05:01 host app[7]: {"a":1}'],
    ['a container', '2026-11-10T10:05:01.1Z stdout F {"a":1}'],
  ])('%s', (_name, text) => {
    expect(lines(`${text}\n`)).toEqual({ records: [[1, { a: 1 }]], rejected: [] })
    expect(lines(`\n${text}\r\n${text}`)!.records).toHaveLength(2)
  })

  test('also spread over the lines below (aws logs tail --format json)', () => {
    const text = '2026-11-10T10:05:01+00:00 s\n{\n  "a": {\n    "b": "}{"\n  }\n}\n\n2026-11-10T10:05:02+00:00 s {\n  "a": 2\n}\n'
    expect(lines(text)).toEqual({
      records: [
        [1, { a: { b: '}{' } }],
        [8, { a: 2 }],
      ],
      rejected: [],
    })
  })
})

test('a line without a record, and one whose record does not end, are kept for themselves', () => {
  const text =
    '2026-11-10T10:05:01Z {"a":1}\n2026-11-10T10:05:02Z started\n2026-11-10T10:05:03Z {"a":\n2026-11-10T10:05:04Z {"a":4}\nsomething\n2026-11-10T10:05:05Z {"a" 5}\n'
  expect(lines(text)).toEqual({
    records: [
      [1, { a: 1 }],
      [4, { a: 4 }],
    ],
    rejected: [
      [2, 'no record in this line', '2026-11-10T10:05:02Z started'],
      [3, 'no record: the object does not end', '2026-11-10T10:05:03Z {"a":'],
      [5, 'no record in this line', 'something'],
      [6, 'no record: what follows the { is no JSON', '2026-11-10T10:05:05Z {"a" 5}'],
    ],
  })
})

test('a line without end is refused once, with its beginning, and reading goes on behind it', () => {
  const text = `2026-11-10T10:05:01Z {"a":1}\n2026-11-10T10:05:01Z {"a":"${'x'.repeat(17 * 1024 * 1024)}"}\n2026-11-10T10:05:01Z {"a":3}\n`
  const result = lines(text, 1024 * 1024)!
  expect(result.records.map(([line]) => line)).toEqual([1, 3])
  expect(result.rejected).toMatchObject([[2, 'larger than 16777216 bytes', expect.stringMatching(/^2026/)]])
})

test.each(['{"a":1}\n', '[{"a":1}]', 'Dear all,\n{ not json }\n', '#!/bin/sh\nexit 0\n', 'const a = { "b": c }\n'])('%j is none of these', (text) =>
  expect(lines(text)).toBeNull(),
)
