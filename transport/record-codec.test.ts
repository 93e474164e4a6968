import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject, RawRecord } from '#core/record.ts'
import { parseJson } from '#core/parse-json.ts'
import { messageToRecord, messageToRejection, recordToMessage, rejectionToMessage } from './record-codec.ts'

const record = (text: string, file = 'a.json'): RawRecord => ({
  text,
  value: parseJson(text) as JsonObject,
  masked: ['/a'],
  origin: { file, line: 3, index: 2 },
  context: { tenantId: 't' },
})

describe('a record as a message', () => {
  test('comes back as it was, whatever is in it', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), fc.string({ unit: 'binary' }), (object, file) => {
        const sent = record(JSON.stringify(object), file)
        expect(messageToRecord(JSON.parse(JSON.stringify(recordToMessage(sent))))).toEqual(sent)
      }),
    )
  })

  test('keeps the text to the letter: spaces, key order, repeated keys, long numbers', () => {
    const text = '{ "b":1.0, "a":12345678901234567890,  "b":2 }'
    expect(messageToRecord(recordToMessage(record(text)))).toMatchObject({ text })
  })

  test('has the headers of the CloudEvents binding', () => {
    const { headers } = recordToMessage(record('{"a":1}', 'a folder/ü.json'))
    expect(headers).toEqual({
      ce_specversion: '1.0',
      ce_id: expect.stringMatching(/^[0-9a-f]{64}$/),
      ce_source: 'a%20folder/%C3%BC.json',
      ce_type: 'io.trailjoin.record.v1',
      'content-type': 'application/json',
    })
  })

  test('has the same key wherever it was read, and another one when its text differs', () => {
    expect(recordToMessage(record('{"a":1}', 'x')).key).toBe(recordToMessage(record('{"a":1}', 'y')).key)
    expect(recordToMessage(record('{"a":1}')).key).not.toBe(recordToMessage(record('{"a":2}')).key)
  })
})

test('a rejection comes back as it was', () => {
  const rejection = { origin: { file: 'x', line: null, index: 0 }, reason: 'not JSON', text: '{oh' }
  expect(messageToRejection(rejectionToMessage(rejection))).toEqual(rejection)
})

describe('a message that is no record is told apart', () => {
  const good = recordToMessage(record('{"a":1}'))
  const data = JSON.parse(good.value) as Record<string, unknown>
  test.each([
    ['no ce_type header', { ...good, headers: {} }],
    ['ce_type is not', { ...good, headers: { ce_type: 'com.example.order' } }],
    ['the value is no JSON object', { ...good, value: '' }],
    ['the value is no JSON object', { ...good, value: '[1]' }],
    ['no text', { ...good, value: JSON.stringify({ ...data, text: 5 }) }],
    ['the text is no JSON object', { ...good, value: JSON.stringify({ ...data, text: '"a"' }) }],
    ['no list of what was masked', { ...good, value: JSON.stringify({ ...data, masked: [1] }) }],
    ['no origin', { ...good, value: JSON.stringify({ ...data, origin: { file: 'x', line: 1.5, index: 0 } }) }],
    ['no context', { ...good, value: JSON.stringify({ ...data, context: null }) }],
  ])('%s', (reason, message) => {
    expect(messageToRecord(message)).toEqual({ poison: expect.stringContaining(reason) })
  })
})
