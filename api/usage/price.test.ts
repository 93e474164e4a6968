import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { usageRow } from './fixture.ts'
import { focusHeader, focusRows } from './focus.ts'
import { costOf, formatMoney, parsePrice, priceOf } from './price.ts'
import type { PriceEntry, PriceTable } from './price.ts'

const entry = (model: string, fields: Partial<PriceEntry> = {}): PriceEntry => ({
  model,
  cloud: null,
  region: null,
  from: null,
  to: null,
  prices: { input: 1n },
  ...fields,
})
const table = (...entries: readonly PriceEntry[]): PriceTable => ({ currency: 'EUR', entries, sha256: 'x' })
const price = (text: string): bigint => parsePrice(text, 1_000_000)!

describe('money', () => {
  test('is exact where floats are not', () => {
    const used = { ...usageRow({ tokenBasis: 'metered', inputTokens: 3 }) }
    const cost = costOf(used, table(entry('nova-lite-v1', { prices: { input: parsePrice('0.1', 1)! } })))
    expect(formatMoney(cost.amount)).toBe('0.3')
  })
  test('times tokens is the same as in whole numbers, for any price and count', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 999_999_999 }),
        fc.nat({ max: 999_999 }),
        fc.constantFrom(1 as const, 1000 as const, 1_000_000 as const),
        (tokens, micros, per) => {
          const text = `${Math.floor(micros / 1000)}.${String(micros % 1000).padStart(3, '0')}`
          const { amount } = costOf(
            usageRow({ tokenBasis: 'metered', inputTokens: tokens }),
            table(entry('nova-lite-v1', { prices: { input: parsePrice(text, per)! } })),
          )
          expect(amount * BigInt(per) * 1000n).toBe(BigInt(tokens) * BigInt(micros) * 10n ** 18n)
        },
      ),
    )
  })
  test.each([
    ['', null],
    ['.5', null],
    ['1e3', null],
    ['-1', null],
    ['1,5', null],
    ['0.1234567890123', null],
    ['1234567890', null],
    ['0.000000000001', '0.000000000000000001'],
    ['3', '0.000003'],
    ['15.00', '0.000015'],
  ])('%o a million tokens is %o a token', (text, shown) => {
    const money = parsePrice(text, 1_000_000)
    expect(money === null ? null : formatMoney(money)).toBe(shown)
  })
  test.each([
    ['0.005', '0.01'],
    ['0.0049', '0.00'],
    ['1.995', '2.00'],
    ['12', '12.00'],
  ])('%s is shown as %s', (text, shown) => expect(formatMoney(parsePrice(text, 1)!, 2)).toBe(shown))
})

describe('the price of a row', () => {
  const row = usageRow()
  test('is that of its id before its name, of its region before any, of its cloud before any', () => {
    const [name, id, region, cloud] = [
      entry('nova-lite-v1'),
      entry('amazon.nova-lite-v1:0'),
      entry('nova-lite-v1', { region: 'us-east-1' }),
      entry('nova-lite-v1', { cloud: 'aws' }),
    ]
    expect(priceOf(row, table(name, region, cloud))).toBe(region)
    expect(priceOf(row, table(name, cloud))).toBe(cloud)
    expect(priceOf(row, table(region, id))).toBe(id)
  })
  test('holds from its first day to the day before the last', () => {
    const old = entry('nova-lite-v1', { to: '2026-09-01' })
    const now = entry('nova-lite-v1', { from: '2026-09-01', to: '2026-09-02' })
    expect(priceOf(row, table(old, now))).toBe(now)
    expect(priceOf({ ...row, day: '2026-08-31' }, table(old, now))).toBe(old)
    expect(priceOf({ ...row, day: '2026-09-02' }, table(old, now))).toBeNull()
  })
  test('of another region, cloud or model is none', () => {
    expect(priceOf(row, table(entry('nova-lite-v1', { region: 'eu-west-1' }), entry('nova-lite-v1', { cloud: 'gcp' }), entry('nova-pro-v1')))).toBeNull()
  })
})

