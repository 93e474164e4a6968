import { describe, expect, test } from 'vitest'
import { coverageOfRows } from '#api/read-models/llm-usage.ts'
import { usageRow } from '#api/usage/fixture.ts'
import type { UsageRow } from '#api/usage/contract.ts'
import { formatMoney } from '#api/usage/price.ts'
import type { ReportData } from './report-data.ts'
import { reportOf } from './document.ts'
import { reportHtml } from './html-document.ts'
import { html } from './html.ts'
import { percent, whole } from './numbers.ts'
import { parsePriceFile } from './price-file.ts'
import { addUpPriced, pricedRows } from './priced.ts'

const PRICES = `
currency: USD
per: 1000000
prices:
  - { model: nova-lite-v1, input: 0.1, output: 0.30 }
`

function data(rows: readonly UsageRow[], fields: Partial<ReportData> = {}): ReportData {
  const table = parsePriceFile(PRICES, 'prices.yaml')
  return {
    period: { from: '2026-09-01', to: '2026-10-01', firstDay: '2026-09-01', lastDay: '2026-09-02' },
    scope: { tenant: null, agent: null, cloud: null },
    rows: pricedRows(rows, table),
    coverage: { ...coverageOfRows(rows), pendingEvents: 0, batchJobs: { total: 3, aws: 2, gcp: 1 }, otherTenants: 0 },
    nameOf: (_tenant, oid) => (oid.startsWith('aaaa') ? 'Weather <b>Agent</b> & \u202eco' : null),
    severalTenants: false,
    prices: { currency: table.currency, sha256: table.sha256 },
    madeBy: 'Compliance "Team"',
    version: '1.2.3',
    proofs: [{ of: 'Calls', command: 'trailjoin report llm-usage --format ndjson', sha256: 'd'.repeat(64) }],
    findings: [],
    ...fields,
  }
}

const documentOf = (of: ReportData): string => reportHtml(reportOf(of))

const ROWS = [
  usageRow({ calls: 5, errors: 1, tokenBasis: 'metered', inputTokens: 1_000_000, outputTokens: 20 }),
  usageRow({ calls: 2, cloud: 'gcp', model: 'gemini', modelId: 'gemini', confidence: 'derived', day: '2026-09-02' }),
  usageRow({
    share: 'ambiguous',
    agentOid: null,
    confidence: 'ambiguous',
    candidates: ['aaaaaaaa-0000-4000-8000-000000000001', 'bbbbbbbb-0000-4000-8000-000000000001'],
    calls: 3,
  }),
  usageRow({ share: 'unattributed', agentOid: null, confidence: 'none', calls: 10, account: '<script>alert(1)</script>' }),
]

