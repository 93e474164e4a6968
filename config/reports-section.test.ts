import { describe, expect, test } from 'vitest'
import { parseReports } from './reports-section.ts'

const parse = (text: string) => parseReports(text, '/etc/trailjoin/trailjoin.yaml')

test('a report has its defaults, and paths are relative to the file', () => {
  expect(parse('reports:\n  - { name: monthly, every: month, format: pdf, folder: out, prices: prices.yaml }')).toEqual([
    {
      name: 'monthly',
      every: 'month',
      afterMinutes: 360,
      format: 'pdf',
      to: { folder: '/etc/trailjoin/out' },
      tenant: undefined,
      cloud: undefined,
      prices: '/etc/trailjoin/prices.yaml',
      madeBy: undefined,
    },
  ])
})

test('a webhook has its secret by reference, and a time may be later than the end of the period', () => {
  const [report] = parse(
    'reports:\n  - name: daily\n    every: day\n    at: 01:30\n    afterDays: 2\n    format: csv\n    webhook: { url: { env: HOOK }, secret: { file: /run/secrets/hook } }',
  )
  expect([report!.afterMinutes, report!.to]).toEqual([2970, { url: { env: 'HOOK' }, secret: { file: '/run/secrets/hook' } }])
})

test.each(['', 'sources: []', 'reports:'])('%j asks for no report', (text) => expect(parse(text)).toEqual([]))

describe('is refused with line and reason:', () => {
  const entry = (fields: string): string => `reports:\n  - { name: a, every: day, format: csv, folder: x, ${fields} }`
  test.each([
    [entry('at: 6 o’clock'), "trailjoin.yaml:2: reports[0].at is no time of day: write '06:00' (UTC)"],
    [entry('at: 25:00'), 'is no time of day'],
    [entry('colour: red'), 'reports[0].colour is not known here'],
    [entry('tenant: mine'), 'is no tenant id'],
    [entry('webhook: { url: https://x.example/, secret: { env: S } }'), 'to two places'],
    ['reports:\n  - { name: a, every: day, format: csv }', 'goes nowhere'],
    ['reports:\n  - { name: A b, every: day, format: csv, folder: x }', 'is no name of a report'],
    ['reports:\n  - { name: a, every: year, format: csv, folder: x }', 'is none of day, week, month'],
    ['reports:\n  - { name: a, every: day, format: doc, folder: x }', 'is none of pdf, html'],
    [
      'reports:\n  - { name: a, every: day, format: csv, folder: x }\n  - { name: a, every: week, format: csv, folder: y }',
      'trailjoin.yaml:3: reports[1].name "a" is the name',
    ],
  ])('%j', (text, message) => expect(() => parse(text)).toThrow(message))
  test('a secret that stands there in the clear, without repeating it', () => {
    const text = 'reports:\n  - { name: a, every: day, format: csv, webhook: { url: https://x.example/, secret: whsec_hunter2 } }'
    expect(() => parse(text)).toThrow('is no reference to a secret')
    expect(() => parse(text)).not.toThrow('hunter2')
  })
})
