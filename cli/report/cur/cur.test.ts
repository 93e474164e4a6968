import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PrincipalDay } from '#api/usage/by-principal.ts'
import { formatMoney } from '#api/usage/price.ts'
import { decimal, rounded } from './decimal.ts'
import { reconciledCsv, reconciledLines } from './print.ts'
import { readCur, tokenKindOf, tokensInUnit } from './read-cur.ts'
import { reconcile } from './reconcile.ts'

const ALICE = 'arn:aws:sts::111122223333:assumed-role/weather-agent/alice'
const HEAD =
  'line_item_usage_start_date,line_item_usage_end_date,line_item_line_item_type,line_item_product_code,line_item_iam_principal,line_item_usage_type,line_item_usage_amount,pricing_unit,line_item_unblended_cost,line_item_currency_code,product'
const line = (fields: Partial<Record<'start' | 'end' | 'type' | 'principal' | 'usage' | 'amount' | 'unit' | 'cost', string>> = {}): string =>
  [
    fields.start ?? '2026-09-01T10:00:00.000Z',
    fields.end ?? '2026-09-01T11:00:00.000Z',
    fields.type ?? 'Usage',
    'AmazonBedrock',
    fields.principal ?? ALICE,
    fields.usage ?? 'USE1-Claude4.6Sonnet-input-tokens',
    fields.amount ?? '0.571',
    fields.unit ?? '1K tokens',
    fields.cost ?? '0.001713',
    'USD',
    '"{""product_name"":""Amazon\nBedrock"",""region"":""us-east-1""}"',
  ].join(',')

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trailjoin-cur-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function read(text: string, name = 'cur.csv') {
  const path = join(folder, name)
  await writeFile(path, name.endsWith('.gz') ? gzipSync(text) : text)
  return readCur(path)
}

const logged = (fields: Partial<PrincipalDay> = {}): PrincipalDay => ({
  day: '2026-09-01',
  principal: ALICE,
  calls: 1,
  errors: 0,
  meteredCalls: 1,
  unchargedCalls: 0,
  agents: ['a'],
  inputTokens: 571,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  ...fields,
})
const ALWAYS = { from: null, to: null }
const verdicts = async (text: string, ours: readonly PrincipalDay[], period: Parameters<typeof reconcile>[2] = ALWAYS) =>
  reconcile(ours, await read(text), period).map(({ day, principal, verdict, difference }) => [day, principal, verdict, difference?.inputTokens ?? null])

describe('the bill', () => {
  test('is summed by day and caller, in tokens whatever unit it counts in, from CSV as from gzip', async () => {
    const text = [
      HEAD,
      line(),
      line({ start: '2026-09-01T23:00:00.000Z', end: '2026-09-02T00:00:00.000Z', amount: '1.2E-5', unit: '1M tokens' }),
      line({ usage: 'USE1-Claude4.6Sonnet-output-tokens', amount: '300', unit: 'Tokens', cost: '0.0045' }),
      line({ usage: 'USE1-Claude4.6Sonnet-cache-read-input-token-count', amount: '7' }),
      line({ usage: 'USE1-Claude4.6Sonnet-cache-write-input-token-count', amount: '2' }),
      line({ start: '2026-09-02 00:00:00.000', end: '2026-09-02 01:00:00.000' }),
    ].join('\r\n')
    for (const name of ['cur.csv', 'cur.csv.gz']) {
      const { days, currencies, lines } = await read(text, name)
      expect([lines, [...currencies]]).toEqual([6, ['USD']])
      const [first, second] = [...days.values()]
      expect(Object.values(first!.tokens).map(rounded)).toEqual([583, 300, 7000, 2000])
      expect([first!.day, second!.day, formatMoney(first!.cost)]).toEqual(['2026-09-01', '2026-09-02', '0.011352'])
    }
  })
  test('says what it left out, and what the export lacks', async () => {
    const billed = await read(
      [
        HEAD,
        line({ type: 'Tax' }),
        line({ principal: '', usage: 'BoxUsage:t3.micro' }),
        line({ start: '2026-09-01T00:00:00Z', end: '2026-10-01T00:00:00Z' }),
        line({ amount: 'many' }),
        line({ unit: 'Units' }),
      ].join('\n'),
    )
    expect(Object.fromEntries(billed.leftOut)).toEqual({
      'Tax instead of usage': 1,
      'no use of models': 1,
      'of no single UTC day': 1,
      'with an amount or cost that is no number': 1,
    })
    expect([...billed.days.values()].map(({ unknownUnits }) => unknownUnits)).toEqual([1])
    expect(reconciledLines([], billed).join('\n')).toContain('1 lines have tokens in a unit that is not known')
    const bare = await read('line_item_usage_start_date,line_item_usage_type\n2026-09-01T00:00:00Z,USE1-x-input-tokens\n')
    expect(bare.missing).toHaveLength(4)
    expect(bare.missing[0]).toContain('line_item_iam_principal')
  })
  test.each([
    ['a,b\n1,2\n', 'has no column line_item_usage_start_date, line_item_usage_type'],
    [`${HEAD}\nx,y\n`, 'cannot be read as a CSV of AWS costs'],
    [`${HEAD}\n"open`, 'cannot be read as a CSV of AWS costs'],
  ])('that is none is refused: %j', async (text, message) => {
    await expect(read(text)).rejects.toThrow(message)
    await expect(read(text)).rejects.toThrow('cur.csv: ')
  })
  test('that is not there, or is no gzip, is refused', async () => {
    await expect(readCur(join(folder, 'nowhere.csv'))).rejects.toThrow('ENOENT')
    await writeFile(join(folder, 'wrong.csv.gz'), HEAD)
    await expect(readCur(join(folder, 'wrong.csv.gz'))).rejects.toThrow('wrong.csv.gz: cannot be read')
  })
})