describe('the HTML report', () => {
  const text = documentOf(data(ROWS))
  test('is the same bytes for the same data', () => expect(documentOf(data(ROWS))).toBe(text))
  test('needs nothing from anywhere and runs nothing', () => {
    expect(text).not.toMatch(/<script|<link|<img|https?:\/\/|@import|url\(|\son\w+=/)
    expect(text).toContain("default-src 'none'")
  })
  test('cannot be changed by what stands in logs and directories', () => {
    expect(text).toContain('Weather &lt;b&gt;Agent&lt;/b&gt; &amp;  co')
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
    expect(text).not.toContain('\u202e')
  })
  test('names period, scope, maker, hashes and what is not known', () => {
    expect(text).toContain('2026-09-01 to 2026-09-30 (UTC)')
    for (const part of [
      'Compliance &quot;Team&quot;',
      'd'.repeat(64),
      'trailjoin 1.2.3',
      'tokens of 2 Google Cloud calls',
      '35 % of the calls are charged to a named agent, 15 % are one of several agents',
      'charged to nobody',
      'Findings of the period',
      'None. That is no proof that all is well',
    ])
      expect(text).toContain(part)
  })
  test('without any calls says so, and that this proves nothing', () => {
    const empty = documentOf(data([], { period: { from: null, to: null, firstDay: null, lastDay: null }, prices: null, madeBy: null }))
    expect(empty).toContain('no calls seen')
    expect(empty).toContain('That is no proof that there was none')
    expect(empty).toContain('None: no call of this period is ambiguous.')
  })
  test('shows a year by month, not in 365 columns', () => {
    const year = documentOf(
      data([usageRow({ day: '2026-01-01' }), usageRow({ day: '2026-12-31' })], {
        period: { from: '2026-01-01', to: '2027-01-01', firstDay: '2026-01-01', lastDay: '2026-12-31' },
      }),
    )
    expect(year).toContain('Calls by month')
    expect(year).toContain('>2026-12</text>')
  })
  test('has a line for each of 300 agents', () => {
    const many = Array.from({ length: 300 }, (_, index) => usageRow({ agentOid: `cccccccc-0000-4000-8000-${String(index).padStart(12, '0')}` }))
    expect(documentOf(data(many)).match(/Agent without a known name/g)).toHaveLength(300)
  })
})

test('a template escapes everything but finished HTML', () => {
  expect(html`<p title="${'"<'}">${html`<b>${"'&"}</b>`}${[html`<i>1</i>`, html`<i>2</i>`]}${null}${3}</p>`.html).toBe(
    '<p title="&quot;&lt;"><b>&#39;&amp;</b><i>1</i><i>2</i>3</p>',
  )
})

test.each([
  [0, 0, '–'],
  [0, 5, '0 %'],
  [5, 5, '100 %'],
  [1, 100_000, '< 0.1 %'],
  [99_999, 100_000, '> 99.9 %'],
  [1, 3, '33.3 %'],
])('%d of %d is %s: all and nothing are said only when exact', (some, all, text) => expect(percent(some, all)).toBe(text))

test.each([
  [0, '0'],
  [999, '999'],
  [1000, '1,000'],
  [1234567, '1,234,567'],
])('%d is written %s', (count, text) => expect(whole(count)).toBe(text))

describe('a price table', () => {
  test('is read without any float', () => {
    const { currency, entries } = parsePriceFile(
      'currency: EUR\nper: 1000\nprices:\n  - model: m\n    input: 0.1\n    cacheRead: 0.000000000001\n    request: 2\n    from: 2026-01-01\n',
      'p',
    )
    expect(currency).toBe('EUR')
    expect(Object.entries(entries[0]!.prices).map(([name, money]) => [name, formatMoney(money)])).toEqual([
      ['request', '2'],
      ['input', '0.0001'],
      ['cacheRead', '0.000000000000001'],
    ])
  })
  test.each([
    ['prices: [', 'is no YAML'],
    ['currency: usd\nper: 1\nprices: [{ model: m, input: 1 }]', 'currency is no currency code'],
    ['currency: USD\nper: 7\nprices: [{ model: m, input: 1 }]', 'per is none of'],
    ['currency: USD\nper: 1\nprices: []', 'prices is empty'],
    ['currency: USD\nper: 1\nprices: [{ model: m, input: 1e3 }]', 'prices #1 input is no price'],
    ['currency: USD\nper: 1\nprices: [{ model: m, inptu: 1 }]', 'has unknown fields: inptu'],
    ['currency: USD\nper: 1\nprices: [{ model: m }]', 'prices #1 has no price'],
    ['currency: USD\nper: 1\nprices: [{ model: m, input: 1, from: 2026-02-30 }]', 'prices #1 from is no day'],
    ['currency: USD\nper: 1\nprices: [{ model: m, input: 1, from: 2026-02-02, to: 2026-02-02 }]', 'before it begins'],
    ['currency: USD\nper: 1\nprices: [{ model: m, input: 1, to: 2026-03-01 }, { model: m, input: 2, from: 2026-02-01 }]', 'prices #1 and #2 are both for m'],
  ])('%j is refused with the place and the reason', (text, message) => {
    expect(() => parsePriceFile(text, 'prices.yaml')).toThrow(message)
    expect(() => parsePriceFile(text, 'prices.yaml')).toThrow(/prices\.yaml(?::\d+)?: /)
  })
  test('of which one entry ends where the next begins is no contradiction', () => {
    expect(
      parsePriceFile(
        'currency: USD\nper: 1\nprices: [{ model: m, input: 1, to: 2026-02-01 }, { model: m, input: 2, from: 2026-02-01 }, { model: m, region: r, input: 3 }]',
        'p',
      ).entries,
    ).toHaveLength(3)
  })
})

test('costs add up with their rows, and what is not known is counted', () => {
  const [sum] = addUpPriced(pricedRows([...ROWS.slice(0, 2), ROWS[0]!], parsePriceFile(PRICES, 'p')), [])
  expect([sum!.calls, formatMoney(sum!.cost!.amount), sum!.cost!.unpricedCalls]).toEqual([12, '0.200012', 2])
})
