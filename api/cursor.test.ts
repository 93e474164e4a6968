import { expect, test } from 'vitest'
import fc from 'fast-check'
import { decodeTimelineCursor, encodeCursor, encodeTimelineCursor } from './cursor.ts'

test('a timeline cursor gives back the position it was made of', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.uuid(), fc.uuid(), (timeNs, eventId, tenantId) => {
      expect(decodeTimelineCursor(encodeTimelineCursor({ timeNs, eventId, tenantId }))).toEqual({ timeNs, eventId, tenantId })
    }),
  )
})

test('anything else is no cursor, and never an exception', () => {
  const uuid = '6a0c1d52-8f7b-4e39-9c41-2b7d5a3e1f08'
  for (const text of [
    '',
    'abc',
    '!!',
    encodeCursor([]),
    encodeCursor(['1', uuid]),
    encodeCursor(['1', uuid, uuid, '']),
    encodeCursor(['x', uuid, uuid]),
    encodeCursor(['1', "'; drop", uuid]),
    encodeCursor([String(2n ** 63n), uuid, uuid]),
  ]) {
    expect(decodeTimelineCursor(text)).toBeNull()
  }
  fc.assert(fc.property(fc.string(), (text) => void decodeTimelineCursor(text)))
})