describe('what is in no log of calls', () => {
  const batch = (usage: string, fields: Parameters<typeof line>[0] = {}): string => line({ usage, ...fields })
  test.each([
    'USE1-Claude3Haiku-input-tokens-batch',
    'USE1-MP:USE1_OutputTokenCount_Batch-Units',
    'USW2-MillionBatchInputTokens',
    'USE1-openai.gpt-oss-20b-mantle-input-tokens-standard',
    'USE1-NovaPro-input-image-token-count',
    'USE1-Titan-Training-Tokens',
  ])('%s makes the day unknown, also where the rest is the same', async (usage) => {
    expect(await verdicts([HEAD, line(), batch(usage)].join('\n'), [logged()])).toEqual([['2026-09-01', ALICE, 'unknown', 0]])
    expect(await verdicts([HEAD, line({ amount: '9' }), batch(usage)].join('\n'), [logged()])).toEqual([['2026-09-01', ALICE, 'unknown', 8429]])
  })
  test('is not missing from the logs where it is all that was billed', async () => {
    expect(await verdicts([HEAD, batch('USE1-Nova-input-tokens-batch')].join('\n'), [])).toEqual([['2026-09-01', ALICE, 'unknown', null]])
    expect(await verdicts([HEAD, batch('USE1-Nova-input-tokens-batch'), line()].join('\n'), [])).toEqual([['2026-09-01', ALICE, 'only-billed', null]])
  })
  test('is told, and its tokens are not among those that are compared', async () => {
    const billed = await read([HEAD, line(), batch('USE1-Nova-output-tokens-batch', { amount: '50' })].join('\n'))
    expect([...billed.days.values()].map(({ tokens, unlogged }) => [rounded(tokens.outputTokens), unlogged])).toEqual([[0, 1]])
    expect(reconciledLines([], billed).join('\n')).toContain('1 lines bill what is in no log of calls (batch inference')
  })
  test.each([
    'USE1-Claude-input-tokens-cross-region-global',
    'USE1-Claude-input-tokens-priority',
    'USE1-Claude-input-tokens-flex',
    'MP:USE1_InputTokenCount-Units',
  ])('does not hold for %s, which logs count', async (usage) => {
    expect(await verdicts([HEAD, line({ usage })].join('\n'), [logged()])).toEqual([['2026-09-01', ALICE, 'same', 0]])
  })
  test('is nothing that other services bill', async () => {
    const other = line({ principal: '', usage: 'USE1-BatchToken-Requests' }).replace('AmazonBedrock', 'AmazonCognito')
    expect(Object.fromEntries((await read([HEAD, other].join('\n'))).leftOut)).toEqual({ 'no use of models': 1 })
  })
})

