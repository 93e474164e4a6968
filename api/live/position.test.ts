import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodePosition, encodePosition, endOfRound } from './position.ts'

const bigint = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })

test('a position that was given out leads back to the same place', () => {
  fc.assert(
    fc.property(
      bigint,
      fc.constantFrom(0 as const, 1 as const),
      bigint,
      fc.uuid(),
      fc.uuid(),
      fc.option(fc.uuid()),
      (round, phase, timeNs, eventId, tenantId, mark) => {
        const position = { round, phase, timeNs, eventId, tenantId, mark }
        const text = encodePosition(position)
        expect(text).toMatch(/^[\w-]+$/)
        expect(decodePosition(text)).toEqual(position)
        expect(decodePosition(encodePosition(endOfRound(round, mark)))).toEqual(endOfRound(round, mark))
      },
    ),
  )
})

test('anything else is no position, and never an error', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(decodePosition(text)).toBeNull()
    }),
  )
  const encode = (...parts: readonly unknown[]): string => Buffer.from(JSON.stringify(parts)).toString('base64url')
  for (const text of [
    '',
    '!',
    encode(),
    encode(1),
    encode('x'),
    encode(`${2n ** 63n}`),
    encode('1', '0'),
    encode('1', '2', '3', '4', '5'),
    encode('1', '0', '3', 'no', 'no'),
  ]) {
    expect(decodePosition(text), text).toBeNull()
  }
})
