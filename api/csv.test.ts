import { expect, test } from 'vitest'
import { toCsv } from './csv.ts'

test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '＝1'])('the cell %j is text, not a formula', (cell) => {
  expect(toCsv([[cell]])).toMatch(/^"?'/)
})

test('numbers stay numbers, nulls are empty, quotes and line breaks are quoted', () => {
  expect(toCsv([[-5, null, 'plain', 'a "b"', 'two\nlines', 'c\rd', true]])).toBe('-5,,plain,"a ""b""","two\nlines","c\rd",true\r\n')
})