describe('the comparison', () => {
  const bill = [HEAD, line()].join('\n')
  test('says where both are the same, and by how much they differ', async () => {
    expect(await verdicts(bill, [logged()])).toEqual([['2026-09-01', ALICE, 'same', 0]])
    expect(await verdicts(bill, [logged({ inputTokens: 500 })])).toEqual([['2026-09-01', ALICE, 'differs', 71]])
  })
  test('calls nothing a difference that may be an unlogged call or an unknown unit', async () => {
    expect(await verdicts(bill, [logged({ inputTokens: 500, calls: 2 })])).toEqual([['2026-09-01', ALICE, 'unknown', 71]])
    expect(await verdicts(bill, [logged({ inputTokens: 500, calls: 2, errors: 1 })])).toEqual([['2026-09-01', ALICE, 'differs', 71]])
    expect(await verdicts([HEAD, line({ unit: '' })].join('\n'), [logged()])).toEqual([['2026-09-01', ALICE, 'unknown', null]])
  })
  test('keeps what only one side has, and cuts the bill to the period', async () => {
    const bob = line({ principal: 'arn:aws:iam::111122223333:user/bob' })
    const late = line({ start: '2026-09-05T00:00:00Z', end: '2026-09-05T01:00:00Z' })
    const ours = [logged({ principal: null })]
    expect(
      (await verdicts([HEAD, bob, late].join('\n'), ours, { from: '2026-09-01', to: '2026-09-05' })).map(([, principal, verdict]) => [principal, verdict]),
    ).toEqual([
      ['arn:aws:iam::111122223333:user/bob', 'only-billed'],
      [null, 'only-logged'],
    ])
  })
  test('adds up on both sides, whatever is billed and logged', () => {
    const day = fc.constantFrom('2026-09-01', '2026-09-02')
    const principal = fc.constantFrom(ALICE, 'arn:aws:iam::1:user/b', null)
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.record({ day, principal, tokens: fc.nat(10_000) }), { selector: (one) => `${one.day} ${one.principal}` }),
        fc.uniqueArray(fc.record({ day, principal, tokens: fc.nat(10_000) }), { selector: (one) => `${one.day} ${one.principal}` }),
        (ours, theirs) => {
          const days = theirs.map((one) => ({
            ...one,
            tokens: { inputTokens: decimal(String(one.tokens))!, outputTokens: 0n, cacheReadTokens: 0n, cacheWriteTokens: 0n },
            unknownUnits: 0,
            unlogged: 0,
            comparable: 1,
            cost: 0n,
          }))
          const billed = {
            days: new Map(days.map((one) => [JSON.stringify([one.day, one.principal]), one])),
            currencies: new Set<string>(),
            leftOut: new Map(),
            missing: [],
            lines: 0,
          }
          const rows = reconcile(
            ours.map((one) => logged({ day: one.day, principal: one.principal, inputTokens: one.tokens })),
            billed,
            ALWAYS,
          )
          const total = (counts: readonly { readonly tokens: number }[]): number => counts.reduce((sum, one) => sum + one.tokens, 0)
          expect(rows.reduce((sum, row) => sum + (row.logged?.inputTokens ?? 0), 0)).toBe(total(ours))
          expect(rows.reduce((sum, row) => sum + (row.billed?.inputTokens ?? 0), 0)).toBe(total(theirs))
        },
      ),
    )
  })
  test('as CSV cannot start a formula', async () => {
    const rows = reconcile([logged({ principal: '=cmd()' })], await read(bill), ALWAYS)
    expect(reconciledCsv(rows, 'USD')).toContain(",'=cmd(),")
  })
})

test.each([
  ['USE1-Claude4.6Sonnet-input-tokens', 'inputTokens'],
  ['EUC1-Nova2.0Lite-output-tokens-cross-region-global', 'outputTokens'],
  ['USE1-x-mantle-input-tokens-flex', 'inputTokens'],
  ['USE1-x-cache-read-input-token-count', 'cacheReadTokens'],
  ['USE1-x-cache-write-input-token-count', 'cacheWriteTokens'],
  ['USE1-TitanImage-T2I-1024', null],
])('%s is about %s', (usageType, kind) => expect(tokenKindOf(usageType)).toBe(kind))

test.each([
  ['1K tokens', 1_000n],
  ['1000 Tokens', 1_000n],
  ['1,000 tokens', 1_000n],
  ['1M tokens', 1_000_000n],
  ['1 million tokens', 1_000_000n],
  ['1,000,000 tokens', 1_000_000n],
  ['Tokens', 1n],
  ['1K input tokens', 1_000n],
  ['Units', null],
  ['', null],
  ['2K tokens', null],
])('%j is %s tokens', (unit, tokens) => expect(tokensInUnit(unit)).toBe(tokens))

test.each([
  ['0.571', '0.571'],
  ['1.2E-5', '0.000012'],
  ['-3', '-3'],
  ['1e3', '1000'],
  ['.5', '0.5'],
  ['', null],
  ['1,5', null],
  ['NaN', null],
  ['0x10', null],
])('%j is the number %s', (text, shown) => {
  const value = decimal(text)
  expect(value === null ? null : formatMoney(value)).toBe(shown)
})
