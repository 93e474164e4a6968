import { expect, test } from 'vitest'
import { printable, tableLines } from './table.ts'
import { timelineColumns } from './timeline-table.ts'

test('log text cannot drive the terminal', () => {
  expect(printable('a\u001b[31mred\u0007\r\nb\u009b2J\u202ec')).toBe('a [31mred b 2J c')
})

test('cells are cut to their column, and lines of further pages align with the first', () => {
  const columns = [
    { title: 'one', width: 5, text: (item: string) => item },
    { title: 'two', width: 3, text: () => 'x' },
  ]
  expect(tableLines(columns, ['abcdefgh'], { head: true, color: false })).toBe('one   two\nabcd… x\n')
  expect(tableLines(columns, ['a'], { head: false, color: false })).toBe('a     x\n')
  expect(tableLines(columns, [], { head: false, color: false })).toBe('')
})

test.each([120, 149, 150, 200])('the timeline fits a terminal of %i columns', (width) => {
  const columns = timelineColumns(width)
  const total = columns.reduce((sum, column) => sum + column.width, columns.length - 1)
  expect(total).toBeLessThanOrEqual(width)
})