describe('the cost of calls', () => {
  const both = table(entry('nova-lite-v1', { prices: { input: price('3'), output: price('15') } }))
  test('adds up what each kind of token costs', () => {
    const cost = costOf(usageRow({ calls: 2, tokenBasis: 'metered', inputTokens: 1_000_000, outputTokens: 100_000 }), both)
    expect([formatMoney(cost.amount), cost.unpricedCalls]).toEqual(['4.5', 0])
  })
  test('with a kind of token that has no price is a lower bound, and says so', () => {
    const cost = costOf(usageRow({ calls: 2, tokenBasis: 'metered', inputTokens: 1_000_000, cacheReadTokens: 1 }), both)
    expect([formatMoney(cost.amount), cost.unpricedCalls]).toEqual(['3', 2])
  })
  test('without known tokens is unknown, not 0', () => expect(costOf(usageRow({ calls: 7 }), both)).toEqual({ amount: 0n, unpricedCalls: 7 }))
  test('that are priced by the request needs no tokens', () => {
    expect(costOf(usageRow({ calls: 7 }), table(entry('nova-lite-v1', { prices: { request: 2n } })))).toEqual({ amount: 14n, unpricedCalls: 0 })
  })
})

describe('FOCUS', () => {
  const lines = (text: string): Record<string, string>[] => {
    const [, ...rows] = text
      .trimEnd()
      .split('\r\n')
      .map((line) => line.split(','))
    const names = focusHeader().trimEnd().split(',')
    return rows.map((cells) => Object.fromEntries(names.map((name, index) => [name, cells[index] ?? ''])))
  }
  const rows = [
    usageRow({ day: '2026-12-31', calls: 2, errors: 1, tokenBasis: 'metered', inputTokens: 10, outputTokens: 20 }),
    usageRow({ share: 'unattributed', confidence: 'none', agentOid: null, calls: 3 }),
  ]
  const priced = lines(focusHeader() + focusRows(rows, table(entry('nova-lite-v1', { prices: { input: price('3'), output: price('15') } }))))

  test('has the 21 mandatory columns, and ours start with x_', () => {
    const mandatory =
      'BilledCost BillingAccountId BillingAccountName BillingCurrency BillingPeriodEnd BillingPeriodStart ChargeCategory ChargeClass ChargeDescription ChargePeriodEnd ChargePeriodStart ContractedCost EffectiveCost InvoiceIssuerName ListCost PricingQuantity PricingUnit ProviderName PublisherName ServiceCategory ServiceName'
    expect(Object.keys(priced[0]!)).toEqual(expect.arrayContaining(mandatory.split(' ')))
    expect(Object.keys(priced[0]!).filter((name) => name.startsWith('x_'))).toHaveLength(12)
  })
  test('has a row for the requests and one for each kind of token, with cost', () => {
    expect(priced.map((line) => [line['x_MeteredUnit'], line['ConsumedQuantity'], line['ConsumedUnit'], line['EffectiveCost']])).toEqual([
      ['request', '2.0', 'Requests', '0.0'],
      ['input', '10.0', 'Tokens', '0.00003'],
      ['output', '20.0', 'Tokens', '0.0003'],
      ['request', '3.0', 'Requests', '0.0'],
    ])
    expect(priced[0]).toMatchObject({
      ChargePeriodStart: '2026-12-31T00:00:00Z',
      ChargePeriodEnd: '2027-01-01T00:00:00Z',
      BillingPeriodStart: '2026-12-01T00:00:00Z',
      BillingPeriodEnd: '2027-01-01T00:00:00Z',
      BillingCurrency: 'EUR',
      x_FailedRequests: '1',
    })
    expect(priced[3]).toMatchObject({ x_Share: 'unattributed', x_Confidence: 'none', x_AgentOid: '' })
  })
  test('says of each cost whether it is known: FOCUS has no empty ones', () => {
    expect(priced.map((line) => line['x_CostKnown'])).toEqual(['true', 'true', 'true', 'false'])
    expect(
      lines(focusHeader() + focusRows(rows, null)).map((line) => [line['BilledCost'], line['BillingCurrency'], line['x_PriceSource'], line['x_CostKnown']]),
    ).toEqual(Array.from({ length: 4 }, () => ['0.0', 'XXX', '', 'false']))
  })
  test('cannot start a formula in a spreadsheet', () =>
    expect(focusRows([usageRow({ model: '=cmd|calc!A1', account: '@x' })], null)).toMatch(/'=cmd.*'@x|'@x.*'=cmd/))
})
