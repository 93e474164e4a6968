import fc from 'fast-check'
import { expect, test } from 'vitest'
import { countFilters, NO_FILTERS, parseAddress, printAddress } from './address.ts'
import { CONFIDENCE_WORDS, keysOf, KIND_WORDS, OUTCOME_WORDS, SOURCE_WORDS } from './words.ts'

const OID = '6a0c1d52-8f7b-4e39-9c41-2b7d5a3e1f08'

test('every state survives the way into the address and back', () => {
  const time = fc.date({ min: new Date('2020-01-01'), max: new Date('2030-01-01'), noInvalidDate: true }).map((date) => date.toISOString())
  const address = fc.record({
    oid: fc.constant(OID),
    event: fc.option(fc.uuid(), { nil: null }),
    filters: fc.record({
      source: fc.subarray(keysOf(SOURCE_WORDS)),
      kind: fc.subarray(keysOf(KIND_WORDS)),
      outcome: fc.subarray(keysOf(OUTCOME_WORDS)),
      confidence: fc.subarray(keysOf(CONFIDENCE_WORDS)),
      text: fc.string({ unit: 'grapheme' }),
      from: fc.option(time, { nil: '' }),
      to: fc.option(time, { nil: '' }),
      tenant: fc.constantFrom('', OID),
    }),
  })
  fc.assert(
    fc.property(address, (state) => {
      expect(parseAddress(printAddress(state))).toEqual(state)
    }),
  )
})

test('an address without a state is empty', () => {
  expect(printAddress({ oid: null, event: null, filters: NO_FILTERS })).toBe('')
  expect(parseAddress('')).toEqual({ oid: null, event: null, filters: NO_FILTERS })
})

test('words that are no filter values and times that are none are left out, so that a damaged link still opens', () => {
  const { filters } = parseAddress('?source=aws,azure&kind=constructor&from=yesterday&to=2026-09-01T00:00:00Z')
  expect(filters).toEqual({ ...NO_FILTERS, source: ['aws'], to: '2026-09-01T00:00:00Z' })
  expect(countFilters(filters)).toBe(2)
})

test('the address stays readable', () => {
  expect(printAddress({ oid: OID, event: null, filters: { ...NO_FILTERS, source: ['aws', 'gcp'], from: '2026-09-01T00:00:00Z' } })).toBe(
    `?oid=${OID}&source=aws,gcp&from=2026-09-01T00:00:00Z`,
  )
})
