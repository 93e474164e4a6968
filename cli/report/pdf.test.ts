import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { cell, numberCell } from './blocks.ts'
import type { Block, Report } from './blocks.ts'
import { charactersOf, showable } from './glyphs.ts'
import { reportPdf } from './pdf.ts'

const row = (name: string): Extract<Block, { block: 'table' }>['rows'][number] => [
  {
    ...cell({ text: name, as: 'strong' }, { text: 'aaaaaaaa-0000-4000-8000-000000000001', as: 'id' }),
    swatch: '#123456',
    bar: { parts: [{ label: 'x', count: 1, colour: '#123456' }], most: 2 },
  },
  numberCell('1,234'),
]
const report = (names: readonly string[]): Report => ({
  title: 'Usage',
  period: '2026-09-01 to 2026-09-30',
  madeBy: 'Zoë & 東京',
  end: '2026-10-01',
  blocks: [
    { block: 'facts', facts: [['Tenant', 'all']] },
    { block: 'figures', figures: [['1', 'call']] },
    { block: 'note', text: 'Careful.' },
    { block: 'heading', text: 'By agent' },
    { block: 'text', text: 'Words.' },
    { block: 'bar', title: 'Calls', count: 3, parts: [{ label: 'x', count: 3, colour: '#123456' }] },
    { block: 'bar', title: 'Tokens', count: 0, parts: [] },
    { block: 'days', days: [{ day: '2026-09-01', parts: [{ label: 'x', count: 3, colour: '#123456' }] }] },
    {
      block: 'table',
      heads: [
        { text: 'Agent', wide: true },
        { text: 'Calls', number: true },
      ],
      rows: names.map(row),
      foot: [cell('Sum'), numberCell('9')],
    },
    { block: 'list', items: ['one', 'two'] },
    { block: 'empty', text: 'None.' },
  ],
})
const pagesOf = (pdf: Buffer): number => Number(/\/Count (\d+)/.exec(pdf.toString('latin1'))?.[1])

test('the same report is the same bytes, and its date is the end of the period', async () => {
  const [one, two] = [await reportPdf(report(['Weather Agent'])), await reportPdf(report(['Weather Agent']))]
  expect(one.equals(two)).toBe(true)
  expect(one.toString('latin1')).toContain('(D:20261001000000Z)')
  expect(one.toString('latin1').match(/\(D:\d+/g)).toHaveLength(1)
  expect(one.equals(await reportPdf(report(['Weather Agenx'])))).toBe(false)
})

test('a long table goes on over as many pages as it needs', async () => {
  const [few, many] = [await reportPdf(report(['a'])), await reportPdf(report(Array.from({ length: 300 }, (_, index) => `Agent ${index}`)))]
  expect(pagesOf(few)).toBe(1)
  expect(pagesOf(many)).toBeGreaterThan(10)
})

test('whatever stands in names makes a PDF', async () => {
  const hostile = ['W'.repeat(5_000), '\u202egnp.exe', '天気', ')Tj ET Q %', '\u0000\u001b[31m', '{"text":"x"}', '👩🏽‍🚀', 'e\u0301', '\ud800']
  const pdf = await reportPdf(report(hostile))
  expect(pdf.subarray(0, 5).toString()).toBe('%PDF-')
  // No script, no link, no file, nothing that starts by itself.
  expect(pdf.toString('latin1')).not.toMatch(/\/(JavaScript|JS|OpenAction|AA|Launch|URI|EmbeddedFile)\b/)
})

test('characters that the font lacks are written as their codes', () => {
  const fonts = join(dirname(createRequire(import.meta.url).resolve('pdfmake/package.json')), 'fonts', 'Roboto')
  const characters = charactersOf(readFileSync(join(fonts, 'Roboto-Regular.ttf')))
  expect(Array.from('aZß–“”ΩЖ…é').every((character) => characters.has(character.codePointAt(0)!))).toBe(true)
  expect(showable('Wetter 天気!', characters)).toBe('Wetter ‹U+5929 U+6C17›!')
  expect(showable('👋', characters)).toBe('‹U+1F44B›')
})
